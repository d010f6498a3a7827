"""A line on the terminal of whoever runs the city: the channel that needs nothing."""

import unicodedata
from collections.abc import Callable

from schemas.notice import AttemptDelivery, Outcome


class Terminal:
    """Prints one line for each notice through `write`, which ends lines itself."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write

    async def deliver(self, request: AttemptDelivery, key: str) -> Outcome:  # noqa: ARG002 - printing twice is harmless
        try:
            self._write(f"{printable(request.recipient)}  {printable(request.text)}")
        except (OSError, ValueError) as error:
            return Outcome(result="failed", detail=f"{type(error).__name__}: {error}"[:400])
        return Outcome(result="delivered")


def printable(text: str) -> str:
    """One line without control characters: a report must not move the cursor of those who read it."""
    lines = " | ".join(text.splitlines())
    return "".join(sign if unicodedata.category(sign) not in {"Cc", "Cf"} else "·" for sign in lines)
