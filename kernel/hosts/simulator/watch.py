"""What is checked at each commit, while a simulated city runs."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from kernel.clock import WILD_STAMP
from kernel.decider import Decider
from kernel.hosts.simulator.world import Broken, World
from kernel.journal import RULES_STREAM, Cause, HeldKind, Move, Record, Via
from kernel.processor import AnyProcessor
from kernel.tenure import Tenure, decode_state
from schemas.wire import trusted

PLANTED: Final = "PlantedBug"
_SKEW: Final = timedelta(seconds=3)


class Watch:
    """Folds every committed row once more, apart from the workers, and compares at each commit."""

    def __init__(self, processors: Iterable[AnyProcessor], world: World) -> None:
        self._processors = {processor.name: processor for processor in processors}
        self._world = world
        self._states: dict[tuple[str, int, str], Any] = {}
        self._versions: dict[tuple[str, int, str], list[Any]] = {}
        self.ticked: dict[tuple[str, int], dict[int, datetime]] = {}
        self.aside: dict[tuple[str, int, str, Cause], HeldKind] = {}
        self._parked: dict[tuple[str, int, str], dict[int, Cause]] = {}
        self.inputs = 0

    def copy(self, inputs: int | None = None) -> "Watch":
        """All that is known at this moment, apart; `inputs` counts on from another number."""
        other = Watch(self._processors.values(), self._world)
        other._states = dict(self._states)
        other._versions = {key: list(states) for key, states in self._versions.items()}
        other.ticked = {key: dict(rows) for key, rows in self.ticked.items()}
        other.aside = dict(self.aside)
        other._parked = {key: dict(causes) for key, causes in self._parked.items()}
        other.inputs = self.inputs if inputs is None else inputs
        return other

    def committed(self, name: str, decider: Decider, moves: Sequence[Move], fenced: frozenset[int]) -> None:
        """Look at every move that was stored."""
        for move in moves:
            partition = move.cursor.partition
            if partition in fenced:
                continue
            self._set_aside(name, move)
            self._waiting(name, move)
            self._snapshots(name, move)
            ticked = partition in decider.batch.until
            touched = self._fold(name, move.records, ticked=ticked)
            tenure = decider.tenures.get(partition)
            if tenure is not None and tenure.seq == move.cursor.seq:
                self._compare(name, tenure, touched)

    def _fold(self, name: str, rows: Sequence[Record], *, ticked: bool) -> set[str]:
        processor = self._processors[name]
        touched: set[str] = set()
        causes: set[object] = set()
        for row in rows:
            causes.add((row.cause.via, row.cause.id, row.cause.offset, row.stream))
            if row.cause.via is Via.TIMER and ticked:
                self.ticked.setdefault((name, row.partition), {})[row.seq] = row.cause.received
            self._in_time(name, row, ticked=ticked)
            if row.stream.startswith(RULES_STREAM):
                continue
            key = (name, row.partition, row.stream)
            state = processor.evolve(self._states.get(key, processor.initial), trusted(row.body).message)
            self._states[key] = state
            if processor.snapshot is not None:
                self._versions.setdefault(key, []).append(state)
            touched.add(row.stream)
        self.inputs += len(causes)
        return touched

    def _in_time(self, name: str, row: Record, *, ticked: bool) -> None:
        """No `now` runs ahead of the time that it really is, and no timer rings on a tick before its time."""
        if ticked and row.cause.via is Via.TIMER and row.cause.received > self._world.now:
            raise Broken("no timer early", f"{name}/{row.partition}/{row.seq} due {row.cause.received}")
        most = self._world.now + WILD_STAMP + _SKEW
        if row.now > most:
            raise Broken("now near the append time", f"{name}/{row.partition}/{row.seq} at {row.now}")

    def _set_aside(self, name: str, move: Move) -> None:
        for held in move.held:
            key = (name, held.partition, held.stream, held.cause)
            if self.aside.get(key) is not HeldKind.DEAD:
                self.aside[key] = held.kind
            if held.kind is HeldKind.PARKED and not held.reason.startswith((PLANTED, "behind")):
                raise Broken("no bug but the planted ones", f"{name} {held.stream}: {held.reason}")

    def _waiting(self, name: str, move: Move) -> None:
        """Of a parked stream nothing is decided but what was parked, until all of that is taken up."""
        released = set(move.released)
        for row in move.records:
            parked = self._parked.get((name, row.partition, row.stream), {})
            if parked.keys() - released and row.cause not in parked.values():
                raise Broken("parked streams wait", f"{name}/{row.partition} {row.stream}: {row.cause}")
        for held in move.held:
            if held.kind is HeldKind.PARKED:
                self._parked.setdefault((name, held.partition, held.stream), {})[held.id] = held.cause
        if released:
            for key, parked in self._parked.items():
                if key[:2] == (name, move.cursor.partition):
                    self._parked[key] = {
                        number: cause for number, cause in parked.items() if number not in released
                    }

    def _snapshots(self, name: str, move: Move) -> None:
        """A snapshot is the fold of committed rows, at a version that is there."""
        kind = self._processors[name].snapshot
        for one in move.snapshots:
            states = self._versions.get((name, one.partition, one.stream), [])
            if kind is None or one.version > len(states):
                raise Broken("snapshot of a committed version", f"{name} {one.stream}/{one.version}")
            if decode_state(kind, one.body) != states[one.version - 1]:
                raise Broken("snapshot = fold from scratch", f"{name} {one.stream}/{one.version}")

    def _compare(self, name: str, tenure: Tenure, streams: Iterable[str]) -> None:
        """Fold equals live: the worker's state of every stream it has just written is what its rows say."""
        for stream in streams:
            live = tenure.states.get(stream)
            if live is not None and live[0] != self._states[name, tenure.partition, stream]:
                raise Broken("fold = live", f"{name}/{tenure.partition} {stream}")

    def states(self, name: str) -> Mapping[str, Any]:
        """All folded states of one processor, by stream."""
        return {stream: state for (one, _, stream), state in self._states.items() if one == name}

    def streams(self, name: str) -> Sequence[str]:
        """The streams of one processor that have a row."""
        return [stream for one, _, stream in self._states if one == name]
