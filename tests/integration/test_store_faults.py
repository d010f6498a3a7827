"""What goes wrong with databases, for real: told in words, nothing damaged, and it goes on after."""
# ruff: noqa: ASYNC240 - small files, looked at between two steps of a test

import asyncio
import contextlib
import os
import pwd
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, Self

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from kernel import errors
from kernel.log import Message
from kernel.sql import postgres, sqlite
from kernel.sql.city import City, OpenCity, create_city, open_city
from kernel.sql.journal import SqlJournal
from kernel.sql.log import SqlLog
from schemas.topics import Retention, Topic
from tests.contract.test_journal import move, outgoing, record
from tests.integration.proxy import Network
from tests.postgres import PostgresServer

ROOT = Path(__file__).parents[2]
CITY = City(code="yx", name="云溪")
WORK = Topic("contract.work", "case", ("edge",), ("router.case",), Retention.DAYS_30)


def journal_of(opened: OpenCity, processor: str = "router.case") -> SqlJournal:
    return SqlJournal(opened.store, processor, delivers=True)


async def commit_next(journal: SqlJournal, partition: int = 0, rows: int = 1, body: bytes = b"{}") -> int:
    """Claim, commit the next rows and send as many messages; the new seq."""
    claim = (await journal.claim([partition]))[0]
    seq = claim.cursor.seq
    new = [record(seq + n, f"s-{seq + n}", 1, partition, body=body) for n in range(1, rows + 1)]
    sent = [outgoing(seq + n, seq + n, WORK.name, partition) for n in range(1, rows + 1)]
    assert await journal.commit([move(claim, os.urandom(8), new, outgoing=sent)]) == frozenset()
    return seq + rows


async def assert_whole(opened: OpenCity, partitions: Any = (0,)) -> dict[int, int]:
    """Dense rows, a cursor that fits them, and every message that they sent, once; gives the last seqs."""
    journal, seqs = journal_of(opened), {}
    for claim in await journal.claim(list(partitions)):
        partition = claim.cursor.partition
        assert [row.seq async for row in journal.records(partition)] == list(range(1, claim.cursor.seq + 1))
        log = SqlLog(opened.store, (WORK,), (partition,), tick_seconds=0)
        await log.spans([(WORK.name, partition)])
        await log.seek(partition, {WORK.name: 0})
        found: list[Message] = []
        while batch := await log.fetch(1000):
            found += batch
        assert [message.offset for message in found] == list(range(claim.cursor.seq))
        assert [message.headers.k for message in found] == list(range(1, claim.cursor.seq + 1))
        seqs[partition] = claim.cursor.seq
    return seqs


