"""The replay host: how fast histories are folded and decisions taken, and two peers on the same bytes."""

import json
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import msgspec

from bench.citywide import PARTITIONS
from bench.lived import Life
from kernel.editions import NO_RULES
from kernel.journal import RULES_STREAM, Claim, Cursor, Move, Record
from kernel.leaf import Drafted, Leaf
from kernel.processor import Context, Sender, step
from kernel.sql.journal import SqlJournal
from kernel.tenure import Tenure
from kernel.timers import Agenda
from rules.inforce import Rules
from schemas.contracts import CONTRACTS
from schemas.envelope import Frame
from schemas.wire import carried, frame, message_of
from services.router.processor import ROUTER_CASE

_NOWHERE: Final = Tenure(Claim(Cursor(partition=0), (), (), {}, 1), NO_RULES)


class Timing(NamedTuple):
    """Things done, and the seconds of each round."""

    count: int
    rounds: tuple[float, ...]

    @property
    def per_second(self) -> float:
        return self.count / median(self.rounds)

    @property
    def noise(self) -> float:
        """Half the spread between the fastest and the slowest round, as a share of the median."""
        return (max(self.rounds) - min(self.rounds)) / 2 / median(self.rounds)


def timed(count: int, work: Callable[[], object], rounds: int = 5) -> Timing:
    seconds: list[float] = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return Timing(count, tuple(seconds))


def pairs_of(life: Life) -> list[tuple[str, bytes]]:
    """Stream and bytes of every case event, in the order of the journal."""
    return [
        (row.stream, row.body)
        for rows in life.rows.values()
        for row in rows
        if not row.stream.startswith(RULES_STREAM)
    ]


def fold(pairs: Iterable[tuple[str, bytes]], states: dict[str, Any]) -> None:
    """From bytes to states, as a claim rebuilds them."""
    evolve, initial = ROUTER_CASE.evolve, ROUTER_CASE.initial
    for stream, body in pairs:
        states[stream] = evolve(states.get(stream, initial), message_of(body))


def fold_memory(pairs: Sequence[tuple[str, bytes]], rounds: int = 5) -> Timing:
    return timed(len(pairs), lambda: fold(pairs, {}), rounds)


def decode_only(pairs: Sequence[tuple[str, bytes]], rounds: int = 5) -> Timing:
    """The peer: what msgspec needs for the same bytes, told beforehand what each of them is."""
    known: dict[str, msgspec.json.Decoder[Any]] = {}
    for name, contract in CONTRACTS.items():
        known[name] = msgspec.json.Decoder(_typed(name, contract))
    frames = msgspec.json.Decoder(Frame)
    work = [(known[frames.decode(body).type].decode, body) for _, body in pairs]

    def decode() -> None:
        for each, body in work:
            each(body)

    return timed(len(work), decode, rounds)


def _typed(name: str, contract: type) -> type:
    fields = [
        ("id", str),
        ("source", str),
        ("type", str),
        ("subject", str),
        ("time", Any),
        ("data", contract),
    ]
    return msgspec.defstruct(name.replace(".", "_"), fields)


async def stored(store: Any, life: Life) -> SqlJournal:
    """The histories in the journal of a database."""
    journal = SqlJournal(store, ROUTER_CASE.name, delivers=True)
    for partition, rows in life.rows.items():
        cursor = Cursor(partition=partition, token=b"bench", seq=len(rows))
        await journal.commit([Move(before=b"", cursor=cursor, records=rows)])
    return journal


async def fold_journal(journal: SqlJournal, events: int, rounds: int = 5) -> Timing:
    """All partitions, as they lie in the database."""
    seconds: list[float] = []
    for _ in range(rounds):
        started = time.perf_counter()
        states: dict[str, Any] = {}
        for partition in range(PARTITIONS):
            async for page in journal.bodies(partition):
                fold((pair for pair in page if not pair[0].startswith(RULES_STREAM)), states)
        seconds.append(time.perf_counter() - started)
    return Timing(events, tuple(seconds))


class Input(NamedTuple):
    """One command as it stands in its topic, and the state that it meets."""

    body: bytes
    sender: Sender
    record: Record
    state: Any
    version: int


def inputs_of(life: Life) -> list[Input]:
    """Every command of the life, with the state before it."""
    bodies = {(message.topic, message.partition, message.offset): message.body for message in life.commands}
    found: list[Input] = []
    for partition, rows in life.rows.items():
        states: dict[str, Any] = {}
        cause = None
        for row in rows:
            if row.stream.startswith(RULES_STREAM):
                continue
            state = states.get(row.stream, ROUTER_CASE.initial)
            if row.cause != cause and (body := bodies.get((row.cause.topic, partition, row.cause.offset))):
                found.append(Input(body, row.cause.sender, row, state, row.version - 1))
            cause = row.cause
            states[row.stream] = ROUTER_CASE.evolve(state, message_of(row.body))
    return found


def decide(inputs: Sequence[Input], rules: Rules) -> int:
    """Decode, judge, fold, react and encode all that leaves: a decision without its transaction."""
    events = 0
    leaf: Any = Leaf(_NOWHERE, Agenda(()), ROUTER_CASE, "/gridcase/bench/router.case", PARTITIONS)
    for body, sender, record, state, version in inputs:
        head = frame(body)
        context = Context(record.now, head.time, rules, sender, record.stream, head.id)
        after, happened = step(ROUTER_CASE, state, carried(head), context)
        leaf.express(record.stream, version, record.now, Drafted(after, happened), ROUTER_CASE.react)
        events += len(happened)
    return events


def peer(pairs: Sequence[tuple[str, bytes]], folder: Path) -> tuple[Callable[[], object], int]:
    """PyPI `eventsourcing` over a SQLite file with the same histories, each event with its data as it was."""
    from eventsourcing.application import Application  # noqa: PLC0415 - the peer, only where it is measured
    from eventsourcing.domain import Aggregate, event  # noqa: PLC0415

    class Told(Aggregate):
        """A case that keeps only its last state: less than ours folds."""

        def __init__(self, stream: str) -> None:
            self.stream = stream
            self.state = ""

        @event("Happened")
        def happens(self, kind: str, data: dict[str, Any]) -> None:  # noqa: ARG002 - on record
            self.state = data.get("state", self.state)

    app = Application(
        env={"PERSISTENCE_MODULE": "eventsourcing.sqlite", "SQLITE_DBNAME": str(folder / "peer.db")}
    )
    told: dict[str, Told] = {}
    for stream, body in pairs:
        head = frame(body)
        case = told.get(stream)
        if case is None:
            case = told[stream] = Told(stream)
        case.happens(head.type, json.loads(bytes(head.data)))
    for case in told.values():
        app.save(case)
    ids = [case.id for case in told.values()]

    def load() -> None:
        for one in ids:
            app.repository.get(one)

    return load, len(pairs) + len(ids)


def peer_loads(pairs: Sequence[tuple[str, bytes]], rounds: int = 3) -> Timing:
    with tempfile.TemporaryDirectory(prefix="gridcase-peer-") as folder:
        load, events = peer(pairs, Path(folder))
        return timed(events, load, rounds)
