import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.keyring import (
    Keyring,
    MemorySecrets,
    Opened,
    Sealer,
    Secret,
    digits,
    open_box,
    open_keyring,
)
from schemas.refusal import Refusal
from schemas.report import GridReport, Reporter
from schemas.wire import encode_data

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
ID = "12345/w-1"


def report(text: str = "路灯不亮", **reporter: str) -> GridReport:
    return GridReport(channel="12345", text=text, reporter=Reporter(**reporter) if reporter else None)


@pytest.fixture
def sealer() -> Sealer:
    return Sealer(b"k" * 32)


@pytest.fixture
async def keyring() -> tuple[Keyring, MemorySecrets]:
    secrets = MemorySecrets()
    return await open_keyring(secrets, {"caller", "clerk"}), secrets


def test_name_and_phone_become_placeholders(sealer: Sealer) -> None:
    sealed = sealer.seal(ID, report(name="王芳", phone="13912345678"))
    assert sealed.message.reporter == Reporter(name="‹name 1›", phone="‹phone 1›", token=sealed.link)
    assert sealed.message.text == "路灯不亮"
    assert sealed.secret is not None
    assert open_box(sealed.secret) == {"‹name 1›": "王芳", "‹phone 1›": "13912345678"}


def test_numbers_in_the_text_are_sealed_too(sealer: Sealer) -> None:
    said = "请回 139-1234-5678 或 +86 13700001111,身份证 11010119900307123X,3号楼 20261123"
    sealed = sealer.seal(ID, report(said, name="王芳", phone="139-1234-5678"))
    assert sealed.message.text == "请回 ‹phone 1› 或 ‹phone 2›,身份证 ‹id 1›,3号楼 20261123"


def test_a_declared_name_is_sealed_where_the_text_says_it_but_no_place_is(sealer: Sealer) -> None:
    sealed = sealer.seal(
        ID, report("王芳来电：王芳路口积水，电话 024-8612 3456", name="王芳", phone="024-8612 3456")
    )
    assert sealed.message.text == "‹name 1›来电：王芳路口积水，电话 ‹phone 1›"


def test_one_phone_in_two_ways_of_writing_is_one_placeholder(sealer: Sealer) -> None:
    sealed = sealer.seal(ID, report("请回139-1234-5678", phone="13912345678"))
    assert sealed.message.text == "请回‹phone 1›"


def test_what_holds_nothing_personal_goes_on_as_it_is(sealer: Sealer) -> None:
    message = report("井盖丢失,编号 0417 0021")
    sealed = sealer.seal(ID, message)
    assert sealed.message is message
    assert sealed.secret is None
    assert sealer.seal(ID, "a command").message == "a command"


@pytest.mark.parametrize(
    "other", ["139 1234 5678", "+86-13912345678", "１３９１２３４５６７８", "008613912345678"]
)
def test_equal_phones_have_an_equal_link(sealer: Sealer, other: str) -> None:
    link = sealer.seal(ID, report(phone="13912345678")).link
    assert sealer.seal("12345/w-2", report(phone=other)).link == link
    assert sealer.seal(ID, report(phone="13912345679")).link != link
    assert Sealer(b"x" * 32).seal(ID, report(phone="13912345678")).link != link


def test_a_token_of_the_sender_is_linked_but_not_passed_on(sealer: Sealer) -> None:
    sealed = sealer.seal(ID, report(token="openid-o6bm"))
    assert sealed.link
    assert "openid" not in encode_data(sealed.message).decode()


def test_the_same_report_sealed_again_is_the_same_bytes(sealer: Sealer) -> None:
    message = report("电话13912345678", name="王芳", phone="13912345678")
    first, second = sealer.seal(ID, message), sealer.seal(ID, message)
    assert encode_data(first.message) == encode_data(second.message)
    assert first.secret != second.secret


