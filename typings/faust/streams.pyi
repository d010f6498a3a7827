from collections.abc import AsyncGenerator, Sequence

from faust.events import Event

class Stream:
    def noack_take(self, max_: int, within: float) -> AsyncGenerator[Sequence[Event]]: ...
