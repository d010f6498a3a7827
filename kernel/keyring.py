"""Sealed personal data (封存): placeholders go on, the originals stay here, a random key for each report.

Who holds journal and archive holds no name and no telephone. Erasing forgets a report's key: what was
sealed stays as proof that something was there, and nobody can read it again.
"""

import hmac
import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final, NamedTuple, Protocol

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from schemas.refusal import Refusal
from schemas.report import GridReport, Reporter

LINKING: Final = "_link"
"""The id under which the city keeps the key that links equal telephones, and equal dead letters."""

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_DIGIT: Final = "[0-9０-９]"
_GAP: Final = r"[-\s.·]?"
_PHONE: Final = re.compile(
    rf"(?<!{_DIGIT})(?:(?:\+|00)?86{_GAP})?[1１]{_GAP}[3-9３-９]{_GAP}(?:{_DIGIT}{_GAP}){{8}}{_DIGIT}(?!{_DIGIT})"
)
_PERSON: Final = re.compile(rf"(?<!{_DIGIT}){_DIGIT}{{17}}[0-9０-９Xx](?!{_DIGIT})")
_NO_PLACE: Final = "(?![路街巷弄村庄桥园苑区里镇乡湾营屯])"
_SHORTEST: Final = 2
_TO_ASCII: Final = str.maketrans("０１２３４５６７８９", "0123456789")


class Secret(NamedTuple):
    """What is kept of one report: its key, `None` once erased, and what the key sealed.

    Of a dead letter of the edge too: `report` is the name drawn for it, what its key sealed lies with it.
    """

    report: str
    key: bytes | None
    sealed: bytes


class Access(NamedTuple):
    """A record of access (查阅记录): who asked for which fields, what for, and the answer's code."""

    at: datetime
    report: str
    reader: str
    role: str
    purpose: str
    fields: tuple[str, ...]
    answer: str


class Secrets(Protocol):
    """The port to the keys, apart from journal and archive. All methods are transactions of their own."""

    async def keep(self, secrets: Sequence[Secret], /) -> None:
        """Store secrets; of one report the first stays, an erased one too."""
        ...

    async def find(self, report: str) -> Secret | None:
        """The secret of a report, if it has one."""
        ...

    async def erase(self, report: str) -> bool:
        """Forget the key for good; says whether there was one."""
        ...

    async def note(self, access: Access) -> None:
        """Put an access on record."""
        ...

    async def accesses(self, report: str) -> Sequence[Access]:
        """Who asked for a report's personal data, in order of time."""
        ...


class Sealed(NamedTuple):
    """A message without personal data; `link` is equal for equal telephones, `secret` is to be kept."""

    message: Any
    link: str = ""
    secret: Secret | None = None


class Opened(NamedTuple):
    """The originals by placeholder: `‹phone 1›` to what stood there."""

    fields: dict[str, str]


class _Originals:
    """The originals of one report in the making; equal ones share a placeholder."""

    def __init__(self) -> None:
        self.fields: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._declared: dict[str, str] = {}

    def hide(self, kind: str, original: str) -> str:
        if not original:
            return ""
        for placeholder, known in self.fields.items():
            if not placeholder.startswith(f"‹{kind} "):
                continue
            if known == original or (kind == "phone" and digits(known) == digits(original)):
                return placeholder
        number = self._counts[kind] = self._counts.get(kind, 0) + 1
        placeholder = f"‹{kind} {number}›"
        self.fields[placeholder] = original
        return placeholder

    def declare(self, kind: str, original: str) -> str:
        """Hide a declared field; where the text says the same, it is hidden there too."""
        placeholder = self.hide(kind, original)
        if len(original) >= _SHORTEST:
            self._declared[placeholder] = original
        return placeholder

    def scrub(self, text: str) -> str:
        """Text without telephone and identity-card numbers, and without what was declared.

        A name that reads on as a place (王家 in 王家路) stays, as does everything else: it is classified.
        """
        for placeholder, original in self._declared.items():
            if original in text:
                text = re.sub(re.escape(original) + _NO_PLACE, placeholder, text)
        text = _PERSON.sub(lambda found: self.hide("id", found.group()), text)
        return _PHONE.sub(lambda found: self.hide("phone", found.group()), text)


class Sealer:
    """Seals messages: no I/O, only the city's linking key and a source of randomness."""

    def __init__(self, linking: bytes, random: Callable[[int], bytes] = os.urandom) -> None:
        self._linking = linking
        self._random = random

    def seal(self, report: str, message: Any) -> Sealed:
        """The message as it may go on. What holds no personal data goes on as it is."""
        if not isinstance(message, GridReport):
            return Sealed(message)
        originals = _Originals()
        reporter = message.reporter or Reporter()
        link = self._link(reporter)
        hidden = Reporter(
            name=originals.declare("name", reporter.name),
            phone=originals.declare("phone", reporter.phone),
            token=link,
        )
        text, place = originals.scrub(message.text), originals.scrub(message.place)
        if reporter.token:
            originals.hide("token", reporter.token)
        if not originals.fields:
            return Sealed(message)
        clean = replace(message, text=text, place=place, reporter=hidden if message.reporter else None)
        return Sealed(clean, link, self._secret(report, originals.fields))

    def _link(self, reporter: Reporter) -> str:
        """A keyed hash of the telephone, or of the sender's own token where there is none."""
        number = digits(reporter.phone)
        if not number and not reporter.token:
            return ""
        said = f"phone:{number}" if number else f"token:{reporter.token}"
        return hmac.new(self._linking, said.encode(), sha256).hexdigest()[:32]

    def _secret(self, report: str, fields: dict[str, str]) -> Secret:
        key, nonce = self._random(_KEY_BYTES), self._random(_NONCE_BYTES)
        box = AESGCM(key).encrypt(nonce, msgspec.json.encode(fields), report.encode())
        return Secret(report, key, nonce + box)


