"""A rule without a test is a wish: no source file beyond 400 lines, no function beyond 40."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("schemas", "rules", "kernel", "services", "cities", "cli", "bench", "tools")
FILE_LINES = 400
FUNCTION_LINES = 40

# Files and functions that are tables: a page of rows is easier to read than the same rows in two places.
# Each with its reason; a name that no longer exists, or is no longer long, fails too.
TABLES: dict[str, str] = {}

# Alembic calls `upgrade` and `downgrade`: one row for each column, run once.
MIGRATIONS = "migrations"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def source_files() -> list[Path]:
    return sorted(path for folder in SOURCES for path in (ROOT / folder).rglob("*.py"))


def functions(tree: ast.AST, outer: str = "") -> Iterator[tuple[str, Function]]:
    """Every function with its dotted name, methods and inner functions too."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, Function | ast.ClassDef):
            name = f"{outer}.{node.name}" if outer else node.name
            if isinstance(node, Function):
                yield name, node
            yield from functions(node, name)
        else:
            yield from functions(node, outer)


def lines_of(function: Function) -> int:
    """From `def` to the last line, without the docstring: prose is free."""
    total = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is None:
        return total
    return total - ((first.end_lineno or first.lineno) - first.lineno + 1)


@cache
def too_long() -> dict[str, str]:
    """What breaks the rule: place to what was found."""
    found: dict[str, str] = {}
    for path in source_files():
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text(encoding="utf-8")
        count = len(text.splitlines())
        if count > FILE_LINES:
            found[name] = f"{count} lines, at most {FILE_LINES}"
        if MIGRATIONS in path.parts:
            continue
        for function, node in functions(ast.parse(text)):
            length = lines_of(node)
            if length > FUNCTION_LINES:
                found[f"{name}:{function}"] = f"{length} lines, at most {FUNCTION_LINES}"
    return found


def test_no_file_and_no_function_is_too_long() -> None:
    found = {place: size for place, size in too_long().items() if place not in TABLES}
    assert not found, "\n".join(["", *(f"{place}: {size}" for place, size in found.items())])


def test_every_exemption_is_still_needed() -> None:
    assert not TABLES.keys() - too_long().keys()


def test_a_long_function_is_found() -> None:
    tree = ast.parse("class A:\n    def f(self):\n" + "        x = 1\n" * 45)
    [(name, node)] = functions(tree)
    assert (name, lines_of(node)) == ("A.f", 46)


def test_a_docstring_does_not_count() -> None:
    [(_, node)] = functions(ast.parse('def f():\n    """One.\n    Two."""\n    return 1\n'))
    assert lines_of(node) == 2
