import threading
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from mode import Service

_T = TypeVar("_T")

class WorkerThread(threading.Thread):
    def __init__(self, service: Service, **kwargs: Any) -> None: ...
    def run(self) -> None: ...
    def stop(self) -> None: ...

class QueueServiceThread(Service):
    async def call_thread(self, fun: Callable[..., Awaitable[_T]], *args: Any, **kwargs: Any) -> _T: ...
