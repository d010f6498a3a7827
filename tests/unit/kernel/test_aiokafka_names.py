"""The types that we wrote for aiokafka, Faust and mode name only what the installed ones have."""

import ast
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("aiokafka")
pytest.importorskip("faust")
ROOT = Path(__file__).resolve().parents[3]
STUBS = sorted((ROOT / "typings").rglob("*.pyi"))


def module_of(stub: Path) -> str:
    parts = stub.relative_to(ROOT / "typings").with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def missing(place: str, real: object, named: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """Arguments that the stub passes by name or place and the real function does not take."""
    if not callable(real):
        return  # a property
    taken = inspect.signature(real).parameters
    kinds = {parameter.kind for parameter in taken.values()}
    for argument in (*named.args.args, *named.args.kwonlyargs):
        if argument.arg not in taken and inspect.Parameter.VAR_KEYWORD not in kinds:
            yield f"{place}({argument.arg})"


def differences(module: str, tree: ast.Module) -> Iterator[str]:
    real = importlib.import_module(module)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield from missing(f"{module}.{node.name}", getattr(real, node.name), node)
        if not isinstance(node, ast.ClassDef) or node.name in {"Record", "RecordBatch"}:
            continue  # records come from a C extension; the contract suite reads them
        kind = getattr(real, node.name)
        for member in node.body:
            if not isinstance(member, ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            found = getattr(kind, member.name, None)
            if found is None:
                yield f"{module}.{node.name}.{member.name}"
            elif member.name not in {"__aexit__", "__iter__"}:
                yield from missing(f"{module}.{node.name}.{member.name}", found, member)


@pytest.mark.parametrize("stub", STUBS, ids=module_of)
def test_every_name_and_argument_of_our_types_is_there(stub: Path) -> None:
    assert list(differences(module_of(stub), ast.parse(stub.read_text("utf-8")))) == []
