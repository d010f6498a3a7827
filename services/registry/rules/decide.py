"""registry.rules (规则发布): editions and mode switches share one rising number for the city.

One composition is under way at a time, and while it is nothing else puts an edition in force: so no change
is lost, whoever publishes meanwhile. Modes change no edition and wait for nobody.
"""

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import reduce
from typing import Final

from kernel.processor import Context
from kernel.table import decides, deciding
from schemas.kernel import AreaMode
from schemas.refusal import Refusal
from schemas.registry import (
    ChangeMode,
    ChangeQueued,
    ChangeRegister,
    ChangesSettled,
    ComposeAgain,
    Composition,
    CompositionAsked,
    CompositionFailed,
    CompositionIgnored,
    EditionPublished,
    ModeSettled,
    PublicationQueued,
    PublicationRefused,
    PublishEdition,
    RecordComposition,
    RegistryCommand,
    RegistryEvent,
    RegistryTimer,
)
from services.registry.rules.evolve import evolve
from services.registry.rules.state import Composing, InForce, Wanted

MOST_PARTITIONS: Final = 4096
MOST_CHANGES: Final = 50
"""How many changes go into one composition; what is left goes into the next."""
PAUSE: Final = timedelta(minutes=1)
"""How long to wait before a composition that nobody carried out is asked for again."""
EMERGENCY: Final = "emergency"


def publish_edition(state: InForce, command: PublishEdition, context: Context) -> Sequence[RegistryEvent]:
    """Gives the edition the city's next number (发布规则). It was checked, compiled and stored before.

    The registry itself decides without rules: the first edition has none above it. Entries that came into
    force by their workflow are put into it first, for a folder does not know them.
    """
    modes = _with_switched(state, command.modes)
    refusal = _partitions(command) or _modes(command) or _same(state, command, modes)
    if refusal is not None:
        return [PublicationRefused(refusal=refusal)]
    if not state.kept and state.composing is None and state.wanted is None:
        wanted = Wanted(command.edition, modes, command.partitions)
        return [_published(state, wanted, command.edition, context)]
    queued = PublicationQueued(edition=command.edition, modes=command.modes, partitions=command.partitions)
    return _asking(state, [*_overtaken(state, command.edition), queued], context)


def change_register(state: InForce, command: ChangeRegister, context: Context) -> Sequence[RegistryEvent]:
    """Takes a change on (变更登记): it is in force with the next composed edition."""
    return _asking(state, [ChangeQueued(change=command.change)], context)


def change_mode(state: InForce, command: ChangeMode, context: Context) -> Sequence[RegistryEvent]:
    """Puts an area into 急, or ends its own switch; the edition stays, the number rises (平急转换)."""
    others = tuple(one for one in state.modes if one.area != command.area)
    switched = (AreaMode(area=command.area, mode=EMERGENCY),) if command.mode == EMERGENCY else ()
    modes = _sorted((*others, *switched))
    events: list[RegistryEvent] = []
    if modes != state.modes:
        wanted = Wanted(state.asked, modes, state.partitions)
        events.append(_published(state, wanted, state.edition, context))
    rules = state.number + len(events)
    settled = ModeSettled(area=command.area, mode=command.mode, switch=command.switch, rules=rules)
    return [*events, settled]


def record_composition(
    state: InForce, command: RecordComposition, context: Context
) -> Sequence[RegistryEvent]:
    """An answer of the composer (合成结果): its edition is published, each change hears what became of it."""
    composing, outcome = state.composing, command.outcome
    if composing is None or composing.number != command.number:
        return [CompositionIgnored(number=command.number)]
    if outcome.fault is not None:
        return _failed(state, composing, outcome.fault, context)
    events: list[RegistryEvent] = []
    wanted = composing.wanted or Wanted(state.asked or state.edition, state.modes, state.partitions)
    wanted = Wanted(wanted.edition, _with_switched(state, wanted.modes), wanted.partitions)
    if outcome.edition != state.edition or wanted.modes != state.modes:
        events.append(_published(state, wanted, outcome.edition, context))
    elif composing.wanted is not None:
        events.append(PublicationRefused(refusal=_in_force(outcome.edition)))
    rules = state.number + sum(isinstance(event, EditionPublished) for event in events)
    asked = "" if wanted.edition == outcome.edition else wanted.edition
    return _asking(state, [*events, _settled(command.number, rules, asked, outcome)], context)


