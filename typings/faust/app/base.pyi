from collections.abc import Iterable
from typing import Any

from mode import Service

class BootStrategy:
    app: Any
    enable_web: bool | None
    enable_kafka_producer: bool | None
    def kafka_consumer(self) -> Iterable[Service]: ...
