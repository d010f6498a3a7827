"""A process of its own that runs a city until it is told to stop, or is killed.

Reads submissions as JSON lines and answers `ok ID` once they are on record, `no ID REASON` if not or in
doubt; says `works N` whenever more rows were written. Its people act on what they hear, through the edge.
"""
# ruff: noqa: T201 - it speaks to the test that started it

import asyncio
import contextlib
import heapq
import json
import signal
import sqlite3
import sys
from base64 import b64decode
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

from cities.people import Act, People
from cli.assemble import LiveCity, MemberCity, open_city
from cli.member import open_member
from kernel import settings
from kernel.edge import EDGE
from kernel.errors import Fault
from kernel.journal import RULES_STREAM
from kernel.processor import Sender
from kernel.sql import sqlite
from kernel.sql.heads import journal_source
from schemas.envelope import Envelope
from schemas.wire import TYPE_OF, encode, trusted
from services.router.processor import ROUTER_CASE
from tests.integration.lived import bundle_of

LOOK_SECONDS = 0.1
AT_EDGE, _ = journal_source(EDGE, 0)


class Running:
    """A city at work: what it is given, and what its people do."""

    def __init__(self, city: LiveCity | MemberCity) -> None:
        self.city = city
        self.stopped = False
        self.people = People(bundle_of(), 7)
        self.acts: list[tuple[datetime, int, Act]] = []
        self.reached: dict[int, int] = {}
        self.numbers = 0
        self.sending: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        helpers = [asyncio.create_task(work) for work in (self.listen(), self.tell(), self.live())]
        try:
            await self.city.host.run(lambda: self.stopped)
        finally:
            for helper in helpers:
                helper.cancel()
            await asyncio.gather(*helpers, *self.sending, return_exceptions=True)

    async def listen(self) -> None:
        """Submissions from the test; the end of the input means: stop."""
        reader = asyncio.StreamReader(limit=1 << 22)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
        )
        print("ready", flush=True)
        while line := await reader.readline():
            one = json.loads(line)
            self.start(one["id"], Sender(*one["sender"]), b64decode(one["body"]))
        self.stopped = True

    def start(self, name: str, sender: Sender, body: bytes) -> None:
        task = asyncio.create_task(self.submit(name, sender, body))
        self.sending.add(task)
        task.add_done_callback(self.sending.discard)

    async def submit(self, name: str, sender: Sender, body: bytes) -> None:
        try:
            receipt = await self.city.edge.submit(sender, body)
        except Exception as error:  # noqa: BLE001 - whatever it is, the input is in doubt
            print("no", name, type(error).__name__, flush=True)
        else:
            print("dead" if receipt.refusal else "ok", name, flush=True)

    async def tell(self) -> None:
        """Say how much was written."""
        last = 0
        while True:
            heads = self.city.store.heads.known.items()
            done = sum(head.end for (name, _), head in heads if name.startswith("@") and name != AT_EDGE)
            if done > last:
                last = done
                print("works", done, flush=True)
            await asyncio.sleep(LOOK_SECONDS)

    async def live(self) -> None:
        """Let the people hear every case event, from the first one on, and act."""
        while True:
            with contextlib.suppress(Exception):  # a database that is gone: look again later
                await self.hear()
            await asyncio.sleep(LOOK_SECONDS)
            now = self.city.clock.city(self.city.clock.wall())
            while self.acts and self.acts[0][0] <= now:
                act = heapq.heappop(self.acts)[2]
                if self.people.stands(act):
                    self.act(act, now)

    async def hear(self) -> None:
        journal = self.city.journals[ROUTER_CASE.name]
        for partition in range(self.city.city.partitions):
            async for row in journal.records(partition, self.reached.get(partition, 0)):
                self.reached[partition] = row.seq
                if row.stream.startswith(RULES_STREAM):
                    continue
                for act in self.people.hears(row.stream, trusted(row.body).message, row.now):
                    self.numbers += 1
                    heapq.heappush(self.acts, (act.at, self.numbers, act))

    def act(self, act: Act, now: datetime) -> None:
        self.numbers += 1
        name = f"act-{now.timestamp():.0f}-{self.numbers}"
        command: Any = act.command
        envelope = Envelope(
            id=name, source=f"/post/{act.post}", type=TYPE_OF[type(command)], subject=act.case, time=now,
            data=command,
        )  # fmt: skip
        self.start(name, Sender("post", act.post), encode(envelope))


class Disk:
    """A disk for SQLite that is full when the file has grown by `pages`, until somebody makes room."""

    def __init__(self, pages: int) -> None:
        self.most = 0
        self.pages = pages
        self.connect = sqlite._connect

    def __call__(self, path: Path) -> sqlite3.Connection:
        connection = self.connect(path)
        self.most = self.most or connection.execute("pragma page_count").fetchone()[0] + self.pages
        connection.execute(f"pragma max_page_count={self.most}")
        return connection

    def make_room(self) -> None:
        self.most = 1 << 30


def opened(url: str) -> "AbstractAsyncContextManager[LiveCity] | AbstractAsyncContextManager[MemberCity]":
    """The whole city, or of one on Kafka the edge: its workers are processes of their own."""
    given = settings.read(database_url=url)
    if given.kafka_bootstrap:
        return open_member(given, "edge", processors=(), instance=0)
    return open_city(url, exclusive=True)


async def main(url: str) -> None:
    async with opened(url) as city:
        await Running(city).run()
    print("stopped", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        disk = sqlite._connect = Disk(int(sys.argv[2]))
        signal.signal(signal.SIGUSR1, lambda *_: disk.make_room())
    try:
        asyncio.run(main(sys.argv[1]))
    except* Fault as faults:
        print("fault", faults.exceptions[0], file=sys.stderr, flush=True)
        sys.exit(1)
