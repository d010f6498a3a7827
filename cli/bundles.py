"""The bundle that a command was given, a folder or a workbook: compiled, or refused with all its faults."""

from pathlib import Path

from cli.output import BundleFaults
from rules.bundle import Bundle
from rules.faults import Faults
from rules.source import compile_bundle


def bundle_of(path: Path) -> Bundle:
    """The compiled bundle; one with faults is a `BundleFaults` that lists them all."""
    compiled = compile_bundle(path)
    if isinstance(compiled, Faults):
        raise BundleFaults(path, compiled)
    return compiled
