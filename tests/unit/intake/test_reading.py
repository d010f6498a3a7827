from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from kernel.processor import DeadLetter, Sender
from rules.areas import Area
from rules.bundle import Neighbour
from rules.edition import Edition
from rules.geometry import Shape
from rules.inforce import Rules
from schemas.intake import (
    Candidate,
    DeskReport,
    Located,
    Nearby,
    ReportAccepted,
    ReportConflicting,
    ReportDead,
    ReportRepeated,
)
from schemas.report import GridReport, Position, Reporter
from schemas.topics import INTAKE_DESK
from services.intake.reader.processor import READER
from tests.builders_city import (
    CLUTTER,
    MANHOLE,
    MIDDLE,
    QUARREL,
    STREET_TRADING,
    square,
    tiny_city,
    tiny_parts,
)
from tests.builders_intake import reported
from tests.stories import START, Story


@pytest.fixture
def report() -> Story:
    return Story(READER, Rules(1, tiny_city()), "12345/1", Sender("source", "12345"))


def accepted(story: Story, message: GridReport) -> ReportAccepted:
    [event] = story.when(message).events
    assert isinstance(event, ReportAccepted), event
    return event


def refused(story: Story, message: GridReport) -> str:
    [event] = story.when(message).events
    assert isinstance(event, ReportDead), event
    assert isinstance(story.effects[0], DeadLetter)
    return event.refusal.code


def test_a_report_with_a_point_is_located_classified_and_goes_to_its_desk(report: Story) -> None:
    event = accepted(report, reported(reporter=Reporter(name="‹name 1›", phone="‹phone 1›")))
    said = event.report
    assert (said.report, said.desk, said.areas, said.located) == (
        "12345/1",
        "C1",
        (Located(layer="治理", area="G11"),),
        1000,
    )
    assert (said.matter, said.condition, said.triage, said.reporter) == (MANHOLE, "1", "big", "‹phone 1›")
    assert (event.found_by, event.doubts, event.edition) == ("point", (), tiny_city().hash)
    assert event.candidates[0] == Candidate(matter=MANHOLE, score=1000, words=("井盖缺失",))
    report.sends(INTAKE_DESK.send("C1", DeskReport(report=said)))


def test_the_same_report_again_is_noted_and_nothing_leaves(report: Story) -> None:
    digest = accepted(report, reported()).digest
    report.when(reported()).then(ReportRepeated(digest=digest)).sends()


def test_other_content_under_the_same_id_conflicts_and_the_first_one_stands(report: Story) -> None:
    accepted(report, reported())
    [event] = report.when(reported("不是井盖，是路灯")).events
    assert isinstance(event, ReportConflicting)
    assert event.refusal.code == "other_content"
    report.sends()
    assert isinstance(report.when(reported()).events[0], ReportRepeated)


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (reported(position=Position(lon_e7=0, lat_e7=0)), "position_zero"),
        (reported(position=Position(lon_e7=1_200_000_000, lat_e7=300_000_000)), "outside_city"),
        (reported(position=Position(lon_e7=MIDDLE["G11"][1], lat_e7=MIDDLE["G11"][0])), "axes_swapped"),
        (reported(" \n", position=None), "empty_report"),
        (reported(position=None, area="C9"), "unknown_area"),
    ],
)
def test_what_cannot_be_read_is_dead_with_its_reason(report: Story, message: GridReport, code: str) -> None:
    assert refused(report, message) == code


def test_a_channel_that_the_city_does_not_have_is_refused() -> None:
    parts = tiny_parts()
    city = Edition.of(replace(parts, city=replace(parts.city, channels=("hotline", "app")))).load()
    rules, sender = Rules(1, city), Sender("source", "12345")
    assert refused(Story(READER, rules, "12345/1", sender), reported(channel="pigeon")) == "unknown_channel"
    assert accepted(Story(READER, rules, "12345/2", sender), reported(channel="app")).report.channel == "app"


def test_a_dead_report_is_decided_anew_when_it_is_redriven_or_corrected(report: Story) -> None:
    assert refused(report, reported(position=None, area="C9")) == "unknown_area"
    assert refused(report, reported(position=None, area="C9")) == "unknown_area"
    assert accepted(report, reported(position=None, area="C2")).report.desk == "C2"


def test_an_area_code_locates_what_has_no_point(report: Story) -> None:
    event = accepted(report, reported(position=None, area="G21"))
    assert (event.report.desk, event.found_by, event.report.located) == ("C2", "area", 900)


def test_a_name_in_the_text_locates_what_has_neither(report: Story) -> None:
    event = accepted(report, reported("杏花社区门口井盖缺失", position=None))
    assert (event.report.desk, event.found_by, event.report.located) == ("C2", "name", 700)


def test_the_place_line_comes_before_the_text_and_an_unknown_code_is_only_a_doubt(report: Story) -> None:
    event = accepted(report, reported("杏花社区的人说", position=None, place="柳树社区第二网格", area="C9"))
    assert (event.report.areas[0].area, event.report.desk) == ("G12", "C1")
    assert event.doubts == ("unknown_area", "unclassified")


def test_only_a_street_is_known_so_the_city_desk_takes_it(report: Story) -> None:
    event = accepted(report, reported("河东街道井盖缺失", position=None))
    assert (event.report.areas[0].area, event.report.desk, event.report.located) == ("S1", "D", 400)


def test_two_communities_named_alike_give_what_lies_above_both(report: Story) -> None:
    event = accepted(report, reported("柳树社区和杏花社区之间井盖缺失", position=None))
    assert (event.report.areas[0].area, event.report.desk) == ("S1", "D")
    assert event.doubts == ("ambiguous_name",)