class Keyring:
    """The city's keyring: seals at the edge, opens for roles that may, forgets for good.

    `roles` may read; every reading, refused or not, is on record before it is answered.
    """

    def __init__(self, secrets: Secrets, sealer: Sealer, roles: Collection[str]) -> None:
        self._secrets = secrets
        self._sealer = sealer
        self._roles = frozenset(roles)
        self._unkept: list[Secret] = []

    def seal(self, report: str, message: Any) -> Any:
        """The message as it may go on; its originals wait for `keep`."""
        sealed = self._sealer.seal(report, message)
        if sealed.secret is not None:
            self._unkept.append(sealed.secret)
        return sealed.message

    async def keep(self) -> None:
        """Store what was sealed since the last time; to be called before its messages are committed."""
        if self._unkept:
            kept = tuple(self._unkept)
            await self._secrets.keep(kept)
            del self._unkept[: len(kept)]

    async def read(
        self, report: str, reader: str, role: str, purpose: str, now: datetime
    ) -> Opened | Refusal:
        """The originals of a report, for a role that may and a purpose that is said."""
        answer = await self._open(report, role, purpose)
        fields = tuple(answer.fields) if isinstance(answer, Opened) else ()
        code = answer.code if isinstance(answer, Refusal) else "read"
        await self._secrets.note(Access(now, report, reader, role, purpose, fields, code))
        return answer

    async def erase(self, report: str) -> bool:
        """Forget the key of a report; says whether there was one to forget."""
        return await self._secrets.erase(report)

    async def accesses(self, report: str) -> Sequence[Access]:
        """Who asked for a report's personal data, in order of time."""
        return await self._secrets.accesses(report)

    async def _open(self, report: str, role: str, purpose: str) -> Opened | Refusal:
        if role not in self._roles:
            return Refusal(code="may_not_read", expected=" or ".join(sorted(self._roles)), found=role)
        if not purpose.strip():
            return Refusal(code="no_purpose", expected="what the data is needed for", found="nothing")
        secret = await self._secrets.find(report)
        if secret is None:
            return Refusal(code="nothing_sealed", expected="a report with personal data", found=report)
        if secret.key is None:
            return Refusal(code="erased", expected="a report that was not erased", found=report)
        try:
            return Opened(open_box(secret))
        except InvalidTag:
            return Refusal(
                code="broken_seal", expected="what was sealed for this report", found="other bytes"
            )


class MemorySecrets:
    """The port in dictionaries: for replay, simulator and tests."""

    def __init__(self) -> None:
        self._secrets: dict[str, Secret] = {}
        self._accesses: list[Access] = []

    async def keep(self, secrets: Sequence[Secret]) -> None:
        """The first secret of a report stays."""
        for secret in secrets:
            self._secrets.setdefault(secret.report, secret)

    async def find(self, report: str) -> Secret | None:
        return self._secrets.get(report)

    async def erase(self, report: str) -> bool:
        """The row stays, its key does not."""
        secret = self._secrets.get(report)
        if secret is None or secret.key is None:
            return False
        self._secrets[report] = secret._replace(key=None)
        return True

    async def note(self, access: Access) -> None:
        self._accesses.append(access)

    async def accesses(self, report: str) -> Sequence[Access]:
        return tuple(access for access in self._accesses if access.report == report)


async def open_keyring(
    secrets: Secrets, roles: Collection[str], random: Callable[[int], bytes] = os.urandom
) -> Keyring:
    """The keyring of a city."""
    return Keyring(secrets, Sealer(await linking_key(secrets, random), random), roles)


async def linking_key(secrets: Secrets, random: Callable[[int], bytes] = os.urandom) -> bytes:
    """The city's own key for hashes that link; it is drawn once, whoever comes first."""
    linking = await secrets.find(LINKING)
    if linking is None:
        await secrets.keep((Secret(LINKING, random(_KEY_BYTES), b""),))
        linking = await secrets.find(LINKING)
    if linking is None or linking.key is None:
        raise LookupError("the key that links equal telephones is gone; restore the table of secrets")
    return linking.key


def open_box(secret: Secret) -> dict[str, str]:
    """The originals by placeholder; raises `InvalidTag` if this key did not seal them for this report."""
    if secret.key is None:
        raise InvalidTag
    nonce, box = secret.sealed[:_NONCE_BYTES], secret.sealed[_NONCE_BYTES:]
    return msgspec.json.decode(
        AESGCM(secret.key).decrypt(nonce, box, secret.report.encode()), type=dict[str, str]
    )


def digits(phone: str) -> str:
    """A telephone as its digits alone, without the country code of China: equal numbers look equal."""
    found = re.sub(r"[^0-9]", "", phone.translate(_TO_ASCII))
    return re.sub(r"^(?:00)?86(?=1[3-9]\d{9}$)", "", found)
