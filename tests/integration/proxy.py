"""Between a city and its PostgreSQL or its brokers: connections, or what goes over them, are lost."""

import asyncio
import contextlib
from typing import Self

COMMIT = b"COMMIT;\x00"


class CuttingProxy:
    """Cuts at every `every`-th COMMIT while `cutting`: in turn before the server has it and after."""

    def __init__(self, port: int, every: int) -> None:
        self.port = port
        self.own = 0
        self.cutting = False
        self.cuts = {"before": 0, "behind": 0}
        self._every = every
        self._commits = 0
        self._server: asyncio.Server | None = None
        self._ends: set[asyncio.StreamWriter] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.own = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for end in list(self._ends):
            end.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_connection("127.0.0.1", self.port)
        ends = {writer, server_writer}
        self._ends |= ends
        silent = asyncio.Event()
        there = asyncio.create_task(self._there(reader, server_writer, silent))
        back = asyncio.create_task(self._back(server_reader, writer, silent))
        with contextlib.suppress(ConnectionError):
            await asyncio.wait({there, back}, return_when=asyncio.FIRST_COMPLETED)
        for task in (there, back):
            task.cancel()
        await asyncio.gather(there, back, return_exceptions=True)
        for end in ends:
            end.close()
        self._ends -= ends

    async def _there(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, silent: asyncio.Event
    ) -> None:
        """Towards the server: a doomed COMMIT is kept back, or sent on while its answer will be lost."""
        while data := await source.read(1 << 16):
            if self.cutting and data.endswith(COMMIT):
                self._commits += 1
                if self._commits % self._every == 0:
                    where = "before" if self._commits // self._every % 2 else "behind"
                    self.cuts[where] += 1
                    if where == "before":
                        return
                    silent.set()
            sink.write(data)
            await sink.drain()

    async def _back(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, silent: asyncio.Event
    ) -> None:
        while data := await source.read(1 << 16):
            if silent.is_set():
                return
            sink.write(data)
            await sink.drain()


class Network:
    """All connections of one worker to one server: passed on, silent (a black hole), or reset.

    `silence` lets nothing through and closes nothing; what was on its way arrives when it is `mend`ed, as TCP
    does it. `reset` breaks every connection and refuses new ones. `at_commit` does either at the next COMMIT:
    before the server has it, or behind it, so that only the answer is lost.
    """

    def __init__(self, port: int, own: int = 0) -> None:
        self.port = port
        self.own = own
        self.cut = asyncio.Event()
        self._open = asyncio.Event()
        self._open.set()
        self._refusing = False
        self._doom: tuple[str, str] | None = None
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.own)
        self.own = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self._abort()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def silence(self) -> None:
        self._open.clear()
        self.cut.set()

    def reset(self) -> None:
        self._refusing = True
        self._abort()
        self.cut.set()

    def mend(self) -> None:
        self._refusing = False
        self._doom = None
        self.cut.clear()
        self._open.set()

    def at_commit(self, how: str, where: str) -> None:
        self._doom = (how, where)

    def _abort(self) -> None:
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            writer.transport.abort()
            return
        await self._open.wait()
        there, back = await asyncio.open_connection("127.0.0.1", self.port)
        ends = {writer, back}
        self._writers |= ends
        tasks = {
            asyncio.create_task(self._pass(reader, back, watched=True)),
            asyncio.create_task(self._pass(there, writer, watched=False)),
        }
        self._tasks |= tasks
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            for end in ends:
                end.close()
            self._writers -= ends
            self._tasks -= tasks

    async def _pass(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, watched: bool) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await source.read(1 << 16):
                doom = self._doom if watched and data.endswith(COMMIT) else None
                if doom is not None:
                    self._doom = None
                    if doom[1] == "behind":
                        sink.write(data)
                        await sink.drain()
                        data = b""
                    self.silence() if doom[0] == "silence" else self.reset()
                await self._open.wait()
                sink.write(data)
                await sink.drain()
