"""What a stranger sent, said without a word of it: kind, length and place.

A refusal that is kept, logged or published must quote nothing that may be a name or a telephone. Only what
the contract itself says may be repeated: its fields, its bounds.
"""

from collections.abc import Iterable, Mapping, Sized
from typing import Any, Final, cast

_KINDS: Final[Mapping[type, str]] = {
    type(None): "null",
    bool: "true or false",
    int: "a whole number",
    float: "a number with a fraction",
}
_STRANGE: Final = "‹not of the contract›"


def described(value: object) -> str:
    """`text of 11 characters`, `a whole number`, `a list of 3`."""
    kind = _KINDS.get(type(value))
    if kind is not None:
        return kind
    size = len(value) if isinstance(value, Sized) else 0
    if isinstance(value, str):
        return f"text of {size} characters"
    if isinstance(value, Mapping):
        return f"an object of {size} fields"
    return f"a list of {size}" if isinstance(value, list | tuple) else "another kind of value"


def place_of(path: Iterable[str | int], known: frozenset[str]) -> str:
    """`reporter.phone`; a part that is neither a number nor a field of the contract is not repeated."""
    return ".".join(str(part) if isinstance(part, int) or part in known else _STRANGE for part in path)


def fields_of(schema: Any) -> frozenset[str]:
    """All names of fields in a JSON Schema, however deep."""
    found: set[str] = set()
    waiting: list[Any] = [schema]
    while waiting:
        node = waiting.pop()
        if isinstance(node, list):
            waiting += cast("list[Any]", node)
        elif isinstance(node, dict):
            members = cast("dict[str, Any]", node)
            found |= members.get("properties", {}).keys()
            waiting += members.values()
    return frozenset(found)
