"""The people of a simulated city: reports, commands right and wrong, repeats, nonsense, a second edition."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from random import Random
from typing import Any, Final

from cli.registrars import composer, order, register_agrees
from cli.topology import COMPOSER, DOORS, PERFORMER, PERFORMING, PROCESSORS
from cli.witness import WITNESS
from kernel.edge import EDGE, Submission
from kernel.hosts.simulator.city import Plan, SimulatedCity
from kernel.hosts.simulator.happenings import finish
from kernel.hosts.simulator.world import START, Broken
from kernel.log import Message
from kernel.processor import Sender
from rules.bundle import Bundle
from rules.clocks import row as clocks_of
from schemas.case import handling, objecting
from schemas.case.closing import (
    ItemAnswered,
    ItemInspected,
    RecordCallback,
    RecordInspection,
    ReopenCase,
    ReportResolved,
)
from schemas.case.opening import AcceptCase, CaseOpened, RepeatNoted, ReportAttached, VoidCase
from schemas.case.states import State
from schemas.envelope import Envelope
from schemas.kernel import AreaMode
from schemas.notice import AttemptDelivery, Outcome, Performed
from schemas.refusal import Refusal
from schemas.registry import PublishEdition
from schemas.report import GridReport, Position, Reporter
from schemas.wire import TYPE_OF, encode, frame, trusted

REPORTS: Final = 4
"""How many reports one short seed sends; with all that follows from them about 300 inputs are decided."""

_WHILE: Final = timedelta(minutes=10)
"""After how long without a receipt the edition is published once more."""

_OVER: Final = frozenset({State.CLOSED, State.WRITTEN_OFF, State.VOID, State.MERGED, State.NONE})
_GARBAGE: Final = (b"", b"{", b"\xff\xfe", b"[]", b'{"specversion":"1.0"}', b"not json at all")


class Crowd:
    """People who mostly do what their post allows, sometimes what it does not, and sometimes say it twice."""

    def __init__(self, bundle: Bundle, reports: int = REPORTS) -> None:
        self._bundle = bundle
        self._reports = reports
        self._sent: list[Submission] = []
        self._number = 0
        self._acts = 0
        self._editions = 0
        self._orders = 0
        self._published = START
        self._spots = [_middle(shape.polygons[0][0]) for shape in bundle.parts.shapes]
        self._words = [word for matter in bundle.parts.matters for word, _ in matter.keywords]
        self._few: tuple[list[tuple[int, int]], list[str]] | None = None

    def next(self, random: Random, city: SimulatedCity) -> Submission | None:  # noqa: PLR0911 - one dice
        """See `People`."""
        if self._editions == 0 or (self._editions == 1 and self._number == self._reports // 2):
            return self._edition(city)
        if not city.editions.activations():
            return self._edition_again(city)
        dice = random.randrange(150)
        if dice >= 100:
            return None
        if dice < 3:
            return Submission(Sender("source", "app"), random.choice(_GARBAGE))
        if dice < 6 and self._sent:
            return random.choice(self._sent)
        if dice < 40 and self._number < self._reports:
            return self._report(random, city)
        return self._order(random, city) if dice >= 76 else self._act(random, city)

    def done(self) -> bool:
        """See `People`."""
        return self._number >= self._reports and self._acts >= 6 * self._reports

    def recovered(self, city: SimulatedCity) -> None:
        """See `People`: the edition again if it is not on record, and a few more reports."""
        there = {frame(row.body).id for rows in city.rows(EDGE).values() for row in rows}
        self._editions = sum(f"edition-{number}" in there for number in (1, 2))
        self._reports = self._number + 2
        self._acts = min(self._acts, 6 * self._number)

    def check(self, city: SimulatedCity) -> None:
        """Each report is in one case or dead; each case is accounted for, watched, and over in the end."""
        _each_report_once(city)
        _open_cases_watched(city, self._bundle.city.centre)
        _closed_cases_written_off(city)
        _told_under_one_key(city)
        _count_keys_used_again(city)
        _letters_open(city)
        register_agrees(city)

    def _edition(self, city: SimulatedCity) -> Submission:
        self._editions += 1
        self._published = city.world.now
        modes = (AreaMode(area=self._bundle.city.root, mode="emergency"),) if self._editions > 1 else ()
        message = PublishEdition(edition=self._bundle.hash, modes=modes, partitions=city.plan.partitions)
        return _submission(
            Sender("source", "admin"), city, f"edition-{self._editions}", self._bundle.city.code, message
        )

    def _edition_again(self, city: SimulatedCity) -> Submission | None:
        """Who hears nothing for a while says it once more: the edge that heard it may have ended."""
        if "edition-1" in city.accepted or city.world.now - self._published < _WHILE:
            return None
        self._editions = 0
        return self._edition(city)

    def _report(self, random: Random, city: SimulatedCity) -> Submission:
        """Few places and few matters, so that reports meet; sometimes from outside the city."""
        self._number += 1
        if self._few is None:
            self._few = random.choices(self._spots, k=3), random.choices(self._words, k=3)
        lon, lat = (0, 0) if random.randrange(10) == 0 else random.choice(self._few[0])
        message = GridReport(
            channel="app",
            text=f"{random.choice(self._few[1])}，请处理",
            position=Position(lon_e7=lon, lat_e7=lat),
            reporter=Reporter(token=f"r{random.randrange(5)}") if random.randrange(3) else None,
        )
        sent = _submission(Sender("source", "app"), city, f"report-{self._number}", "", message)
        self._sent.append(sent)
        return sent

    def _order(self, random: Random, city: SimulatedCity) -> Submission | None:
        """The register changes while everything else goes on."""
        said = order(random, city, self._bundle)
        if said is None:
            return None
        self._orders += 1
        return _submission(said.sender, city, f"order-{self._orders}", said.subject, said.message)

    def _act(self, random: Random, city: SimulatedCity) -> Submission | None:
        self._acts += 1
        cases = city.watch.states("router.case")
        if not cases:
            return None
        stream = random.choice(list(cases))
        case = cases[stream]
        made = (
            _ACTS[case.state](case, random)
            if case.state in _ACTS and random.randrange(8)
            else _signing(case, random)
        )
        role, command = made
        posts = self._bundle.posts
        held = posts.of_unit(case.lead, "handler") if role == "lead" else posts.holding(role, case.area)
        if not held:
            return None
        return _submission(
            Sender("post", random.choice(held).code), city, f"act-{self._acts}", stream, command
        )


def _submission(sender: Sender, city: SimulatedCity, name: str, subject: str, message: object) -> Submission:
    envelope = Envelope(
        id=name,
        source=f"/{sender.id}",
        type=TYPE_OF[type(message)],
        subject=subject,
        time=city.world.now,
        data=message,
    )
    return Submission(sender, encode(envelope))


def _middle(ring: Sequence[int]) -> tuple[int, int]:
    return sum(ring[0:-2:2]) // (len(ring) // 2 - 1), sum(ring[1:-2:2]) // (len(ring) // 2 - 1)


def _signing(case: Any, random: Random) -> tuple[str, object]:  # noqa: ARG001 - the shape of every act
    return "lead", handling.SignCase()


def _receiving(case: Any, random: Random) -> tuple[str, object]:
    if random.randrange(4):
        return "clerk", AcceptCase(
            matter=case.matter_hint, condition=case.condition_hint, triage=case.triage or "big"
        )
    return "clerk", VoidCase(reason="not_a_matter", remedy="法院")


def _to_sign(case: Any, random: Random) -> tuple[str, object]:
    if random.randrange(3) == 0:
        return "lead", objecting.ObjectToCase(reason="not_ours", basis="职责清单", proposed=case.lead)
    return "lead", handling.SignCase()


def _disputed(case: Any, random: Random) -> tuple[str, object]:
    role = "dispatcher" if case.level == 0 else f"meeting{min(3, case.level)}"
    verdict = random.choice(("accept", "refuse", "refer"))
    return role, objecting.DecideObjection(verdict=verdict, reason="会议研究")


def _handling(case: Any, random: Random) -> tuple[str, object]:
    if random.randrange(3) == 0:
        return "lead", handling.RecordProgress(text="已到现场", contact="reached")
    items = tuple(ItemAnswered(item=item, evidence="a.jpg") for item in case.closing)
    return "lead", ReportResolved(outcome="solved", answer="已处理", items=items)


def _verifying(case: Any, random: Random) -> tuple[str, object]:
    passed = random.randrange(4) > 0
    items = tuple(ItemInspected(item=item, passed=passed) for item in case.closing)
    return "inspector", RecordInspection(passed=passed, items=items)


def _calling(case: Any, random: Random) -> tuple[str, object]:
    reporter = case.reporters[0] if case.reporters else ""
    return "caller", RecordCallback(
        reporter=reporter, contacted=random.randrange(4) > 0, solved=random.randrange(4) > 0
    )


def _closed(case: Any, random: Random) -> tuple[str, object]:  # noqa: ARG001 - the shape of every act
    return "dispatcher", ReopenCase(reason="又发生")


_ACTS: Final[Mapping[State, Callable[[Any, Random], tuple[str, object]]]] = {
    State.RECEIVED: _receiving,
    State.TO_SIGN: _to_sign,
    State.DISPUTED: _disputed,
    State.HANDLING: _handling,
    State.TO_VERIFY: _verifying,
    State.TO_CALL_BACK: _calling,
    State.CLOSED: _closed,
}


def _each_report_once(city: SimulatedCity) -> None:
    """Design §4.6 and protocol.md: each report that the edge has on record ended in one case, or is dead."""
    wanted = {
        f"{letter.frame.source}/{letter.frame.id}"
        for rows in city.rows(EDGE).values()
        for row in rows
        if isinstance((letter := trusted(row.body)).message, GridReport)
    }
    homes: dict[str, set[str]] = {}
    for rows in city.rows("router.case").values():
        for row in rows:
            event = trusted(row.body).message
            if isinstance(event, CaseOpened | ReportAttached | RepeatNoted):
                homes.setdefault(event.report.report, set()).add(row.stream)
    dead = {stream for stream, state in city.watch.states("intake.reader").items() if state.fate == "dead"}
    for report in wanted:
        found = len(homes.get(report, ()))
        if found != (0 if report in dead else 1):
            raise Broken(
                "each report in one case",
                f"report {report} is in {found} cases: {sorted(homes.get(report, ()))}",
            )


def _letters_open(city: SimulatedCity) -> None:
    """Whatever failed between the secret and the commit, each dead letter of the edge has its own secret."""
    for partition, shelf in city.journals[EDGE].shelves.items():
        for held in shelf.held.values():
            opened = finish(city.letters.open(held))
            if isinstance(opened, Refusal):
                raise Broken("dead letters kept", f"{EDGE}/{partition}/{held.id}: {opened.code}")


def _open_cases_watched(city: SimulatedCity, centre: str) -> None:
    """Design §4.1 and §4.6: one accountable unit, and no open case without a clock that runs."""
    clocks = city.watch.states("sla.clock")
    for stream, case in city.watch.states("router.case").items():
        if case.state is State.NONE:
            continue
        if case.state not in _OVER and not case.accountable(centre):
            raise Broken("one accountable unit", f"case {stream} in {case.state} has no accountable unit")
        watched = clocks.get(stream)
        if watched is None or watched.facts.state != case.state:
            raise Broken("no open case without a clock", f"case {stream} in {case.state}, clock in {watched}")
        running = {name: not clock.paused for name, clock in watched.clocks.items()}
        if running != clocks_of(watched.facts):
            raise Broken("no open case without a clock", f"case {stream} in {case.state} has {running}")


def _closed_cases_written_off(city: SimulatedCity) -> None:
    """销号: a closed case whose window is over goes on, unless a person's supervision holds it."""
    clocks = city.watch.states("sla.clock")
    for stream, case in city.watch.states("router.case").items():
        if case.state is State.CLOSED and clocks[stream].clocks["after_close"].asked and not case.holds:
            raise Broken("no case closed for ever", f"case {stream}: {case.supervisions}, held by nobody")


