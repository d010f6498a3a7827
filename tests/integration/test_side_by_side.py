"""A city on the machine's clock, workers and several edges side by side in one loop (design §4.5, §4.6)."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from cli.assemble import LiveCity, open_city
from cli.conductor import arriving
from cli.topology import PROCESSORS
from kernel.edge import EDGE, Edge, Submission
from kernel.memory.journal import MemoryJournal
from tests.integration import invariants
from tests.integration.account import account, each_report_in_one_case
from tests.integration.city_process import Running
from tests.integration.lived import arrivals
from tests.integration.load import drained, found
from tests.integration.recorded import decide_again
from tests.integration.test_same_history import same_letters, same_rows

EDGES, REPORTS, SECONDS = 3, 120, 5.0


@pytest.fixture(params=["SQLite", "PostgreSQL"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "SQLite":
        return f"sqlite:///{tmp_path}/city.db"
    return request.getfixturevalue("postgres_url")


async def send(edge: Edge, submissions: Sequence[Submission], seconds: float) -> list[str]:
    """Submit all, some of them at the same moment; gives the ids that were acknowledged."""
    pause = seconds / len(submissions)

    async def one(number: int, submission: Submission) -> str:
        await asyncio.sleep(pause * (number - number % 5))
        receipt = await edge.submit(*submission)
        return "" if receipt.refusal else receipt.id

    taken = await asyncio.gather(*(one(number, one_) for number, one_ in enumerate(submissions)))
    return [name for name in taken if name]


class QuietlyRunning(Running):
    """The same people, and nothing from a test's standard input."""

    async def listen(self) -> None:
        """The edges of the test speak for themselves."""

    async def tell(self) -> None:
        """Nobody listens."""


async def test_a_running_city_with_several_edges_keeps_everything_once(url: str) -> None:
    city = await found(url)
    submissions = [arriving(one) for one in arrivals(REPORTS)]
    async with AsyncExitStack() as stack:
        live = await stack.enter_async_context(open_city(url, exclusive=True))
        others: list[LiveCity] = [
            await stack.enter_async_context(open_city(url, instance=instance)) for instance in range(1, EDGES)
        ]
        running = QuietlyRunning(live)
        host = asyncio.create_task(running.run())
        edges = [live.edge, *(other.edge for other in others)]
        taken = await asyncio.gather(
            *(send(edge, submissions[number::EDGES], SECONDS) for number, edge in enumerate(edges))
        )
        await asyncio.sleep(1)
        running.stopped = True
        await host
    acknowledged = [name for names in taken for name in names]
    lived = await drained(url, city)
    whole = account(lived, acknowledged)
    assert whole.decided_once == whole.inputs > len(acknowledged) > REPORTS * 0.9
    assert (whole.lost, whole.twice) == (0, 0)
    assert each_report_in_one_case(lived)[0] > REPORTS * 0.8
    assert [len(lived.histories[EDGE][number]) > 10 for number in range(EDGES)] == [True] * EDGES
    counts = invariants.hold(lived)
    assert min(counts["accountable"], counts["admitted"], counts["deadlines"]) > 20
    for processor in PROCESSORS:
        journal = MemoryJournal()
        log = await decide_again(lived, processor, journal, 1000)
        await same_rows(lived, processor, journal)
        same_letters(lived, processor, log)
