"""Which topics a city needs, as the registry declares them, and in what those of the brokers differ."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

import yaml

from schemas.topics import FAMILIES, TOPICS, Family, Retention, Topic

LARGEST_BATCH_BYTES: Final = 2 * 1024 * 1024
"""What the brokers take at once: a batch of ours, or one message that is larger than a batch."""

LARGEST_OPEN_BYTES: Final = 8 * 1024 * 1024
"""What they take of others at once, so that what is too large for the edge is a dead letter and no riddle."""

APPLY: Final = "gridcase topics apply"

_DAY_MS: Final = 24 * 60 * 60 * 1000
_RETENTION_MS: Final = {
    Retention.FOR_EVER: -1,
    Retention.DAYS_30: 30 * _DAY_MS,
    Retention.DAYS_7: 7 * _DAY_MS,
}
_STAMPS: Final = "message.timestamp.type"
_POLICY: Final = "cleanup.policy"
_CODEC: Final = "compression.type"
_STOPS: Final = frozenset({_STAMPS, _POLICY, _CODEC})
"""Settings that no worker can do without: stamps by the log's own clock, no record taken out, and in what
others write no compression that only they can read.
"""


class Layout(NamedTuple):
    """One topic as it should be. `topic` is its name among us, `name` what the brokers call it."""

    topic: str
    name: str
    partitions: int
    replicas: int
    settings: Mapping[str, str]


class Found(NamedTuple):
    """One topic as the brokers have it; `replicas` is that of the partition with the fewest."""

    partitions: int
    replicas: int
    settings: Mapping[str, str]


class Difference(NamedTuple):
    """In what a topic differs. One that `stops` lets no worker start."""

    topic: str
    what: str
    expected: str
    found: str
    do: str
    stops: bool


def layouts(
    named: Callable[[str], str], partitions: int, units: Iterable[str], replicas: int
) -> Sequence[Layout]:
    """All topics of a city with so many partitions, and a family of them for each subscribing unit."""
    topics: list[Topic] = list(TOPICS)
    topics += [family.of(unit) for unit in sorted(set(units)) for family in FAMILIES]
    return [
        Layout(
            topic=topic.name,
            name=named(topic.name),
            partitions=1 if topic.single else partitions,
            replicas=replicas,
            settings=_settings(topic, replicas),
        )
        for topic in topics
    ]


def _settings(topic: Topic, replicas: int) -> Mapping[str, str]:
    return {
        _POLICY: "delete",
        _STAMPS: "LogAppendTime",
        "retention.ms": str(_RETENTION_MS[topic.retention]),
        "retention.bytes": "-1",
        "min.insync.replicas": str(max(1, replicas - 1)),
        "max.message.bytes": str(LARGEST_OPEN_BYTES if topic.open else LARGEST_BATCH_BYTES),
        **({_CODEC: "uncompressed"} if topic.open else {}),
    }


def missing(wanted: Iterable[Layout], found: Mapping[str, Found]) -> Sequence[Layout]:
    """Those of the wanted that are not there."""
    return [layout for layout in wanted if layout.name not in found]


def differences(
    wanted: Iterable[Layout], found: Mapping[str, Found], others: Collection[str] = ()
) -> Sequence[Difference]:
    """What of the wanted is not there or not so; `others` are topics of units that nobody wants."""
    seen: list[Difference] = []
    for layout in wanted:
        there = found.get(layout.name)
        if there is None:
            expected = f"a topic with {layout.partitions} partitions"
            seen.append(Difference(layout.name, "missing", expected, "none", APPLY, stops=True))
        else:
            seen += _compared(layout, there)
    for name in sorted(others):
        expected = "no topic for a unit that does not subscribe"
        do = "delete it once nobody reads it any more"
        seen.append(Difference(name, "left over", expected, "one", do, stops=False))
    return seen


def _compared(layout: Layout, found: Found) -> Iterable[Difference]:
    name = layout.name
    if found.partitions != layout.partitions:
        yield Difference(
            name, "partitions", str(layout.partitions), str(found.partitions),
            "the number is fixed with the city: name its topics by another GRIDCASE_KAFKA_PREFIX, or delete "
            f"this one if nothing of it is needed, then {APPLY}",
            stops=True,
        )  # fmt: skip
    if found.replicas < layout.replicas:
        yield Difference(
            name, "replicas", str(layout.replicas), str(found.replicas),
            "reassign its partitions with the tools of the brokers; until then less is safe",
            stops=False,
        )  # fmt: skip
    for key, expected in layout.settings.items():
        value = found.settings.get(key, "")
        if value != expected:
            do = f"set {key}={expected} with the tools of the brokers{_why(key, expected, value)}"
            yield Difference(name, key, expected, value, do, stops=key in _STOPS)


def _why(key: str, expected: str, found: str) -> str:
    """What the difference means, where that is worth a word."""
    if key == "retention.ms" and found != "-1" and (expected == "-1" or int(found) < int(expected)):
        return "; until then records may go before they are read"
    if key == "min.insync.replicas" and int(found or 0) < int(expected):
        return "; until then what is acknowledged may be lost with one broker"
    return ""


def left_over(named: Callable[[str], str], wanted: Iterable[Layout], there: Iterable[str]) -> Sequence[str]:
    """Topics on the brokers that are of a unit's family and belong to no unit that subscribes."""
    known = {layout.name for layout in wanted}
    shapes = [_shape(named, family) for family in FAMILIES]
    return [
        name
        for name in there
        if name not in known and any(name.startswith(head) and name.endswith(tail) for head, tail in shapes)
    ]


def _shape(named: Callable[[str], str], family: Family) -> tuple[str, str]:
    head, _, tail = family.pattern.partition("{id}")
    return named(head), tail


def strimzi(wanted: Iterable[Layout], cluster: str) -> str:
    """The topics as resources of Strimzi's topic operator, for the Kafka cluster of this name."""
    return yaml.safe_dump_all(
        [
            {
                "apiVersion": "kafka.strimzi.io/v1beta2",
                "kind": "KafkaTopic",
                "metadata": {"name": resource_name(layout.name), "labels": {"strimzi.io/cluster": cluster}},
                "spec": {
                    "topicName": layout.name,
                    "partitions": layout.partitions,
                    "replicas": layout.replicas,
                    "config": dict(layout.settings),
                },
            }
            for layout in wanted
        ],
        sort_keys=False,
        explicit_start=True,
    )


def resource_name(name: str) -> str:
    """A name that Kubernetes takes: small letters, figures, points; a mark where the topic has others."""
    plain = name.lower().replace("_", "-").strip(".-")
    return plain if plain == name else f"{plain}-{sha256(name.encode()).hexdigest()[:8]}"