def test_a_report_without_any_place_goes_to_the_city_desk_and_is_never_lost(report: Story) -> None:
    event = accepted(report, reported("井盖缺失", position=None))
    assert (event.report.desk, event.report.areas, event.report.located) == ("D", (), 0)
    assert event.found_by == "nothing"


def test_a_point_near_a_boundary_names_its_neighbours(report: Story) -> None:
    lon, lat = MIDDLE["G11"]
    event = accepted(report, reported(position=Position(lon_e7=lon + 49_500, lat_e7=lat)))
    assert event.doubts == ("near_boundary",)
    assert [near.area for near in event.nearby] == ["G11", "G21"]
    assert event.nearby[0] == Nearby(area="G11", metres=0)
    assert 500 <= event.report.located < 1000


def test_a_code_that_does_not_fit_the_point_is_a_doubt(report: Story) -> None:
    assert accepted(report, reported(area="G22")).doubts == ("area_differs",)
    assert accepted(Story(READER, report.rules, "12345/2", report.sender), reported(area="C1")).doubts == ()


def test_the_longest_word_decides(report: Story) -> None:
    event = accepted(report, reported("井盖缺失了"))
    assert event.candidates == (Candidate(matter=MANHOLE, score=1000, words=("井盖缺失",)),)


def test_words_of_two_matters_lower_the_confidence(report: Story) -> None:
    event = accepted(report, reported("楼道里邻居吵架"))
    assert [(one.matter, one.score, one.words) for one in event.candidates] == [
        (QUARREL, 1000, ("吵架",)),
        (CLUTTER, 500, ("楼道",)),
    ]
    assert (event.report.matter, event.report.confidence, event.report.triage) == (QUARREL, 750, "private")


def test_full_width_and_capital_letters_are_read_like_others(report: Story) -> None:
    assert accepted(report, reported("店外　经营？店外经营！")).report.matter == STREET_TRADING


def test_a_matter_that_the_channel_names_stands_unless_the_words_speak_against_it(report: Story) -> None:
    said = accepted(report, reported("东西不见了", matter=MANHOLE)).report
    assert (said.matter, said.confidence) == (MANHOLE, 900)
    other = accepted(
        Story(READER, report.rules, "12345/2", report.sender), reported("邻居吵架", matter=MANHOLE)
    )
    assert (other.report.matter, other.report.confidence, other.doubts) == (MANHOLE, 700, ("matter_differs",))


def test_the_filing_condition_most_like_the_words_is_chosen(report: Story) -> None:
    assert accepted(report, reported("井盖破损")).report.condition == "2"


def test_without_a_known_word_nobody_guesses(report: Story) -> None:
    event = accepted(report, reported("今天天气很好", matter="X-99"))
    assert (event.report.matter, event.report.confidence) == ("", 0)
    assert event.doubts == ("unknown_matter", "unclassified")


def test_one_key_calls_are_urgent(report: Story) -> None:
    assert accepted(report, reported(kind="urgent")).report.urgency == "urgent"


def test_a_photo_alone_is_a_report(report: Story) -> None:
    assert accepted(report, reported("", photos=("p1.jpg",))).report.photos == ("p1.jpg",)


@pytest.mark.parametrize(
    "occurred", [datetime(2225, 1, 1, tzinfo=UTC), START + timedelta(days=1), START - timedelta(days=400)]
)
def test_a_time_that_cannot_be_believed_is_left_out(report: Story, occurred: datetime) -> None:
    event = accepted(report, reported(occurred=occurred))
    assert (event.report.occurred, event.doubts) == (None, ("occurred_out_of_range",))


def test_an_old_report_of_a_migration_keeps_its_time(report: Story) -> None:
    occurred = START - timedelta(days=400)
    assert accepted(report, reported(occurred=occurred, historic=True)).report.occurred == occurred


def test_a_point_where_the_map_knows_no_community_is_made_finer_by_a_name() -> None:
    parts = tiny_parts()
    coarse = Edition.of(
        replace(parts, shapes=tuple(shape for shape in parts.shapes if shape.area in {"D", "S1"}))
    ).load()
    story = Story(READER, Rules(1, coarse), "12345/1", Sender("source", "12345"))
    said = accepted(story, reported("杏花社区井盖缺失")).report
    assert (said.desk, said.areas, said.located) == ("C2", (Located(layer="治理", area="C2"),), 700)
    vague = accepted(Story(READER, Rules(1, coarse), "12345/2", story.sender), reported()).report
    assert (vague.desk, vague.areas[0].area) == ("D", "S1")


def test_a_point_in_a_neighbouring_city_goes_to_the_city_desk() -> None:
    parts = tiny_parts()
    beside = Area(code="N", name="邻县", kind="district", level=0, layer="neighbour")
    drawn = Shape(area="N", polygons=((square(2, 0, 4, 2),),))
    city = replace(parts.city, neighbours=(Neighbour("N", "邻县"),), layers=("治理", "neighbour"))
    wider = Edition.of(
        replace(parts, city=city, areas=(*parts.areas, beside), shapes=(*parts.shapes, drawn))
    ).load()
    story = Story(READER, Rules(1, wider), "12345/1", Sender("source", "12345"))
    lon, lat = MIDDLE["G21"]
    event = accepted(story, reported(position=Position(lon_e7=lon + 100_000, lat_e7=lat)))
    assert (event.report.desk, event.report.areas[0].area, event.doubts) == ("D", "N", ("neighbour",))
