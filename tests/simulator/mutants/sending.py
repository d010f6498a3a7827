"""The outbox: dense numbers, publishing at the claim, a watermark that never runs ahead; newcomers, edges."""

from typing import Any

from msgspec import structs

import services.notifier.react
from kernel.edge import Edge
from kernel.hosts.simulator import happenings
from kernel.hosts.simulator.city import SimulatedCity
from kernel.journal import Cursor
from kernel.memory.journal import MemoryJournal
from kernel.outbox import Outbox
from kernel.tenure import Tenure
from kernel.worker import Worker
from tests.simulator.mutants.swap import Mutant, Swap, swapped, together


def _sent_not_kept() -> Swap:
    def make(original: Any) -> Any:
        def cursor(self: Tenure, *args: Any) -> Cursor:
            return structs.replace(original(self, *args), sent={})

        return cursor

    return swapped(Tenure, "cursor", make)


def _no_republish() -> Swap:
    def make(original: Any) -> Any:
        return lambda self, partition: original(self, partition)._replace(records=[], outgoing=[])

    return swapped(MemoryJournal, "_claim", make)


def _lazy_republish() -> Swap:
    def claiming(original: Any) -> Any:
        async def keep_claims(self: Worker) -> bool:
            waiting = self.__dict__.setdefault("waiting", {})
            add = self.outbox.add

            def wait(partition: int, outgoing: Any) -> None:
                waiting[partition] = list(outgoing)

            self.outbox.add = wait
            try:
                return await original(self)
            finally:
                self.outbox.add = add

        return keep_claims

    def committing(original: Any) -> Any:
        async def commit(self: Worker, moves: Any) -> bool:
            for move in moves:
                if move.records:
                    left = self.__dict__["waiting"].pop(move.cursor.partition, ())
                    self.outbox.add(move.cursor.partition, left)
            return await original(
                self, [move for move in moves if move.records or not self.__dict__["waiting"]]
            )

        return commit

    return together(swapped(Worker, "_keep_claims", claiming), swapped(Worker, "_commit", committing))


def _watermark_early() -> Swap:
    return swapped(Outbox, "published", lambda _: lambda self, partition, seq: seq)


def _skip_failed() -> Swap:
    """After a failed send a target goes on behind it."""

    def make(original: Any) -> Any:
        def acknowledged(self: Outbox, counts: Any) -> None:
            original(self, {target: len(self._queues[target]) for target in counts})

        return acknowledged

    return swapped(Outbox, "acknowledged", make)


def _join_without_act() -> Swap:
    return swapped(happenings, "first_cursor", lambda _: lambda partition, *rest: Cursor(partition=partition))


def _join_without_numbers() -> Swap:
    def make(original: Any) -> Any:
        return lambda *args: structs.replace(original(*args), seen={})

    return swapped(happenings, "first_cursor", make)


def _edge_left_alone() -> Swap:
    return swapped(SimulatedCity, "silent_edges", lambda _: lambda self: [])


def _edge_without_token() -> Swap:
    async def take_over(self: Edge) -> None:
        await self._claimed()

    return swapped(Edge, "take_over", lambda _: take_over)


def _edge_keeps_doubt() -> Swap:
    return swapped(Edge, "_forget", lambda _: lambda self: None)


def _edge_is_done() -> Swap:
    """What a crashed edge left is not published when it comes back."""

    def make(original: Any) -> Any:
        async def claimed(self: Edge) -> Any:
            new = self._tenure is None
            tenure = await original(self)
            if new:
                self.outbox.forget([self.instance])
            return tenure

        return claimed

    return swapped(Edge, "_claimed", make)


def _key_of_the_attempt() -> Swap:
    def make(original: Any) -> Any:
        def attempt(*, key: str, attempt: int, **more: Any) -> Any:
            return original(key=f"{key}#{attempt}", attempt=attempt, **more)

        return attempt

    return swapped(services.notifier.react, "AttemptDelivery", make)


MUTANTS = (
    Mutant("sent_not_kept", "the last number sent is not in the cursor", _sent_not_kept, "calm"),
    Mutant("republish_none", "nothing is republished at the claim", _no_republish, "calm"),
    Mutant("republish_lazy", "republished only with the next message", _lazy_republish),
    Mutant("watermark_early", "`published` moves before the log has answered", _watermark_early),
    Mutant("failed_skipped", "a target goes on behind a failed send", _skip_failed, "calm"),
    Mutant("join_without_act", "a newcomer starts with an empty cursor", _join_without_act, "calm"),
    Mutant("join_without_numbers", "a newcomer knows offsets, no numbers", _join_without_numbers, "calm"),
    Mutant("edge_left_alone", "nobody takes a dead edge's partition over", _edge_left_alone),
    Mutant("edge_without_token", "an edge is taken over without a new token", _edge_without_token),
    Mutant("edge_keeps_doubt", "an edge in doubt keeps what it holds", _edge_keeps_doubt),
    Mutant("edge_is_done", "an edge does not republish when it comes back", _edge_is_done),
    Mutant("key_of_the_attempt", "a performer's key is that of the attempt", _key_of_the_attempt),
)
