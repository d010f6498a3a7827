"""Lives a city in stepped time: reports arrive, people act through the edge, timers ring."""

import heapq
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any, Final

from cities.day import Arrival
from cities.people import Act, People
from cli.stage import Stage
from kernel.edge import Receipt, Submission
from kernel.journal import RULES_STREAM, Record
from kernel.processor import Sender
from schemas.envelope import Envelope
from schemas.wire import TYPE_OF, Letter, encode, trusted

Hears = Callable[[Record, Letter], None]
"""Is told every new event of case.events, in order of each case."""

STEP: Final = timedelta(minutes=1)


class Conductor:
    """Steps the clock from one thing that happens to the next, rounded up to `step`."""

    def __init__(
        self,
        stage: Stage,
        people: People,
        arrivals: Sequence[Arrival],
        hears: Hears,
        step: timedelta = STEP,
    ) -> None:
        self.stage = stage
        self.people = people
        self.submitted = 0
        self.receipts: dict[str, int] = {}
        """What the edge said to the reports: `accepted`, or the code of the refusal."""
        self._hears = hears
        self._step = step
        self._arrivals = sorted(arrivals, key=lambda arrival: arrival.at, reverse=True)
        self._acts: list[tuple[datetime, int, Act]] = []
        self._numbers = count()
        self._reached: dict[int, int] = {}

    @property
    def arrived(self) -> bool:
        """Whether every report has arrived."""
        return not self._arrivals

    async def next_moment(self) -> datetime | None:
        """When something happens next: a report, an act or a timer; `None` when nothing ever will."""
        times = [await self.stage.next_due()]
        times.append(self._arrivals[-1].at if self._arrivals else None)
        times.append(self._acts[0][0] if self._acts else None)
        return min((time for time in times if time is not None), default=None)

    async def advance(self, until: datetime) -> bool:
        """Go to the next moment at or before `until` and live it; false if there is none."""
        moment = await self.next_moment()
        if moment is None or moment > until:
            await self.stage.step(until)
            return False
        await self.stage.step(min(until, _rounded(max(moment, self.stage.now()), self._step)))
        await self._submit()
        await self.stage.settle()
        await self._listen()
        return True

    def _arriving(self) -> list[Submission]:
        found: list[Submission] = []
        while self._arrivals and self._arrivals[-1].at <= self.stage.now():
            found.append(arriving(self._arrivals.pop()))
        return found

    def _acted(self) -> list[Submission]:
        found: list[Submission] = []
        while self._acts and self._acts[0][0] <= self.stage.now():
            act = heapq.heappop(self._acts)[2]
            if self.people.stands(act):
                found.append(self._acting(act))
        return found

    def _acting(self, act: Act) -> Submission:
        self.submitted += 1
        envelope = Envelope(
            id=f"act-{self.submitted}",
            source=f"/post/{act.post}",
            type=TYPE_OF[type(act.command)],
            subject=act.case,
            time=self.stage.now(),
            data=act.command,
        )
        return Submission(Sender("post", act.post), encode(envelope))

    async def _submit(self) -> None:
        """What is due stands at the edge: reports first, then what people do."""
        reports, acts = self._arriving(), self._acted()
        if not reports and not acts:
            return
        receipts = await self.stage.edge.accept([*reports, *acts])
        for receipt in receipts[: len(reports)]:
            code = _outcome(receipt)
            self.receipts[code] = self.receipts.get(code, 0) + 1

    async def _listen(self) -> None:
        """Tell the people, and whoever else listens, what the case events say."""
        for partition, head in (await self.stage.heads()).items():
            reached = self._reached.get(partition, 0)
            if head == reached:
                continue
            async for row in self.stage.cases.records(partition, reached):
                letter = trusted(row.body)
                self._hears(row, letter)
                if not row.stream.startswith(RULES_STREAM):
                    for act in self.people.hears(row.stream, letter.message, row.now):
                        heapq.heappush(self._acts, (act.at, next(self._numbers), act))
            self._reached[partition] = head


def arriving(arrival: Arrival) -> Submission:
    """A report, or bytes that are none, as it stands at the edge."""
    sender = Sender("source", arrival.source)
    if arrival.raw is not None or arrival.report is None:
        return Submission(sender, arrival.raw or b"")
    report: Any = arrival.report
    envelope = Envelope(
        id=arrival.id,
        source=f"/{arrival.source}",
        type=TYPE_OF[type(report)],
        subject="",
        time=arrival.at,
        data=report,
    )
    return Submission(sender, encode(envelope))


def _outcome(receipt: Receipt) -> str:
    return receipt.refusal.code if receipt.refusal else "accepted"


def _rounded(moment: datetime, step: timedelta) -> datetime:
    """Up to a whole step, so that many things of one minute are lived together."""
    start = datetime(2000, 1, 1, tzinfo=moment.tzinfo)
    return start + -((start - moment) // step) * step
