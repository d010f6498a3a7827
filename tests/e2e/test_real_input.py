"""Real data: each report ends in exactly one case or one dead letter, and every case is ended."""

import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from cli.sheets import read_arrivals
from kernel.journal import RULES_STREAM
from kernel.sql.city import open_city
from kernel.sql.journal import SqlJournal
from rules.faults import Faults
from rules.folder import compile_folder
from schemas.case.opening import CaseOpened, RepeatNoted, ReportAttached
from schemas.intake import ReportAccepted, ReportConflicting, ReportDead, ReportRepeated
from schemas.wire import trusted
from services.intake.reader.processor import READER
from services.router.processor import ROUTER_CASE
from tests.e2e.gridcase import adds_up, figures, told
from tests.realdata import ROOT

SONGBEI_REPORTS = 5_000


def songbei(data: Path, place: Path) -> subprocess.CompletedProcess[str]:
    """The bundle by its own command."""
    words = [sys.executable, "-m", "cities.songbei", data, place]
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.timeout(1800)
async def test_songbei_with_yunchengs_limits(real_data: Path, tmp_path: Path, tell: list[str]) -> None:
    made = songbei(real_data, tmp_path / "songbei")
    assert made.returncode == 0, made.stderr
    assert "set aside" in made.stdout
    bundle = compile_folder(tmp_path / "songbei")
    assert not isinstance(bundle, Faults)
    words = ("run", "--city", "songbei", "--reports", str(SONGBEI_REPORTS), "--until-done")
    lived = figures(tmp_path, *words, seconds=1700)
    adds_up(lived, SONGBEI_REPORTS)
    assert lived["reports"]["opened_cases"] > SONGBEI_REPORTS / 2
    tell.append(told("Songbei + Yuncheng", SONGBEI_REPORTS, lived))
    tell.append(await one_by_one(tmp_path, lived, SONGBEI_REPORTS))


@pytest.mark.parametrize(("city", "sheet"), [("boston", "boston311-100.csv"), ("newyork", "nyc311-100.csv")])
async def test_an_american_city(
    real_data: Path, tmp_path: Path, tell: list[str], city: str, sheet: str
) -> None:
    folder, file = ROOT / "cities" / city, real_data / "311" / sheet
    count = len(read_arrivals(folder, file))
    assert count == 100
    words = ("run", "--city", str(folder), "--reports", str(file), "--until-done")
    lived = figures(tmp_path, *words)
    adds_up(lived, count)
    tell.append(told(city, count, lived))
    tell.append(await one_by_one(tmp_path, lived, count))


async def one_by_one(folder: Path, lived: Mapping[str, Any], count: int) -> str:
    """Not by the run's own figures, but by the rows: which report is where."""
    database = folder / lived["database"].removeprefix("sqlite:///")
    read: dict[str, list[type]] = {}
    taken: Counter[str] = Counter()
    async with await open_city(f"sqlite:///{database}", exclusive=False) as opened:
        for name in (READER.name, ROUTER_CASE.name):
            journal = SqlJournal(opened.store, name, delivers=True)
            for partition in range(opened.city.partitions):
                async for row in journal.records(partition):
                    if row.stream.startswith(RULES_STREAM):
                        continue
                    event = trusted(row.body).message
                    if name == READER.name:
                        read.setdefault(row.stream, []).append(type(event))
                    elif isinstance(event, CaseOpened | ReportAttached | RepeatNoted):
                        taken[event.report.report] += 1
    accepted = {stream for stream, events in read.items() if ReportAccepted in events}
    dead = {stream for stream, events in read.items() if ReportDead in events}
    assert not accepted & dead
    assert accepted | dead == read.keys()
    assert taken == Counter(dict.fromkeys(accepted, 1))
    again = sum(event in {ReportRepeated, ReportConflicting} for events in read.values() for event in events)
    assert len(accepted) + len(dead) + again + lived["reports"]["dead_at_the_edge"] == count
    return f"{'':<22}row by row: {len(accepted)} in exactly one case, {len(dead)} dead, {again} came again"
