"""What every run of the tests says: at the start which real parts are there, at the end what was left out."""

import os
import platform
import sqlite3
from collections import Counter

import pytest
import structlog
from hypothesis import settings

from tests import kafka, postgres, realdata
from tests.kafka import kafka_bootstrap, kafka_server, own_kafka
from tests.postgres import own_postgres, postgres_server, postgres_url
from tests.realdata import real_data

__all__ = [
    "kafka_bootstrap", "kafka_server", "own_kafka", "own_postgres", "postgres_server", "postgres_url",
    "real_data",
]  # fmt: skip

LIVED: list[str] = []
OURS = ("GRIDCASE_TEST_DATA", "GRIDCASE_SOAK", "GRIDCASE_SOAK_MINUTES")


def pytest_configure() -> None:
    """Settings of the person at the keyboard reach no test; a slow machine makes no property false."""
    for name in [name for name in os.environ if name.startswith("GRIDCASE_") and name not in OURS]:
        del os.environ[name]
    settings.register_profile("gridcase", deadline=None, print_blob=True)
    settings.load_profile("gridcase")


def pytest_report_header() -> list[str]:
    """The real parts: a figure without them says nothing."""
    found = postgres.binaries()
    database = f"{postgres.version(found)} ({found.origin})" if found else "absent, its tests are skipped"
    data = realdata.folder()
    there = str(data) if data else "no (GRIDCASE_TEST_DATA), its tests are skipped"
    machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
    return [
        f"python: {platform.python_version()} ({machine})",
        f"sqlite: {sqlite3.sqlite_version}",
        f"postgresql: {database}",
        f"kafka: {kafka.described()}",
        f"real city data: {there}",
        f"soak: {'yes' if soaking() else 'no (GRIDCASE_SOAK=1 or make soak)'}",
    ]


@pytest.fixture
def tell() -> list[str]:
    """Where a test puts the line about a whole city that the end of the run prints."""
    return LIVED


def soaking() -> bool:
    return os.environ.get("GRIDCASE_SOAK") == "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long runs are only for `make soak`."""
    if soaking():
        return
    for item in items:
        if item.get_closest_marker("soak"):
            item.add_marker(pytest.mark.skip(reason="a long run: make soak"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Numbers of whole cities, and each reason for which tests were not run: silence looks like success."""
    if LIVED:
        terminalreporter.section("whole cities")
        for line in LIVED:
            terminalreporter.line(line)
    skipped: Counter[str] = Counter()
    for report in terminalreporter.stats.get("skipped", []):
        found = report.longrepr
        reason = found[2] if isinstance(found, tuple) else str(found)
        skipped[reason.removeprefix("Skipped: ")] += 1
    terminalreporter.section("left out")
    if not skipped:
        terminalreporter.line("nothing was skipped")
    for reason, count in skipped.most_common():
        terminalreporter.line(f"{count:>5}  {reason}")


def pytest_runtest_teardown() -> None:
    """A command run in this process logs to an output that is closed after its test."""
    structlog.reset_defaults()
