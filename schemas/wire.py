"""Bytes and messages: one encoder, two decoders.

`trusted` (msgspec: types only) reads what we wrote ourselves, `checked` (pydantic: every constraint,
no unknown field) reads what anyone else may write. Which of the two a topic needs follows from its
declared producers, not from habit. Both raise `Unreadable`.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

import msgspec
from pydantic import TypeAdapter, ValidationError

from schemas.contracts import CONTRACTS
from schemas.described import described, fields_of, place_of
from schemas.envelope import Envelope, Frame
from schemas.refusal import Refusal
from schemas.upcasts import upcast

TYPE_OF: Final[Mapping[type, str]] = {contract: name for name, contract in CONTRACTS.items()}
"""The CloudEvents type of each contract class."""

_encoder = msgspec.json.Encoder()
_frames = msgspec.json.Decoder(Frame)
_decoders: dict[str, Callable[[msgspec.Raw], Any]] = {}
_openers: dict[bytes, Callable[[bytes], Any]] = {}
_adapters: dict[str, TypeAdapter[Any]] = {}
_fields: dict[str, frozenset[str]] = {}

_DEEPEST: Final = 32
_TYPE: Final = b'"type":"'


class Unreadable(Exception):  # noqa: N818 - a value that travels by raise, not a fault of ours
    """Bytes that are no message of ours: expected a known contract, found something else.

    `told` may quote the bytes and is for their sender alone. `refusal` is for everybody: where the bytes
    come from outside it quotes nothing of them, `unquoted` says expected and found instead.
    """

    def __init__(self, code: str, expected: str, found: str, unquoted: tuple[str, str] | None = None) -> None:
        self.told = Refusal(code=code, expected=expected[:400], found=found[:400])
        expected, found = unquoted or (expected, found)
        self.refusal = Refusal(code=code, expected=expected[:400], found=found[:400])
        super().__init__(f"{code}: expected {expected}, found {found}")


class Letter(NamedTuple):
    """One message read: its frame and what it says."""

    frame: Frame
    message: Any


def encode(envelope: Envelope) -> bytes:
    """The bytes that are hashed, archived, published and replayed. Field order is that of the classes."""
    return _encoder.encode(envelope)


def encode_data(message: object) -> bytes:
    """The bytes of a message without its frame, for what is compared or stored beside the journal."""
    return _encoder.encode(message)


def frame(body: bytes) -> Frame:
    """Only the frame: cheap, and all that routing needs."""
    try:
        return _frames.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _not_a_frame(body, error) from error


def trusted(body: bytes) -> Letter:
    """Read bytes of our own journal or topics."""
    head = frame(body)
    return Letter(head, carried(head))


def message_of(body: bytes) -> Any:
    """What bytes of our own journal say, without their frame: for whoever folds.

    Our own encoder puts the type before the data, and a quote within a string has a backslash before it.
    """
    start = body.find(_TYPE) + len(_TYPE)
    read = _openers.get(body[start : body.find(b'"', start)])
    if read is not None:
        try:
            return read(body).data
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            pass  # the slow way says what is wrong
    head, message = trusted(body)
    if head.type in CONTRACTS:
        _openers[head.type.encode()] = _opener(head.type)
    return message


def decode_data(name: str, data: bytes) -> Any:
    """Read the data of a message of the type `name` that we wrote without its frame."""
    return _decoder(name)(msgspec.Raw(data))


def checked(body: bytes) -> Letter:
    """Read bytes that a stranger may have written: every constraint holds afterwards."""
    head = frame(body)
    if head.specversion != "1.0":
        expected, found = "CloudEvents 1.0", head.specversion
        raise Unreadable("unknown_specversion", expected, found, (expected, described(found)))
    if head.time.tzinfo is None:
        expected = "a time with its zone, such as 2026-11-23T10:00:00Z"
        raise Unreadable("out_of_range", expected, head.time.isoformat(), (expected, "a time without one"))
    contract = CONTRACTS.get(head.type)
    if contract is None:
        told = _unknown(head.type).told
        raise Unreadable(told.code, told.expected, told.found, (told.expected, described(head.type)))
    adapter = _adapters.get(head.type)
    if adapter is None:
        adapter = _adapters.setdefault(head.type, TypeAdapter(contract))
    try:
        return Letter(head, adapter.validate_json(bytes(head.data), strict=False))
    except ValidationError as error:
        raise _not_of_contract(head.type, body, error) from error


def utc(moment: datetime) -> datetime:
    """The same instant in UTC, as it stands on the wire."""
    return moment.astimezone(UTC)


def carried(head: Frame) -> Any:
    """What a frame of our own carries."""
    try:
        return _decoder(head.type)(head.data)
    except msgspec.DecodeError as error:
        raise Unreadable("wrong_shape", f"the contract {head.type}", str(error)) from error


def known(head: Frame) -> None:
    """Nothing, for a type of ours that need not be decoded; any other is `Unreadable`."""
    if head.type not in CONTRACTS and upcast(head.type) is None:
        raise _unknown(head.type)


def _decoder(name: str) -> Callable[[msgspec.Raw], Any]:
    decode = _decoders.get(name)
    if decode is None:
        decode = _decoders[name] = _build_decoder(name)
    return decode


def _opener(name: str) -> Callable[[bytes], Any]:
    """Reads what messages of one type say and skips the rest of their frame."""
    shape = msgspec.defstruct("Opened", [("type", Literal[name]), ("data", CONTRACTS[name])], gc=False)
    return msgspec.json.Decoder(shape).decode


def _build_decoder(name: str) -> Callable[[msgspec.Raw], Any]:
    contract = CONTRACTS.get(name)
    if contract is not None:
        return msgspec.json.Decoder(contract).decode
    newer = upcast(name)
    if newer is None:
        raise _unknown(name)
    target, change = newer
    read = msgspec.json.Decoder(dict[str, Any]).decode
    latest: type[Any] = CONTRACTS[target]

    def upcasted(data: msgspec.Raw) -> Any:
        return msgspec.convert(change(read(data)), latest)

    return upcasted


def _unknown(name: str) -> Unreadable:
    stem, _, version = name.rpartition(".")
    known = [other for other in CONTRACTS if other.rpartition(".")[0] == stem]
    if known:
        return Unreadable("unknown_version", " or ".join(sorted(known)), f"{stem}.{version}")
    return Unreadable("unknown_type", "a type of schemas/published/", name)


def _not_of_contract(name: str, body: bytes, error: ValidationError) -> Unreadable:
    first = error.errors(include_url=False, include_context=False)[0]
    said, value = first["msg"], first["input"]
    if first["type"] == "json_invalid":
        return _not_a_frame(body, ValueError(said))
    known = _fields.get(name)
    if known is None:
        known = _fields.setdefault(name, fields_of(_adapters[name].json_schema()))
    where = ".".join(str(part) for part in first["loc"]) or "data"
    place = place_of(first["loc"], known) or "data"
    return Unreadable(
        _code(first["type"]), f"{where}: {said}", repr(value)[:200], (f"{place}: {said}", described(value))
    )


def _not_a_frame(body: bytes, error: Exception) -> Unreadable:
    if not body:
        return Unreadable("empty", "a CloudEvent in JSON", "no bytes")
    try:
        body.decode()
    except UnicodeDecodeError as broken:
        place = f"at {broken.start} of {len(body)} bytes"
        found = f"byte {body[broken.start]:#04x} {place}"
        return Unreadable("not_utf8", "UTF-8", found, ("UTF-8", f"a byte that is none {place}"))
    if isinstance(error, RecursionError) or "recursion limit" in str(error):
        return Unreadable("too_deep", f"at most {_DEEPEST} levels", "more")
    if isinstance(error, msgspec.ValidationError):
        return Unreadable(
            "missing_field" if "missing" in str(error) else "wrong_type", "a CloudEvent in JSON", str(error)
        )
    return Unreadable("not_json", "a CloudEvent in JSON", str(error))


def _code(kind: str) -> str:
    if kind == "missing":
        return "missing_field"
    if kind in {"unexpected_keyword_argument", "extra_forbidden"}:
        return "unknown_field"
    if kind.endswith(("_type", "_parsing")):
        return "wrong_type"
    return "out_of_range"
