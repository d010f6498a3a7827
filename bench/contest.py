"""router.case alone on Kafka: every delivery of ours and every peer on the same backlog, taking turns."""

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from statistics import median
from typing import Final, NamedTuple

from bench.brokers import Servers, peers
from bench.figures import Figure
from bench.ground import PARTITIONS, Backlog, Ground, ground_at
from bench.racing import Race, Runner, ours, peer, race
from bench.sizes import Sizes
from bench.truth import Truth, Verdict, by_case, read
from kernel.kafka.layout import Layout
from kernel.kafka.topics import brokers

FAUST_MANUAL: Final = "faust_table"
QUIX: Final = "quix"
ONE: Final = "a"
TWO: Final = "ab"


class Contestant(NamedTuple):
    """`often` ones run in every round; the others in so many as are worth their time."""

    name: str
    kind: str
    slots: str = ONE
    rounds: int = 5
    goal: float | None = None

    @property
    def is_peer(self) -> bool:
        return self.kind in _PEERS


_PEERS: Final = {
    QUIX: "Quix Streams, at least once",
    FAUST_MANUAL: "Faust as its manual shows it",
    "plain_loop": "a plain aiokafka loop",
}
CONTESTANTS: Final = (
    Contestant("delivery faust", "faust", goal=12_000),
    Contestant(_PEERS[QUIX], QUIX),
    Contestant("delivery faust, two workers", "faust", TWO, goal=20_000),
    Contestant(_PEERS[FAUST_MANUAL], FAUST_MANUAL),
    Contestant("delivery plain", "plain", rounds=3),
    Contestant(_PEERS["plain_loop"], "plain_loop", rounds=3),
    Contestant("delivery stock", "stock", rounds=3, goal=6_000),
    Contestant("delivery plain, two workers", "plain", TWO, rounds=1),
    Contestant("delivery stock, two workers", "stock", TWO, rounds=1),
)
"""The first four are compared, so they run in every round, one behind the other."""


class Result(NamedTuple):
    """One race, how many commands it was over, and the count at its end if there was one."""

    race: Race
    commands: int
    verdict: Verdict | None


async def one_race(
    contestant: Contestant, grounds: tuple[Ground, Backlog, Truth], commands: int, *, count: bool
) -> Result:
    """A city, or for a peer its topics alone; a backlog; a race; and the count of what is on the topic."""
    ground, backlog, truth = grounds
    if contestant.is_peer:
        runner = await _peer(ground, contestant.kind, backlog)
    else:
        await ground.found(backlog.bundle)
        runner = ours(ground, contestant.kind, contestant.slots)
    await backlog.fill(ground, commands)
    adopted = 0 if contestant.is_peer else PARTITIONS
    found = await race(ground, runner, truth.events(commands) + adopted)
    verdict = truth.judged(by_case(await read(ground)), commands) if count else None
    return Result(found, commands, verdict)


async def _peer(ground: Ground, kind: str, backlog: Backlog) -> Runner:
    await ground.make_topics(backlog.bundle)
    states = Layout("", f"{ground.prefix}case.states", PARTITIONS, 1, {"cleanup.policy": "compact"})
    async with brokers(ground.cluster) as asked:
        await asked.create([states])
    return peer(ground, peers() or "", kind)


def races(servers: Servers, backlog: Backlog, sizes: Sizes) -> Mapping[Contestant, Sequence[Result]]:
    """All contestants, round by round. Once the time is over only those without any result run."""
    truth, until = Truth(backlog), time.monotonic() + sizes.race_seconds
    results: dict[Contestant, list[Result]] = {one: [] for one in CONTESTANTS if _is_here(one)}
    for number in range(sizes.rounds):
        for contestant, found in results.items():
            if number >= contestant.rounds or (found and time.monotonic() > until):
                continue
            commands = sizes.faust_backlog if contestant.kind == FAUST_MANUAL else sizes.backlog
            with servers.postgres.fresh() as url:
                grounds = (ground_at(url, servers.bootstrap), backlog, truth)
                found.append(asyncio.run(one_race(contestant, grounds, commands, count=not found)))
    return results


def _is_here(contestant: Contestant) -> bool:
    return not contestant.is_peer or peers() is not None


def figures(servers: Servers, backlog: Backlog, sizes: Sizes) -> Iterator[Figure]:
    results = races(servers, backlog, sizes)
    per_command = Truth(backlog).events(sizes.backlog) / sizes.backlog
    speeds: dict[str, float] = {}
    costs: dict[str, float] = {}
    for contestant, found in results.items():
        rates = [one.race.events / per_command for one in found]
        key = contestant.kind if contestant.slots == ONE else ""
        speeds[key] = median(rates)
        costs[key] = 1e6 * median(one.race.processor for one in found) * per_command
        yield Figure(
            bench="kafka",
            name=f"router.case alone, {contestant.name}",
            value=speeds[key],
            unit="commands/s",
            goal=contestant.goal,
            note=_noted(found, costs[key], per_command),
        )
    yield from _compared(speeds, costs)


def _noted(found: Sequence[Result], cost: float, per_command: float) -> str:
    rates = sorted(one.race.events / per_command for one in found)
    verdict = next((one.verdict for one in found if one.verdict), None)
    failed = sum(not one.race.whole for one in found)
    words = [
        f"median of {len(found)}, {rates[0]:,.0f} to {rates[-1]:,.0f}",
        f"{found[0].commands:,} commands, {per_command:.2f} events each",
        f"{cost:,.0f} µs of processor a command",
        f"the largest process {max(one.race.resident for one in found):.0f} MiB",
        f"at the end {verdict}",
        *([f"{failed} did not come to an end"] if failed else []),
    ]
    return "; ".join(words)


def _compared(speeds: Mapping[str, float], costs: Mapping[str, float]) -> Iterator[Figure]:
    """Ours beside the peers: events a second, and what does not depend on how busy the machine is."""
    for kind, ratio in ((QUIX, 1.0), (FAUST_MANUAL, 10.0), ("plain_loop", None)):
        if kind not in speeds:
            yield Figure(
                bench="kafka",
                name=f"router.case alone beside {_PEERS[kind]}",
                value=speeds["faust"],
                unit="commands/s",
                note="the peer is not installed, so nothing was compared; do: make peers",
            )
            continue
        yield Figure(
            bench="kafka",
            name="router.case alone, delivery faust",
            value=speeds["faust"],
            unit="commands/s",
            peer=_PEERS[kind],
            against=speeds[kind],
            ratio=ratio,
        )
        yield Figure(
            bench="kafka",
            name="processor a command, delivery faust",
            value=costs["faust"],
            unit="µs",
            peer=_PEERS[kind],
            against=costs[kind],
        )
