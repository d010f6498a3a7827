"""Design §4 with any number of workers; and what they decided the embedded city decides too (§4.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from cli.topology import PROCESSORS
from kernel.edge import EDGE
from kernel.journal import Journal
from kernel.log import Message, Target
from kernel.memory.journal import MemoryJournal
from kernel.processor import AnyProcessor
from kernel.sql.journal import SqlJournal
from tests.contract.stores import Hands, sqlite_store
from tests.integration import invariants
from tests.integration.lived import Lived, all_messages
from tests.integration.recorded import RecordedLog, decide_again
from tests.integration.test_same_history import same_letters, same_rows
from tests.integration.trial import count, under_load

pytestmark = [pytest.mark.timeout(900), pytest.mark.soak]


@pytest.mark.parametrize("slots", ["a", "ab", "abcd"])
async def test_so_many_workers_of_each_service_decide_as_the_embedded_city_does(
    postgres_url: str, kafka_bootstrap: str, tmp_path: Path, slots: str
) -> None:
    async with under_load(postgres_url, kafka_bootstrap, 150, slots) as (town, load):
        lived = await count(f"none; {len(slots)} workers of each service", 0, town, load, [])
    counts = invariants.hold(lived)
    assert min(counts["accountable"], counts["admitted"], counts["deadlines"]) > 20
    await embedded_again(lived, tmp_path / "again.db")
    for processor in PROCESSORS:
        journal = MemoryJournal()
        log = await each_to_its_end(lived, processor, journal, 24)
        await same_rows(lived, processor, journal)
        same_letters(once(lived), processor, log)


async def embedded_again(lived: Lived, path: Path) -> None:
    """Give an embedded city's workers what was recorded: order, stamps, editions; all bytes are equal."""
    async with sqlite_store(path, Hands()) as store:
        for processor in PROCESSORS:
            journal = SqlJournal(store, processor.name, delivers=True)
            await each_to_its_end(lived, processor, journal, 1000)
            await same_rows(lived, processor, journal)
        found = await store.read(all_messages)
    assert letters(found) == letters(once(lived).messages)


async def each_to_its_end(lived: Lived, processor: AnyProcessor, journal: Journal, batch: int) -> RecordedLog:
    """Decide partition by partition; in each the city's time ends with what was decided there last.

    Workers stop one by one, a moment before the city is read, and in a second its clock goes ten minutes on.
    """
    whole: RecordedLog | None = None
    for partition, cursor in lived.cursors[processor.name].items():
        last = cursor.now or lived.end

        def city(wall: datetime, last: datetime = last) -> datetime:
            return min(lived.to_city(wall), last)

        rows = lived.histories[processor.name][partition]
        alone = replace(lived, to_city=city, histories={processor.name: {partition: rows}})
        log = await decide_again(alone, processor, journal, batch)
        if whole is None:
            whole = log
        else:
            for target, sent in log.sent.items():
                whole.sent.setdefault(target, []).extend(sent)
    assert whole is not None
    return whole


def letters(found: Mapping[Target, Sequence[Message]]) -> dict[tuple[object, ...], tuple[object, ...]]:
    return {
        (*target, one.headers.origin, one.headers.k): (one.key, one.headers, one.body)
        for target, messages in found.items()
        for one in messages
        if not one.headers.origin.startswith(f"{EDGE}/")
    }


def once(lived: Lived) -> Lived:
    """The same without copies of what was in doubt."""
    messages: dict[Target, list[Message]] = {}
    for target, held in lived.messages.items():
        kept = {(one.headers.origin, one.headers.k): one for one in reversed(held)}
        messages[target] = list(reversed(kept.values()))
    return replace(lived, messages=messages)
