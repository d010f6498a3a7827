from collections import Counter
from datetime import date

import pytest

from cities.day import CHANNELS, Arrival, reports
from rules.bundle import Bundle
from schemas.report import GridReport

MONDAY = date(2026, 11, 23)


@pytest.fixture(scope="module")
def day(demo: Bundle) -> list[Arrival]:
    return reports(demo, 1, 2000, day=MONDAY)


def well_formed(day: list[Arrival]) -> list[GridReport]:
    return [arrival.report for arrival in day if arrival.report]


def test_one_seed_is_one_day(demo: Bundle, day: list[Arrival]) -> None:
    assert reports(demo, 1, 2000, day=MONDAY) == day
    assert reports(demo, 2, 2000, day=MONDAY) != day


def test_two_thousand_come_by_eight_channels_in_order_of_time(day: list[Arrival]) -> None:
    assert len(day) == 2000
    assert {report.channel for report in well_formed(day)} == set(CHANNELS)
    assert [arrival.at for arrival in day] == sorted(arrival.at for arrival in day)
    by_hour = Counter((arrival.at.hour + 8) % 24 for arrival in day)
    assert by_hour[9] > 10 * by_hour[3]


def test_some_are_late_copied_or_in_conflict(day: list[Arrival]) -> None:
    late = [r for r in well_formed(day) if r.occurred]
    assert 40 < len(late) < 120
    by_id: dict[tuple[str, str], list[GridReport | None]] = {}
    for arrival in day:
        by_id.setdefault((arrival.source, arrival.id), []).append(arrival.report)
    twice = [copies for copies in by_id.values() if len(copies) > 1]
    assert 20 < len([copies for copies in twice if copies[0] == copies[1]]) < 80
    assert any(copies[0] != copies[1] for copies in twice)


def test_some_are_nonsense(demo: Bundle, day: list[Arrival]) -> None:
    assert sum(arrival.raw is not None for arrival in day) > 10
    assert any(not report.text.strip() for report in well_formed(day))
    outside = [
        report
        for report in well_formed(day)
        if report.position and demo.areas.at(report.position.lon_e7, report.position.lat_e7, MONDAY).outside
    ]
    assert 10 < len(outside) < 60


def test_no_matter_is_forgotten_and_texts_differ(day: list[Arrival]) -> None:
    texts = [report.text for report in well_formed(day)]
    assert len(set(texts)) > 0.9 * len(texts)
