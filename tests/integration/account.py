"""The exact count at the end of a fault: each input decided once, all that left seen once, nothing lost."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cli.topology import PROCESSORS
from kernel.edge import EDGE
from kernel.hosts.replay import Address, Traffic
from kernel.hosts.simulator.checks import Evidence, check_all
from kernel.journal import RULES_STREAM, Cause, HeldKind, Via
from kernel.processor import AnyProcessor
from rules.clocks import row as clocks_of
from schemas.case.opening import CaseOpened, RepeatNoted, ReportAttached
from schemas.case.states import OPEN
from schemas.intake import ReportAccepted, ReportConflicting, ReportDead, ReportRepeated
from schemas.wire import TYPE_OF, frame, trusted
from services.intake.reader.processor import READER
from services.router.processor import ROUTER_CASE
from services.sla.processor import CLOCK
from tests.integration.lived import AGAIN, Lived, equal_for_all


@dataclass(frozen=True)
class Account:
    """What came in, what was decided once, what left and was seen once; and what was lost or done twice."""

    inputs: int
    decided_once: int
    sent: int
    seen_once: int
    lost: int
    twice: int
    held: int
    rows: int


Aside = Mapping[tuple[str, int, str, Cause], HeldKind]


def account(
    lived: Lived,
    acknowledged: Collection[str] = (),
    aside: Aside | None = None,
    *,
    copies: bool = False,
    struck: Collection[str] = (),
) -> Account:
    """Count everything; raises at the first thing that does not hold.

    `acknowledged` are CloudEvent ids, `aside` is what was held once and is no more. On a log apart from the
    journals there may be `copies`: what was in doubt is sent again. Offsets of `struck` topics began anew.
    """
    rows = equal_for_all(lived)
    sent = lived.traffic()
    check_all(evidence(lived, sent, aside or {}))
    dense(lived)
    no_case_without_a_clock(lived)
    decided = {processor.name: decisions(lived, processor) for processor in PROCESSORS}
    visible = visible_once(lived, sent, copies=copies, struck=struck)
    accepted = [frame(row.body).id for row in lived.rows(EDGE)]
    missing = set(acknowledged) - set(accepted)
    assert not missing, f"acknowledged and not on record: {sorted(missing)[:3]}"
    inputs = [address for address in sent.sent if address.origin.startswith(f"{EDGE}/")]
    held = {where(one.cause, one.partition) for name in decided for one in lived.held[name]}
    once = {address for address in sent.sent if seen(lived, sent, decided, held, address)}
    times = Counter(count for name in decided for count in decided[name].values())
    return Account(
        inputs=len(inputs),
        decided_once=sum(address in once for address in inputs),
        sent=len(sent.sent),
        seen_once=len(once),
        lost=len(visible - once),
        twice=sum(number for count, number in times.items() if count > 1),
        held=sum(len(held) for held in lived.held.values()),
        rows=rows,
    )


def where(cause: Cause, partition: int) -> Address:
    return Address(cause.origin, cause.topic, partition, cause.k)


def decisions(lived: Lived, processor: AnyProcessor) -> Counter[Address]:
    """How often each message was decided: its rows follow each other."""
    found: Counter[Address] = Counter()
    for partition, rows in lived.histories[processor.name].items():
        before: Address | None = None
        for row in rows:
            if row.cause.via is not Via.MESSAGE or row.stream.startswith(RULES_STREAM):
                before = None
                continue
            address = where(row.cause, partition)
            if address != before:
                found[address] += 1
            before = address
    return found


READERS = {(topic, TYPE_OF[kind]): one for one in PROCESSORS for topic in one.topics for kind in one.handles}
"""Who decides a type of a topic; what nobody handles is only passed by."""


def seen(
    lived: Lived,
    sent: Traffic,
    decided: dict[str, Counter[Address]],
    held: Collection[Address],
    address: Address,
) -> bool:
    """Whether each reader of the topic has taken the message, and decided it once if it handles it."""
    kind = sent.sent[address].type
    for processor in PROCESSORS:
        if address.topic not in processor.topics:
            continue
        cursor = lived.cursors[processor.name][address.partition]
        if cursor.seen.get(address.topic, {}).get(address.origin, 0) < address.k:
            return False
        handled = READERS.get((address.topic, kind)) is processor
        if handled and address not in held and decided[processor.name][address] != 1:
            return False
    return True


def visible_once(lived: Lived, sent: Traffic, *, copies: bool, struck: Collection[str]) -> set[Address]:
    """What the topics hold is what the journals sent: each message there, once, in order and unchanged.

    Where there are copies: to a reader that drops copies and what comes early.
    """
    found: set[Address] = set()
    for (topic, partition), messages in lived.messages.items():
        last: dict[str, int] = {}
        for offset, message in enumerate(messages):
            origin, k = message.headers.origin, message.headers.k
            assert message.offset == offset or topic in struck, (
                f"{topic}/{partition}: offset {message.offset}, not {offset}"
            )
            if k != last.get(origin, 0) + 1:
                assert copies, f"{topic}/{partition}: {k} of {origin} after {last.get(origin)}"
                continue
            last[origin] = k
            address = Address(origin, topic, partition, k)
            passage = sent.sent[address]
            assert (passage.key, passage.type) == (message.key, frame(message.body).type)
            assert passage.message == trusted(message.body).message
            found.add(address)
    assert found == sent.sent.keys(), f"sent and not visible: {sorted(sent.sent.keys() - found)[:3]}"
    return found


def evidence(lived: Lived, sent: Traffic, aside: Aside) -> Evidence:
    """What the simulator's own checks look at, from a database instead of its memory."""
    timers = {
        name: {
            partition: {(one.stream, one.name): one for one in found if one.partition == partition}
            for partition in range(lived.partitions)
        }
        for name, found in lived.timers.items()
    }
    return Evidence(
        processors=PROCESSORS,
        histories=lived.histories,
        traffic=sent,
        log=lived.messages,
        ticked={},
        held=lived.held,
        timers=timers,
        rules=lived.rules,
        again=AGAIN,
        joined={},
        aside={**aside, **set_aside(lived)},
        now=lived.end,
    )


