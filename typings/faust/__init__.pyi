# The parts of Faust that are used here, with their types: its own leave too much open.
# tests/unit/kernel/test_aiokafka_names.py compares every name and argument with what is installed.

from collections.abc import Callable, Coroutine
from ssl import SSLContext
from typing import Any

from faust.app.base import BootStrategy
from faust.topics import Topic
from faust.transport.conductor import Conductor
from faust.transport.drivers.aiokafka import Consumer, Transport
from faust.types.auth import CredentialsT
from mode import Service

class App(Service):
    BootStrategy: type[BootStrategy]
    conf: Any
    topics: Conductor
    consumer: Consumer
    transport: Transport
    rebalancing: bool
    @property
    def assignor(self) -> Any: ...
    def __init__(self, id: str, **options: Any) -> None: ...  # noqa: A002 - its name there
    async def on_first_start(self) -> None: ...
    def topic(self, *topics: str, acks: bool = ...) -> Topic: ...
    def agent(
        self, channel: Topic | None = ..., *, name: str | None = ...
    ) -> Callable[[Callable[[Any], Coroutine[Any, Any, None]]], object]: ...
    def on_rebalance_start(self) -> None: ...
    def on_rebalance_end(self) -> None: ...

class SASLCredentials(CredentialsT):
    def __init__(
        self,
        *,
        username: str | None = ...,
        password: str | None = ...,
        ssl_context: SSLContext | None = ...,
        mechanism: str | None = ...,
    ) -> None: ...

class SSLCredentials(CredentialsT):
    def __init__(self, context: SSLContext | None = ...) -> None: ...
