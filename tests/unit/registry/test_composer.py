"""registry.composer: what a composition comes to, and how the worker is given it."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from cli.registrars import MemoryStore
from kernel.log import Headers, Message
from kernel.performer import answering
from kernel.processor import Sender
from rules.bundle import Bundle
from rules.edition import Edition
from rules.inforce import Rules
from schemas.envelope import Envelope
from schemas.refusal import Refusal
from schemas.register import RegisterRow, RowChange
from schemas.registry import (
    Composed,
    ComposeEdition,
    Composition,
    CompositionPerformed,
    PublishEdition,
    RecordComposition,
)
from schemas.topics import REGISTRY_COMMANDS, REGISTRY_COMPOSITIONS
from schemas.wire import TYPE_OF, encode
from services.registry.composer.composing import NOT_TRIED, composed, composing
from services.registry.composer.processor import COMPOSER, again
from tests.builders_city import tiny_city, tiny_parts
from tests.stories import START, Story
from tests.unit.registry.telling import OWN

ROW = RegisterRow(entry="OWN-03", version=1, state="active", text=OWN)
CHANGE = RowChange(change=1, row=ROW)
HASH = tiny_city().hash


def request(base: str = HASH, *changes: RowChange, kept: tuple[str, ...] = ()) -> ComposeEdition:
    return ComposeEdition(number=4, base=base, under=HASH, kept=kept, changes=changes)


@pytest.fixture
def bundles() -> dict[str, Bundle]:
    return {HASH: tiny_city()}


def outcome(bundles: dict[str, Bundle], asked: ComposeEdition) -> Composition:
    return asyncio.run(composed(MemoryStore(bundles), asked))


def test_what_was_composed_is_stored_under_the_hash_of_its_content(bundles: dict[str, Bundle]) -> None:
    found = outcome(bundles, request(HASH, CHANGE))
    [stored] = [one for name, one in bundles.items() if name != HASH]
    assert found.edition == stored.hash == Edition.of(stored.parts).hash
    assert [one.entry for one in found.taken] == ["OWN-03"]
    assert outcome(bundles, request(HASH, CHANGE)) == found
    assert len(bundles) == 2


def test_nothing_new_is_the_base_itself(bundles: dict[str, Bundle]) -> None:
    assert outcome(bundles, request()) == Composition(edition=HASH)
    assert list(bundles) == [HASH]


def test_an_edition_that_is_not_stored_is_a_fault(bundles: dict[str, Bundle]) -> None:
    missing = "f" * 64
    fault = Refusal(code="no_edition", expected="an edition that is stored here", found=missing)
    assert outcome(bundles, request(missing)) == Composition(fault=fault)


def test_a_folder_that_contradicts_what_is_kept_is_a_fault(bundles: dict[str, Bundle]) -> None:
    first = outcome(bundles, request(HASH, CHANGE))
    other = RowChange(change=1, row=RegisterRow(entry="OWN-77", version=1, state="active", text=OWN))
    folder = outcome(bundles, request(HASH, other)).edition
    asked = ComposeEdition(number=5, base=folder, under=first.edition, kept=("OWN-03",), changes=())
    fault = outcome(bundles, asked).fault
    assert fault is not None
    assert (fault.code, fault.found) == ("tie", "OWN-03")


def test_what_the_worker_composed_is_recorded_and_told() -> None:
    story = Story(COMPOSER, Rules(1, tiny_city()), "tiny", Sender("processor", "registry.rules"))
    done = Composition(edition=HASH)
    story.when(Composed(request=request(), outcome=done)).then(CompositionPerformed(number=4, outcome=done))
    story.sends(REGISTRY_COMMANDS.send("tiny", RecordComposition(number=4, outcome=done)))
    assert again(request(), story.events[0]) == Composed(request=request(), outcome=done)


def test_what_nobody_composed_says_so() -> None:
    story = Story(COMPOSER, Rules(1, tiny_city()), "tiny", Sender("processor", "registry.rules"))
    story.when(request()).then(CompositionPerformed(number=4, outcome=Composition(fault=NOT_TRIED)))


def arriving(offset: int, data: object) -> Message:
    body = encode(
        Envelope(
            id=f"m{offset}", source="/test", type=TYPE_OF[type(data)], subject="tiny", time=START, data=data
        )
    )
    appended = datetime(2026, 3, 2, tzinfo=UTC)
    headers = Headers("registry.rules/0", offset + 1, 1, "")
    return Message(REGISTRY_COMPOSITIONS.name, 0, offset, "tiny", appended, headers, body)


def test_the_worker_is_given_answers_to_requests_alone(bundles: dict[str, Bundle]) -> None:
    perform = answering(ComposeEdition, composing(MemoryStore(bundles)))
    batch = [arriving(0, request()), arriving(1, PublishEdition(edition=HASH, partitions=1))]
    found = asyncio.run(perform(batch))  # type: ignore[arg-type]
    place = (REGISTRY_COMPOSITIONS.name, 0, 0)
    assert found == {place: Composed(request=request(), outcome=Composition(edition=HASH))}


def test_a_store_that_fails_fails_the_batch_which_is_taken_again() -> None:
    async def away(asked: Any) -> Any:
        raise OSError(asked.number)

    with pytest.raises(OSError, match="4"):
        asyncio.run(answering(ComposeEdition, away)([arriving(0, request())]))  # type: ignore[arg-type]


def test_the_edition_of_a_bundle_is_that_of_its_parts() -> None:
    assert Edition.of(tiny_parts()).hash == HASH
