"""The inbox: without holes, each message once, nothing early; what a claim must refuse."""

from typing import Any

import kernel.decider
import kernel.inbox
import kernel.worker
from kernel.decider import Decider
from kernel.inbox import Place
from kernel.journal import Reach
from kernel.origins import Verdict
from kernel.tenure import Tenure
from kernel.worker import Worker
from schemas.refusal import Refusal
from tests.simulator.mutants.swap import Mutant, Swap, swapped, together


def _nothing(*_: object) -> None:
    return None


def _no_seek_back() -> Swap:
    def make(original: Any) -> Any:
        def place(reach: int, offset: int) -> Place:
            found = original(reach, offset)
            return Place.NEXT if found is Place.ABOVE else found

        return place

    return swapped(kernel.decider, "place", make)


def _no_seek_on_tick() -> Swap:
    def make(original: Any) -> Any:
        async def read_to_end(self: Worker, quiet: Any, due: Any, *, idle: bool) -> Any:
            before = set(self.decider.gaps)
            found = await original(self, quiet, due, idle=idle)
            self.decider.gaps = before
            return found

        return read_to_end

    return swapped(Worker, "_read_to_end", make)


def _judging(**become: Verdict) -> Swap:
    def make(original: Any) -> Any:
        def judge(last: int, k: int) -> Verdict:
            found = original(last, k)
            return become.get(found.value) or found

        return judge

    return swapped(kernel.decider, "judge", make)


def _early_stops() -> Swap:
    def make(original: Any) -> Any:
        def take(self: Decider, message: Any) -> None:
            tenure = self.tenures.get(message.partition)
            if tenure is not None and message.offset == tenure.reach.get(message.topic, 0):
                last = tenure.seen.get(message.topic, {}).get(message.headers.origin, 0)
                if message.headers.k > last + 1:
                    self.gaps.add(message.partition)
                    return
            original(self, message)

        return take

    return swapped(Decider, "_take", make)


class _OneForAll(dict[str, dict[str, int]]):
    """What was seen, whatever the topic."""

    def get(self, key: str, default: Any = None) -> Any:
        del key, default
        return self.setdefault("any", {})


def _seen_without_topic() -> Swap:
    def make(original: Any) -> Any:
        def begin(self: Tenure, *args: Any) -> None:
            original(self, *args)
            self.seen = _OneForAll({"any": dict(self.seen.get("any", {}))})

        return begin

    def saved(original: Any) -> Any:
        def cursor(self: Tenure, *args: Any) -> Any:
            seen, self.seen = self.seen, dict(self.seen)
            try:
                return original(self, *args)
            finally:
                self.seen = seen

        return cursor

    return together(swapped(Tenure, "__init__", make), swapped(Tenure, "cursor", saved))


def _held_is_not_taken() -> Swap:
    """The number of a message that was set aside is not remembered."""

    def make(original: Any) -> Any:
        def take(self: Decider, message: Any) -> None:
            leaf = self._leaves.get(message.partition)
            held = len(leaf.held) if leaf else 0
            original(self, message)
            leaf = self._leaves.get(message.partition)
            if leaf and len(leaf.held) > held and leaf.held[-1].kind == "parked":
                leaf.tenure.seen[message.topic][message.headers.origin] -= 1

        return take

    return swapped(Decider, "_take", make)


def _cache_over_ownership() -> Swap:
    kept: dict[tuple[int, int], Any] = {}

    def forgetting(original: Any) -> Any:
        def forget(self: Decider, partitions: Any) -> None:
            for partition in list(partitions):
                tenure = self.tenures.get(partition)
                if tenure is not None:
                    kept[id(self), partition] = tenure.states
            original(self, partitions)

        return forget

    def taking(original: Any) -> Any:
        def take_over(self: Decider, claim: Any, rules: Any) -> None:
            original(self, claim, rules)
            partition = claim.cursor.partition
            self.tenures[partition].states = dict(kept.get((id(self), partition), {}))

        return take_over

    return together(swapped(Decider, "forget", forgetting), swapped(Decider, "take_over", taking))


def _no_fingerprint() -> Swap:
    return swapped(kernel.inbox, "fingerprint", lambda _: lambda message: b"")


def _never_refused(name: str) -> Swap:
    return swapped(kernel.worker, name, lambda _: _nothing)


def _missing_means_fine() -> Swap:
    """Neither the claim nor a gap looks at where the log begins."""

    def make(original: Any) -> Any:
        def unsound(topic: str, reach: Reach, span: Any, below: Any) -> Refusal | None:
            return original(topic, reach, span, below) if below else None

        return unsound

    return together(
        swapped(kernel.worker, "unsound", make),
        swapped(kernel.worker, "unsound_begin", lambda _: _nothing),
    )


def _missing_means_refuse() -> Swap:
    def make(original: Any) -> Any:
        def unsound(topic: str, reach: Reach, span: Any, below: Any) -> Refusal | None:
            if reach.offset and below is None:
                return Refusal(code="inbox_lost", expected="a record", found="none")
            return original(topic, reach, span, below)

        return unsound

    return swapped(kernel.worker, "unsound", make)


MUTANTS = (
    Mutant("seek_back", "a batch above the cursor: no seek back", _no_seek_back, "calm"),
    Mutant("seek_on_tick", "a position above the cursor on a tick: no seek back", _no_seek_on_tick, "calm"),
    Mutant("dedupe", "copies are taken again", lambda: _judging(copy=Verdict.TAKE), "calm"),
    Mutant("seen_without_topic", "seen: of each origin, without the topic", _seen_without_topic, "calm"),
    Mutant("early_stops", "early: stop and wait for the missing one", _early_stops),
    Mutant("early_taken", "early: taken as it comes", lambda: _judging(early=Verdict.TAKE)),
    Mutant("held_not_taken", "a held message does not count as taken", _held_is_not_taken),
    Mutant("cache_kept", "cached states outlive the ownership", _cache_over_ownership),
    Mutant(
        "retention_refused", "an aged-out record below the cursor means refuse", _missing_means_refuse, "calm"
    ),
    Mutant(
        "retention_unseen",
        "a log that begins above the cursor is read on",
        _missing_means_fine,
        "calm",
        "expired",
    ),
    Mutant(
        "cut_unseen",
        "a log that ends below the cursor, unseen on a tick",
        lambda: _never_refused("unsound_end"),
        "calm",
        "cut",
    ),
    Mutant(
        "recreated_unseen",
        "no fingerprint of the record below the cursor",
        _no_fingerprint,
        "calm",
        "recreated",
    ),
    Mutant(
        "restore_unseen",
        "own event topic not compared with the journal",
        lambda: _never_refused("overtaken"),
        "calm",
        "restored",
    ),
)
