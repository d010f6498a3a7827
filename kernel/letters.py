"""Dead letters of the edge, sealed (死信封存): bytes that nobody read may hold a name or a telephone.

Each has a secret of its own under a name drawn at random, which lies beside the sealed bytes: whoever tries
again after a failed commit seals with another. Erasing forgets the secret, and nobody can read the letter.
"""

import hmac
import os
from collections.abc import AsyncIterable, Callable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Final, NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from kernel.journal import Held
from kernel.keyring import Access, Secret, Secrets, linking_key
from schemas.refusal import Refusal
from schemas.wire import Unreadable, frame

SEALED: Final = "gridcase.kernel.SealedLetter.v1"
"""The type of a held message whose bytes are sealed; a letter of an earlier release has none."""

OPERATOR: Final = "operator"
"""The role of whoever works on the city's machine, in records of access."""

_NAME: Final = "_letter-"
"""How the names of letters' secrets begin; a report's name has a slash."""

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_NAME_BYTES: Final = 16


class _Sealed(msgspec.Struct, frozen=True, array_like=True):
    """What lies in `Held.body`: the name of the secret, and what it sealed."""

    name: str
    nonce: bytes
    box: bytes


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Sealed)


class SealedBody(NamedTuple):
    """A letter's bytes as they may be stored, once `secret` is."""

    body: bytes
    secret: Secret


class Letters:
    """Seals, opens and forgets dead letters. `key` is the city's own: equal bytes have equal ids under it."""

    def __init__(self, secrets: Secrets, key: bytes, random: Callable[[int], bytes] = os.urandom) -> None:
        self._secrets = secrets
        self._key = key
        self._random = random

    def id_of(self, body: bytes) -> str:
        """Equal for equal bytes, and no help to somebody without the key who guesses a telephone."""
        return hmac.new(self._key, b"letter:" + body, sha256).hexdigest()

    def seal(self, body: bytes) -> SealedBody:
        """Sealed under a name never drawn before: no I/O, the secret is still to be kept."""
        name = _NAME + self._random(_NAME_BYTES).hex()
        key, nonce = self._random(_KEY_BYTES), self._random(_NONCE_BYTES)
        box = AESGCM(key).encrypt(nonce, body, name.encode())
        return SealedBody(_encoder.encode(_Sealed(name, nonce, box)), Secret(name, key, b""))

    async def keep(self, secrets: Sequence[Secret]) -> None:
        """Store secrets, before the letters that they sealed are committed."""
        if secrets:
            await self._secrets.keep(secrets)

    async def open(self, held: Held) -> bytes | Refusal:
        """The bytes of a letter; those of an earlier release lie there in clear."""
        if held.type != SEALED:
            return held.body
        sealed = _decoder.decode(held.body)
        secret = await self._secrets.find(sealed.name)
        if secret is None:
            return Refusal(code="no_secret", expected=f"the secret {sealed.name}", found="none")
        if secret.key is None:
            return Refusal(code="erased", expected="a letter that was not erased", found="one without a key")
        try:
            return AESGCM(secret.key).decrypt(sealed.nonce, sealed.box, sealed.name.encode())
        except InvalidTag:
            return Refusal(code="broken_seal", expected="what was sealed by this secret", found="other bytes")

    async def read(self, held: Held, reader: str, purpose: str, now: datetime) -> bytes | Refusal:
        """Open a letter for somebody; if it is sealed, that is on record before it is answered."""
        answer = await self.open(held)
        if held.type == SEALED:
            code, fields = (answer.code, ()) if isinstance(answer, Refusal) else ("read", ("body",))
            await self._note(held, reader, purpose, now, (code, fields))
        return answer

    async def erase(self, held: Held, by: str, purpose: str, now: datetime) -> bool:
        """Forget a letter's secret and put on record who did; says whether there was one to forget."""
        if not await self.forget(held):
            return False
        await self._note(held, by, purpose, now, ("erased", ()))
        return True

    async def forget(self, held: Held) -> bool:
        """Forget a letter's secret because nobody needs the letter any more: its message has passed."""
        return held.type == SEALED and await self._secrets.erase(name_of(held))

    async def accesses(self, held: Held) -> Sequence[Access]:
        """Who looked into a letter or erased it, in order of time."""
        return await self._secrets.accesses(name_of(held)) if held.type == SEALED else ()

    async def of_report(self, held: AsyncIterable[Held], report: str) -> Sequence[Held]:
        """The letters whose frame can be read and says that they are this report, `source/id`."""
        found: list[Held] = []
        async for one in held:
            body = await self.open(one)
            if not isinstance(body, Refusal) and _report_of(body) == report:
                found.append(one)
        return found

    async def _note(
        self, held: Held, reader: str, purpose: str, now: datetime, answer: tuple[str, tuple[str, ...]]
    ) -> None:
        access = Access(now, name_of(held), reader, OPERATOR, purpose, answer[1], answer[0])
        await self._secrets.note(access)


def name_of(held: Held) -> str:
    """The name of the secret that sealed a letter; empty for one that lies in clear."""
    return _decoder.decode(held.body).name if held.type == SEALED else ""


async def open_letters(secrets: Secrets, random: Callable[[int], bytes] = os.urandom) -> Letters:
    """The letters of a city, with its linking key for their ids."""
    return Letters(secrets, await linking_key(secrets, random), random)


def _report_of(body: bytes) -> str:
    try:
        head = frame(body)
    except Unreadable:
        return ""
    return f"{head.source}/{head.id}"
