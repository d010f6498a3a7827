"""Which processors a city has, and what its edge lets in."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from kernel.edge import Door
from kernel.hosts.replay import Again
from kernel.processor import AnyProcessor
from schemas.case.opening import AttachReport, OpenCase
from schemas.case.timing import RecordBreach
from schemas.case.union import CaseCommand
from schemas.entry.commands import EntryCommand, ObjectToEntry
from schemas.envelope import Frame
from schemas.registry import PublishEdition
from schemas.report import GridReport
from schemas.switching import SwitchMode
from schemas.topics import (
    CASE_COMMANDS,
    INTAKE_REPORTS,
    REGISTRY_COMMANDS,
    REGISTRY_ENTRIES,
    REGISTRY_MODES,
)
from schemas.wire import TYPE_OF
from services.intake.desk.processor import DESK
from services.intake.reader.processor import READER
from services.notifier.fan import FAN
from services.notifier.performing import PERFORMER
from services.notifier.performing import again as delivered_again
from services.notifier.processor import DESK as NOTICE_DESK
from services.registry.composer.processor import COMPOSER
from services.registry.composer.processor import again as composed_again
from services.registry.entry.processor import REGISTRY_ENTRY
from services.registry.mode.processor import REGISTRY_MODE
from services.registry.rules.processor import REGISTRY_RULES
from services.router.processor import ROUTER_CASE
from services.sla.processor import CLOCK

PROCESSORS: Final[tuple[AnyProcessor, ...]] = (
    REGISTRY_RULES,
    READER,
    DESK,
    ROUTER_CASE,
    CLOCK,
    FAN,
    NOTICE_DESK,
    PERFORMER,
    REGISTRY_ENTRY,
    REGISTRY_MODE,
    COMPOSER,
)
PERFORMING: Final[Mapping[str, Again]] = {PERFORMER.name: delivered_again, COMPOSER.name: composed_again}
"""Processors whose inputs were answered before they were decided: a replay takes the recorded answer."""

_INSIDE: Final = frozenset({OpenCase, AttachReport, RecordBreach})
"""Case commands that only our own processors send."""


def _subject(frame: Frame, message: Any) -> str:  # noqa: ARG001 - the shape of every door
    return frame.subject


def _report_key(frame: Frame, message: Any) -> str:  # noqa: ARG001 - the shape of every door
    return f"{frame.source}/{frame.id}"


_PARTIES: Final = frozenset({"post", "reporter", "unit"})
DOORS: Final[Mapping[str, Door]] = (
    {
        TYPE_OF[GridReport]: Door(INTAKE_REPORTS, _report_key, frozenset({"source", "post", "outside"})),
        TYPE_OF[PublishEdition]: Door(REGISTRY_COMMANDS, _subject, frozenset({"source"}), before_rules=True),
    }
    | {
        TYPE_OF[command]: Door(CASE_COMMANDS, _subject, _PARTIES)
        for command in get_args(CaseCommand)
        if command not in _INSIDE
    }
    | {
        TYPE_OF[command]: Door(
            REGISTRY_ENTRIES, _subject, _PARTIES if command is ObjectToEntry else frozenset({"post", "unit"})
        )
        for command in get_args(EntryCommand)
    }
    | {
        TYPE_OF[SwitchMode]: Door(REGISTRY_MODES, _subject, frozenset({"post"})),
    }
)
"""What may come from outside: where it goes, by which key, from which kinds of sender."""
