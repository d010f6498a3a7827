"""What commands read of a city: histories of streams and folded cases, over the ports and nothing else."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from cli.output import NotThere, local
from cli.topology import PROCESSORS
from kernel.editions import Editions
from kernel.errors import NoSuchEdition
from kernel.journal import RULES_STREAM, Journal, Record
from kernel.letters import Letters
from kernel.partition import partition_of
from kernel.processor import AnyProcessor
from rules.bundle import Bundle
from schemas.wire import trusted
from services.router.processor import ROUTER_CASE
from services.router.state import Case
from services.sla.processor import CLOCK
from services.sla.state import Clocks

NAMES: Final = {processor.name: processor for processor in PROCESSORS}


@dataclass(frozen=True, slots=True)
class View:
    """A city as it is read: journals by processor, what opens dead letters, the edition in force if any."""

    code: str
    partitions: int
    journals: Mapping[str, Journal]
    letters: Letters
    bundle: Bundle | None
    now: datetime
    editions: Editions | None = None

    @property
    def zone(self) -> tzinfo:
        """The city's zone; China's before the first edition."""
        return ZoneInfo(self.bundle.city.zone if self.bundle else "Asia/Shanghai")

    def local(self, moment: datetime | None) -> str:
        """A time as the clocks of the city show it."""
        return local(moment, self.zone)

    async def edition(self, edition: str) -> Bundle | None:
        """The bundle that a decision cites; `None` if it is not stored here."""
        if self.bundle is not None and self.bundle.hash == edition:
            return self.bundle
        try:
            return await self.editions.bundle(edition) if self.editions else None
        except NoSuchEdition:
            return None

    async def history(self, processor: str, stream: str) -> Sequence[Record]:
        """All rows of one stream."""
        partition = partition_of(stream, self.partitions)
        found = await self.journals[processor].histories({partition: [stream]}, "")
        return found[partition, stream].records

    async def case(self, number: str) -> tuple[Case, Sequence[Record]]:
        """A case and its history, or a fault that says that there is none."""
        records = await self.history(ROUTER_CASE.name, number)
        if not records:
            raise NotThere(what=f"case {number}", do="gridcase case list shows the numbers")
        return folded(ROUTER_CASE, records), records

    async def clocks(self, number: str) -> tuple[Clocks, Sequence[Record]]:
        """The clocks of a case and their history."""
        records = await self.history(CLOCK.name, number)
        return folded(CLOCK, records), records

    async def all_states(self, processor: AnyProcessor) -> Mapping[str, Any]:
        """The state of every stream of a processor, folded from the whole journal."""
        states: dict[str, Any] = {}
        for partition in range(self.partitions):
            async for record in self.journals[processor.name].records(partition):
                if not record.stream.startswith(RULES_STREAM):
                    state = states.get(record.stream, processor.initial)
                    states[record.stream] = processor.evolve(state, trusted(record.body).message)
        return states

    async def after(self, processor: str, reached: dict[int, int]) -> AsyncIterator[Record]:
        """The rows above what was `reached` in each partition, which is moved on."""
        for partition in range(self.partitions):
            async for record in self.journals[processor].records(partition, reached.get(partition, 0)):
                reached[partition] = record.seq
                yield record


def folded(processor: AnyProcessor, records: Sequence[Record]) -> Any:
    """The state after these rows."""
    state = processor.initial
    for record in records:
        state = processor.evolve(state, trusted(record.body).message)
    return state
