"""Which rights each service needs at brokers that ask, as the registry of topics declares them.

A right is granted to a user on a topic or a group; Kafka's own words are kept for what may be done. Who may
read or write may also describe, so that is named only where nothing else is.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

import yaml

from kernel.kafka.layout import Layout, resource_name
from schemas.topics import BY_NAME, FAMILIES, TOPICS, Family, Topic

Operation: TypeAlias = Literal["Read", "Write", "Create", "Describe", "DescribeConfigs"]
Kind: TypeAlias = Literal["topic", "group"]

OPERATOR: Final = "operator"
"""Who founds the city and makes its topics."""

FOUNDERS: Final = ("registry.rules", "edge")
"""What works while a city is founded: its first edition comes in by the edge."""

_ALL: Final = "every processor"
_UNIT: Final = "the unit"
_OUTSIDE: Final = "outside"
"""Strangers, to whom only the city itself can say who they are."""
_CHECKED: Final[tuple[Operation, ...]] = ("DescribeConfigs",)
"""At its start everybody compares the topics that he uses with the registry."""

_ORDER: Final[tuple[Operation, ...]] = ("Read", "Write", "Create", "Describe", "DescribeConfigs")


class Right(NamedTuple):
    """What may be done with one topic or group, under the name that the brokers know."""

    kind: Kind
    name: str
    operations: Sequence[Operation]


def actors() -> Sequence[str]:
    """The edge and every processor that the registry names."""
    named = [name for topic in (*TOPICS, *FAMILIES) for name in (*topic.producers, *topic.consumers)]
    return [name for name in dict.fromkeys(named) if name not in {_ALL, _UNIT, _OUTSIDE}]


def services() -> Mapping[str, Sequence[str]]:
    """Each service with those of it that act."""
    found: dict[str, list[str]] = {}
    for actor in actors():
        found.setdefault(actor.partition(".")[0], []).append(actor)
    return found


def rights(who: Iterable[str], wanted: Sequence[Layout], named: Callable[[str], str]) -> Sequence[Right]:
    """What these processors, and the edge, must be allowed on the topics of a city."""
    found: dict[tuple[Kind, str], set[Operation]] = {}
    for actor in who:
        for layout in wanted:
            topic = _declared(layout.topic)
            does: set[Operation] = set()
            if _reads(topic, actor):
                does.add("Read")
                found.setdefault(("group", named(actor)), set()).add("Read")
            if actor in topic.producers:
                does.add("Write")
            if isinstance(topic, Topic) and topic.journal_of == actor:
                does.add("Read")  # at a claim what was published last is compared with the journal
            if does:
                found.setdefault(("topic", layout.name), set()).update(does, _CHECKED)
    return _sorted(found)


def rights_of_operator(wanted: Sequence[Layout], named: Callable[[str], str]) -> Sequence[Right]:
    """What it takes to found the city, to make its topics and to compare them."""
    found: dict[tuple[Kind, str], set[Operation]] = {
        (one.kind, one.name): set(one.operations) for one in rights(FOUNDERS, wanted, named)
    }
    for layout in wanted:
        found.setdefault(("topic", layout.name), set()).update({"Create", "Describe", "DescribeConfigs"})
    return _sorted(found)


def rights_of_unit(unit: str, named: Callable[[str], str]) -> Sequence[Right]:
    """What a unit's own systems need: to read its cases, as the group of its name, and to command."""
    found: dict[tuple[Kind, str], set[Operation]] = {("group", named(f"unit.{unit}")): {"Read"}}
    for family in FAMILIES:
        topic = family.of(unit)
        if _UNIT in topic.consumers:
            found.setdefault(("topic", named(topic.name)), set()).add("Read")
        if _UNIT in topic.producers:
            found.setdefault(("topic", named(topic.name)), set()).add("Write")
    return _sorted(found)


def used(granted: Iterable[Right], wanted: Sequence[Layout]) -> Sequence[Layout]:
    """Those topics on which there are any rights."""
    names = {right.name for right in granted if right.kind == "topic"}
    return [layout for layout in wanted if layout.name in names]


def strimzi(parties: Mapping[str, Sequence[Right]], cluster: str) -> str:
    """Users with their rights, as resources of Strimzi's user operator."""
    return yaml.safe_dump_all(
        [
            {
                "apiVersion": "kafka.strimzi.io/v1beta2",
                "kind": "KafkaUser",
                "metadata": {"name": resource_name(party), "labels": {"strimzi.io/cluster": cluster}},
                "spec": {
                    "authentication": {"type": "scram-sha-512"},
                    "authorization": {
                        "type": "simple",
                        "acls": [
                            {
                                "resource": {
                                    "type": right.kind,
                                    "name": right.name,
                                    "patternType": "literal",
                                },
                                "operations": list(right.operations),
                            }
                            for right in granted
                        ],
                    },
                },
            }
            for party, granted in parties.items()
        ],
        sort_keys=False,
        explicit_start=True,
    )


def _declared(name: str) -> Topic | Family:
    return BY_NAME.get(name) or next(family for family in FAMILIES if family.has(name))


def _reads(topic: Topic | Family, actor: str) -> bool:
    """Whether the actor takes messages from a topic; every processor has a point in its name."""
    return actor in topic.consumers or (_ALL in topic.consumers and "." in actor)


def _sorted(found: Mapping[tuple[Kind, str], Collection[Operation]]) -> Sequence[Right]:
    return [
        Right(kind, name, [one for one in _ORDER if one in does])
        for (kind, name), does in sorted(found.items(), key=lambda one: (one[0][0] == "group", one[0][1]))
    ]
