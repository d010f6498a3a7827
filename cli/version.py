"""`gridcase version`: what is installed here."""

import platform
import sqlite3
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Final

from cli.options import AsJson
from cli.output import emit, facts

_EXTRAS: Final = {"postgres": "asyncpg", "kafka": "aiokafka", "text": "rapidfuzz", "excel": "openpyxl"}


def show(as_json: AsJson = False) -> None:
    """Print the versions of gridcase and of what it stands on."""
    found = {
        "gridcase": _release(),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "platform": f"{platform.system()} {platform.machine()}",
        "extras": ", ".join(extra for extra, package in _EXTRAS.items() if find_spec(package)) or "none",
    }
    emit(found, facts("", list(found.items())), as_json=as_json)


def _release() -> str:
    try:
        return version("gridcase")
    except PackageNotFoundError:
        return "not installed"
