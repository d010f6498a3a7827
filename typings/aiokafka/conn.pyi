from typing import Any

class AIOKafkaConnection:
    async def send(self, request: object, expect_response: bool = ...) -> Any: ...
    def close(self) -> object: ...

async def create_conn(
    host: str,
    port: int,
    *,
    client_id: str = ...,
    request_timeout_ms: int = ...,
    security_protocol: str = ...,
    ssl_context: Any = ...,
    sasl_mechanism: str = ...,
    sasl_plain_username: str | None = ...,
    sasl_plain_password: str | None = ...,
) -> AIOKafkaConnection: ...
