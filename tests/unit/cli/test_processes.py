"""`gridcase up` starts again what was at work and dies, though for a while that is in vain."""
# ruff: noqa: ASYNC240, ASYNC110 - a small file, and a script that tells nobody

import asyncio
import sys
from pathlib import Path

import pytest

from cli import processes
from cli.processes import Processes

SCRIPT = """#!/bin/sh
echo x >> {count}
case $(wc -l < {count}) in {cases} esac
"""


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Instead of a worker a script runs, and notes that it did."""
    monkeypatch.setattr(processes, "_QUIET_SECONDS", 0.5)
    monkeypatch.setattr(processes, "_AGAIN_SECONDS", 0.01)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "worker"))
    return tmp_path / "count"


def let(count: Path, cases: str) -> None:
    worker = count.parent / "worker"
    worker.write_text(SCRIPT.format(count=count, cases=cases), "utf-8")
    worker.chmod(0o755)


async def test_what_never_was_at_work_is_not_started_again(started: Path) -> None:
    let(started, "*) exit 10;;")
    assert await Processes("", "up", ["router"])._keep("router", None) == 10
    assert started.read_text("utf-8") == "x\n"


async def test_what_was_at_work_is_started_until_it_is_again(started: Path) -> None:
    let(started, "1) sleep 0.7; exit 1;; 5) exec sleep 60;; *) exit 10;;")
    router = Processes("", "up", ["router"])
    keeping = asyncio.create_task(router._keep("router", None))
    async with asyncio.timeout(20):
        while not started.exists() or len(started.read_text("utf-8").split()) < 5:
            await asyncio.sleep(0.05)
    router.stop.set()
    assert await keeping != 10


async def test_there_is_an_end_to_vain_starts(started: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_AGAIN_MOST", 3)
    let(started, "1) sleep 0.7; exit 1;; *) exit 10;;")
    assert await Processes("", "up", ["router"])._keep("router", None) == 10
    assert started.read_text("utf-8").split() == ["x"] * 5
