from pathlib import Path

from rules.faults import Fault, Faults
from rules.folder import compile_folder

TINY = Path(__file__).parent / "cities" / "tiny"


class Keeper:
    """Who keeps the city's files: edits a copy of the tiny city and asks for its faults."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def edit(self, file: str, old: str, new: str) -> None:
        text = (self.path / file).read_text("utf-8")
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        (self.path / file).write_text(text.replace(old, new), "utf-8")

    def add(self, file: str, line: str) -> None:
        with (self.path / file).open("a", encoding="utf-8") as lines:
            lines.write(line + "\n")

    def faults(self) -> list[Fault]:
        compiled = compile_folder(self.path)
        return list(compiled) if isinstance(compiled, Faults) else []

    def found(self) -> list[tuple[str, int, str, str]]:
        """Each fault as file, row, column and code."""
        return [(fault.file, fault.row, fault.column, fault.code) for fault in self.faults()]
