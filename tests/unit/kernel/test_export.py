"""An export is read as it was written, or refused in one line that names the part."""

import asyncio
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import settings as tried
from hypothesis import strategies as st
from msgspec import Raw
from msgspec.structs import replace
from sqlalchemy import select
from typer.testing import CliRunner

from cli.main import app
from cli.move import imported
from cli.topology import PROCESSORS
from kernel.edge import EDGE
from kernel.errors import Fault
from kernel.journal import Cursor
from kernel.log import Headers, Outgoing
from kernel.moving import lines
from kernel.moving.queued import Halted, Queued, not_handled, not_published
from kernel.moving.reading import Export
from kernel.moving.writing import ExportWriter
from kernel.settings import read as read_settings
from kernel.sql.place import place_of
from kernel.sql.tables import journal, secrets

START = datetime(2026, 3, 10, 1, 2, 3, 456789, tzinfo=UTC)
CITY = lines.CityLine("yunxi", "云溪区", 2, "system", None, None, 1, "ab" * 16, START, "embedded")
CURSOR = lines.CursorLine(EDGE, 0, 2, 0, START, START, 1, {}, {"intake.reports": {1: 2}})
CAUSE = Raw(b'["message","a","2026-03-10T01:02:03Z",["source","app"]]')
EVENTS = tuple(
    lines.EventLine(
        0, seq, "edge/0", seq, START, 1, START, "t", CAUSE, Raw(b'{"id":"\xe4\xba\x95", "n":1.50}')
    )
    for seq in (1, 2)
)
SECRET = lines.SecretLine("/app/1", b"\x00key", b"\xffsealed")
Change = Callable[[dict[str, bytes]], None]


def written(path: Path, **changed: Any) -> str:
    """A small city with one edge; gives the seal. `changed` replaces some of its lines."""
    given_ = {"city": CITY, "cursors": [CURSOR], "events": EVENTS, "timers": [], "held": []} | changed
    with ExportWriter(path) as out:
        out.body(lines.CITY, msgspec.json.encode(given_["city"]))
        out.lines(lines.CURSORS, given_["cursors"])
        out.lines(lines.journal_part(EDGE), given_["events"])
        out.lines(lines.journal_part("registry.rules"), [])
        out.lines(lines.TIMERS, given_["timers"])
        out.lines(lines.HELD, given_["held"])
        out.lines(lines.SECRETS, [SECRET])
        out.lines(lines.ACCESSES, [])
        seal = out.seal("0", "yunxi", "云溪区", START)
        out.finish()
    return seal


@pytest.fixture
def file(tmp_path: Path) -> Path:
    written(tmp_path / "city.export")
    return tmp_path / "city.export"


async def arrived(file: Path, seal: str = "") -> str:
    """Import it beside itself and give the URL."""
    url = f"sqlite:///{file.parent / 'new.db'}"
    await imported(read_settings({}, None, database_url=url), file, seal, kafka=False)
    return url


def refused(file: Path, seal: str = "") -> str:
    with pytest.raises(Fault) as caught:
        asyncio.run(arrived(file, seal))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def rezipped(file: Path, change: Change) -> None:
    """The same zip with other parts in it, its own sums right."""
    with zipfile.ZipFile(file) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    change(parts)
    with zipfile.ZipFile(file, "w") as new:
        for name, body in parts.items():
            new.writestr(name, body)


async def test_every_byte_arrives(file: Path) -> None:
    place = place_of(await arrived(file))
    rows = await place.run(lambda connection: connection.execute(select(journal)).fetchall())
    assert [(row.seq, row.stream, row.cause, row.body) for row in rows] == [
        (one.seq, one.stream, bytes(one.cause), bytes(one.event)) for one in EVENTS
    ]
    kept = await place.run(lambda connection: connection.execute(select(secrets)).fetchall())
    assert [tuple(row) for row in kept] == [(SECRET.id, SECRET.key, SECRET.sealed)]


def test_the_seal_is_that_of_the_manifest_and_the_same_for_the_same_city(tmp_path: Path) -> None:
    first, second = written(tmp_path / "a"), written(tmp_path / "b")
    with zipfile.ZipFile(tmp_path / "a") as whole:
        assert sha256(whole.read("manifest.json")).hexdigest() == first == second


