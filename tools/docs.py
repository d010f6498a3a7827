"""Writes what is generated under docs/reference: `make docs`. A test may call `pages()` to find drift."""

import importlib.util
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- written by `make docs`; do not edit -->\n\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def topics() -> str:
    """Every topic, as declared in schemas/topics.py."""
    from schemas.topics import FAMILIES, TOPICS  # noqa: PLC0415  the page is skipped where it is absent

    rows = [
        (f"`{name}`", item.key, ", ".join(item.producers), ", ".join(item.consumers) or "–", item.retention)
        for name, item in [*((t.name, t) for t in TOPICS), *((f.pattern, f) for f in FAMILIES)]
    ]
    return "# Topics\n\n" + table(("topic", "key", "producers", "consumers", "retention"), rows)


def commands() -> str:
    """The command line, as typer knows it."""
    typer = [sys.executable, "-m", "typer", "cli.main", "utils", "docs", "--name", "gridcase"]
    return subprocess.run(typer, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def settings() -> str:
    """Every setting with its bounds."""
    from kernel.settings import reference  # noqa: PLC0415  the page is skipped where it is absent

    return reference()


def pages() -> dict[Path, str]:
    """Each page with its text; a page whose source is not there is left out."""
    sources = {
        "topics.md": ("schemas.topics", topics),
        "gridcase.md": ("cli.main", commands),
        "settings.md": ("kernel.settings", settings),
    }
    return {
        REFERENCE / name: NOTE + write().strip() + "\n"
        for name, (module, write) in sources.items()
        if (ROOT / Path(*module.split("."))).with_suffix(".py").exists() and importlib.util.find_spec(module)
    }


def main() -> None:
    """Writes all pages."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
