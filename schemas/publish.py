"""Writes schemas/published/ (公布的数据契约): a JSON Schema for each contract, AsyncAPI 3 for all topics.

`python -m schemas.publish` refuses to replace a published contract by one that its readers could not read:
a field may come with a default, nothing else may change without a new version. Before the first release
`--before-release` overrules that, and the change is then in the diff for everybody to see.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias

from pydantic import TypeAdapter

from schemas.asyncapi import document
from schemas.contracts import CONTRACTS
from schemas.upcasts import UPCASTS

PUBLISHED: Final = Path(__file__).parent / "published"
ASYNCAPI: Final = "asyncapi.json"

Json: TypeAlias = dict[str, Any]


def contract_schema(name: str, contract: type) -> Json:
    """The JSON Schema of one contract's data; unknown fields are refused."""
    schema = TypeAdapter[Any](contract).json_schema()
    schema.setdefault("title", contract.__name__)
    for part in (schema, *schema.get("$defs", {}).values()):
        if part.get("type") == "object":
            part["additionalProperties"] = False
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": name} | schema


def pages(contracts: Mapping[str, type] = CONTRACTS) -> dict[str, str]:
    """Every file of published/, by name."""
    schemas = {f"{name}.json": contract_schema(name, contract) for name, contract in contracts.items()}
    return {name: _written(page) for name, page in {**schemas, ASYNCAPI: document()}.items()}


def published(folder: Path = PUBLISHED) -> dict[str, str]:
    """What stands in published/ now, by file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.json"))}


def breaches(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What a reader of the published contracts could not read any more, one line each."""
    found: list[str] = []
    for name in sorted(before.keys() - {ASYNCAPI}):
        contract = name.removesuffix(".json")
        if name in after:
            found += [
                f"{contract}: {what}" for what in _broken(json.loads(before[name]), json.loads(after[name]))
            ]
        elif contract not in UPCASTS:
            found.append(f"{contract}: expected to stay, found nothing; keep it, or retire it with an upcast")
    return found


def _broken(before: Json, after: Json) -> Iterator[str]:
    old, new = _objects(before), _objects(after)
    for place, fields in old.items():
        if place not in new:
            continue
        known, required = fields.get("properties", {}), set(fields.get("required", ()))
        found, wanted = new[place].get("properties", {}), set(new[place].get("required", ()))
        where = f"{place}." if place else ""
        yield from (f"{where}{field} was removed" for field in known.keys() - found.keys())
        yield from (
            f"{where}{field} is new and has no default" for field in (wanted - required) - known.keys()
        )
        yield from (f"{where}{field} lost its default" for field in (wanted - required) & known.keys())
        for field in sorted(known.keys() & found.keys()):
            if _shape(known[field]) != _shape(found[field]):
                yield f"{where}{field} changed from {_shape(known[field])} to {_shape(found[field])}"


def _objects(schema: Json) -> dict[str, Json]:
    """The object itself under the empty name, and the nested ones by theirs."""
    return {"": schema, **schema.get("$defs", {})}


_WORDS: Final = frozenset({"title", "description", "default"})


def _shape(field: Any) -> Any:
    """A field without words and default: what decides which bytes are read."""
    if isinstance(field, dict):
        return {key: _shape(value) for key, value in field.items() if key not in _WORDS}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
    if isinstance(field, list):
        return [_shape(value) for value in field]  # pyright: ignore[reportUnknownVariableType]
    return field


def _written(page: Json) -> str:
    return json.dumps(page, ensure_ascii=False, indent=2) + "\n"


def write(folder: Path = PUBLISHED, *, before_release: bool = False) -> list[str]:
    """Bring published/ up to date; gives what stands against it, in which case nothing was written."""
    after = pages()
    before = published(folder)
    against = [] if before_release else breaches(before, after)
    if against:
        return against
    folder.mkdir(exist_ok=True)
    for name in before.keys() - after.keys():
        (folder / name).unlink()
    for name, page in after.items():
        if before.get(name) != page:
            (folder / name).write_text(page, encoding="utf-8")
    return []


def main(arguments: list[str]) -> int:
    against = write(before_release="--before-release" in arguments)
    if not against:
        return 0
    advice = "do: give new fields a default, or write a new version with an upcast (schemas/upcasts.py);"
    unreleased = "nothing released yet? python -m schemas.publish --before-release"
    sys.stderr.write(
        "\n".join(
            [
                "expected: contracts that their readers can still read; found:",
                *against,
                advice,
                unreleased,
                "",
            ]
        )
    )
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
