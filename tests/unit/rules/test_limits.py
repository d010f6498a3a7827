import pytest

from rules.limits import Limit, LimitFault, LimitWords, parse_limit


@pytest.mark.parametrize(
    ("text", "minutes", "working", "urgent"),
    [
        ("2紧急工作时", 120, False, True),
        ("4工作时", 240, True, False),
        ("4小时", 240, True, False),
        ("1工作日", 480, True, False),
        ("1天", 480, True, False),
        ("15天", 7_200, True, False),
        ("15自然日", 21_600, False, False),
        ("2紧急工作日", 2_880, False, True),
        ("30分钟", 30, False, False),
        ("90工作分钟", 90, True, False),
        ("13个工作日", 6_240, True, False),
        ("2 working days", 960, True, False),
        ("1 calendar day", 1_440, False, False),
        ("1 urgent hour", 60, False, True),
        ("9999自然日", 14_398_560, False, False),
    ],
)
def test_the_words_of_the_standards_are_read(text: str, minutes: int, working: bool, urgent: bool) -> None:
    limit = parse_limit(text)
    assert isinstance(limit, Limit)
    assert (limit.text, limit.minutes, limit.working, limit.urgent) == (text, minutes, working, urgent)


@pytest.mark.parametrize(
    "text",
    [
        "1紧急工作时制止",
        "种植季节15工作日",
        "",
        "天",
        "4",
        "半天",
        "0工作日",
        "04工作时",
        "-1天",
        "1.5天",
        "10000工作日",
        "10000自然日",
        "80000工作时",
        "9" * 5_000 + "天",
        "4 工作时",
        " 4工作时",
        "4工作时\n",
        "４工作时",
        "٤工作时",
        "3日",
        "2 fortnights",
        "2working days",
        "停工4工作时+处罚7工作日",
    ],
)
def test_what_does_not_parse_is_a_fault_and_never_a_guess(text: str) -> None:
    fault = parse_limit(text)
    assert isinstance(fault, LimitFault)
    assert fault.text == text
    assert fault.expected
    assert fault.do


def test_a_city_says_what_its_bare_words_mean() -> None:
    continuous = LimitWords(bare_hour_working=False, bare_day_working=False)
    assert parse_limit("4小时", continuous) == Limit("4小时", 240, working=False, amount=4)
    assert parse_limit("1天", continuous) == Limit("1天", 1_440, working=False, amount=1)


def test_a_city_says_how_long_its_working_day_is() -> None:
    short = LimitWords(standard_day=420)
    assert parse_limit("2工作日", short) == Limit("2工作日", 840, working=True, amount=2)
    assert parse_limit("2天", short) == Limit("2天", 840, working=True, amount=2)


def test_a_city_may_count_urgent_days_in_office_hours() -> None:
    words = LimitWords(urgent_day=480, urgent_day_working=True)
    assert parse_limit("2紧急工作日", words) == Limit("2紧急工作日", 960, working=True, urgent=True, amount=2)
