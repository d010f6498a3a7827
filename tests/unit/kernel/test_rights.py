"""Rights come from the registry, and the registry says what processors read."""

import yaml

from cli.topology import PROCESSORS
from kernel.edge import EDGE
from kernel.kafka.layout import layouts
from kernel.kafka.rights import (
    actors,
    rights,
    rights_of_operator,
    rights_of_unit,
    services,
    strimzi,
    used,
)

UNITS = ("CG", "城管")


def named(topic: str) -> str:
    return f"t.{topic}"


WANTED = layouts(named, 6, UNITS, 3)


def may(*who: str) -> dict[str, str]:
    """What is allowed, in one letter each: with a topic, or a group after a slash."""
    letters = {"Read": "r", "Write": "w", "DescribeConfigs": "", "Create": "c", "Describe": ""}
    return {
        ("/" if one.kind == "group" else "") + one.name.removeprefix("t."): "".join(
            letters[operation] for operation in one.operations
        )
        for one in rights(who, WANTED, named)
    }


def test_router_reads_commands_and_rules_and_writes_what_leaves_it() -> None:
    assert may("router.case") == {
        "case.commands": "rw",
        "case.events": "rw",
        "intake.desk": "w",
        "rules.editions": "r",
        "/router.case": "r",
    }


def test_the_edge_writes_inboxes_and_reads_only_what_is_open_to_others() -> None:
    found = may(EDGE)
    reads = {name for name, letters in found.items() if "r" in letters}
    assert reads == {"grid.events", "unit.CG.commands", "unit.城管.commands", "/edge"}
    assert {"intake.reports", "case.commands", "sla.commands", "registry.commands"} < set(found)
    assert "case.events" not in found


def test_the_fan_writes_to_each_units_own_topic() -> None:
    assert may("notifier.fan") == {
        "case.events": "r",
        "notice.requests": "w",
        "rules.editions": "r",
        "unit.CG.cases": "w",
        "unit.城管.cases": "w",
        "/notifier.fan": "r",
    }


def test_what_a_processor_reads_is_what_the_registry_grants_it() -> None:
    assert {processor.name for processor in PROCESSORS} | {EDGE} == set(actors())
    for processor in PROCESSORS:
        read = {name for name, letters in may(processor.name).items() if "r" in letters and name[0] != "/"}
        journal = {processor.events.name} if processor.events else set[str]()
        assert read == set(processor.topics) | journal, processor.name


def test_everything_that_is_used_can_be_compared_with_the_registry() -> None:
    for who in services().values():
        granted = rights(who, WANTED, named)
        topics = [one for one in granted if one.kind == "topic"]
        assert all("DescribeConfigs" in one.operations for one in topics)
        assert {one.name for one in used(granted, WANTED)} == {one.name for one in topics}


def test_the_operator_makes_all_topics_and_lets_the_first_edition_in() -> None:
    granted = {(one.kind, one.name): set(one.operations) for one in rights_of_operator(WANTED, named)}
    assert all({"Create", "Describe"} <= granted["topic", layout.name] for layout in WANTED)
    assert "Write" in granted["topic", "t.registry.commands"]
    assert "Read" in granted["topic", "t.rules.editions"]
    assert "Read" not in granted["topic", "t.case.events"]
    assert granted["group", "t.registry.rules"] == {"Read"}


def test_a_unit_reads_its_cases_and_commands_by_its_own_topic() -> None:
    assert [tuple(one) for one in rights_of_unit("CG", named)] == [
        ("topic", "t.unit.CG.cases", ["Read"]),
        ("topic", "t.unit.CG.commands", ["Write"]),
        ("group", "t.unit.CG", ["Read"]),
    ]


def test_users_for_strimzi_have_the_same_rights() -> None:
    granted = {"router": rights(("router.case",), WANTED, named)}
    (user,) = yaml.safe_load_all(strimzi(granted, "main"))
    assert user["metadata"] == {"name": "router", "labels": {"strimzi.io/cluster": "main"}}
    assert [
        (acl["resource"]["type"], acl["resource"]["name"], acl["operations"])
        for acl in user["spec"]["authorization"]["acls"]
    ] == [tuple(right) for right in granted["router"]]
