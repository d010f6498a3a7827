"""What the real-input runs came to, printed at the end."""

import pytest

LINES: list[str] = []


@pytest.fixture
def tell() -> list[str]:
    """Where a test puts the line that the end of the run prints."""
    return LINES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Numbers of whole cities."""
    if LINES:
        terminalreporter.section("cities lived until their last case was over")
        for line in LINES:
            terminalreporter.line(line)
