"""registry.entry: the workflow of admission entries; what comes into force goes through registry.rules."""

from typing import Any, Final, get_args

from kernel.processor import Processor
from schemas.entry.commands import EntryAnswer, EntryCommand, EntryRang
from schemas.entry.events import EntryEvent
from schemas.topics import REGISTRY_ENTRIES
from services.registry.entry.evolve import evolve
from services.registry.entry.lifecycle import decide
from services.registry.entry.react import react
from services.registry.entry.state import NO_ENTRY, Dossier

REGISTRY_ENTRY: Final[Processor[Dossier, Any, EntryEvent]] = Processor(
    name="registry.entry",
    inbox=(REGISTRY_ENTRIES,),
    handles=(*get_args(EntryCommand), *get_args(EntryAnswer), EntryRang),
    initial=NO_ENTRY,
    decide=decide,
    evolve=evolve,
    react=react,
)
