"""One processor on the partitions that one worker owns: messages to a draft. No clock, no I/O, no commit."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Final

from kernel.batch import Batch
from kernel.errors import InnerUnreadable, TooManyParked
from kernel.inbox import Place, place
from kernel.journal import (
    Cause,
    Claim,
    Held,
    HeldKind,
    History,
    Move,
    Snapshot,
    StoredTimer,
    Via,
    rules_stream,
)
from kernel.leaf import Drafted, Leaf
from kernel.log import Message
from kernel.origins import Verdict, judge
from kernel.processor import AnyProcessor, Context, Sender, step
from kernel.table import nothing
from kernel.tenure import Tenure, decode_state
from kernel.timers import Agenda
from rules.inforce import Rules
from schemas.kernel import ActivateRules, AreaMode, EditionAdopted
from schemas.topics import RULES_EDITIONS
from schemas.wire import (
    TYPE_OF,
    Unreadable,
    carried,
    decode_data,
    encode_data,
    frame,
    known,
    message_of,
    trusted,
)

_ACTIVATE: Final = TYPE_OF[ActivateRules]


class Decider:
    """Decodes, drops what was seen, puts timers before messages, steps, numbers, encodes, reacts.

    `city` maps a wall stamp to city time, `rules` holds every rules number that a batch may name, and
    `token` draws a new token for each transaction.
    """

    def __init__(
        self,
        processor: AnyProcessor,
        *,
        city_code: str,
        partitions: int,
        city: Callable[[datetime], datetime],
        token: Callable[[], bytes],
        delivers: bool = False,
        fold: str = "",
        states: int = 100_000,
        parked_most: int = 100,
    ) -> None:
        self.processor = processor
        self.tenures: dict[int, Tenure] = {}
        self.rules: dict[int, Rules] = {}
        self.gaps: set[int] = set()
        self.early = 0
        self.rest: list[Message] = []
        self.fold = fold
        self._city = city
        self._token = token
        self._source = f"/gridcase/{city_code}/{processor.name}"
        self._partitions = partitions
        self._states = states
        self._parked_most = parked_most
        self._handled = {TYPE_OF[kind] for kind in processor.handles}
        self._timer = Sender("timer", processor.name)
        self._delivers = delivers
        self._leaves: dict[int, Leaf] = {}
        self._tokens: dict[int, bytes] = {}
        self._agendas: dict[int, list[StoredTimer]] = {}
        self._waiting: set[int] = set()
        self.batch = Batch()

    def take_over(self, claim: Claim, rules: Rules) -> None:
        """Begin a tenure; whatever was held of the partition before is gone."""
        self.rules.setdefault(rules.number, rules)
        self.tenures[claim.cursor.partition] = Tenure(claim, rules)

    def forget(self, partitions: Iterable[int]) -> None:
        """Lose partitions with cursor, states and all."""
        for partition in partitions:
            self.tenures.pop(partition, None)

    def fresh(self, messages: Iterable[Message]) -> list[Message]:
        """Those of the messages that the draft would take and decide, as far as can be told beforehand."""
        found: list[Message] = []
        seen: dict[tuple[int, str, str], int] = {}
        for message in messages:
            tenure = self.tenures.get(message.partition)
            if tenure is None or message.offset < tenure.reach.get(message.topic, 0):
                continue
            key = (message.partition, message.topic, message.headers.origin)
            last = seen.get(key)
            if last is None:
                last = tenure.seen.get(message.topic, {}).get(message.headers.origin, 0)
            if judge(last, message.headers.k) is Verdict.TAKE:
                seen[key] = message.headers.k
                found.append(message)
        return found

    def missing_rules(self, messages: Iterable[Message]) -> set[int]:
        """Rules numbers that the messages name and that are not loaded."""
        named = {
            trusted(message.body).message.number
            if message.topic == RULES_EDITIONS.name
            else message.headers.rules
            for message in messages
        }
        return named - self.rules.keys() - {0}

    def missing_states(self, batch: Batch) -> dict[int, set[str]]:
        """Streams of the batch whose state is not held, by partition."""
        wanted: dict[int, set[str]] = {}
        tenures = self.tenures

        def want(partition: int, stream: str) -> None:
            tenure = tenures.get(partition)
            if tenure is not None and stream not in tenure.states:
                wanted.setdefault(partition, set()).add(stream)

        for message in batch.messages:
            want(message.partition, message.key)
            if message.topic == RULES_EDITIONS.name or self._behind(message):
                want(message.partition, rules_stream(message.partition))
        for timer in batch.due:
            want(timer.partition, timer.stream)
        for held in batch.ordered:
            want(held.partition, held.stream)
        return wanted

    def _behind(self, message: Message) -> bool:
        tenure = self.tenures.get(message.partition)
        return tenure is not None and message.headers.rules > tenure.rules.number

    def learn(self, histories: Mapping[tuple[int, str], History]) -> None:
        """Fold the histories of streams whose state was missing."""
        evolve = self.processor.evolve
        for (partition, stream), history in histories.items():
            tenure = self.tenures.get(partition)
            if tenure is None:
                continue
            state, version = self.processor.initial, 0
            if history.snapshot is not None and self.processor.snapshot is not None:
                version = history.snapshot.version
                state = decode_state(self.processor.snapshot, history.snapshot.body)
            for record in history.records:
                if stream != rules_stream(partition):
                    state = evolve(state, message_of(record.body))
                version = record.version
            tenure.states[stream] = (state, version)

    def draft(self, batch: Batch) -> Sequence[Move]:
        """Decide a batch; the moves are still to be committed, what could not be taken yet is in `rest`."""
        self.batch, self.rest = batch, []
        self._leaves, self._agendas = {}, {}
        self._waiting = set()
        for timer in batch.due:
            self._agendas.setdefault(timer.partition, []).append(timer)
        for held in batch.ordered:
            self._take_up(held)
        for message in batch.messages:
            self._take(message)
        for partition, until in batch.until.items():
            if partition in self._agendas and partition in self.tenures:
                self._fire(self.tenures[partition], until)
        return [self._move(leaf) for _, leaf in sorted(self._leaves.items())]

    def settle(self, lost: Collection[int]) -> None:
        """The draft is committed but for `lost`: forget those, note what needs a snapshot, trim the cache."""
        self.forget(lost)
        most = max(1, self._states // max(1, len(self.tenures)))
        for partition, leaf in self._leaves.items():
            tenure = self.tenures.get(partition)
            if tenure is not None:
                tenure.token = self._tokens[partition]
                tenure.stored = dict(tenure.reach)
                tenure.proven = True
                tenure.published = tenure.acknowledged
                tenure.settled, tenure.ripe = tenure.ripe, {}
                tenure.soon.follow(leaf.agenda.changed.values())
                excess = len(tenure.states) - most
                if excess > 0:
                    for stream in list(islice(tenure.states, excess)):
                        del tenure.states[stream]
        self._leaves = {}

    def touch(self, partitions: Iterable[int]) -> Sequence[Move]:
        """Moves that change nothing but `published`, for partitions gone idle."""
        self.batch, self._agendas = Batch(), {}
        self._leaves = {}
        return [self._move(self._leaf(self.tenures[partition])) for partition in sorted(partitions)]

    # Taking one input.

    def _take(self, message: Message) -> None:
        tenure = self.tenures.get(message.partition)
        if tenure is None or message.partition in self.gaps:
            return
        topic, headers = message.topic, message.headers
        where = place(tenure.reach.get(topic, 0), message.offset)
        if where is Place.BELOW:
            return
        if where is Place.ABOVE:
            self.gaps.add(message.partition)
            return
        now = max(tenure.now, self._city(message.appended))
        leaf = self._leaf(tenure)
        if message.partition in self._waiting:
            self.rest.append(message)
            return
        seen = tenure.seen.get(topic)
        if seen is None:
            seen = tenure.seen[topic] = {}
        verdict = judge(seen.get(headers.origin, 0), headers.k)
        if verdict is Verdict.TAKE:
            if not leaf.agenda.covers(now):
                self._fire(tenure, now)
                self._waiting.add(message.partition)
                self.rest.append(message)
                return
            seen[headers.origin] = headers.k
        elif verdict is Verdict.EARLY:
            self.early += 1
        tenure.reach[topic] = message.offset + 1
        tenure.below[topic] = message
        if verdict is Verdict.TAKE:
            self._decide_message(leaf, message, now)

    def _decide_message(self, leaf: Leaf, message: Message, now: datetime) -> None:
        tenure, headers = leaf.tenure, message.headers
        try:
            head = frame(message.body)
            handled = head.type in self._handled
            letter = carried(head) if handled or head.type == _ACTIVATE else known(head)
        except Unreadable as error:
            raise InnerUnreadable(message.topic, message.partition, message.offset, error.refusal) from error
        self._fire(tenure, now)
        tenure.now = now
        sender = headers.sender or Sender("processor", headers.origin.partition("/")[0])
        cause = Cause(
            Via.MESSAGE, head.id, head.time, sender, message.topic, message.offset, headers.origin, headers.k
        )
        adopted = headers.rules
        if isinstance(letter, ActivateRules):
            adopted = letter.number
        if adopted > tenure.rules.number:
            self._adopt(leaf, adopted, now, cause, headers.trace)
        if not handled:
            return
        performed = self.batch.performed
        if performed:
            letter = performed.get((message.topic, message.partition, message.offset), letter)
        self._input(leaf, message.key, letter, now, (head.type, message.body, cause, headers.trace))

    def _take_up(self, held: Held) -> None:
        tenure = self.tenures.get(held.partition)
        if tenure is None:
            return
        leaf = self._leaf(tenure)
        if held.stream in leaf.voided or held.id in leaf.released:
            return
        timer, was_parked = held.cause.via is Via.TIMER, held.kind is HeldKind.PARKED
        message = decode_data(held.type, held.body) if timer else trusted(held.body).message
        item = (held.type, held.body, held.cause, held.trace)
        if was_parked and held.stream not in tenure.parked:
            return  # parked by another owner after our claim: this move will be fenced
        key = (held.stream, held.cause.id)
        if (
            was_parked
            and timer
            and (key in leaf.agenda.changed or (held.partition, held.id) in self.batch.void)
        ):
            self._released(leaf, held)  # cancelled, or set anew, by what was parked before it
            return
        if not was_parked and held.stream in tenure.parked:
            leaf.released.append(held.id)
            leaf.hold(HeldKind.PARKED, held.stream, "behind a parked message", item)
            return
        reason = self._attempt(leaf, held.stream, message, tenure.now, item)
        if reason is None:
            self._released(leaf, held)
        elif was_parked:
            leaf.voided.append(held.stream)
        else:
            leaf.released.append(held.id)
            self._park(leaf, held.stream, reason, item)

    def _released(self, leaf: Leaf, held: Held) -> None:
        """Done with a held message; with its last parked one the stream is free."""
        leaf.released.append(held.id)
        if held.kind is HeldKind.PARKED:
            left = leaf.tenure.parked.pop(held.stream) - 1
            if left:
                leaf.tenure.parked[held.stream] = left

    def _fire(self, tenure: Tenure, until: datetime) -> None:
        leaf = self._leaf(tenure)
        while (timer := leaf.agenda.pop(until)) is not None:
            now = tenure.now = max(tenure.now, timer.due)
            cause = Cause(Via.TIMER, timer.name, timer.due, self._timer, event=timer.event)
            message = decode_data(timer.kind, timer.body)
            self._input(leaf, timer.stream, message, now, (timer.kind, timer.body, cause, ""))

    def _input(
        self, leaf: Leaf, stream: str, message: Any, now: datetime, item: tuple[str, bytes, Cause, str]
    ) -> None:
        """One message or timer for one stream: decided, or held behind what is parked, or parked itself."""
        if stream in leaf.tenure.parked:
            leaf.hold(HeldKind.PARKED, stream, "behind a parked message", item)
            return
        reason = self._attempt(leaf, stream, message, now, item)
        if reason is not None:
            self._park(leaf, stream, reason, item)

    def _park(self, leaf: Leaf, stream: str, reason: str, item: tuple[str, bytes, Cause, str]) -> None:
        leaf.hold(HeldKind.PARKED, stream, reason, item)
        parked = sum(len(tenure.parked) for tenure in self.tenures.values())
        if parked > self._parked_most:
            raise TooManyParked(self.processor.name, parked, reason)

    def _attempt(
        self, leaf: Leaf, stream: str, message: Any, now: datetime, item: tuple[str, bytes, Cause, str]
    ) -> str | None:
        """Step and write; an exception is a bug in pure code, given as the reason to park the stream."""
        tenure = leaf.tenure
        cause, trace = item[2], item[3]
        state, version = tenure.states.pop(stream)
        try:
            context = Context(now, cause.received, tenure.rules, cause.sender, stream, cause.id)
            after, events = step(self.processor, state, message, context)
            if not events:
                tenure.states[stream] = (state, version)
                return f"{type(message).__name__} is handled but was answered by no event"
            drafted = Drafted(after, events)
            leaf.express(stream, version, now, drafted, self.processor.react)
        except Exception as error:  # noqa: BLE001 - whatever pure code raises is a bug that parks its stream only
            tenure.states[stream] = (state, version)
            return f"{type(error).__name__}: {error}"[:400]
        leaf.write(stream, version, now, drafted, cause=cause, trace=trace)
        reached = version + len(events)
        tenure.states[stream] = (drafted.state, reached)
        every = self.processor.snapshot_every
        if self.processor.snapshot is not None and version // every != reached // every:
            tenure.ripe[stream] = (drafted.state, reached)
        for reason in leaf.dead_letters(drafted):
            leaf.hold(HeldKind.DEAD, stream, reason, item)
        return None

    def _adopt(self, leaf: Leaf, number: int, now: datetime, cause: Cause, trace: str) -> None:
        """Take up a higher rules number: a row of the partition's own rules stream says when."""
        tenure = leaf.tenure
        rules = tenure.rules = self.rules[number]
        modes = tuple(AreaMode(area=area, mode=mode) for area, mode in sorted(rules.modes.items()))
        stream = rules_stream(tenure.partition)
        state, version = tenure.states[stream]
        drafted = Drafted(state, [EditionAdopted(number=number, edition=rules.bundle.hash, modes=modes)])
        leaf.express(stream, version, now, drafted, nothing)
        leaf.write(stream, version, now, drafted, cause=cause, trace=trace)
        tenure.states[stream] = (state, version + 1)

    # The draft's parts.

    def _leaf(self, tenure: Tenure) -> Leaf:
        leaf = self._leaves.get(tenure.partition)
        if leaf is None:
            agenda = Agenda(self._agendas.get(tenure.partition, ()), self.batch.horizon)
            leaf = Leaf(tenure, agenda, self.processor, self._source, self._partitions)
            self._leaves[tenure.partition] = leaf
        return leaf

    def _move(self, leaf: Leaf) -> Move:
        tenure = leaf.tenure
        token = self._tokens[tenure.partition] = self._token()
        prints = tenure.prints()
        tenure.acknowledged = tenure.seq if self._delivers else tenure.acknowledged
        snapshots = [
            Snapshot(tenure.partition, stream, version, self.fold, encode_data(state))
            for stream, (state, version) in tenure.settled.items()
        ]
        return leaf.move(token, tenure.acknowledged, prints, snapshots)
