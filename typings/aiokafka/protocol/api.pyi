from typing import Generic, TypeVar

from aiokafka.protocol.types import Schema

_T = TypeVar("_T", bound=RequestStruct)

class RequestStruct:
    API_KEY: int
    API_VERSION: int
    RESPONSE_TYPE: type[Response]
    SCHEMA: Schema
    def __init__(self, *values: object) -> None: ...

class Response:
    API_KEY: int
    API_VERSION: int
    SCHEMA: Schema

class Request(Generic[_T]):
    API_KEY: int
    def build(self, request_struct_class: type[_T]) -> _T: ...
