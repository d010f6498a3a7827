from collections.abc import Callable
from pathlib import Path
from shutil import copy, copytree
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from openpyxl import load_workbook

from rules.faults import Fault, Faults
from rules.folder import compile_folder, read_folder
from rules.source import compile_bundle
from rules.writing import write_workbook

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


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    copytree(TINY, tmp_path / "city")
    return Keeper(tmp_path / "city")


class Clerk:
    """Who keeps a city's workbook: edits its cells as Excel would, and asks for its faults."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def put(self, sheet: str, cell: str, value: object) -> None:
        """Type a value: a text stays text, a number or a date becomes one."""
        self.change(lambda workbook: workbook[sheet].__setitem__(cell, value))

    def change(self, edit: Callable[[Any], object]) -> None:
        workbook = load_workbook(self.path)
        edit(workbook)
        workbook.save(self.path)

    def rewrite(self, part: str, edit: Callable[[bytes], bytes]) -> None:
        """Change the bytes of one part of the file."""
        with ZipFile(self.path) as old:
            parts = {name: old.read(name) for name in old.namelist()}
        parts[part] = edit(parts[part])
        with ZipFile(self.path, "w", ZIP_DEFLATED) as new:
            for name, body in parts.items():
                new.writestr(name, body)

    def faults(self) -> list[Fault]:
        compiled = compile_bundle(self.path)
        return list(compiled) if isinstance(compiled, Faults) else []

    def found(self) -> list[tuple[str, int, str, str]]:
        """Each fault as sheet, row, column and code."""
        return [(fault.file, fault.row, fault.column, fault.code) for fault in self.faults()]


@pytest.fixture(scope="session")
def tiny_workbook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tiny") / "city.xlsx"
    write_workbook(read_folder(TINY), path)
    return path


@pytest.fixture
def clerk(tmp_path: Path, tiny_workbook: Path) -> Clerk:
    return Clerk(Path(copy(tiny_workbook, tmp_path)))
