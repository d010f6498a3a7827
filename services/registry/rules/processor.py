"""registry.rules: a checked edition → the city's next rules number, told to every partition."""

from typing import Final

from kernel.processor import Processor
from schemas.registry import (
    ChangeMode,
    ChangeRegister,
    ComposeAgain,
    PublishEdition,
    RecordComposition,
    RegistryCommand,
    RegistryEvent,
    RegistryTimer,
)
from schemas.topics import REGISTRY_COMMANDS
from services.registry.rules.decide import decide
from services.registry.rules.evolve import evolve
from services.registry.rules.react import react
from services.registry.rules.state import InForce

REGISTRY_RULES: Final[Processor[InForce, RegistryCommand | RegistryTimer, RegistryEvent]] = Processor(
    name="registry.rules",
    inbox=(REGISTRY_COMMANDS,),
    handles=(PublishEdition, ChangeRegister, ChangeMode, RecordComposition, ComposeAgain),
    initial=InForce(),
    decide=decide,
    evolve=evolve,
    react=react,
)
