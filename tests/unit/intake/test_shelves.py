from hypothesis import given
from hypothesis import strategies as st

from services.intake.desk import shelves

KEYS = st.text("abcdef0123456789-", max_size=4)


@given(st.lists(st.tuples(KEYS, st.one_of(st.none(), st.integers()))))
def test_shelves_do_what_a_dict_does_and_old_ones_never_change(steps: list[tuple[str, int | None]]) -> None:
    model: dict[str, int] = {}
    mine: shelves.Shelves[int] = shelves.empty()
    for key, value in steps:
        before, size = mine, shelves.size(mine)
        if value is None:
            model.pop(key, None)
            mine = shelves.drop(mine, key)
        else:
            model[key] = value
            mine = shelves.put(mine, key, value)
        assert shelves.size(before) == size
    assert shelves.size(mine) == len(model)
    assert all(shelves.get(mine, key) == value for key, value in model.items())
    assert shelves.get(mine, "not there") is None
