"""What is published follows the models, and a published contract stays readable."""

import json
from typing import Any

import pytest

from schemas import publish
from schemas.asyncapi import CARRIES, document
from schemas.contracts import CONTRACTS
from schemas.publish import ASYNCAPI, breaches, pages, published, write
from schemas.topics import FAMILIES, TOPICS

NAME = "gridcase.test.Sample.v1"


def sample(properties: dict[str, Any], required: list[str], **defs: Any) -> dict[str, str]:
    schema = {"type": "object", "properties": properties, "required": required, "$defs": defs}
    return {f"{NAME}.json": json.dumps(schema)}


TEXT, NUMBER = {"type": "string", "title": "A"}, {"type": "integer"}
BEFORE = sample({"a": TEXT, "b": NUMBER}, ["a"])


def test_what_is_published_follows_the_models() -> None:
    expected, found = pages(), published()
    assert expected.keys() == found.keys(), "run make schemas"
    changed = [name for name in expected if expected[name] != found[name]]
    assert not changed, f"run make schemas; changed: {changed}"


def test_the_models_can_be_read_by_the_readers_of_what_is_published() -> None:
    assert breaches(published(), pages()) == []


def test_every_contract_has_a_page_and_refuses_unknown_fields() -> None:
    found = published()
    assert found.keys() == {f"{name}.json" for name in CONTRACTS} | {ASYNCAPI}
    for name in CONTRACTS:
        assert json.loads(found[f"{name}.json"])["additionalProperties"] is False


def test_a_field_may_come_with_a_default() -> None:
    assert breaches(BEFORE, sample({"a": TEXT, "b": NUMBER, "c": TEXT}, ["a"])) == []


def test_words_may_change() -> None:
    assert breaches(BEFORE, sample({"a": {"type": "string", "description": "x"}, "b": NUMBER}, ["a"])) == []


@pytest.mark.parametrize(
    ("after", "what"),
    [
        (sample({"a": TEXT}, ["a"]), "b was removed"),
        (sample({"a": TEXT, "b": NUMBER, "c": TEXT}, ["a", "c"]), "c is new and has no default"),
        (sample({"a": TEXT, "b": NUMBER}, ["a", "b"]), "b lost its default"),
        (
            sample({"a": NUMBER, "b": NUMBER}, ["a"]),
            "a changed from {'type': 'string'} to {'type': 'integer'}",
        ),
        ({}, "expected to stay, found nothing; keep it, or retire it with an upcast"),
    ],
)
def test_everything_else_needs_a_new_version(after: dict[str, str], what: str) -> None:
    assert breaches(BEFORE, after) == [f"{NAME}: {what}"]


def test_a_retired_contract_has_an_upcast(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "UPCASTS", {NAME: (f"{NAME}2", dict)})
    assert breaches(BEFORE, {}) == []


def test_a_nested_contract_is_held_to_the_same() -> None:
    before = sample({}, [], Part={"properties": {"x": TEXT}})
    after = sample({}, [], Part={"properties": {}})
    assert breaches(before, after) == [f"{NAME}: Part.x was removed"]


def test_publishing_a_breach_writes_nothing(tmp_path: Any) -> None:
    (tmp_path / f"{NAME}.json").write_text(BEFORE[f"{NAME}.json"])
    assert write(tmp_path) == [
        f"{NAME}: expected to stay, found nothing; keep it, or retire it with an upcast"
    ]
    assert [path.name for path in tmp_path.iterdir()] == [f"{NAME}.json"]
    assert write(tmp_path, before_release=True) == []
    assert published(tmp_path) == pages()


def test_every_topic_says_what_it_carries() -> None:
    assert CARRIES.keys() == {topic.name for topic in TOPICS} | {family.pattern for family in FAMILIES}


def test_every_reference_of_the_asyncapi_document_leads_somewhere() -> None:
    whole = document()
    found = published()

    def follow(part: Any) -> None:
        if isinstance(part, list):
            for each in part:
                follow(each)
        elif isinstance(part, dict):
            target = part.get("$ref", "")
            if target.startswith("./"):
                assert target[2:] in found
            elif target:
                at: Any = whole
                for key in target.removeprefix("#/").split("/"):
                    at = at[key]
            for each in part.values():
                follow(each)

    follow(whole)


def test_unit_topics_never_name_a_reporter() -> None:
    [family] = [each for each in FAMILIES if each.pattern == "unit.{id}.cases"]
    for contract in CARRIES[family.pattern]:
        assert not any("report" in field for field in contract.__dataclass_fields__)
