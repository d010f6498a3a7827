"""The transaction: compare-and-set on a token, doubt means forget, publish after the commit."""

from typing import Any

from kernel.hosts.simulator.faults import FaultyJournal
from kernel.hosts.simulator.world import PortFailed
from kernel.journal import Cursor, Snapshot
from kernel.memory.journal import MemoryJournal
from kernel.worker import Worker
from schemas.wire import encode_data
from tests.simulator.mutants.swap import Mutant, Swap, swapped


def _no_compare() -> Swap:
    def apply(self: MemoryJournal, moves: Any) -> frozenset[int]:
        for move in moves:
            self._store(move)
        return frozenset()

    return swapped(MemoryJournal, "apply", lambda _: apply)


def _unique_only() -> Swap:
    def apply(self: MemoryJournal, moves: Any) -> frozenset[int]:
        for move in moves:
            self._check(move)
        for move in moves:
            self._store(move)
        return frozenset()

    return swapped(MemoryJournal, "apply", lambda _: apply)


def _compare_offsets() -> Swap:
    cursors: dict[bytes, Cursor] = {}

    def apply(self: MemoryJournal, moves: Any) -> frozenset[int]:
        def offsets(cursor: Cursor) -> Any:
            return {topic: reach.offset for topic, reach in cursor.reach.items()}

        fenced = frozenset(
            move.cursor.partition
            for move in moves
            if offsets(self.cursor(move.cursor.partition))
            != offsets(cursors.get(move.before, Cursor(partition=move.cursor.partition)))
        )
        for move in moves:
            if move.cursor.partition not in fenced:
                self._store(move)
                cursors[move.cursor.token] = self.cursor(move.cursor.partition)
        return fenced

    return swapped(MemoryJournal, "apply", lambda _: apply)


def _own_revision() -> Swap:
    def make(original: Any) -> Any:
        async def commit(self: FaultyJournal, moves: Any) -> frozenset[int]:
            try:
                return await original(self, moves)
            except PortFailed:
                return frozenset(
                    move.cursor.partition
                    for move in moves
                    if self.inner.cursor(move.cursor.partition).seq != move.cursor.seq
                )

        return commit

    return swapped(FaultyJournal, "commit", make)


def _unknown_is_success() -> Swap:
    def make(original: Any) -> Any:
        async def commit(self: FaultyJournal, moves: Any) -> frozenset[int]:
            try:
                return await original(self, moves)
            except PortFailed:
                return frozenset()

        return commit

    return swapped(FaultyJournal, "commit", make)


def _publish_first() -> Swap:
    def make(original: Any) -> Any:
        async def commit(self: Worker, moves: Any) -> bool:
            for move in moves:
                self.outbox.add(move.cursor.partition, self.leaving(move.records, move.outgoing))
            await self._publish()
            self.outbox.forget([move.cursor.partition for move in moves])
            return await original(self, moves)

        return commit

    return swapped(Worker, "_commit", make)


def _fenced_is_forgotten() -> Swap:
    return swapped(Worker, "_postponed", lambda _: lambda self: set(self._again))


def _fenced_publishes() -> Swap:
    def make(original: Any) -> Any:
        async def commit(self: FaultyJournal, moves: Any) -> frozenset[int]:
            await original(self, moves)
            return frozenset()

        return commit

    return swapped(FaultyJournal, "commit", make)


def _doubt_keeps() -> Swap:
    def doubt(self: Worker) -> None:
        self._rest = ()

    return swapped(Worker, "_doubt", lambda _: doubt)


def _early_snapshot() -> Swap:
    def make(original: Any) -> Any:
        async def commit(self: Any, moves: Any) -> bool:
            for partition, tenure in self.decider.tenures.items():
                snapshots = self.journal.inner._shelf(partition).snapshots
                for stream, (state, version) in tenure.ripe.items():
                    fold = self.decider.fold
                    snapshots[stream] = Snapshot(partition, stream, version, fold, encode_data(state))
            return await original(self, moves)

        return commit

    return swapped(Worker, "_commit", make)


def _any_fold() -> Swap:
    def make(original: Any) -> Any:
        def history(self: MemoryJournal, partition: int, stream: str, fold: str) -> Any:
            snapshot = self._shelf(partition).snapshots.get(stream)
            return original(self, partition, stream, snapshot.fold if snapshot else fold)

        return history

    return swapped(MemoryJournal, "_history", make)


MUTANTS = (
    Mutant("compare_none", "compare-and-set: none, rows not unique", _no_compare, "calm"),
    Mutant("compare_none_unique", "compare-and-set: none, rows unique", _unique_only, "calm"),
    Mutant("compare_offset", "compare-and-set: on offsets, rows not unique", _compare_offsets),
    Mutant("own_revision", "doubt: own revision read again, without owner", _own_revision),
    Mutant("unknown_success", "doubt: an unknown commit counts as success", _unknown_is_success),
    Mutant("doubt_keeps", "doubt: states and numbers are kept", _doubt_keeps),
    Mutant("publish_first", "published before the commit", _publish_first),
    Mutant("fenced_forgotten", "a fenced partition is never claimed again", _fenced_is_forgotten),
    Mutant("fenced_publishes", "a fenced partition is published from memory", _fenced_publishes),
    Mutant("snapshot_early", "snapshot of a version that is not committed", _early_snapshot),
    Mutant("snapshot_any_fold", "snapshot taken whatever code folded it", _any_fold, "calm"),
)
