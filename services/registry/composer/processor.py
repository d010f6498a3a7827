"""registry.composer: the recorded side of compositions; the worker carried them out before (合成)."""

from collections.abc import Sequence
from typing import Final

from kernel.processor import Context, Processor
from kernel.table import decides, deciding
from schemas.envelope import Envelope
from schemas.registry import (
    Composed,
    ComposeEdition,
    ComposerMessage,
    Composition,
    CompositionPerformed,
    RecordComposition,
)
from schemas.topics import REGISTRY_COMMANDS, REGISTRY_COMPOSITIONS, Send
from services.registry.composer.composing import NOT_TRIED


def note(state: None, done: Composed, context: Context) -> Sequence[CompositionPerformed]:  # noqa: ARG001
    return (CompositionPerformed(number=done.request.number, outcome=done.outcome),)


def leave(state: None, request: ComposeEdition, context: Context) -> Sequence[CompositionPerformed]:  # noqa: ARG001
    """A request that nobody carried out, such as one that was held: the rules ask again."""
    return (CompositionPerformed(number=request.number, outcome=Composition(fault=NOT_TRIED)),)


def _evolve(state: None, event: CompositionPerformed) -> None:
    """The rules keep what waits; here nothing is remembered."""


def _react(event: CompositionPerformed, envelope: Envelope) -> Sequence[Send]:
    recorded = RecordComposition(number=event.number, outcome=event.outcome)
    return (REGISTRY_COMMANDS.send(envelope.subject, recorded),)


def again(request: ComposeEdition, event: CompositionPerformed) -> Composed:
    """The input that was decided, from what was recorded: replay composes nothing."""
    return Composed(request=request, outcome=event.outcome)


COMPOSER: Final = Processor(
    name="registry.composer",
    inbox=(REGISTRY_COMPOSITIONS,),
    handles=(ComposeEdition, Composed),
    initial=None,
    decide=deciding(ComposerMessage, decides(ComposeEdition, leave), decides(Composed, note)),
    evolve=_evolve,
    react=_react,
)
