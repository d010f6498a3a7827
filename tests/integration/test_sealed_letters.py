"""What could not be read lies nowhere in clear: not in the database's files, not in the log."""

import json
import logging
from hashlib import sha256
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import structlog
from sqlalchemy import select

from cli.assemble import LiveCity, new_token, publish_edition
from cli.assemble import open_city as open_live
from cli.topology import DOORS
from kernel.clock import SteppedClock
from kernel.edge import EDGE, Edge, Submission
from kernel.keyring import Secret
from kernel.meters import MeteredJournal, Meters
from kernel.processor import Sender
from kernel.sql.city import City, create_city, open_city
from kernel.sql.secrets import SqlSecrets
from kernel.sql.tables import secrets
from kernel.telemetry import LETTER_DEAD, configure
from schemas.refusal import Refusal
from tests.integration.lived import begun, bundle_of, midnight
from tests.integration.test_poison import report, sent, with_data

NAME, PHONE = "王芳芳", "13900001111"
CHANNEL = Sender("source", "poison")
CLEAR = "edge/0"
"""What stands in clear beside each letter, its stream: if this is not found, nothing was searched."""

REPORTER = {"name": NAME, "phone": PHONE, "token": ""}
KINDS = {
    "not UTF-8": sent(with_data(reporter=REPORTER)).decode().encode("gb18030"),
    "half JSON": sent(with_data(reporter=REPORTER)).split(b'"token"')[0],
    "wrong type in a declared field": sent(
        with_data(reporter={**REPORTER, "phone": int(PHONE), "name": [NAME]})
    ),
    "wrong type of the number alone": sent(with_data(reporter={**REPORTER, "token": int(PHONE)})),
    "an unknown field": sent(with_data(**{f"{NAME} {PHONE}": True})),
    "an unknown type": sent(report(type=f"{NAME}.{PHONE}")),
    "no version of the frame": sent(report(specversion=PHONE)),
    "no JSON at all": f"{NAME} {PHONE}".encode(),
    "the number and nothing else": PHONE.encode(),
    "too large": f"{NAME} {PHONE}".encode() * 20_000,
    "U+0000": f"{NAME} {PHONE}\\u0000".encode(),
    "not for this sender": sent(report(type="gridcase.case.SignCase.v1", subject=PHONE, data={})),
}
WORDS = (
    PHONE.encode(),
    NAME.encode(),
    NAME.encode("gb18030"),
    json.dumps(NAME).strip('"').encode(),
    *(sha256(body).hexdigest().encode() for body in KINDS.values()),
)


def files(folder: Path) -> bytes:
    """Every byte of a database's files."""
    found = sorted(folder.glob("city.db*"))
    assert found
    return b"".join(path.read_bytes() for path in found)


def metered(city: LiveCity) -> Edge:
    """The edge as a city has it, with a journal that logs what it holds."""
    return Edge(
        1,
        DOORS,
        MeteredJournal(city.journals[EDGE], EDGE, Meters()),
        city.clock,
        city.editions,
        token=new_token,
        partitions=city.city.partitions,
        seal=lambda frame, message: city.keyring.seal(f"{frame.source}/{frame.id}", message),
        letters=city.letters,
        keep=city.keyring.keep,
    )


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> Any:
    """All that is logged, by us and by what we stand on."""
    stream = StringIO()
    configure("json", "debug", stream)
    caplog.set_level(logging.DEBUG)
    yield lambda: stream.getvalue() + caplog.text
    structlog.reset_defaults()


async def test_no_byte_of_the_files_and_no_line_of_the_log_has_a_telephone(tmp_path: Path, log: Any) -> None:
    async with begun(f"sqlite:///{tmp_path}/city.db") as city:
        for edge in (city.edge, metered(city)):
            for kind, body in KINDS.items():
                (receipt,) = await edge.accept([Submission(CHANNEL, body)])
                assert receipt.refusal is not None, kind
        running = files(tmp_path)
        letters = [one async for one in city.journals[EDGE].held()]
        assert [await city.letters.open(one) for one in letters] == [
            body[:65_536] if kind == "too large" else body for kind, body in KINDS.items()
        ] * 2, "whoever has the keyring reads them"
    for found in (running, files(tmp_path)):
        assert CLEAR.encode() in found
        assert [word for word in WORDS if word in found] == []
    said = log()
    assert said.count(LETTER_DEAD) == len(KINDS)
    assert PHONE not in said
    assert NAME not in said
    assert json.dumps(NAME).strip('"') not in said