def start(what: str, url: str, **how: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.integration.committer", what, url]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, **how)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "city.db"


@pytest.fixture(params=["sqlite", "postgresql"])
async def url(request: pytest.FixtureRequest, path: Path) -> str:
    found = f"sqlite:///{path}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    await create_city(found, CITY)
    return found


class TestRefusals:
    """Before anything runs: one class for each, with what was expected, what was found and what to do."""

    async def test_no_city(self, path: Path, postgres_url: str) -> None:
        for url in (f"sqlite:///{path}", postgres_url):
            with pytest.raises(errors.NoSuchCity, match="Do: `gridcase init`"):
                await open_city(url)
        assert not path.exists()

    async def test_another_city_in_the_same_database(self, url: str) -> None:
        with pytest.raises(errors.AnotherCity, match="expected lh, found yx"):
            await create_city(url, City(code="lh", name="临湖"))
        with pytest.raises(errors.CityThere, match="云溪"):
            await create_city(url, CITY)
        with pytest.raises(errors.AnotherCity, match="expected lh, found yx"):
            await open_city(url, code="lh")

    async def test_another_number_of_partitions(self, url: str) -> None:
        with pytest.raises(errors.AnotherCity, match="expected 12, found 24"):
            await open_city(url, partitions=12)

    async def test_another_city_of_the_same_name(self, url: str) -> None:
        async with await open_city(url) as opened:
            mark = opened.city.mark
        async with await open_city(url, code="yx", partitions=24, mark=mark):
            pass
        with pytest.raises(errors.AnotherCity, match="its mark"):
            await open_city(url, mark="00" * 16)

    async def test_tables_of_somebody_else(self, path: Path, postgres_url: str) -> None:
        with sqlite3.connect(path) as connection:
            connection.execute("create table invoices (id integer)")
        engine = postgres.engine_of(postgres_url)
        async with engine.begin() as other:
            await other.execute(text("create table invoices (id integer)"))
        await engine.dispose()
        for url in (f"sqlite:///{path}", postgres_url):
            with pytest.raises(errors.NoSuchCity, match="invoices"):
                await open_city(url)
            with pytest.raises(errors.CityThere, match="invoices"):
                await create_city(url, CITY)

    @pytest.mark.parametrize("content", [b"", b"half", b"PK\x03\x04 a spreadsheet" * 100, b"\x00" * 100_000])
    async def test_a_file_that_is_no_database(self, path: Path, content: bytes) -> None:
        path.write_bytes(content)
        with pytest.raises(errors.DatabaseBroken, match=f"found {len(content)} bytes"):
            await open_city(f"sqlite:///{path}")
        assert path.read_bytes() == content

    @pytest.mark.parametrize("part", [0.2, 0.6, 0.95])
    async def test_a_half_written_file(self, path: Path, part: float) -> None:
        await create_city(f"sqlite:///{path}", CITY)
        whole = path.read_bytes()
        path.write_bytes(whole[: int(len(whole) * part)])
        with pytest.raises(errors.DatabaseBroken, match="the file was cut"):
            await open_city(f"sqlite:///{path}")
        assert path.stat().st_size == int(len(whole) * part)

    @pytest.mark.parametrize("seed", range(20))
    async def test_a_file_with_rubbish_inside(self, path: Path, seed: int) -> None:
        await create_city(f"sqlite:///{path}", CITY)
        whole, dice = path.read_bytes(), random.Random(seed)
        start, count = dice.choice([(100, 100), (100, 8000), (120, 400_000), (8192, 16_000)])
        path.write_bytes((whole[:start] + dice.randbytes(count) + whole[start + count :])[: len(whole)])
        with pytest.raises(errors.DatabaseBroken):
            await open_city(f"sqlite:///{path}")

    @pytest.mark.parametrize("what", ["file", "folder"])
    async def test_a_place_that_may_not_be_written(self, tmp_path: Path, what: str) -> None:
        folder = tmp_path / "city"
        await create_city(f"sqlite:///{folder}/city.db", CITY)
        (folder / "city.db").chmod(0o444 if what == "file" else 0o666)
        folder.chmod(0o555)
        said = tried_by_nobody(f"open_city('sqlite:///{folder}/city.db')", tmp_path)
        assert "DatabaseReadOnly" in said
        assert "Do: change their rights" in said

    async def test_a_folder_where_no_city_can_be_founded(self, tmp_path: Path) -> None:
        tmp_path.chmod(0o555)
        call = f"create_city('sqlite:///{tmp_path}/new/city.db', City(code='yx', name='x'))"
        assert "DatabaseReadOnly" in tried_by_nobody(call, tmp_path)
        tmp_path.chmod(0o755)

    async def test_no_server(self, own_postgres: Callable[..., PostgresServer]) -> None:
        server = own_postgres().start()
        url = server.url()
        server.stop()
        with pytest.raises(errors.DatabaseUnreachable) as refusal:
            await open_city(url)
        assert server.password not in str(refusal.value)

    async def test_no_such_user_password_or_database(self, postgres_server: PostgresServer) -> None:
        url = postgres_server.url()
        for wrong in (
            url.replace(postgres_server.password, "wrong"),
            url.replace("gridcase:", "nobody:"),
            url + "_missing",
        ):
            with pytest.raises(errors.DatabaseUnreachable, match="Do: start it") as refusal:
                await open_city(wrong)
            assert postgres_server.password not in str(refusal.value)

    @pytest.mark.parametrize("wrong", ["", "city.db", "mysql://localhost/city", "sqlite://", "postgresql"])
    async def test_no_url_of_a_database(self, wrong: str) -> None:
        with pytest.raises(errors.DatabaseUnreachable):
            await open_city(wrong)


def tried_by_nobody(call: str, folder: Path) -> str:
    """Run a call as somebody whom rights bind (root is bound by none) and give the last line that it said."""
    drop = ""
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        drop = f"os.setgroups([]); os.setgid({nobody.pw_gid}); os.setuid({nobody.pw_uid}); "
        for path in [folder, *folder.parents]:
            if path.stat().st_uid == 0 and not path.stat().st_mode & 0o001:
                path.chmod(path.stat().st_mode | 0o001)
    code = f"import asyncio, os, sqlite3; from kernel.sql.city import *; {drop}asyncio.run({call})"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stderr.strip().splitlines()[-1]


class TestTwoProcesses:
    """Only one process decides; looking and sending may go on beside it."""

    async def test_a_second_one_is_refused_until_the_first_is_gone(self, url: str) -> None:
        first = start("hold", url)
        try:
            assert first.stdout is not None
            assert first.stdout.readline() == "open\n"
            with pytest.raises(errors.CityRunsAlready, match=r"found (process|session) \d+"):
                await open_city(url)
            async with await open_city(url, exclusive=False) as beside:
                assert await commit_next(journal_of(beside, "edge")) == 1
        finally:
            first.kill()
            first.wait()
        opened = await eventually(lambda: open_city(url))
        await opened.close()

    async def test_closing_lets_the_next_one_in(self, url: str) -> None:
        for _ in range(2):
            async with await open_city(url):
                pass


async def eventually(work: Callable[[], Any], seconds: float = 10) -> Any:
    """A server notices the death of a client a moment later."""
    for _ in range(int(seconds / 0.1)):
        try:
            return await work()
        except Exception:  # noqa: BLE001 - the last one counts
            await asyncio.sleep(0.1)
    return await work()


class TestKill:
    """kill -9 in the middle of commits: what was acknowledged is there, what is there is whole."""

    @pytest.mark.parametrize("turns", [3, 17])
    async def test_what_was_acknowledged_survives(self, url: str, turns: int) -> None:
        process = start("commit", url)
        assert process.stdout is not None
        acknowledged = 0
        for _ in range(turns):
            acknowledged = int(process.stdout.readline())
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
        process.wait()
        acknowledged = int(rest[-1]) if rest else acknowledged
        async with await eventually(lambda: open_city(url)) as opened:
            seqs = await assert_whole(opened, range(4))
            assert set(seqs.values()) <= {acknowledged, acknowledged + 25}
            assert len(set(seqs.values())) == 1


class TestDiskFull:
    async def test_sqlite_without_space_refuses_and_goes_on_after(self, path: Path) -> None:
        url = f"sqlite:///{path}"
        await create_city(url, CITY)
        async with await open_city(url) as opened:
            store = opened.store
            assert isinstance(store, sqlite.SqliteStore)
            limit = ["60"]
            event.listen(
                store._engine, "connect", lambda dbapi, _: dbapi.execute(f"pragma max_page_count={limit[0]}")
            )
            journal, stored = journal_of(opened), 0
            with contextlib.suppress(DBAPIError):
                for _ in range(100):
                    stored = await commit_next(journal, rows=50, body=b"x" * 500)
            for _ in range(3):
                with pytest.raises(Exception, match="full"):
                    await commit_next(journal, rows=50, body=b"x" * 500)
            assert await assert_whole(opened) == {0: stored}
            limit[0] = "100000"
            with pytest.raises(Exception, match="full"):
                await commit_next(journal, rows=50, body=b"x" * 500)
            assert await commit_next(journal, rows=50, body=b"x" * 500) == stored + 50
            await assert_whole(opened)
        assert stored > 0


class TestSqliteWriter:
    """Whether all are written together or each at once: nobody's mishap is another's."""

    @pytest.fixture(params=[1.0, 0.0], ids=["quick", "slow"])
    async def opened(
        self, path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
    ) -> AsyncIterator[OpenCity]:
        monkeypatch.setattr(sqlite, "_QUICK_SECONDS", request.param)
        await create_city(f"sqlite:///{path}", CITY)
        async with await open_city(f"sqlite:///{path}") as opened:
            yield opened

    async def test_who_no_longer_waits_disturbs_nobody(self, opened: OpenCity) -> None:
        journals = [journal_of(opened, f"p.{n}") for n in range(20)]
        waiting = [asyncio.create_task(commit_next(journal)) for journal in journals]
        await asyncio.sleep(0)
        gone = [task for task in waiting[::2] if task.cancel()]
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert [answer for answer in answers if isinstance(answer, int)] == [1] * (20 - len(gone))
        assert await commit_next(journal_of(opened)) == 1

    async def test_bugs_in_what_is_written_are_the_callers(self, opened: OpenCity) -> None:
        def bug(_: Any) -> None:
            raise ZeroDivisionError

        answers = await asyncio.gather(
            commit_next(journal_of(opened, "a.a")),
            opened.store.write(bug),
            commit_next(journal_of(opened, "b.b")),
            return_exceptions=True,
        )
        assert [type(answer) for answer in answers] == [int, ZeroDivisionError, int]

    async def test_a_lock_of_another_process_is_waited_for(self, opened: OpenCity, path: Path) -> None:
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("begin immediate")
        committing = asyncio.create_task(commit_next(journal_of(opened)))
        await asyncio.sleep(0.3)
        assert not committing.done()
        other.execute("rollback")
        other.close()
        assert await committing == 1

    async def test_who_leaves_while_another_process_has_the_lock_is_not_written(
        self, opened: OpenCity, path: Path
    ) -> None:
        written: list[str] = []
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("begin immediate")
        gone = asyncio.create_task(opened.store.write(lambda _: written.append("gone")))
        stays = asyncio.create_task(opened.store.write(lambda _: written.append("stays")))
        await asyncio.sleep(0.1)
        gone.cancel()
        await asyncio.sleep(0)
        other.execute("commit")
        other.close()
        await stays
        assert written == ["stays"]

    async def test_a_closed_store_says_so(self, path: Path) -> None:
        await create_city(f"sqlite:///{path}", CITY)
        opened = await open_city(f"sqlite:///{path}")
        await opened.close()
        with pytest.raises(ConnectionError):
            await opened.store.write(lambda _: None)

    async def test_a_file_copied_while_the_city_runs_is_whole(
        self, opened: OpenCity, path: Path, tmp_path: Path
    ) -> None:
        for _ in range(5):
            await commit_next(journal_of(opened), rows=20)
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", tmp_path / f"copy.db{end}")
        async with await open_city(f"sqlite:///{tmp_path}/copy.db") as copy:
            assert await assert_whole(copy) == {0: 100}


class Proxy:
    """Between us and PostgreSQL; loses COMMIT, or the answer to it, and cuts the connection."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.cut = ""
        self.cuts = 0

    async def __aenter__(self) -> Self:
        self.server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.own = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.server.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.port)
        dying = asyncio.Event()
        with contextlib.suppress(ExceptionGroup):
            async with asyncio.TaskGroup() as group:
                group.create_task(self._there(reader, server_writer, dying))
                group.create_task(self._back(server_reader, writer, dying))
        for end in (writer, server_writer):
            end.close()

    async def _there(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, dying: asyncio.Event
    ) -> None:
        while data := await source.read(65536):
            cut = self.cut if data.endswith(b"COMMIT;\x00") else ""
            if cut:
                self.cut, self.cuts = "", self.cuts + 1
                dying.set()
            if cut == "before":
                raise ConnectionResetError
            sink.write(data)
        raise ConnectionResetError

    async def _back(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, dying: asyncio.Event
    ) -> None:
        while data := await source.read(65536):
            if dying.is_set():
                raise ConnectionResetError
            sink.write(data)
        raise ConnectionResetError


class TestPostgres:
    async def test_a_connection_cut_in_the_middle_of_commit_is_doubt(
        self, postgres_server: PostgresServer, postgres_url: str
    ) -> None:
        await create_city(postgres_url, CITY)
        async with Proxy(postgres_server.port) as proxy:
            url = postgres_url.replace(f":{postgres_server.port}/", f":{proxy.own}/")
            async with await open_city(url, exclusive=False) as opened:
                journal, seq = journal_of(opened), 0
                for where in ["before", "behind", "behind", "before"] * 3:
                    assert await commit_next(journal, rows=70) == seq + 70
                    proxy.cut = where
                    with pytest.raises(Exception):  # noqa: B017 - any exception is doubt
                        await commit_next(journal, rows=70)
                    seq += 70 if where == "before" else 140
                    await eventually(lambda: at_seq(journal, seq))  # noqa: B023 - awaited at once
                assert proxy.cuts == 12
                assert await assert_whole(opened) == {0: seq}

    async def test_a_silent_network_is_not_waited_for_for_ever(
        self, postgres_server: PostgresServer, postgres_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """No timeout of the server's can end it: nothing of ours reaches it, nothing of it reaches us."""
        monkeypatch.setattr(postgres, "_ANSWER_SECONDS", 0.5)
        await create_city(postgres_url, CITY)
        async with Network(postgres_server.port) as network:
            url = postgres_url.replace(f":{postgres_server.port}/", f":{network.own}/")
            async with await open_city(url, exclusive=False) as opened:
                journal = journal_of(opened)
                assert await commit_next(journal) == 1
                network.silence()
                async with asyncio.timeout(20):
                    with pytest.raises(Exception):  # noqa: B017 - any exception is doubt
                        await commit_next(journal)
                network.mend()
                assert await eventually(lambda: commit_next(journal)) == 2

    async def test_a_restart_of_the_server_is_survived(
        self, own_postgres: Callable[..., PostgresServer]
    ) -> None:
        server = own_postgres().start()
        await create_city(server.url(), CITY)
        async with await open_city(server.url(), exclusive=False) as opened:
            seq = await commit_next(journal_of(opened), rows=100)
            for how in (signal.SIGINT, signal.SIGQUIT):
                server.stop(how)
                with pytest.raises(Exception):  # noqa: B017 - any exception is doubt
                    await commit_next(journal_of(opened))
                server.start()
                seq += 100
                assert await eventually(lambda: commit_next(journal_of(opened), rows=100)) == seq
                assert await assert_whole(opened) == {0: seq}

    async def test_who_waits_for_messages_hears_that_the_server_is_gone(
        self, own_postgres: Callable[..., PostgresServer]
    ) -> None:
        server = own_postgres().start()
        await create_city(server.url(), CITY)
        async with await open_city(server.url(), exclusive=False) as opened:
            logs = [SqlLog(opened.store, (WORK,), (0,), tick_seconds=30) for _ in range(2)]
            for log in logs:
                await log.seek(0, {WORK.name: 0})
            waiting = [asyncio.create_task(log.fetch(1)) for log in logs]
            await asyncio.sleep(0.1)
            server.stop()
            told, silent = await asyncio.wait(waiting, timeout=10)
            assert not silent
            assert all(task.exception() for task in told)
            server.start()
            await eventually(lambda: commit_next(journal_of(opened)))
            assert [len(await log.fetch(1)) for log in logs] == [1, 1]

    async def test_a_worker_frozen_in_its_transaction_blocks_the_next_owner_for_a_while_only(
        self, postgres_url: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        await create_city(postgres_url, CITY)
        monkeypatch.setitem(postgres.SESSION, "idle_in_transaction_session_timeout", "500ms")
        async with await open_city(postgres_url, exclusive=False) as opened:
            await commit_next(journal_of(opened))
            engine = postgres.engine_of(postgres_url)
            async with engine.connect() as frozen:
                await frozen.execute(text("select 1 from journals for update"))
                began = asyncio.get_running_loop().time()
                assert await commit_next(journal_of(opened)) == 2
                assert 0.3 < asyncio.get_running_loop().time() - began < 5
                with pytest.raises(Exception):  # noqa: B017 - its session is gone
                    await frozen.execute(text("select 1"))
                await frozen.invalidate()
            await engine.dispose()

    async def test_every_session_has_our_settings(self, postgres_url: str) -> None:
        await create_city(postgres_url, CITY)
        async with await open_city(postgres_url) as opened:
            for name, value in postgres.SESSION.items():
                query = text(f"show {name}")
                said = await opened.store.read(lambda connection: connection.execute(query).scalar())  # noqa: B023
                assert said == value

    async def test_a_cancelled_commit_leaves_the_pool_usable(self, postgres_url: str) -> None:
        await create_city(postgres_url, CITY)
        async with await open_city(postgres_url) as opened:
            for turn in range(30):
                task = asyncio.create_task(commit_next(journal_of(opened), partition=turn % 3, rows=80))
                await asyncio.sleep(turn * 0.001)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
            await assert_whole(opened, range(3))
            assert await commit_next(journal_of(opened), partition=9) == 1


async def at_seq(journal: SqlJournal, seq: int) -> None:
    """A COMMIT that was cut off behind us takes its time on the server."""
    assert (await journal.claim([0]))[0].cursor.seq == seq