def set_aside(lived: Lived) -> Aside:
    """What lies held now, as the checks want to know it."""
    return {
        (name, one.partition, one.stream, one.cause): one.kind
        for name, found in lived.held.items()
        for one in found
    }


def dense(lived: Lived) -> None:
    """Every journal counts 1, 2, 3 … up to its cursor, and so does every stream in it."""
    for name, partitions in lived.histories.items():
        for partition, rows in partitions.items():
            assert [row.seq for row in rows] == list(range(1, len(rows) + 1)), f"{name}/{partition}"
            assert lived.cursors[name][partition].seq == len(rows), f"{name}/{partition}"
            versions: Counter[str] = Counter()
            for row in rows:
                versions[row.stream] += 1
                assert row.version == versions[row.stream], f"{name}/{partition}/{row.seq}"


def states(lived: Lived, processor: AnyProcessor) -> dict[str, Any]:
    """Every stream's state, folded from its rows."""
    found: dict[str, Any] = {}
    for row in lived.rows(processor.name):
        if not row.stream.startswith(RULES_STREAM):
            state = found.get(row.stream, processor.initial)
            found[row.stream] = processor.evolve(state, trusted(row.body).message)
    return found


def no_case_without_a_clock(lived: Lived) -> None:
    """The clocks of each case are those that its state asks for, each running or paused as it should."""
    cases, clocks = states(lived, ROUTER_CASE), states(lived, CLOCK)
    timed = {timer.stream for timer in lived.timers[CLOCK.name]}
    for name, case in cases.items():
        if case.state not in OPEN:
            continue
        known = clocks[name]
        running = {one: not clock.paused for one, clock in known.clocks.items()}
        assert known.facts.state == case.state, name
        assert running == dict(clocks_of(known.facts)), name
        assert running, f"{name} is {case.state} and no clock knows it"
        late = all(clock.breached or clock.asked for clock in known.clocks.values() if not clock.paused)
        assert name in timed or late or not any(running.values()), f"{name}: no timer will ring"


def each_report_in_one_case(lived: Lived) -> tuple[int, int]:
    """Every accepted report lies in exactly one case, every other one is dead; how many of each."""
    read: Counter[type] = Counter()
    taken: Counter[str] = Counter()
    accepted: set[str] = set()
    for row in lived.rows(READER.name):
        if row.stream.startswith(RULES_STREAM):
            continue
        event = trusted(row.body).message
        read[type(event)] += 1
        if isinstance(event, ReportAccepted):
            accepted.add(row.stream)
    for row in lived.rows(ROUTER_CASE.name):
        event = trusted(row.body).message
        if isinstance(event, CaseOpened | ReportAttached | RepeatNoted):
            taken[event.report.report] += 1
    assert taken == Counter(dict.fromkeys(accepted, 1))
    assert read.keys() <= {ReportAccepted, ReportDead, ReportRepeated, ReportConflicting}
    return len(accepted), read[ReportDead]
