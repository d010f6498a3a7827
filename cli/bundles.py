"""A bundle that is not published: all its faults as one table, and the fault that ends the command."""

from pathlib import Path
from typing import ClassVar

from cli.output import Exit, errors, table
from kernel.errors import Fault
from rules.bundle import Bundle
from rules.faults import Faults
from rules.folder import compile_folder


class BundleHasFaults(Fault):
    """The bundle {path} has {count} faults, listed above: expected none, for a faulty bundle is never published. Do: mend them and try again."""  # noqa: E501 - a message is one line

    exit_code: ClassVar[int] = Exit.BUNDLE

    def __init__(self, path: Path, faults: Faults) -> None:
        super().__init__(path=path, count=len(faults))


def compiled(path: Path) -> Bundle:
    """The bundle in a folder; its faults go to stderr as a table, then `BundleHasFaults` is raised."""
    bundle = compile_folder(path)
    if isinstance(bundle, Faults):
        rows = [(fault.file, fault.row or "", fault.column, fault.value, fault.expected, fault.do) for fault in bundle]
        errors().print(table("Faults 规则包错误", ["file", "row", "column", "found", "expected", "do"], rows))
        raise BundleHasFaults(path, bundle)
    return bundle
