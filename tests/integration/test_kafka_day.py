"""A demonstration day on Kafka beside the same day in one process: the same reports, the same cases."""

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from kernel.clock import StairClock, Step
from kernel.sql import steps
from tests.contract.stores import Hands, postgres_store
from tests.integration.lived import ROOT

DAYS = [
    pytest.param(("--reports", "40", "--step", "120"), id="in-twelve-steps"),
    pytest.param(("--reports", "2000", "--step", "5"), id="the-whole-day", marks=pytest.mark.soak),
    pytest.param(
        ("--reports", "200", "--step", "60", "--until-done"),
        id="until-the-last-case",
        marks=pytest.mark.soak,
    ),
]
THE_SAME = {"matter 事项", "area 区域", "lead 主办", "with it 协办"}
"""What may not differ. The order within a step may: which of two alike reports opens the case, whether a unit
signs before its clock of the same step rings, and how far a case has come when the day ends.
"""


WHERE_AND_WHAT = {"matter 事项", "area 区域"}
"""What may not differ after weeks of twelve-hour steps: within one a unit objects, a clock rings and a
meeting decides, in this order or another, and who leads at the end hangs on it.
"""


def gridcase(*words: str, environ: dict[str, str] | None = None, codes: tuple[int, ...] = (0,)) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", "from cli.main import app; app()", *words, "--json"],
        env={**os.environ, "PYTHONPATH": str(ROOT), **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in codes, done.stderr[-800:]
    assert done.stdout.startswith(("{", "[")), done.stdout[:400]
    return json.loads(done.stdout)


class Ground(NamedTuple):
    """Where both cities live."""

    database: str
    bootstrap: str
    folder: Path


@pytest.fixture
def ground(postgres_url: str, kafka_bootstrap: str, tmp_path: Path) -> Ground:
    return Ground(postgres_url, kafka_bootstrap, tmp_path)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("day", DAYS)
def test_the_tables_are_those_of_one_process(ground: Ground, tell: list[str], day: tuple[str, ...]) -> None:
    city = ("--city", str(ROOT / "cities" / "demo"), *day)
    tell.append(lived_twice(ground, "demo " + " ".join(day), city))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("city", ["songbei", "boston", "newyork"])
def test_real_input_comes_out_as_in_one_process(
    ground: Ground, tell: list[str], real_data: Path, city: str
) -> None:
    if city == "songbei":
        folder = ground.folder / city
        maker = [sys.executable, "-m", "cities.songbei", real_data, folder]
        made = subprocess.run(maker, cwd=ROOT, capture_output=True, text=True, check=False)
        assert made.returncode == 0, made.stderr
        reports = "1000"
    else:
        folder = ROOT / "cities" / city
        reports = str(real_data / "311" / {"boston": "boston311-100.csv", "newyork": "nyc311-100.csv"}[city])
    words = ("--city", str(folder), "--reports", reports, "--step", "720", "--until-done")
    tell.append(lived_twice(ground, city, words, WHERE_AND_WHAT))


def lived_twice(ground: Ground, name: str, city: Sequence[str], same: Collection[str] = THE_SAME) -> str:
    """The same reports in one process and on Kafka: what may not differ does not; says what else does."""
    database, bootstrap, place = ground
    environ = {
        "GRIDCASE_DATABASE_URL": database,
        "GRIDCASE_KAFKA_BOOTSTRAP": bootstrap,
        "GRIDCASE_KAFKA_PREFIX": f"day{os.getpid()}-{sha256(name.encode()).hexdigest()[:8]}.",
        "GRIDCASE_KAFKA_REPLICAS": "1",
    }
    file = f"sqlite:///{place}/one.db"
    one = gridcase("run", *city, "--database", file)
    many = gridcase("up", "--kafka", *city, environ=environ)
    assert many["edge"] == one["edge"]
    assert many["dead_letters"] == one["dead_letters"]
    assert many["reports"]["accepted"] == one["reports"]["accepted"]
    assert many["parked"] == 0
    found = gridcase("compare", "--with", file, environ=environ, codes=(0, 8))
    others = [one for one in found["differences"] if one["what"] in same]
    assert not others, others
    differing = {one["report"] for one in found["differences"]}
    assert len(found["differences"]) <= found["cases"]["here"], found["differences"]
    assert len(differing) <= found["cases"]["here"] / 2, found["differences"]
    verdicts = gridcase("replay", environ=environ)
    assert all(one["different"] == 0 for one in verdicts), verdicts
    dead = sum(many["dead_letters"].values())
    kinds = Counter(one["what"] for one in found["differences"])
    return (
        f"{name}: accepted {many['reports']['accepted']:,}, dead letters {dead:,} in both; "
        f"cases {found['cases']['here']:,} on Kafka, {found['cases']['there']:,} in one process; "
        f"differences {dict(kinds)}; replay equal"
    )


async def test_a_step_is_known_to_every_process_before_it_is_in_force(postgres_url: str) -> None:
    start = datetime(2026, 3, 10, tzinfo=UTC)
    async with postgres_store(postgres_url, Hands()) as ours, postgres_store(postgres_url, Hands()) as theirs:
        clocks = StairClock(start), StairClock(start)
        following = asyncio.create_task(steps.follow(theirs, clocks[1]))
        wall = datetime.now(UTC) + timedelta(seconds=5)
        await steps.put_step(ours, Step(wall, start + timedelta(hours=1)))
        await steps.learn(ours, clocks[0])
        async with asyncio.timeout(4):
            while clocks[1].last != wall:  # noqa: ASYNC110 - a clock tells nobody
                await asyncio.sleep(0.01)
        following.cancel()
        assert [clock.city(wall) for clock in clocks] == [start + timedelta(hours=1)] * 2
        late = StairClock(start)
        await steps.learn(theirs, late)
        assert late.city(wall) == clocks[0].city(wall)