def _told_under_one_key(city: SimulatedCity) -> None:
    """Design §3, effects: however often a notice is attempted, its receiver can tell copies apart."""
    keys: dict[tuple[str, int], str] = {}
    notices: dict[str, tuple[str, int]] = {}
    for attempt in _attempts(city.performed):
        notice = (attempt.recipient, attempt.notice)
        if (
            keys.setdefault(notice, attempt.key) != attempt.key
            or notices.setdefault(attempt.key, notice) != notice
        ):
            raise Broken("one key for each notice", f"{notice} under {keys[notice]} and {attempt.key}")


def _count_keys_used_again(city: SimulatedCity) -> None:
    """Not promised after a recovery: what people were told in vain may have had the key of something else."""
    texts = {attempt.key: attempt.text for attempt in _attempts(city.performed)}
    again = {attempt.key for attempt in _attempts(city.told_in_vain) if attempt.key in texts}
    other = {one.key for one in _attempts(city.told_in_vain) if texts.get(one.key, one.text) != one.text}
    if again:
        city.world.counts["keys used again"] = len(again)
        city.world.counts["keys used again for other words"] = len(other)


def _attempts(messages: Iterable[Message]) -> Iterator[AttemptDelivery]:
    for message in messages:
        attempt = trusted(message.body).message
        if isinstance(attempt, AttemptDelivery):
            yield attempt


def delivered(message: Message) -> Performed | None:
    """The world's answer to an attempt: mostly delivered, sometimes failed or unknown."""
    letter = trusted(message.body)
    if not isinstance(letter.message, AttemptDelivery):
        return None
    dice = sha256(message.body).digest()[0] % 8
    result = {0: "failed", 1: "unknown"}.get(dice, "delivered")
    return Performed(request=letter.message, outcome=Outcome(result=result, detail=""))


def plan(bundle: Bundle, reports: int = REPORTS) -> Plan:
    """The whole city over the simulator's ports, with a witness that joins later and frequent snapshots."""
    bundles = {bundle.hash: bundle}
    often = [replace(one, snapshot_every=4) for one in (*PROCESSORS, WITNESS)]
    return Plan(
        processors=often,
        doors=DOORS,
        bundles=bundles,
        people=lambda: Crowd(bundle, reports),
        performs={PERFORMER.name: delivered, COMPOSER.name: composer(bundles)},
        again=PERFORMING,
        later=frozenset({WITNESS.name}),
    )