def compose_again(state: InForce, timer: ComposeAgain, context: Context) -> Sequence[RegistryEvent]:
    """The pause is over: ask for what still waits."""
    if state.composing is not None or not (state.waiting or state.wanted):
        return [CompositionIgnored(number=timer.number)]
    return _asking(state, [], context)


def _asking(state: InForce, events: Sequence[RegistryEvent], context: Context) -> Sequence[RegistryEvent]:
    """These events, and behind them the next composition if none is under way and something waits."""
    after: InForce = reduce(evolve, events, state)
    if after.composing is not None or not (after.waiting or after.wanted):
        return events
    asked = CompositionAsked(
        number=after.compositions + 1,
        base=after.wanted.edition if after.wanted else after.edition,
        under=after.edition,
        kept=tuple(sorted(after.kept)),
        changes=after.waiting[:MOST_CHANGES],
        asked=after.wanted is not None,
        at=context.now,
    )
    return [*events, asked]


def _failed(
    state: InForce, composing: Composing, fault: Refusal, context: Context
) -> Sequence[RegistryEvent]:
    """A folder that cannot take the entries in is refused; what nobody could carry out is asked again."""
    if composing.wanted is not None and fault.code != "not_tried":
        failed = CompositionFailed(number=composing.number, refusal=fault)
        return _asking(state, [failed, PublicationRefused(refusal=fault)], context)
    return [CompositionFailed(number=composing.number, refusal=fault, again=context.now + PAUSE)]


def _settled(number: int, rules: int, asked: str, outcome: Composition) -> ChangesSettled:
    return ChangesSettled(
        composition=number,
        rules=rules,
        edition=outcome.edition,
        asked=asked,
        taken=outcome.taken,
        refused=outcome.refused,
    )


def _published(state: InForce, wanted: Wanted, edition: str, context: Context) -> EditionPublished:
    return EditionPublished(
        number=state.number + 1,
        edition=edition,
        modes=wanted.modes,
        effective=context.now,
        partitions=wanted.partitions,
    )


def _overtaken(state: InForce, edition: str) -> Sequence[RegistryEvent]:
    """An edition that still waited is not put in force: a newer one was published."""
    if state.wanted is None:
        return []
    refusal = Refusal(
        code="overtaken", expected=f"the newer edition {edition[:12]}", found=state.wanted.edition
    )
    return [PublicationRefused(refusal=refusal)]


def _with_switched(state: InForce, modes: Iterable[AreaMode]) -> tuple[AreaMode, ...]:
    """The modes of a publication, but for areas that were ever switched: there the last order counts.

    Who publishes says which modes there were when the folder was read; an order may have come since.
    """
    kept = tuple(AreaMode(area=area, mode=EMERGENCY) for area in state.switched)
    return _sorted((*(one for one in modes if one.area not in state.ordered), *kept))


def _sorted(modes: Iterable[AreaMode]) -> tuple[AreaMode, ...]:
    return tuple(sorted(modes, key=lambda one: one.area))


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


def _same(state: InForce, command: PublishEdition, modes: tuple[AreaMode, ...]) -> Refusal | None:
    known = {state.edition, state.asked}
    if not state.number or command.edition not in known or modes != state.modes or state.wanted is not None:
        return None
    return _in_force(command.edition)


def _in_force(edition: str) -> Refusal:
    return Refusal(code="already_in_force", expected="another edition or other modes", found=edition)


decide = deciding(
    RegistryCommand | RegistryTimer,
    decides(PublishEdition, publish_edition),
    decides(ChangeRegister, change_register),
    decides(ChangeMode, change_mode),
    decides(RecordComposition, record_composition),
    decides(ComposeAgain, compose_again),
)
