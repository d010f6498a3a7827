"""The strict and the quick decoder read the same message from the same bytes, for every contract."""

import os
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.contracts import CONTRACTS
from schemas.envelope import Envelope
from schemas.notice import Outcome
from schemas.wire import TYPE_OF, Unreadable, checked, encode, encode_data, trusted
from tests.drawn import INSTANTS, messages

EXAMPLES = 500 if os.environ.get("GRIDCASE_SOAK") else 15
NAMES = sorted(CONTRACTS)
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]


def framed(name: str, message: Any, time: Any) -> bytes:
    return encode(
        Envelope(id="s/1", source="/gridcase/test", type=name, subject="s", time=time, data=message)
    )


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_both_decoders_give_back_what_was_written(name: str, data: st.DataObject) -> None:
    message = data.draw(messages(CONTRACTS[name]))
    body = framed(name, message, data.draw(INSTANTS))
    assert checked(body).message == trusted(body).message == message
    assert framed(name, trusted(body).message, trusted(body).frame.time) == body


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=2, deadline=None, suppress_health_check=SLOW)
@given(data=st.data())
def test_the_strict_decoder_refuses_a_field_that_the_contract_lacks(name: str, data: st.DataObject) -> None:
    body = framed(name, data.draw(messages(CONTRACTS[name])), data.draw(INSTANTS))
    more = body.replace(b'"data":{', b'"data":{"stranger":1,', 1).replace(
        b'"stranger":1,}', b'"stranger":1}', 1
    )
    with pytest.raises(Unreadable) as refused:
        checked(more)
    assert refused.value.refusal.code == "unknown_field"


def test_every_contract_has_one_name_and_every_name_one_contract() -> None:
    assert {contract: name for name, contract in CONTRACTS.items()} == TYPE_OF
    assert len(set(CONTRACTS.values())) == len(CONTRACTS)
    assert len({contract.__name__ for contract in CONTRACTS.values()}) == len(CONTRACTS)


@pytest.mark.parametrize("name", NAMES)
def test_every_contract_is_frozen_and_has_slots(name: str) -> None:
    contract: Any = CONTRACTS[name]
    assert contract.__dataclass_params__.frozen
    assert all(field.kw_only for field in fields(contract))
    assert "__slots__" in vars(contract)


def test_the_bytes_follow_the_order_of_the_fields() -> None:
    assert encode_data(Outcome(result="gone", after=3)) == b'{"result":"gone","detail":"","after":3}'
