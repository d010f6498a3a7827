"""Where a city's data comes from: wherever a bundle is named, a folder and a workbook do alike."""

from pathlib import Path

from rules.bundle import Bundle
from rules.faults import Faults
from rules.folder import compile_folder, read_folder
from rules.rows import Folder
from rules.workbook import compile_workbook, read_workbook

_EXCEL = (".xlsx", ".xlsm")


def is_workbook(path: Path) -> bool:
    """Whether the path names a workbook; any other file is taken for one too, and refused in words."""
    return path.suffix.lower() in _EXCEL or path.is_file()


def compile_bundle(path: Path) -> Bundle | Faults:
    """The bundle of a folder or workbook, or everything that is wrong with it."""
    return compile_workbook(path) if is_workbook(path) else compile_folder(path)


def read_bundle(path: Path) -> Folder:
    """The rows of a folder or workbook, with what could not be read."""
    return read_workbook(path) if is_workbook(path) else read_folder(path)


def beside(path: Path, file: str) -> Path:
    """A file that belongs to a bundle without being part of it: in its folder, or beside its workbook."""
    return path.with_name(file) if is_workbook(path) else path / file
