"""One lived city for the session, and the table of faults that the end of the run prints."""

import asyncio

import pytest

from tests.integration import faults
from tests.integration.lived import Lived, live
from tests.keeping import clerk, keeper, tiny_workbook

__all__ = ["clerk", "keeper", "lived", "tiny_workbook"]


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """A hundred and fifty reports, lived on SQLite until the last case was over."""
    return asyncio.run(live(f"sqlite:///{tmp_path_factory.mktemp('lived')}/city.db", 150))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The exact count after each fault."""
    if faults.TABLE:
        terminalreporter.section("faults under load")
        for line in faults.lines():
            terminalreporter.line(line)
        terminalreporter.line(f"also in {faults.FILE}")