def test_what_was_not_finished_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), ExportWriter(tmp_path / "city.export") as out:
        out.lines(lines.CURSORS, (1 // 0 for _ in range(1)))
    assert not list(tmp_path.iterdir())


def test_only_its_owner_may_read_it(file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600


# What is refused.


def test_a_file_that_was_cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-200])
    assert "a file that was cut or is none of ours" in refused(file)


def test_no_file_and_another_kind_of_file(tmp_path: Path) -> None:
    assert "found no file" in refused(tmp_path / "nothing")
    (tmp_path / "text").write_text("hello")
    assert "cut or is none of ours" in refused(tmp_path / "text")
    with zipfile.ZipFile(tmp_path / "zip", "w") as other:
        other.writestr("a", "b")
    assert "a zip without manifest.json" in refused(tmp_path / "zip")


@pytest.mark.parametrize("part", ["cursors.jsonl", "journals/edge.jsonl", "secrets.jsonl", "city.json"])
def test_one_altered_byte_names_its_part(file: Path, part: str) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts[part] = parts[part].replace(b"e", b"E", 1)

    rezipped(file, change)
    assert f"part {part}: expected SHA-256" in refused(file)


def test_a_byte_that_rots_on_the_disk(file: Path) -> None:
    body = bytearray(file.read_bytes())
    with zipfile.ZipFile(file) as whole:
        entry = whole.getinfo("journals/edge.jsonl")
    body[entry.header_offset + 30 + len(entry.filename) + len(entry.extra) + 60] ^= 0xFF
    file.write_bytes(body)
    assert "part journals/edge.jsonl: expected" in refused(file)


def test_a_part_that_is_missing_cut_or_one_too_many(file: Path) -> None:
    whole = file.read_bytes()
    rezipped(file, lambda parts: parts.__delitem__("timers.jsonl"))
    assert "part timers.jsonl: expected this part, found none" in refused(file)
    file.write_bytes(whole)
    rezipped(file, lambda parts: parts.update({"cursors.jsonl": b"{}\n"}))
    assert "part cursors.jsonl: expected" in refused(file)
    file.write_bytes(whole)
    rezipped(file, lambda parts: parts.update({"journals/more.jsonl": b""}))
    assert "part journals/more.jsonl: expected no part but those" in refused(file)


def test_another_seal_and_an_altered_manifest(file: Path) -> None:
    def change(parts: dict[str, bytes]) -> None:
        parts["manifest.json"] = parts["manifest.json"].replace(b"yunxi", b"dongx")

    with Export(file) as export:
        seal = export.seal
    asyncio.run(arrived(file, seal))
    rezipped(file, change)
    assert f"expected seal {seal[:16]}" in refused(file, seal)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (b'"version": 1', b'"version": 2', "expected format 1 or older, found 2"),
        (b"gridcase-export", b"gridcase-other", "a file of another kind (gridcase-other)"),
        (b'"parts"', b'"shares"', "part manifest.json: expected a manifest as it was written"),
    ],
)
def test_a_manifest_that_is_not_for_us(file: Path, old: bytes, new: bytes, words: str) -> None:
    rezipped(file, lambda parts: parts.update({"manifest.json": parts["manifest.json"].replace(old, new)}))
    assert words in refused(file)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"events": EVENTS[1:]}, "row 2 of partition 0 behind 0"),
        ({"events": EVENTS[:1]}, "1 rows of partition 0, where 2 are on record"),
        ({"events": [replace(EVENTS[0], partition=1)]}, "row 1 of partition 1 behind None"),
        ({"events": [replace(EVENTS[0], encoding="rot13")]}, "no encoding of ours: rot13"),
        ({"cursors": [replace(CURSOR, processor="audit.tree")]}, "the processor audit.tree"),
        (
            {"cursors": [{"processor": EDGE}]},
            "cursors.jsonl: expected what a release of ours writes, found line 1",
        ),
        (
            {"timers": [lines.TimerLine("sla.clock", 1, "s", "n", START, "k", "e", Raw(b"{}"))]},
            "sla.clock/1, which has no cursor",
        ),
    ],
)
def test_lines_that_do_not_fit_each_other(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    written(tmp_path / "city.export", **changed)
    assert words in refused(tmp_path / "city.export")
    assert words in refused(tmp_path / "city.export"), "the first try has left something"


async def test_a_city_in_stepped_time_does_not_go_to_kafka(tmp_path: Path) -> None:
    written(tmp_path / "city.export", city=replace(CITY, clock="stepped"))
    given_ = read_settings({}, None, database_url=f"sqlite:///{tmp_path / 'new.db'}")
    with pytest.raises(Fault, match="found a demonstration in stepped time"):
        await imported(given_, tmp_path / "city.export", kafka=True)


def test_commands_answer_in_one_line(file: Path) -> None:
    for words in (
        ["export", str(file), "--database", f"sqlite:///{file.parent / 'none.db'}"],
        ["export", str(file.parent / "new"), "--database", f"sqlite:///{file.parent / 'none.db'}"],
        ["import", str(file.parent / "none"), "--database", f"sqlite:///{file.parent / 'none.db'}"],
    ):
        result = CliRunner().invoke(app, words)
        assert result.exit_code in {4, 7}, result.output
        assert len(result.stderr.splitlines()) == 1
    assert sorted(one.name for one in file.parent.iterdir()) == ["city.export"]


# What any bytes may be.


@tried(max_examples=60)
@given(st.binary(max_size=200) | st.text(max_size=50).map(str.encode))
def test_any_bytes_stand_in_one_line_and_come_back(body: bytes) -> None:
    assert back(lines.packed(body)) == body


@tried(max_examples=40)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda deeper: st.lists(deeper) | st.dictionaries(st.text(), deeper),
        max_leaves=8,
    )
)
def test_json_stands_as_it_is(value: Any) -> None:
    body = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    raw, encoding = lines.packed(body)
    assert back((raw, encoding)) == body
    if not encoding:
        assert bytes(raw) == body


