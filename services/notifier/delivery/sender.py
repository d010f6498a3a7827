"""Picks the channel by its name; a name that nobody serves is an outcome that says so."""

from collections.abc import Mapping

from kernel.performer import Channel
from schemas.notice import AttemptDelivery, Outcome, Performed


class Deliveries:
    """The channels (渠道) that this installation serves, by name; `perform` is what a worker is given."""

    def __init__(self, channels: Mapping[str, Channel]) -> None:
        self._channels = dict(channels)

    async def perform(self, message: AttemptDelivery, key: str) -> Performed:
        channel = self._channels.get(message.channel)
        if channel is None:
            return Performed(request=message, outcome=self._unserved(message.channel))
        return Performed(request=message, outcome=await channel.deliver(message, key))

    def _unserved(self, name: str) -> Outcome:
        served = ", ".join(sorted(self._channels)) or "none"
        return Outcome(
            result="no_channel", detail=f"expected one of the channels {served}; found {name}"[:400]
        )
