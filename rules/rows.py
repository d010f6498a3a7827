from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rules.columns import TEMPLATES
from rules.daytable import Offset
from rules.faults import DO, Fault

SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class Row:
    """The cells of one row with the place that they stand in; what is empty is not there.

    In YAML each cell has a line of its own.
    """

    file: str
    number: int
    cells: Mapping[str, str] = field(default_factory=dict[str, str])
    lines: Mapping[str, int] = field(default_factory=dict[str, int])

    def fault(self, code: str, column: str, expected: str, value: str = "", do: str = "") -> Fault:
        found = value or self.cells.get(column, "")
        number = self.lines.get(column, self.number)
        return Fault(self.file, number, column, code, found, expected, do or DO[code])


@dataclass(frozen=True, slots=True)
class Node:
    """A piece of a YAML file with its line. Scalars stay the text that they are: 08:00 is no number."""

    line: int
    value: "str | tuple[Node, ...] | Mapping[str, Node]"

    def items(self) -> "Mapping[str, Node]":
        return self.value if isinstance(self.value, Mapping) else {}

    def list(self) -> "tuple[Node, ...]":
        return self.value if isinstance(self.value, tuple) else ()

    def text(self) -> str:
        """A scalar, or a list of scalars as one cell; empty for a mapping."""
        if isinstance(self.value, str):
            return self.value
        return SEPARATOR.join(node.text() for node in self.list())

    def row(self, file: str, **more: str) -> Row:
        """A mapping as a row of a table."""
        cells = {key: node.text() for key, node in self.items().items()}
        lines = {key: node.line for key, node in self.items().items()}
        return Row(file, self.line, {key: text for key, text in (cells | more).items() if text}, lines)


NOTHING = Node(0, {})


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature of a GeoJSON file, its geometry as it was written."""

    row: Row
    geometry: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Folder:
    """The files of a city as rows, and what could not even be read."""

    tables: Mapping[str, Sequence[Row]] = field(default_factory=dict[str, Sequence[Row]])
    documents: Mapping[str, Node] = field(default_factory=dict[str, Node])
    features: Sequence[Feature] = ()
    offsets: tuple[Offset, ...] = ()
    faults: Sequence[Fault] = ()

    def table(self, file: str) -> Sequence[Row]:
        return self.tables.get(file, ())

    def document(self, file: str) -> Node:
        return self.documents.get(file, NOTHING)

    def templates(self) -> Mapping[str, Node]:
        """The words of each language, by the language's code."""
        files = (name for name in self.documents if name.startswith(TEMPLATES))
        return {name.removeprefix(TEMPLATES).removesuffix(".yaml"): self.documents[name] for name in files}


def rows_of(folder: Folder, file: str, parts: Sequence[object]) -> Sequence[Row]:
    """The rows that parts were read from, one each; parts that come from elsewhere get rows of their own."""
    rows = folder.table(file)
    return rows if len(rows) == len(parts) else [Row(file, number) for number, _ in enumerate(parts, start=2)]
