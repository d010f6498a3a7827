"""Every topic (主题), declared once: creation, rights, AsyncAPI and the table in the docs come from here."""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final, NamedTuple


class Retention(StrEnum):
    """How long a topic keeps its records; none is compacted."""

    FOR_EVER = "for ever"
    DAYS_30 = "30 days"
    DAYS_7 = "7 days"

    @property
    def age(self) -> timedelta | None:
        """How old a record may become before it may go; `None`: it never may."""
        return _AGES[self]


_AGES: Final = {
    Retention.FOR_EVER: None,
    Retention.DAYS_30: timedelta(days=30),
    Retention.DAYS_7: timedelta(days=7),
}


class Send(NamedTuple):
    """A message on its way to another inbox. `partition` is given only where the key does not decide it."""

    topic: str
    key: str
    message: object
    partition: int | None = None


@dataclass(frozen=True, slots=True)
class Topic:
    """`key` says what the key is; `journal_of` names the processor whose events *are* this topic.

    `send` is the only way to address a topic.
    """

    name: str
    key: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    retention: Retention
    journal_of: str = ""
    single: bool = False

    @property
    def open(self) -> bool:
        """Whether others than our own processes write there: what they write passes the edge first."""
        return self.consumers == ("edge",)

    def send(self, key: str, message: object) -> Send:
        """Address `message` to the stream `key` of this topic."""
        return Send(self.name, key, message, 0 if self.single else None)

    def to_partition(self, number: int, message: object) -> Send:
        """Address one partition whatever the key: for what every partition has to hear."""
        return Send(self.name, str(number), message, number)


@dataclass(frozen=True, slots=True)
class Family:
    """Topics of one pattern, one for each subscribing unit, with one partition each."""

    pattern: str
    key: str
    producers: tuple[str, ...]
    consumers: tuple[str, ...]
    retention: Retention

    def of(self, unit: str) -> Topic:
        """The topic of one unit."""
        name = self.pattern.format(id=unit)
        return Topic(name, self.key, self.producers, self.consumers, self.retention, single=True)

    def has(self, name: str) -> bool:
        """Whether a topic is one of this family."""
        return bool(self.unit_of(name))

    def unit_of(self, name: str) -> str:
        """The unit of a topic of this family; empty if it is none."""
        before, _, after = self.pattern.partition("{id}")
        ours = len(name) > len(before + after) and name.startswith(before) and name.endswith(after)
        return name.removeprefix(before).removesuffix(after) if ours else ""


GRID_EVENTS: Final = Topic("grid.events", "any, also none", ("outside",), ("edge",), Retention.DAYS_30)
INTAKE_REPORTS: Final = Topic(
    "intake.reports", "source and id of the report", ("edge",), ("intake.reader",), Retention.DAYS_30
)
INTAKE_DESK: Final = Topic(
    "intake.desk", "desk area", ("intake.reader", "router.case"), ("intake.desk",), Retention.DAYS_30
)
CASE_COMMANDS: Final = Topic(
    "case.commands",
    "case",
    ("edge", "intake.desk", "router.case", "sla.clock"),
    ("router.case",),
    Retention.DAYS_30,
)
CASE_EVENTS: Final = Topic(
    "case.events",
    "case",
    ("router.case",),
    ("sla.clock", "notifier.fan"),
    Retention.FOR_EVER,
    journal_of="router.case",
)
SLA_COMMANDS: Final = Topic("sla.commands", "case", ("edge",), ("sla.clock",), Retention.DAYS_30)
SLA_EVENTS: Final = Topic(
    "sla.events", "case", ("sla.clock",), (), Retention.FOR_EVER, journal_of="sla.clock"
)
NOTICE_REQUESTS: Final = Topic(
    "notice.requests",
    "recipient",
    ("notifier.fan", "notifier.performer"),
    ("notifier.desk",),
    Retention.DAYS_30,
)
NOTICE_ATTEMPTS: Final = Topic(
    "notice.attempts", "recipient", ("notifier.desk",), ("notifier.performer",), Retention.DAYS_30
)
REGISTRY_COMMANDS: Final = Topic(
    "registry.commands",
    "city",
    ("edge", "registry.entry", "registry.mode", "registry.composer"),
    ("registry.rules",),
    Retention.FOR_EVER,
)
REGISTRY_COMPOSITIONS: Final = Topic(
    "registry.compositions", "city", ("registry.rules",), ("registry.composer",), Retention.DAYS_30
)
REGISTRY_ENTRIES: Final = Topic(
    "registry.entries", "entry", ("edge", "registry.rules"), ("registry.entry",), Retention.DAYS_30
)
REGISTRY_MODES: Final = Topic(
    "registry.modes", "area", ("edge", "registry.rules"), ("registry.mode",), Retention.DAYS_30
)
RULES_EDITIONS: Final = Topic(
    "rules.editions", "partition number", ("registry.rules",), ("every processor",), Retention.FOR_EVER
)
UNIT_CASES: Final = Family("unit.{id}.cases", "case", ("notifier.fan",), ("the unit",), Retention.DAYS_30)
UNIT_COMMANDS: Final = Family("unit.{id}.commands", "case", ("the unit",), ("edge",), Retention.DAYS_7)

TOPICS: Final = (
    GRID_EVENTS, INTAKE_REPORTS, INTAKE_DESK, CASE_COMMANDS, CASE_EVENTS, SLA_COMMANDS, SLA_EVENTS,
    NOTICE_REQUESTS, NOTICE_ATTEMPTS, REGISTRY_COMMANDS, REGISTRY_COMPOSITIONS, REGISTRY_ENTRIES,
    REGISTRY_MODES, RULES_EDITIONS,
)  # fmt: skip
FAMILIES: Final = (UNIT_CASES, UNIT_COMMANDS)
BY_NAME: Final = {topic.name: topic for topic in TOPICS}