@given(
    phone=st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True),
    before=st.text(alphabet="路灯坏了号楼 ,(a", max_size=20),
    after=st.text(alphabet="路灯坏了号楼 。)a", max_size=20),
    gap=st.sampled_from(["", "-", " "]),
    wide=st.booleans(),
)
def test_no_clear_phone_stands_in_what_was_sealed(
    phone: str, before: str, after: str, gap: str, wide: bool
) -> None:
    shown = gap.join((phone[:3], phone[3:7], phone[7:]))
    if wide:
        shown = shown.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    message = GridReport(
        channel="12345", text=before + shown + after, place=shown, reporter=Reporter(name="李", phone=shown)
    )
    sealed = Sealer(b"k" * 32).seal(ID, message)
    assert phone not in digits(encode_data(sealed.message).decode().replace(sealed.link, ""))
    assert sealed.secret is not None
    assert phone.encode() not in sealed.secret.sealed


async def test_an_original_is_kept_before_it_is_read(keyring: tuple[Keyring, MemorySecrets]) -> None:
    ring, secrets = keyring
    ring.seal(ID, report(phone="13912345678"))
    assert await secrets.find(ID) is None
    await ring.keep()
    opened = await ring.read(ID, "SQ01-HF", "caller", "回访", NOW)
    assert opened == Opened({"‹phone 1›": "13912345678"})
    [access] = await secrets.accesses(ID)
    assert (access.reader, access.answer, access.fields) == ("SQ01-HF", "read", ("‹phone 1›",))


@pytest.mark.parametrize(
    ("role", "purpose", "code"), [("handler", "上门", "may_not_read"), ("caller", " ", "no_purpose")]
)
async def test_a_refused_reading_is_on_record_too(
    keyring: tuple[Keyring, MemorySecrets], role: str, purpose: str, code: str
) -> None:
    ring, secrets = keyring
    ring.seal(ID, report(phone="13912345678"))
    await ring.keep()
    refusal = await ring.read(ID, "x", role, purpose, NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.code == code
    assert [access.answer for access in await secrets.accesses(ID)] == [code]


async def test_what_is_erased_cannot_be_read_nor_sealed_anew(keyring: tuple[Keyring, MemorySecrets]) -> None:
    ring, secrets = keyring
    ring.seal(ID, report(phone="13912345678"))
    await ring.keep()
    assert await ring.erase(ID)
    assert not await ring.erase(ID)
    ring.seal(ID, report(phone="13912345678"))
    await ring.keep()
    refusal = await ring.read(ID, "x", "caller", "回访", NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "erased"
    row = await secrets.find(ID)
    assert row is not None
    assert row.sealed


async def test_a_secret_moved_to_another_report_does_not_open(keyring: tuple[Keyring, MemorySecrets]) -> None:
    ring, secrets = keyring
    ring.seal(ID, report(phone="13912345678"))
    await ring.keep()
    row = await secrets.find(ID)
    assert row is not None
    await secrets.keep([Secret("12345/w-2", row.key, row.sealed)])
    refusal = await ring.read("12345/w-2", "x", "caller", "回访", NOW)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "broken_seal"


async def test_the_linking_key_is_drawn_once() -> None:
    secrets = MemorySecrets()
    first = await open_keyring(secrets, {"caller"})
    second = await open_keyring(secrets, {"caller"})
    message = report(phone="13912345678")
    assert first.seal("a/1", message).reporter.token == second.seal("a/2", message).reporter.token


async def test_what_is_sealed_while_others_are_kept_is_kept_too() -> None:
    class Busy(MemorySecrets):
        async def keep(self, secrets: Sequence[Secret]) -> None:
            await asyncio.sleep(0)
            await super().keep(secrets)

    secrets = Busy()
    ring = Keyring(secrets, Sealer(b"k" * 32), {"caller"})
    ring.seal("app/1", report(phone="13912345678"))
    keeping = asyncio.create_task(ring.keep())
    await asyncio.sleep(0)
    ring.seal("app/2", report(phone="13912345679"))
    await keeping
    await ring.keep()
    assert await secrets.find("app/2") is not None
