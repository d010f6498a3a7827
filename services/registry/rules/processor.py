"""registry.rules: a checked edition → the city's next rules number, told to every partition."""

from collections.abc import Sequence
from typing import Final

from kernel.processor import Effect, Processor
from kernel.table import decides, deciding, folding, nothing, reacting, sends, unchanged, when
from schemas.envelope import Envelope
from schemas.kernel import ActivateRules
from schemas.registry import (
    EditionPublished,
    PublicationRefused,
    PublishEdition,
    RegistryCommand,
    RegistryEvent,
)
from schemas.topics import REGISTRY_COMMANDS, RULES_EDITIONS
from services.registry.rules.decide import publish_edition
from services.registry.rules.state import InForce


def _tell_every_partition(event: EditionPublished, envelope: Envelope) -> Sequence[Effect]:  # noqa: ARG001
    told = ActivateRules(
        number=event.number, edition=event.edition, modes=event.modes, effective=event.effective
    )
    return tuple([RULES_EDITIONS.to_partition(number, told) for number in range(event.partitions)])


evolve = folding(
    RegistryEvent,
    when(EditionPublished, lambda _, event: InForce(event.number, event.edition, event.modes)),
    when(PublicationRefused, unchanged),
)

react = reacting(
    RegistryEvent,
    sends(EditionPublished, _tell_every_partition),
    sends(PublicationRefused, nothing),
)

REGISTRY_RULES: Final[Processor[InForce, RegistryCommand, RegistryEvent]] = Processor(
    name="registry.rules",
    inbox=(REGISTRY_COMMANDS,),
    handles=(PublishEdition,),
    initial=InForce(),
    decide=deciding(RegistryCommand, decides(PublishEdition, publish_edition)),
    evolve=evolve,
    react=react,
)
