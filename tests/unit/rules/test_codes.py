"""Codes of all schemes of a city whose areas have statistical codes beside its own."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rules.areas import Area, Areas
from rules.codes import LOCAL, SCHEMES, CodeBook, CodeFault, CodeFound, above, scheme_of

DAY = date(2026, 3, 2)
BOOK = CodeBook(
    Areas((
        Area(code="D", name="小城区", kind="district", level=0, layer="治理", aliases=("990601",)),
        Area(code="S1", name="河东街道", kind="street", level=1, layer="治理", parent="D", scheme="own",
             aliases=("990601001000", "990601001", "河东")),
        Area(code="C1", name="柳树社区", kind="community", level=2, layer="治理", parent="S1",
             aliases=("990601001002",), valid_to=date(2026, 12, 31)),
        Area(code="990601001002003", name="第三网格", kind="grid", level=3, layer="治理", parent="C1",
             scheme="GB/T 30428.1"),
    ))
)  # fmt: skip


@pytest.mark.parametrize(
    ("code", "scheme", "area", "exact"),
    [
        ("990601001002003", "GB/T 30428.1", "990601001002003", True),
        ("990601001002003", "", "990601001002003", True),
        ("990601001002", "statistical", "C1", True),
        ("990601001000", "统计", "S1", True),
        ("S1", "own", "S1", True),
        ("99060100100207", "cell14", "C1", False),
        ("990601001002099", "cell15", "C1", False),
        ("990601001002003Z", "cell16", "990601001002003", False),
        ("990601001002098Z", "cell16", "C1", False),
        ("99060100109900", "", "S1", False),
        ("990601077001", "", "D", False),
        ("01020399060100100204", "object20", "C1", False),
        ("01020399060100107704", "CJ/T 349-2010", "S1", False),
        ("01020399060107707704", "", "D", False),
    ],
)
def test_a_code_finds_its_area_or_the_nearest_above(code: str, scheme: str, area: str, exact: bool) -> None:
    found = BOOK.find(code, scheme, DAY)
    assert isinstance(found, CodeFound), found
    assert (found.area.code, found.exact) == (area, exact)


@pytest.mark.parametrize(
    ("code", "scheme", "fault"),
    [
        ("110101001001", "", "unknown_code"),
        ("河东", "", "unknown_code"),
        ("S1", "cell15", "bad_code"),
        ("990601001002003", "cell14", "bad_code"),
        ("990601001002003z", "cell16", "bad_code"),
        ("９９０６０１００１００２", "statistical", "bad_code"),
        ("S1", "police", "unknown_scheme"),
        ("C1", "own", "unknown_code"),
    ],
)
def test_a_code_that_finds_nothing_says_why(code: str, scheme: str, fault: str) -> None:
    found = BOOK.find(code, scheme, DAY)
    assert isinstance(found, CodeFault), found
    assert (found.code, bool(found.expected)) == (fault, True)


def test_a_code_is_asked_on_a_day() -> None:
    found = BOOK.find("990601001002", "", date(2027, 1, 1))
    assert isinstance(found, CodeFound)
    assert (found.area.code, found.exact) == ("S1", False)


def test_shapes_tell_the_schemes_apart() -> None:
    assert [scheme_of("9" * length) for length in (12, 14, 15, 20)] == [
        "statistical", "cell14", "cell15", "object20",
    ]  # fmt: skip
    assert (scheme_of("9" * 15 + "Z"), scheme_of("9" * 13), scheme_of("JD01")) == ("cell16", LOCAL, LOCAL)


@given(st.sampled_from(sorted(SCHEMES)), st.text("0123456789", min_size=20, max_size=20))
def test_the_ways_up_grow_shorter_and_begin_as_the_code(scheme: str, digits: str) -> None:
    start = SCHEMES[scheme].start
    parts = [up for up in above(digits, scheme) if not up.endswith("0")]
    assert all(digits[start:].startswith(part) for part in parts)
    assert [len(part) for part in parts] == sorted(map(len, parts), reverse=True)


@given(st.text(max_size=24), st.sampled_from(["", "own", *SCHEMES]))
def test_any_code_is_found_or_refused(code: str, scheme: str) -> None:
    assert isinstance(BOOK.find(code, scheme, DAY), CodeFound | CodeFault)
