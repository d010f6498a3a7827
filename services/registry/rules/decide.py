from collections.abc import Sequence

from kernel.processor import Context
from schemas.refusal import Refusal
from schemas.registry import EditionPublished, PublicationRefused, PublishEdition, RegistryEvent
from services.registry.rules.state import InForce

MOST_PARTITIONS = 4096


def publish_edition(state: InForce, command: PublishEdition, context: Context) -> Sequence[RegistryEvent]:
    """Gives the edition the city's next number (发布规则). It was checked, compiled and stored before.

    The registry itself decides without rules: the first edition has none above it.
    """
    modes = tuple(sorted(command.modes, key=lambda mode: mode.area))
    refusal = _partitions(command) or _modes(command) or _same(state, command, modes)
    if refusal is not None:
        return [PublicationRefused(refusal=refusal)]
    return [
        EditionPublished(
            number=state.number + 1,
            edition=command.edition,
            modes=modes,
            effective=context.now,
            partitions=command.partitions,
        )
    ]


def _partitions(command: PublishEdition) -> Refusal | None:
    if 1 <= command.partitions <= MOST_PARTITIONS:
        return None
    return Refusal(code="partitions", expected=f"1 to {MOST_PARTITIONS}", found=str(command.partitions))


def _modes(command: PublishEdition) -> Refusal | None:
    areas = [mode.area for mode in command.modes]
    twice = sorted({area for area in areas if areas.count(area) > 1})
    if twice:
        return Refusal(code="modes_twice", expected="each area once", found=", ".join(twice)[:400])
    return None


def _same(state: InForce, command: PublishEdition, modes: tuple[object, ...]) -> Refusal | None:
    if not state.number or command.edition != state.edition or modes != state.modes:
        return None
    return Refusal(code="already_in_force", expected="another edition or other modes", found=state.edition)
