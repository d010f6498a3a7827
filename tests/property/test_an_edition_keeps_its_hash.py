from random import Random

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rules.bounds import Bounds
from rules.bundle import Parts
from rules.edition import Edition
from tests.builders_city import tiny_parts

SHUFFLED = ("areas", "shapes", "units", "posts", "matters", "entries", "policies", "templates")
bounds = st.builds(
    Bounds, objections=st.integers(0, 9), rounds=st.integers(0, 9), repeat_days=st.integers(0, 99)
)


def shuffled(parts: Parts, dice: Random) -> Parts:
    rows = {name: list(getattr(parts, name)) for name in SHUFFLED}
    for row in rows.values():
        dice.shuffle(row)
    return replace(parts, **{name: tuple(row) for name, row in rows.items()})


@given(st.randoms(use_true_random=False), bounds)
def test_rows_in_any_order_are_the_same_edition(dice: Random, numbers: Bounds) -> None:
    parts = replace(tiny_parts(), bounds=numbers)
    edition = Edition.of(parts)
    assert Edition.of(shuffled(parts, dice)) == edition
    assert Edition.of(Edition.unpack(edition.pack()).load().parts) == edition
