"""Design §4.5: a recorded history decided again gives the same bytes, over every journal."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from cli.topology import PROCESSORS
from kernel.edge import EDGE
from kernel.journal import Journal
from kernel.memory.journal import MemoryJournal
from kernel.processor import AnyProcessor
from kernel.sql.journal import SqlJournal
from kernel.sql.store import Store
from tests.contract.stores import Hands, postgres_store, sqlite_store
from tests.integration import invariants
from tests.integration.account import account, each_report_in_one_case
from tests.integration.lived import Lived, all_messages, equal_for_all
from tests.integration.recorded import RecordedLog, decide_again

BATCHES = (1000, 24)
"""Large batches, and one message of each partition at a time: how inputs are cut must not matter."""


def test_every_decision_of_a_lived_city_is_taken_again_with_the_same_bytes(lived: Lived) -> None:
    assert equal_for_all(lived) > 3_000


def test_a_lived_city_lost_nothing_and_did_nothing_twice(lived: Lived) -> None:
    found = account(lived)
    assert found.inputs == found.decided_once == len(lived.rows(EDGE)) > lived.accepted
    assert found.seen_once == found.sent
    assert (found.lost, found.twice) == (0, 0)
    cases, dead = each_report_in_one_case(lived)
    assert cases > 100
    assert len(lived.held[EDGE]) >= lived.refused
    assert dead + len(lived.held[EDGE]) == sum(len(held) for held in lived.held.values())


def test_a_lived_city_keeps_what_the_design_promises(lived: Lived) -> None:
    counts = invariants.hold(lived)
    assert counts["accountable"] > 1_000
    assert min(counts.values()) > 50


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("processor", PROCESSORS, ids=lambda one: one.name)
async def test_workers_over_memory_write_the_same_rows(
    lived: Lived, processor: AnyProcessor, batch: int
) -> None:
    journal = MemoryJournal()
    log = await decide_again(lived, processor, journal, batch)
    await same_rows(lived, processor, journal)
    same_letters(lived, processor, log)


Stores = Callable[[], AbstractAsyncContextManager[Store]]


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Stores:
    if request.param == "sqlite":
        return lambda: sqlite_store(tmp_path / "again.db", Hands())
    url = request.getfixturevalue("postgres_url")

    @asynccontextmanager
    async def opened() -> AsyncIterator[Store]:
        async with postgres_store(url, Hands()) as one:
            yield one

    return opened


async def test_workers_over_a_database_write_the_same_rows_and_send_the_same_messages(
    lived: Lived, store: Stores
) -> None:
    async with store() as opened:
        for processor in PROCESSORS:
            journal = SqlJournal(opened, processor.name, delivers=True)
            await decide_again(lived, processor, journal, 1000)
            await same_rows(lived, processor, journal)
        found = await opened.read(all_messages)
    sent = {
        (*target, one.headers.origin, one.headers.k): (one.key, one.headers, one.body)
        for target, messages in found.items()
        for one in messages
    }
    assert sent == {
        (*target, one.headers.origin, one.headers.k): (one.key, one.headers, one.body)
        for target, messages in lived.messages.items()
        for one in messages
        if not one.headers.origin.startswith(f"{EDGE}/")
    }


async def same_rows(lived: Lived, processor: AnyProcessor, journal: Journal) -> None:
    for partition, rows in lived.histories[processor.name].items():
        again = [row async for row in journal.records(partition)]
        for one, other in zip(rows, again, strict=False):
            assert one == other, f"{processor.name}/{partition}/{one.seq}"
        assert len(again) == len(rows), f"{processor.name}/{partition}"


def same_letters(lived: Lived, processor: AnyProcessor, log: RecordedLog) -> None:
    """What the worker sent is what lies in the live city's topics from this processor, in order."""
    for target, messages in lived.messages.items():
        own = [one for one in messages if one.headers.origin.rpartition("/")[0] == processor.name]
        sent = sorted(log.sent.get(target, ()), key=lambda one: (one.headers.origin, one.k))
        own.sort(key=lambda one: (one.headers.origin, one.headers.k))
        assert [(one.headers, one.body) for one in own] == [(one.headers, one.body) for one in sent]