def back(packed: tuple[Raw, str]) -> bytes:
    raw, encoding = packed
    line = msgspec.json.encode(replace(EVENTS[0], event=raw, encoding=encoding))
    assert b"\n" not in line
    json.loads(line)
    read = msgspec.json.decode(line, type=lines.EventLine)
    return lines.unpacked(read.event, read.encoding)


MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))
EVENT_LINES = st.builds(
    lambda seq, stream, now, body: lines.EventLine(
        0, seq, stream, 1, now, 1, now, "", CAUSE, *lines.packed(body)
    ),
    st.integers(1, 2**62), st.text(), MOMENTS, st.binary(max_size=80),
)  # fmt: skip
SECRET_LINES = st.builds(lines.SecretLine, st.text(), st.none() | st.binary(), st.binary())


@tried(max_examples=30)
@given(events=st.lists(EVENT_LINES, max_size=8), kept=st.lists(SECRET_LINES, max_size=4))
def test_an_export_is_read_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, events: list[lines.EventLine], kept: list[lines.SecretLine]
) -> None:
    path = tmp_path_factory.mktemp("export") / "city.export"
    with ExportWriter(path) as out:
        out.lines("journals/edge.jsonl", events)
        out.lines(lines.SECRETS, kept)
        out.seal("0", "c", "n", START)
        out.finish()
    with Export(path) as export:
        export.check()
        assert list(export.lines("journals/edge.jsonl", lines.EventLine)) == events
        assert list(export.lines(lines.SECRETS, lines.SecretLine)) == kept


# What is still queued.


def halted(processor: str, partition: int = 0, **facts: Any) -> Halted:
    unsent = facts.pop("unsent", ())
    return Halted(processor, Cursor(partition, **facts), unsent)


def router(seen: int, *, rest: int = 0) -> list[Halted]:
    """The router has sent five events and three messages, and `rest` are not published."""
    return [
        halted("router.case", seq=5, published=5 - rest, sent={"intake.desk": {1: 3}}),
        halted("intake.desk", 1, seen={"intake.desk": {"router.case/0": seen}}),
        halted("sla.clock", seen={"case.events": {"router.case/0": 5}}),
        halted("notifier.fan", seen={"case.events": {"router.case/0": seen + 2}}),
    ]


def test_queues_are_empty_once_each_reader_has_seen_what_was_sent() -> None:
    assert not_handled(PROCESSORS, router(3), 2) == []
    assert not_handled(PROCESSORS, router(2), 2) == [
        Queued("intake.desk for intake.desk", 1),
        Queued("case.events for notifier.fan", 1),
    ]


def test_a_reader_that_has_seen_more_than_was_sent_contradicts() -> None:
    assert [one.number for one in not_handled(PROCESSORS, router(4), 2)] == [-1, -1]


def test_what_leaves_for_those_outside_has_to_have_left() -> None:
    out = Outgoing("unit.城管.cases", 0, 1, 1, "case", Headers("notifier.fan/0", 1), b"{}")
    inner = Outgoing("notice.requests", 0, 1, 1, "case", Headers("notifier.fan/0", 1), b"{}")
    waiting = [
        halted("notifier.fan", seq=1, unsent=[out, inner]),
        halted("sla.clock", 1, seq=4, published=1),
        *router(3, rest=2),
    ]
    assert not_published(PROCESSORS, waiting) == [Queued("notifier.fan/0", 1), Queued("sla.clock/1", 3)]
