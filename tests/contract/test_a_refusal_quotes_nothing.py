"""Whatever a stranger sends, wherever a name or a telephone stands in it: what is kept repeats neither."""

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.contracts import CONTRACTS
from schemas.envelope import Envelope
from schemas.wire import Unreadable, checked, encode
from tests.drawn import messages

EXAMPLES = 500 if os.environ.get("GRIDCASE_SOAK") else 15
NAMES = sorted(CONTRACTS)
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
NAME, PHONE = "王芳芳", "13900001111"
AT = datetime(2026, 3, 10, 1, tzinfo=UTC)
FRAMES = ("id", "source", "type", "subject", "time", "specversion", "datacontenttype")
PERSONAL: list[Any] = [
    f"{NAME} {PHONE}",
    int(PHONE),
    float(f"{PHONE}.5"),
    [NAME, int(PHONE)],
    {NAME: PHONE},
    {f"{PHONE}": {"text": NAME}},
]


def places(whole: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Where something stands in a JSON value."""
    below = whole.items() if isinstance(whole, dict) else enumerate(whole) if isinstance(whole, list) else ()
    for key, value in below:
        yield (*path, key)
        yield from places(value, (*path, key))


def put(whole: Any, path: tuple[str | int, ...], value: Any) -> None:
    for key in path[:-1]:
        whole = whole[key]
    whole[path[-1]] = value


def quotes_nothing(body: bytes) -> bool:
    """Whether it was refused; what is kept of the refusal, and what a log would show, is without it."""
    try:
        checked(body)
    except Unreadable as error:
        said = f"{error.refusal.code} {error.refusal.expected} {error.refusal.found} {error}"
        assert PHONE not in said
        assert not any(sign in said for sign in NAME), said
        return True
    return False


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_a_kept_refusal_quotes_no_value(name: str, data: st.DataObject) -> None:
    message = data.draw(messages(CONTRACTS[name]))
    body = encode(Envelope(id="s/1", source="/test", type=name, subject="s", time=AT, data=message))
    whole = json.loads(body)
    personal = data.draw(st.sampled_from(PERSONAL))
    inside = [("data", *path) for path in places(whole["data"])]
    put(whole, data.draw(st.sampled_from([(one,) for one in FRAMES] + inside)), personal)
    sent = json.dumps(whole, ensure_ascii=data.draw(st.booleans())).encode()
    quotes_nothing(sent)
    cut = data.draw(st.integers(0, len(sent) - 1))
    assert quotes_nothing(sent[:cut]), "half a message is refused"
    quotes_nothing(sent.decode().encode("gb18030"))


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=2, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_a_kept_refusal_quotes_no_unknown_field(name: str, data: st.DataObject) -> None:
    message = data.draw(messages(CONTRACTS[name]))
    body = encode(Envelope(id="s/1", source="/test", type=name, subject="s", time=AT, data=message))
    whole = json.loads(body)
    whole["data"][f"{NAME} {PHONE}"] = 1
    assert quotes_nothing(json.dumps(whole).encode())


def test_its_sender_is_told_what_was_found() -> None:
    with pytest.raises(Unreadable) as refused:
        checked(encode(Envelope(id="1", source="/a", type=PHONE, subject="", time=AT, data={})))
    assert refused.value.told.found == PHONE
    assert refused.value.refusal.found == "text of 11 characters"
