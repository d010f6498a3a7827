"""Dead letters, sealed: each by a secret of its own, opened by whoever has the keyring, erased for good."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from hashlib import sha256

import msgspec
import pytest

from kernel.journal import Cause, Held, HeldKind, Via
from kernel.keyring import LINKING, Access, MemorySecrets
from kernel.letters import SEALED, Letters, name_of, open_letters
from kernel.processor import Sender
from schemas.refusal import Refusal

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
LATER = datetime(2026, 3, 9, 1, 0, tzinfo=UTC)
PHONE = b"13900001111"
CAUSE = Cause(Via.MESSAGE, "x", NOW, Sender("source", "app"))
FRAMED = (
    b'{"specversion":"1.0","id":"7","source":"app","type":"t","subject":"","time":"2026-03-02T01:00:00Z",'
    b'"data":{"phone":13900001111}}'
)


@pytest.fixture
def secrets() -> MemorySecrets:
    return MemorySecrets()


@pytest.fixture
def letters(secrets: MemorySecrets) -> Letters:
    return Letters(secrets, b"city")


def held(body: bytes, type_: str = SEALED) -> Held:
    return Held(0, 1, HeldKind.DEAD, "edge/0", "why", type_, body, CAUSE, 1, "", NOW)


async def sealed(letters: Letters, body: bytes) -> Held:
    letter = letters.seal(body)
    await letters.keep([letter.secret])
    return held(letter.body)


async def test_a_letter_opens_to_its_bytes_and_lies_there_without_them(letters: Letters) -> None:
    letter = await sealed(letters, b"\xff" + PHONE)
    assert await letters.open(letter) == b"\xff" + PHONE
    assert PHONE not in letter.body


def test_equal_bytes_are_sealed_by_two_secrets_under_two_names(letters: Letters) -> None:
    """A name that follows from the letter would find the secret of an attempt that was never committed."""
    one, two = letters.seal(PHONE), letters.seal(PHONE)
    assert one.secret.report != two.secret.report
    assert one.secret.key != two.secret.key
    assert one.secret.report.encode() in one.body
    assert "/" not in one.secret.report, "a report's name has a slash: no sender can take a letter's"


def test_equal_bytes_have_one_id_and_nobody_guesses_it_without_the_key(letters: Letters) -> None:
    assert letters.id_of(PHONE) == letters.id_of(bytes(PHONE))
    assert letters.id_of(PHONE) != letters.id_of(PHONE + b"2")
    assert letters.id_of(PHONE) != Letters(MemorySecrets(), b"another city").id_of(PHONE)
    assert letters.id_of(PHONE) != sha256(PHONE).hexdigest()


async def test_the_key_for_ids_is_drawn_once_for_a_city(secrets: MemorySecrets) -> None:
    one, two = await open_letters(secrets), await open_letters(secrets)
    assert one.id_of(PHONE) == two.id_of(PHONE)
    linking = await secrets.find(LINKING)
    assert linking is not None
    assert linking.key is not None
    assert one.id_of(PHONE) == Letters(secrets, linking.key).id_of(PHONE)


async def test_what_is_erased_is_refused_and_says_who_erased_it(letters: Letters) -> None:
    letter = await sealed(letters, PHONE)
    assert await letters.erase(letter, "wang", "asked by letter of 3 March", LATER)
    refusal = await letters.open(letter)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "erased"
    assert not await letters.erase(letter, "li", "again", LATER), "once is enough"
    [access] = await letters.accesses(letter)
    assert (access.at, access.reader, access.answer) == (LATER, "wang", "erased")
    assert access.purpose == "asked by letter of 3 March"


async def test_a_secret_that_is_not_there_is_a_refusal(letters: Letters) -> None:
    refusal = await letters.open(held(letters.seal(PHONE).body))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "no_secret"


async def test_bytes_under_another_letters_name_do_not_open(letters: Letters) -> None:
    one, two = await sealed(letters, PHONE), await sealed(letters, b"two")
    refusal = await letters.open(
        held(msgspec.msgpack.encode([name_of(two), *msgspec.msgpack.decode(one.body)[1:]]))
    )
    assert isinstance(refusal, Refusal)
    assert refusal.code == "broken_seal"


async def test_a_letter_of_an_earlier_release_is_read_as_it_lies_there(letters: Letters) -> None:
    clear = held(PHONE, "")
    assert await letters.open(clear) == await letters.read(clear, "wang", "to look", NOW) == PHONE
    assert not await letters.erase(clear, "wang", "asked", NOW)
    assert await letters.accesses(clear) == ()


async def test_each_reading_is_on_record_whatever_the_answer(letters: Letters) -> None:
    letter = await sealed(letters, PHONE)
    assert await letters.read(letter, "wang", "to mend it", NOW) == PHONE
    await letters.forget(letter)
    assert isinstance(await letters.read(letter, "li", "to mend it", LATER), Refusal)
    name = name_of(letter)
    assert await letters.accesses(letter) == (
        Access(NOW, name, "wang", "operator", "to mend it", ("body",), "read"),
        Access(LATER, name, "li", "operator", "to mend it", (), "erased"),
    )


async def test_letters_that_say_that_they_are_a_report_are_found(letters: Letters) -> None:
    mine, other = await sealed(letters, FRAMED), await sealed(letters, FRAMED.replace(b'"7"', b'"8"'))
    erased, broken = await sealed(letters, FRAMED), await sealed(letters, FRAMED[:40])
    await letters.forget(erased)
    clear = held(FRAMED, "")

    async def all_of_them() -> AsyncIterator[Held]:
        for one in (mine, other, erased, broken, clear):
            yield one

    assert await letters.of_report(all_of_them(), "app/7") == [mine, clear]
