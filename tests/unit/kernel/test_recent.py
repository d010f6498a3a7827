"""What a process has just committed is taken from memory, whole or not at all."""

from datetime import UTC, datetime

from kernel.log import Headers, Outgoing
from kernel.sql.recent import Part, Recent

AT = datetime(2026, 3, 2, tzinfo=UTC)
SOURCE = ("case.commands", 3)


def part(first: int, count: int) -> Part:
    records = [
        Outgoing(*SOURCE, k, k, f"case-{k}", Headers("intake.desk/3", k), b"")
        for k in range(first + 1, first + 1 + count)
    ]
    return Part(first, AT, records)


def offsets(parts: object) -> list[int]:
    assert isinstance(parts, list)
    return [record.k - 1 for one in parts for record in one.records]


def remembered(*parts: Part, most: int = 100) -> Recent:
    recent = Recent(most)
    recent.reads([SOURCE[0]])
    for one in parts:
        recent.add(SOURCE, one)
    return recent


def test_a_range_over_several_parts_is_cut_to_what_is_asked() -> None:
    recent = remembered(part(5, 3), part(8, 1), part(9, 4))
    taken = recent.take(SOURCE, 6, 11)
    assert offsets(taken) == [6, 7, 8, 9, 10]
    assert [one.first for one in taken or ()] == [6, 8, 9]


def test_a_range_that_begins_earlier_ends_later_or_has_a_hole_is_read_from_the_database() -> None:
    recent = remembered(part(5, 3), part(9, 4))
    assert recent.take(SOURCE, 4, 6) is None
    assert recent.take(SOURCE, 7, 10) is None
    assert recent.take(SOURCE, 12, 14) is None
    assert recent.take(("other", 3), 5, 6) is None


def test_the_oldest_part_is_forgotten_first() -> None:
    recent = remembered(part(0, 60), part(60, 60))
    assert recent.take(SOURCE, 0, 1) is None
    assert offsets(recent.take(SOURCE, 60, 62)) == [60, 61]


def test_what_nobody_here_reads_is_not_kept() -> None:
    recent = Recent()
    recent.add(SOURCE, part(0, 1))
    assert recent.take(SOURCE, 0, 1) is None
