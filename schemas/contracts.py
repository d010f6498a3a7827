"""The list of all contracts: CloudEvents type to class. A class that stands nowhere here cannot travel."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from pydantic import ConfigDict

from schemas import intake, kernel, notice, registry, report, sla, switching
from schemas.case.union import CaseCommand, CaseEvent
from schemas.entry.commands import EntryAnswer, EntryCommand, EntryTimer
from schemas.entry.events import EntryEvent

_FAMILIES: Final[Mapping[str, tuple[Any, ...]]] = {
    "case": (CaseCommand, CaseEvent),
    "report": (report.ReportMessage,),
    "intake": (intake.DeskMessage, intake.ReaderEvent, intake.DeskEvent),
    "sla": (sla.ClockCommand, sla.ClockEvent, sla.ClockTimer),
    "notice": (notice.NoticeMessage, notice.NoticeEvent),
    "registry": (
        registry.RegistryCommand,
        registry.RegistryTimer,
        registry.RegistryEvent,
        registry.ComposerMessage,
        registry.ComposerEvent,
    ),
    "entry": (EntryCommand, EntryAnswer, EntryTimer, EntryEvent),
    "mode": (switching.SwitchMessage, switching.SwitchEvent),
    "kernel": (kernel.KernelMessage,),
}


def _named(family: str, unions: tuple[Any, ...]) -> dict[str, type]:
    members: list[Any] = [member for union in unions for member in (get_args(union) or (union,))]
    for member in members:
        member.__pydantic_config__ = ConfigDict(extra="forbid")
    return {f"gridcase.{family}.{member.__name__}.v1": member for member in members}


CONTRACTS: Final[Mapping[str, type]] = {
    name: contract
    for family, unions in _FAMILIES.items()
    for name, contract in _named(family, unions).items()
}
