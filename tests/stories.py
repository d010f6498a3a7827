"""given / when / then for any processor: the story folds, decides and at the end tells itself once more."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from kernel.processor import AnyProcessor, Context, Effect, Sender, step
from rules.inforce import Rules
from schemas.envelope import Envelope, event_id
from schemas.wire import TYPE_OF, encode, trusted

START = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
"""Monday 2 March 2026, nine o'clock in China."""


class Story:
    """One stream of one processor. `given` takes events, never state; `then` is complete."""

    def __init__(
        self, processor: AnyProcessor, rules: Rules, stream: str, sender: Sender, at: datetime = START
    ) -> None:
        self.processor = processor
        self.rules = rules
        self.stream = stream
        self.sender = sender
        self.now = at
        self.history: list[Any] = []
        self.told: list[tuple[Any, Context]] = []
        self.events: Sequence[Any] = ()
        self.effects: list[Effect] = []

    @property
    def state(self) -> Any:
        """The state folded from the whole history so far."""
        state = self.processor.initial
        for event in self.history:
            state = self.processor.evolve(state, event)
        return state

    def given(self, *events: Any) -> Self:
        """What has happened already, in events."""
        self.history.extend(events)
        return self

    def when(
        self,
        message: Any,
        *,
        sender: Sender | None = None,
        at: datetime | None = None,
        after: timedelta | None = None,
        message_id: str = "",
        received: datetime | None = None,
    ) -> Self:
        """One message arrives; its decision is kept for `then` and becomes history.

        `received` is given where the edge had it before it came to us.
        """
        self.now = at or self.now + (after or timedelta())
        context = Context(
            now=self.now,
            received=received or self.now,
            rules=self.rules,
            sender=sender or self.sender,
            stream=self.stream,
            message_id=message_id or f"story/{len(self.told) + 1}",
        )
        version = len(self.history)
        before = self.state
        _, self.events = step(self.processor, before, message, context)
        again = step(self.processor, before, message, context)[1]
        assert [*again] == [*self.events], "the same input decided twice gave two answers"
        self.effects = []
        for number, event in enumerate(self.events, start=version + 1):
            envelope = Envelope(
                id=event_id(self.stream, number),
                source=f"/gridcase/test/{self.processor.name}",
                type=TYPE_OF[type(event)],
                subject=self.stream,
                time=self.now,
                data=event,
            )
            assert trusted(encode(envelope)).message == event, "an event must survive its own bytes"
            self.effects.extend(self.processor.react(event, envelope))
        self.history.extend(self.events)
        self.told.append((message, context))
        return self

    def then(self, *events: Any) -> Self:
        """Exactly these events were decided."""
        assert [*self.events] == [*events]
        return self

    def sends(self, *effects: Effect) -> Self:
        """Exactly these effects left."""
        assert self.effects == [*effects]
        return self
