from hypothesis import given
from hypothesis import strategies as st

from rules.admission import Entry, Register
from rules.matters import Matter, prefixes
from rules.modes import Mode
from tests.builders_city import tiny_city

CODES = ("E-01-36", "E-01", "E", "E-04-05", "Q", "row8:城市管理", "row8:行政执法")
entries = st.lists(
    st.builds(
        Entry,
        entry_id=st.sampled_from("ABCDEFGH"),
        version=st.integers(1, 3),
        matter=st.sampled_from(CODES),
        area=st.sampled_from(("D", "S1", "C1", "C2", "G11")),
        role=st.sampled_from(("own", "assist", "prohibited")),
        layer=st.sampled_from(("", "治理", "城管")),
        unit_level=st.sampled_from(("", "community", "grid")),
        mode=st.sampled_from(("both", "normal", "emergency")),
    ),
    max_size=12,
    unique_by=lambda entry: (entry.entry_id, entry.version),
)
matters = st.builds(
    Matter,
    code=st.sampled_from(("E-01-36", "E-04-05", "Q-01")),
    name=st.just(""),
    kind=st.just("event"),
    row8=st.sampled_from(("", "城市管理")),
)


@given(
    entries,
    matters,
    st.sampled_from(("G11", "C2", "S1")),
    st.sampled_from(("community", "grid")),
    st.sampled_from(Mode),
)
def test_the_index_finds_what_a_search_through_all_entries_finds(
    rows: list[Entry], matter: Matter, area: str, level: str, mode: Mode
) -> None:
    chain = tiny_city().areas.chain(area)
    register = Register(tuple(rows), guarded=frozenset({"community", "grid"}))
    found = register.entries_for(matter, chain, ("治理",), level, mode)
    selectors = {*prefixes(matter.code), *([f"row8:{matter.row8}"] if matter.row8 else [])}
    wanted = [
        row
        for row in rows
        if row.matter in selectors
        and row.area in {place.code for place in chain}
        and row.layer in {"", "治理"}
        and row.unit_level in {"", level}
        and row.mode in {"both", mode.value}
    ]
    assert sorted(found, key=str) == sorted(wanted, key=str)
    lengths = [0 if entry.matter.startswith("row8:") else len(entry.matter) for entry in found]
    assert lengths == sorted(lengths, reverse=True)
    assert found == Register(tuple(rows[::-1]), guarded=register.guarded).entries_for(
        matter, chain, ("治理",), level, mode
    )
