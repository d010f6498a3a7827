"""Any message of any contract, drawn by Hypothesis within the constraints of its fields."""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from functools import cache
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from hypothesis import strategies as st
from pydantic.fields import FieldInfo

SIGNS = st.characters(codec="utf-8", exclude_categories=("Cs",))
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=8)), timezone(-timedelta(hours=4, minutes=30))])
INSTANTS = st.datetimes(
    min_value=datetime(1980, 1, 1), max_value=datetime(2100, 1, 1), timezones=ZONES, allow_imaginary=False
)
LARGEST = 2**53
"""Integers beyond this are not safe in other people's JSON."""


@cache
def messages(contract: type) -> st.SearchStrategy[Any]:
    """Messages of one contract."""
    hints = get_type_hints(contract, include_extras=True)
    return st.builds(contract, **{field.name: _of(hints[field.name]) for field in fields(contract)})


def _of(hint: Any) -> st.SearchStrategy[Any]:
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        return _constrained(arguments[0], arguments[1:])
    if origin in {Union, UnionType}:
        return st.one_of([_of(each) for each in arguments])
    if origin is tuple:
        assert arguments[1:] == (...,), f"expected tuple[X, ...], found {hint}"
        return st.lists(_of(arguments[0]), max_size=3).map(tuple)
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    return messages(hint) if is_dataclass(hint) else SIMPLE[hint]()


SIMPLE: dict[Any, Callable[[], st.SearchStrategy[Any]]] = {
    str: lambda: st.text(SIGNS, max_size=20),
    int: lambda: st.integers(-LARGEST, LARGEST),
    bool: st.booleans,
    datetime: lambda: INSTANTS,
    date: st.dates,
    type(None): st.none,
}


def _constrained(base: Any, marks: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """A string or an integer within what pydantic's `Field` says; other marks bind nothing more."""
    bounds: dict[str, Any] = {}
    for mark in marks:
        for detail in mark.metadata if isinstance(mark, FieldInfo) else [mark]:
            for name in ("min_length", "max_length", "pattern", "ge", "gt", "le", "lt"):
                found = getattr(detail, name, None)
                if found is not None:
                    bounds[name] = found
    if base is int:
        low = bounds.get("ge", bounds.get("gt", -LARGEST - 1) + 1)
        high = bounds.get("le", bounds.get("lt", LARGEST + 1) - 1)
        return st.integers(low, high)
    if base is str:
        least, most = bounds.get("min_length", 0), bounds.get("max_length", 200)
        if "pattern" not in bounds:
            return st.text(SIGNS, min_size=least, max_size=min(most, 40))
        drawn = st.from_regex(bounds["pattern"], fullmatch=True, alphabet=SIGNS)
        return drawn.map(lambda text: text.removesuffix("\n")).filter(lambda text: least <= len(text) <= most)
    return _of(base)