async def test_a_redriven_letter_is_no_clearer_than_before(tmp_path: Path, log: Any) -> None:
    async with begun(f"sqlite:///{tmp_path}/city.db") as city:
        await city.edge.accept([Submission(CHANNEL, body) for body in KINDS.values()])
        await city.journals[EDGE].order([(0, number + 1) for number in range(len(KINDS))])
        assert await city.edge.take_up() == 0
        running = files(tmp_path)
    for found in (running, files(tmp_path)):
        assert [word for word in WORDS if word in found] == []
    assert PHONE not in log()


async def test_a_letter_that_passes_is_sealed_as_any_report_and_its_secret_is_forgotten(
    tmp_path: Path,
) -> None:
    body = sent(with_data(reporter=REPORTER, text=f"{NAME} {PHONE}"))
    url = f"sqlite:///{tmp_path}/city.db"
    start = midnight()
    city = City(code="x", name="x", partitions=4, clock="stepped", start_city=start)
    await create_city(url, city)
    async with open_live(url, exclusive=True, clock=SteppedClock(start)) as live:
        await live.edge.accept([Submission(CHANNEL, body)])
        [letter] = [one async for one in live.journals[EDGE].held()]
        assert letter.reason.startswith("no_rules")
        assert await live.letters.open(letter) == body
        await publish_edition(live, bundle_of())
        await live.journals[EDGE].order([(0, letter.id)])
        assert await live.edge.take_up() == 1
        await live.host.settle()
        assert isinstance(await live.letters.open(letter), Refusal)
    found = files(tmp_path)
    assert "‹phone 1›".encode() in found
    assert [word for word in WORDS if word in found] == []


async def test_a_dead_letter_of_an_inner_processor_was_sealed_at_the_edge(tmp_path: Path) -> None:
    """It is a message that could be read: the declared fields are sealed, and so is the letter in clear."""
    nowhere = {"lon_e7": 0, "lat_e7": 0}
    body = sent(with_data(reporter=REPORTER, text=f"{NAME} {PHONE}", position=nowhere))
    async with begun(f"sqlite:///{tmp_path}/city.db") as city:
        (receipt,) = await city.edge.accept([Submission(CHANNEL, body)])
        assert receipt.refusal is None
        await city.host.settle()
        [letter] = [one async for one in city.journals["intake.reader"].held()]
        assert await city.letters.open(letter) == letter.body
    assert "‹name 1› ‹phone 1›".encode() in letter.body
    assert [word for word in WORDS if word in files(tmp_path)] == []


@pytest.mark.parametrize("sealed", [b"", b"x" * 300], ids=["letters", "reports"])
async def test_an_erased_key_is_in_no_byte_of_the_files(tmp_path: Path, sealed: bytes) -> None:
    """SQLite would leave a copy wherever a page was split, and where the key had been."""
    url = f"sqlite:///{tmp_path}/city.db"
    async with begun(url):
        pass
    names = [sha256(b"%d" % number).hexdigest() for number in range(200)]
    async with await open_city(url, exclusive=False) as opened:
        port = SqlSecrets(opened.store)
        for name in names:
            await port.keep([Secret(name, sha256(name.encode()).digest(), sealed)])
        kept = await opened.store.read(
            lambda connection: list(connection.execute(select(secrets.c.key)).scalars())
        )
        erased = [name for name in names if await port.erase(name)]
    assert erased == names
    found = files(tmp_path)
    keys = [sha256(name.encode()).digest() for name in names]
    assert set(keys) < set(kept)
    assert [key.hex() for key in keys if key in found] == []
