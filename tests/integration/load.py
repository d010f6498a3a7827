"""Load on a city in a process of its own: what was sent, what was acknowledged, and how it came back."""

import asyncio
import json
import os
import signal
import sys
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from cli.assemble import open_city, publish_edition
from cli.conductor import arriving
from kernel.clock import SteppedClock, SystemClock
from kernel.edge import Submission
from kernel.sql.city import City, create_city
from schemas.wire import frame
from tests.integration.account import Account, account, each_report_in_one_case
from tests.integration.lived import ROOT, Lived, arrivals, bundle_of, midnight, read

SPEED = 1800
"""Half an hour of city time in each second: timers fire under the fault, too."""

PATIENCE_SECONDS = 150.0


class Standing(SteppedClock):
    """The clock of a running city, stopped: everything that is due is done, and nothing new becomes due."""

    def __init__(self, city: City) -> None:
        super().__init__(datetime.now(UTC))
        self._map = SystemClock(city.start_wall, city.start_city, city.speed)

    def city(self, wall: datetime) -> datetime:
        return self._map.city(wall)

    def step(self, to: datetime) -> None:
        del to


async def created(url: str, partitions: int = 24, host: str = "embedded", speed: int = SPEED) -> City:
    """A city in quickened time whose clock is the machine's, without rules yet."""
    bundle = bundle_of()
    return await create_city(
        url,
        City(
            code=bundle.city.code,
            name=bundle.city.name,
            partitions=partitions,
            start_wall=datetime.now(UTC),
            start_city=midnight().replace(hour=2),
            speed=speed,
            host=host,
        ),
    )


async def found(url: str, partitions: int = 24) -> City:
    """Such a city with its first edition in force."""
    bundle = bundle_of()
    city = await created(url, partitions)
    async with open_city(url, exclusive=True, clock=Standing(city)) as live:
        await publish_edition(live, bundle)
    return city


async def drained(url: str, city: City) -> Lived:
    """Let a process of today take the city over, decide all that is waiting, and read what there is."""
    async with open_city(url, exclusive=True, clock=Standing(city)) as live:
        await live.host.settle()
        return await read(live)


class Load:
    """Sends reports to the city of `url`, keeps what was acknowledged, and sends again what was not."""

    def __init__(
        self,
        url: str,
        count: int,
        *options: str,
        per_second: float = 60,
        seed: int = 7,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.url = url
        self._environ = environ or {}
        self.acknowledged: set[str] = set()
        self.dead: set[str] = set()
        self.works: list[float] = []
        self.acks: list[float] = []
        self.ends: list[int] = []
        self.said: list[str] = []
        self.refused = 0
        self._options = options
        self._pause = 1 / per_second
        self._open: dict[str, Submission] = {}
        for number, arrival in enumerate(arrivals(count, seed)):
            one = arriving(arrival)
            self._open[arrival.id if arrival.report else f"raw-{number}"] = one
        self.count = len(self._open)
        self._unsent = list(self._open)
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopping = True
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def start(self, *options: str) -> None:
        """Start the city; everything that was not acknowledged is sent again."""
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.integration.city_process", self.url, *(options or self._options),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT), **self._environ}, limit=1 << 22,
        )  # fmt: skip
        self._unsent = list(self._open)
        self._tasks = [
            asyncio.create_task(self._send(self._process)),
            asyncio.create_task(self._hear(self._process)),
            asyncio.create_task(self._complain(self._process)),
        ]

    async def _send(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        while True:
            if not self._unsent:
                await asyncio.sleep(self._pause)
                continue
            name = self._unsent.pop(0)
            if name not in self._open:
                continue
            sender, body = self._open[name]
            line = {"id": name, "sender": [sender.kind, sender.id], "body": b64encode(body).decode()}
            process.stdin.write(json.dumps(line).encode() + b"\n")
            try:
                await process.stdin.drain()
            except (BrokenPipeError, ConnectionResetError):
                return
            await asyncio.sleep(self._pause)

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := (await process.stdout.readline()).decode():
            if not line.endswith("\n"):
                return
            word, _, rest = line.strip().partition(" ")
            now = time.monotonic()
            if word == "works":
                self.works.append(now)
            elif word in {"ok", "dead"}:
                self.acks.append(now)
                submission = self._open.pop(rest, None)
                if word == "ok":
                    self.acknowledged.add(frame(submission.body).id if submission else rest)
                else:
                    self.dead.add(rest)
            elif word == "no":
                self.refused += 1
                name = rest.partition(" ")[0]
                if name in self._open:
                    self._unsent.append(name)

    async def _complain(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while line := (await process.stderr.readline()).decode():
            self.said.append(line.rstrip())

    async def kill(self) -> float:
        """`kill -9`, and start again at once; gives when."""
        assert self._process is not None
        assert self._process.returncode is None, self.said[-5:]
        at = time.monotonic()
        self._process.send_signal(signal.SIGKILL)
        await self._ended()
        await self.start()
        return at

    async def _ended(self) -> int:
        assert self._process is not None
        code = await self._process.wait()
        self.ends.append(code)
        sender, *others = self._tasks
        sender.cancel()
        await asyncio.gather(*others)
        return code

    def tell(self, what: signal.Signals) -> None:
        """Send the city a signal."""
        assert self._process is not None
        self._process.send_signal(what)

    async def ends_itself(self) -> int:
        """Wait until the city has given up; gives its exit code."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._ended()

    async def recovered(self, since: float) -> float:
        """Seconds from `since` until something was accepted again and something decided again."""
        await self.until(
            lambda: bool(self.acks and self.works and min(self.acks[-1], self.works[-1]) > since)
        )
        acked = next(at for at in self.acks if at > since)
        worked = next(at for at in self.works if at > since)
        return max(acked, worked) - since

    async def until(self, reached: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> None:
        async with asyncio.timeout(seconds):
            while not reached():
                if self._process is not None and self._process.returncode not in {None, 0, -9}:
                    raise AssertionError(f"the city ended with {self._process.returncode}: {self.said[-8:]}")
                await asyncio.sleep(0.02)

    async def acknowledged_all(self) -> None:
        """Wait until everything is acknowledged."""
        await self.until(lambda: not self._open, 5 * PATIENCE_SECONDS)

    async def finish(self) -> None:
        """Wait until everything is acknowledged, let the city stop, and see that it ends in order."""
        await self.acknowledged_all()
        assert self._process is not None
        assert self._process.stdin is not None
        self._tasks[0].cancel()
        self._process.stdin.close()
        async with asyncio.timeout(PATIENCE_SECONDS):
            assert await self._ended() == 0, self.said[-8:]


async def counted(load: Load, city: City, url: str = "") -> tuple[Account, Sequence[int]]:
    """The exact count after the load is through: of everything, and of reports in cases and dead."""
    lived = await drained(url or load.url, city)
    found_ = account(lived, load.acknowledged)
    assert (found_.lost, found_.twice) == (0, 0)
    assert found_.decided_once == found_.inputs
    assert found_.seen_once == found_.sent
    return found_, each_report_in_one_case(lived)
