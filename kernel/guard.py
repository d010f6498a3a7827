"""A thread that ends a process whose event loop stands, or which does not end though it was told to."""

import faulthandler
import os
import threading
from collections.abc import Callable
from typing import Final, Self

from kernel.telemetry import PROCESS_ENDED, logger

EXIT_CODE: Final = 75
"""Of a process that was ended because it stood still: a new start may help."""

STOP_SECONDS: Final = 10.0
_WAKE_SECONDS: Final = 1.0


def end(reason: str) -> None:
    """End now, and say where every thread stands: all that was acknowledged is on record."""
    logger().error(PROCESS_ENDED, reason=reason)
    faulthandler.dump_traceback()
    os._exit(EXIT_CODE)


class Guard:
    """Counts its own wakings, not the clock: a process that was frozen is not to blame for the time."""

    def __init__(self, silent_seconds: float, end: Callable[[str], None] = end) -> None:
        self._most = silent_seconds
        self._end = end
        self._silent = 0.0
        self._stopping: float | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="guard", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def turned(self) -> None:
        """The loop has turned."""
        self._silent = 0.0

    def stop(self) -> None:
        """The process is to end in order, within `STOP_SECONDS`."""
        if self._stopping is None:
            self._stopping = 0.0

    def wake(self, seconds: float = _WAKE_SECONDS) -> None:
        """So many seconds have gone by."""
        self._silent += seconds
        if self._stopping is not None:
            self._stopping += seconds
            if self._stopping > STOP_SECONDS:
                self._end(f"expected to stop within {STOP_SECONDS:.0f} s; it has not")
        elif self._silent > self._most:
            self._end(f"expected the event loop to turn; found it stands for {self._silent:.0f} s")

    def _run(self) -> None:
        while not self._over.wait(_WAKE_SECONDS):
            self.wake()
