"""Folds the events of the rules: what is in force, what waits, what is being composed."""

from msgspec.structs import replace

from kernel.table import folding, unchanged, when
from schemas.registry import (
    ChangeQueued,
    ChangesSettled,
    CompositionAsked,
    CompositionFailed,
    CompositionIgnored,
    EditionPublished,
    ModeSettled,
    PublicationQueued,
    PublicationRefused,
    RegistryEvent,
)
from services.registry.rules.state import Composing, InForce, Wanted


def _published(state: InForce, event: EditionPublished) -> InForce:
    """A switch of mode leaves the edition; what a composed one was made of is said behind it."""
    return replace(
        state,
        number=event.number,
        edition=event.edition,
        modes=event.modes,
        partitions=event.partitions,
        asked=state.asked if event.edition == state.edition else "",
    )


def _queued(state: InForce, event: PublicationQueued) -> InForce:
    return replace(state, wanted=Wanted(event.edition, event.modes, event.partitions))


def _change(state: InForce, event: ChangeQueued) -> InForce:
    return replace(state, waiting=(*state.waiting, event.change))


def _asked(state: InForce, event: CompositionAsked) -> InForce:
    wanted = state.wanted if event.asked else None
    composing = Composing(event.number, event.base, len(event.changes), wanted)
    return replace(state, composing=composing, wanted=None, compositions=event.number)


def _settled(state: InForce, event: ChangesSettled) -> InForce:
    """What was composed waits no more; the first that waited were those that were asked for."""
    done = state.composing.changes if state.composing else 0
    kept = {name for one in event.taken for name in (one.entry, *(ended.entry for ended in one.ended))}
    return replace(
        state,
        composing=None,
        asked=event.asked,
        waiting=state.waiting[done:],
        kept=state.kept | kept,
    )


def _failed(state: InForce, event: CompositionFailed) -> InForce:
    """Nothing is lost: the changes wait on, and so does an edition that is to be tried again."""
    wanted = state.composing.wanted if state.composing and event.again else None
    return replace(state, composing=None, wanted=state.wanted or wanted)


def _mode(state: InForce, event: ModeSettled) -> InForce:
    switched = state.switched - {event.area}
    if event.mode == "emergency":
        switched |= {event.area}
    return replace(state, ordered=state.ordered | {event.area}, switched=switched)


evolve = folding(
    RegistryEvent,
    when(EditionPublished, _published),
    when(PublicationRefused, unchanged),
    when(PublicationQueued, _queued),
    when(ChangeQueued, _change),
    when(CompositionAsked, _asked),
    when(ChangesSettled, _settled),
    when(CompositionFailed, _failed),
    when(CompositionIgnored, unchanged),
    when(ModeSettled, _mode),
)
