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
LIGHT: Final = "light"
REAL: Final = "router"
ONE: Final = "a"
TWO: Final = "ab"


class Contestant(NamedTuple):
    """Those that are compared run in every round, the others in so many as are worth their time.

    `decision` is the light one, of which the goals speak, or that of the real router.
    """

    name: str
    kind: str
    slots: str = ONE
    rounds: int = 5
    goal: float | None = None
    decision: str = LIGHT

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
    Contestant("delivery faust", "faust", rounds=3, decision=REAL),
    Contestant(_PEERS[QUIX], QUIX, rounds=3, decision=REAL),
    Contestant("delivery faust, two workers", "faust", TWO, rounds=1, decision=REAL),
    Contestant(_PEERS[FAUST_MANUAL], FAUST_MANUAL, rounds=1, decision=REAL),
)
"""The first four are compared, so they run in every round, one behind the other."""


class Run(NamedTuple):
    """One race, how many commands it was over, and the count at its end if there was one."""

    race: Race
    commands: int
    verdict: Verdict | None


class Result(NamedTuple):
    """All races of one contestant: commands a second, µs of processor a command, and more in words."""

    speed: float
    cost: float
    note: str

    @staticmethod
    def of(runs: Sequence[Run], per_command: float) -> "Result":
        rates = sorted(one.race.events / per_command for one in runs)
        cost = 1e6 * median(one.race.processor for one in runs) * per_command
        verdict = next((one.verdict for one in runs if one.verdict), None)
        failed = sum(not one.race.whole for one in runs)
        words = [
            f"median of {len(runs)}, {rates[0]:,.0f} to {rates[-1]:,.0f}",
            f"{runs[0].commands:,} commands, {per_command:.2f} events each",
            f"{cost:,.0f} µs of processor a command",
            f"the largest process {max(one.race.resident for one in runs):.0f} MiB",
            f"first events after {median(one.race.moving for one in runs):.1f} s",
            f"at the end {verdict}",
            *([f"{failed} did not come to an end"] if failed else []),
        ]
        return Result(median(rates), cost, "; ".join(words))


async def one_race(
    contestant: Contestant, grounds: tuple[Ground, Backlog, Truth], commands: int, *, count: bool
) -> Run:
    """A city, or for a peer its topics alone; a backlog; a race; and the count of what is on the topic."""
    ground, backlog, truth = grounds
    if contestant.is_peer:
        runner = await _peer(ground, contestant, backlog)
    else:
        await ground.found(backlog.bundle)
        runner = ours(ground, contestant.kind, contestant.slots, contestant.decision)
    await backlog.fill(ground, commands)
    adopted = 0 if contestant.is_peer else PARTITIONS
    found = await race(ground, runner, truth.events(commands) + adopted)
    verdict = truth.judged(by_case(await read(ground)), commands) if count else None
    return Run(found, commands, verdict)


async def _peer(ground: Ground, contestant: Contestant, backlog: Backlog) -> Runner:
    await ground.make_topics(backlog.bundle)
    states = Layout("", f"{ground.prefix}case.states", PARTITIONS, 1, {"cleanup.policy": "compact"})
    async with brokers(ground.cluster) as asked:
        await asked.create([states])
    return peer(ground, peers() or "", contestant.kind, contestant.decision)


def races(servers: Servers, backlog: Backlog, sizes: Sizes) -> Mapping[Contestant, Sequence[Run]]:
    """All contestants, round by round. Once the time is over only those without any result run."""
    until = time.monotonic() + sizes.race_seconds
    truths = {decision: Truth(backlog, decision) for decision in (LIGHT, REAL)}
    results: dict[Contestant, list[Run]] = {one: [] for one in CONTESTANTS if _is_here(one)}
    for number in range(sizes.rounds):
        for contestant, found in results.items():
            if number >= contestant.rounds or (found and time.monotonic() > until):
                continue
            commands = sizes.faust_backlog if contestant.kind == FAUST_MANUAL else sizes.backlog
            with servers.postgres.fresh() as url:
                grounds = (ground_at(url, servers.bootstrap), backlog, truths[contestant.decision])
                found.append(asyncio.run(one_race(contestant, grounds, commands, count=not found)))
    return results


def _is_here(contestant: Contestant) -> bool:
    return not contestant.is_peer or peers() is not None


def figures(servers: Servers, backlog: Backlog, sizes: Sizes) -> Iterator[Figure]:
    results = races(servers, backlog, sizes)
    for decision, words in ((LIGHT, "light decision"), (REAL, "the city's decision")):
        per_command = Truth(backlog, decision).events(sizes.backlog) / sizes.backlog
        known = {
            contestant: Result.of(found, per_command)
            for contestant, found in results.items()
            if contestant.decision == decision
        }
        for contestant, result in known.items():
            yield Figure(
                bench="kafka",
                name=f"router.case alone, {words}, {contestant.name}",
                value=result.speed,
                unit="commands/s",
                goal=contestant.goal,
                note=result.note,
            )
        yield from _compared(words, {one.kind: found for one, found in known.items() if one.slots == ONE})


def _compared(words: str, known: Mapping[str, Result]) -> Iterator[Figure]:
    """Ours beside the peers: commands a second, and what does not depend on how busy the machine is."""
    own = known["faust"]
    for kind, ratio in ((QUIX, 1.0), (FAUST_MANUAL, 10.0), ("plain_loop", None)):
        if kind not in known:
            if peers() is None:
                note = f"{_PEERS[kind]} is not installed, so nothing was compared; do: make peers"
                yield Figure(
                    bench="kafka", name=f"{words}, no peer", value=own.speed, unit="commands/s", note=note
                )
            continue
        other, wanted = known[kind], ratio if words.startswith(LIGHT) or kind == QUIX else None
        for name, value, unit, against, least in (
            (f"router.case alone, {words}, delivery faust", own.speed, "commands/s", other.speed, wanted),
            (f"processor a command, {words}, delivery faust", own.cost, "µs", other.cost, None),
        ):
            yield Figure(
                bench="kafka",
                name=name,
                value=value,
                unit=unit,
                peer=_PEERS[kind],
                against=against,
                ratio=least,
            )
