"""Looks now and then how far the workers are and who answers: for metrics, readiness and the watchdog."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import ClassVar, Final

from kernel.errors import Fault
from kernel.guard import EXIT_CODE
from kernel.health import Condition
from kernel.log import Target
from kernel.stall import Patience, Place, Sight, Stand, Still, follow, hopeless, still
from kernel.telemetry import WORKER_STALLED, WORKER_WAITS, logger
from kernel.worker import Worker

LOOK_SECONDS: Final = 5.0
READY_SECONDS: Final = 15.0
"""Who has answered within this time counts as there: two looks may fail or be late."""

_ANSWER_SECONDS: Final = 5.0

TOPICS: Final = "topics"
DATABASE: Final = "database"

Ends = Callable[[Collection[Target]], Awaitable[Mapping[Target, int]]]
"""Where topics end: asked for apart from the workers, so that the answer says something of the brokers."""


class WorkerStalled(Fault):
    """{processor} stands still before {topic}/{partition}: expected it to go on from offset {cursor} (it
    reads on at {position}, the topic ends at {end}), found nothing taken for {seconds} s while brokers and
    database answered. The process ends so that a new start may help; nothing is lost.
    """

    exit_code: ClassVar[int] = EXIT_CODE

    def __init__(self, one: Still) -> None:
        super().__init__(**facts_of(one), processor=one.sight.processor)


def facts_of(one: Still) -> dict[str, object]:
    """A place that stands still, for a line of the log."""
    sight = one.sight
    facts: dict[str, object] = {"topic": sight.topic, "partition": sight.partition, "cursor": sight.cursor}
    return facts | {"position": sight.position, "end": sight.end, "seconds": round(one.seconds)}


class Watch:
    """What was seen of the workers of one process. `ask` gets an answer of the database, `ends` of the log.

    The end that brokers tell is what all replicas have: a message that only its leader has is no lag yet.
    """

    def __init__(
        self,
        workers: Sequence[Worker],
        ends: Ends,
        ask: Callable[[], Awaitable[object]],
        patience: Patience,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.workers = workers
        self.sights: Sequence[Sight] = ()
        self._ends = ends
        self._ask = ask
        self._patience = patience
        self._now = now
        self._stands: dict[Place, Stand] = {}
        self._answers: dict[str, float] = {}
        self._said: dict[Place, str] = {}

    async def run(self) -> None:
        """Look for ever; ends by `WorkerStalled` only."""
        while True:
            await self.look()
            await asyncio.sleep(min(LOOK_SECONDS, self._patience.warn_seconds / 4))

    async def look(self) -> None:
        """See how far everybody is, say who stands still, and raise for whom only a new start may help."""
        silent = await asyncio.gather(
            self._answered(TOPICS, self._see()), self._answered(DATABASE, self._ask())
        )
        why = " and ".join(filter(None, silent))
        excuses = {worker.decider.processor.name: why or _excuse(worker) for worker in self.workers}
        now = self._now()
        self._stands = follow(self._stands, self.sights, excuses, now)
        found = still(self._stands, self.sights, excuses, now, self._patience)
        self._say(found)
        worst = hopeless(found, self._patience)
        if worst is not None:
            raise WorkerStalled(worst)

    def standing(self) -> Mapping[Place, float]:
        """How long each place has stood still before unread messages."""
        now = self._now()
        return {place: now - stand.since for place, stand in self._stands.items()}

    def answered(self) -> Mapping[str, float]:
        """How many seconds ago each port answered last."""
        now = self._now()
        return {port: now - when for port, when in self._answers.items()}

    def ready(self) -> Condition:
        """Whether every worker has claimed what it was given, and brokers and database answered lately."""
        for worker in self.workers:
            name, given = worker.decider.processor.name, worker.log.assigned()
            if not given:
                return Condition(False, f"{name} was given no partitions yet")
            missing = given - worker.decider.tenures.keys()
            if missing:
                return Condition(False, f"{name} is still claiming {len(missing)} partitions")
        answered = self.answered()
        for port in (TOPICS, DATABASE):
            if port not in answered:
                return Condition(False, f"{port}: no answer yet")
            if answered[port] > READY_SECONDS:
                return Condition(False, f"{port}: no answer for {answered[port]:.0f} s")
        return Condition(True)

    async def _see(self) -> None:
        ends = await self._ends({target for worker in self.workers for target in targets_of(worker)})
        self.sights = [sight for worker in self.workers for sight in sights_of(worker, ends)]

    async def _answered(self, port: str, question: Awaitable[object]) -> str:
        """Why a port does not answer; empty if it does."""
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await question
        except Exception as error:  # noqa: BLE001 - a port may fail in any way
            return f"no answer from the {port} ({type(error).__name__})"
        self._answers[port] = self._now()
        return ""

    def _say(self, found: Sequence[Still]) -> None:
        """A line for each that begins to stand still, or does so for another reason than before."""
        for one in found:
            place = one.sight.place
            if self._said.get(place) == one.excuse:
                continue
            log = logger().bind(processor=one.sight.processor)
            if one.excuse:
                log.warning(WORKER_WAITS, **facts_of(one), reason=one.excuse)
            else:
                log.error(WORKER_STALLED, **facts_of(one))
        self._said = {one.sight.place: one.excuse for one in found}


def _excuse(worker: Worker) -> str:
    """Why a worker cannot go on though everybody answers: it has just failed and pauses."""
    return f"a port has failed {worker.failures} times in a row" if worker.failures else ""


def targets_of(worker: Worker) -> list[Target]:
    """Every inbox partition that a worker was given."""
    return [(topic, number) for number in worker.log.assigned() for topic in worker.decider.processor.topics]


def sights_of(worker: Worker, ends: Mapping[Target, int]) -> list[Sight]:
    """Each of them against its end; one that came since the ends were asked for is left for the next look."""
    name, found = worker.decider.processor.name, list[Sight]()
    for target in targets_of(worker):
        topic, number = target
        tenure = worker.decider.tenures.get(number)
        if target in ends:
            cursor = None if tenure is None else tenure.stored.get(topic, 0)
            position = worker.log.positions(number).get(topic)
            found.append(Sight(name, topic, number, cursor, position, ends[target]))
    return found
