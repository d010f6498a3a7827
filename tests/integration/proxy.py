"""Between a city and its PostgreSQL: a COMMIT, or the answer to it, is lost with its connection."""

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
