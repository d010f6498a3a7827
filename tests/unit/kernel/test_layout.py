"""Given a registry and a cluster, when they are compared, then each difference is said in words."""

from collections.abc import Mapping

import pytest
import yaml

from kernel.kafka.cluster import Cluster
from kernel.kafka.layout import (
    Difference,
    Found,
    Layout,
    differences,
    layouts,
    left_over,
    missing,
    strimzi,
)
from schemas.topics import FAMILIES, TOPICS

YUNXI = Cluster("broker:9092", prefix="yunxi.")


def wanted(*units: str, partitions: int = 24, replicas: int = 3) -> Mapping[str, Layout]:
    """The layouts of a city, by the topic's name among us."""
    return {layout.topic: layout for layout in layouts(YUNXI.name, partitions, units, replicas)}


def exactly(city: Mapping[str, Layout]) -> dict[str, Found]:
    """A cluster that has just what is wanted."""
    return {
        layout.name: Found(layout.partitions, layout.replicas, layout.settings) for layout in city.values()
    }


class Cluster0:
    """given / when / then of a comparison; everything but the topic in question is as wanted."""

    def __init__(self, topic: str = "case.events") -> None:
        self.city = wanted("JD01")
        self.cluster = exactly(self.city)
        self.name = self.city[topic].name

    def given(self, **facts: object) -> None:
        self.cluster[self.name] = self.cluster[self.name]._replace(**facts)  # pyright: ignore[reportArgumentType]

    def given_setting(self, key: str, value: str) -> None:
        self.given(settings={**self.cluster[self.name].settings, key: value})

    def when_compared(self) -> list[Difference]:
        return list(differences(self.city.values(), self.cluster))

    def then(self, what: str, expected: str, found: str, *, stops: bool) -> str:
        [one] = self.when_compared()
        assert one[:4] == (self.name, what, expected, found)
        assert one.stops is stops
        return one.do


@pytest.fixture
def cluster() -> Cluster0:
    return Cluster0()


# What a city wants.


def test_every_topic_of_the_registry_has_the_partitions_of_the_city() -> None:
    city = wanted(partitions=12)
    assert city.keys() == {topic.name for topic in TOPICS}
    assert {layout.partitions for layout in city.values()} == {12}


def test_a_unit_that_subscribes_gets_its_family_with_one_partition_each() -> None:
    city = wanted("JD01", "CG", "JD01")
    families = [layout for topic, layout in city.items() if topic.startswith("unit.")]
    assert [layout.topic for layout in families] == [
        "unit.CG.cases", "unit.CG.commands", "unit.JD01.cases", "unit.JD01.commands",
    ]  # fmt: skip
    assert {layout.partitions for layout in families} == {1}
    assert len(families) == 2 * len(FAMILIES)


def test_stamps_are_the_logs_own_nothing_is_compacted_and_retention_is_that_of_the_registry() -> None:
    city = wanted("JD01")
    assert {layout.settings["message.timestamp.type"] for layout in city.values()} == {"LogAppendTime"}
    assert {layout.settings["cleanup.policy"] for layout in city.values()} == {"delete"}
    kept = {topic: layout.settings["retention.ms"] for topic, layout in city.items()}
    assert kept["case.events"] == "-1"
    assert kept["case.commands"] == "2592000000"
    assert kept["unit.JD01.commands"] == "604800000"


@pytest.mark.parametrize(("replicas", "in_sync"), [(1, "1"), (2, "1"), (3, "2"), (5, "4")])
def test_all_copies_but_one_acknowledge(replicas: int, in_sync: str) -> None:
    assert {layout.settings["min.insync.replicas"] for layout in wanted(replicas=replicas).values()} == {
        in_sync
    }


# Names.


def test_brokers_get_names_that_they_take() -> None:
    assert YUNXI.name("case.events") == "yunxi.case.events"
    assert YUNXI.name("unit.城管-1.cases") == "yunxi.unit._e59f8e_e7aea1-1.cases"
    assert YUNXI.name("unit.a_b.cases") == "yunxi.unit.a_5fb.cases"


# What differs.


def test_a_cluster_as_the_registry_wants_it_has_no_difference(cluster: Cluster0) -> None:
    assert cluster.when_compared() == []


def test_a_missing_topic_is_to_be_made(cluster: Cluster0) -> None:
    del cluster.cluster[cluster.name]
    assert [layout.name for layout in missing(cluster.city.values(), cluster.cluster)] == [cluster.name]
    assert cluster.then("missing", "a topic with 24 partitions", "none", stops=True) == (
        "gridcase topics apply"
    )


def test_the_number_of_partitions_is_fixed_with_the_city(cluster: Cluster0) -> None:
    cluster.given(partitions=12)
    assert "GRIDCASE_KAFKA_PREFIX" in cluster.then("partitions", "24", "12", stops=True)


def test_stamps_of_the_senders_stop_the_workers(cluster: Cluster0) -> None:
    cluster.given_setting("message.timestamp.type", "CreateTime")
    do = cluster.then("message.timestamp.type", "LogAppendTime", "CreateTime", stops=True)
    assert do == "set message.timestamp.type=LogAppendTime with the tools of the brokers"


def test_a_compacted_topic_stops_the_workers(cluster: Cluster0) -> None:
    cluster.given_setting("cleanup.policy", "compact,delete")
    cluster.then("cleanup.policy", "delete", "compact,delete", stops=True)


def test_records_that_go_too_early_are_a_danger_and_those_that_stay_longer_are_not() -> None:
    cluster = Cluster0("case.commands")
    cluster.given_setting("retention.ms", "3600000")
    assert "before they are read" in cluster.then("retention.ms", "2592000000", "3600000", stops=False)
    cluster.given_setting("retention.ms", "-1")
    assert "before they are read" not in cluster.then("retention.ms", "2592000000", "-1", stops=False)


def test_what_is_to_stay_for_ever_and_does_not_is_a_danger(cluster: Cluster0) -> None:
    cluster.given_setting("retention.ms", "2592000000")
    assert "before they are read" in cluster.then("retention.ms", "-1", "2592000000", stops=False)


def test_fewer_copies_are_told_and_more_are_not(cluster: Cluster0) -> None:
    cluster.given(replicas=2)
    cluster.then("replicas", "3", "2", stops=False)
    cluster.given(replicas=5)
    assert cluster.when_compared() == []


def test_an_acknowledgement_by_one_alone_is_a_danger(cluster: Cluster0) -> None:
    cluster.given_setting("min.insync.replicas", "1")
    assert "may be lost" in cluster.then("min.insync.replicas", "2", "1", stops=False)


def test_all_differences_are_said_at_once_in_the_order_of_the_registry(cluster: Cluster0) -> None:
    cluster.given(partitions=1, replicas=1, settings={})
    seen = cluster.when_compared()
    assert [one.what for one in seen] == ["partitions", "replicas", *cluster.city["case.events"].settings]
    cluster.cluster.clear()
    assert [one.topic for one in cluster.when_compared()] == [one.name for one in cluster.city.values()]


def test_a_unit_that_no_longer_subscribes_leaves_topics_over(cluster: Cluster0) -> None:
    there = [*cluster.cluster, "yunxi.unit.CG.cases", "unit.CG.cases", "other.topic", "yunxi.unit.CG.other"]
    others = left_over(YUNXI.name, cluster.city.values(), there)
    assert others == ["yunxi.unit.CG.cases"]
    [one] = differences(cluster.city.values(), cluster.cluster, others)
    assert (one.topic, one.what, one.stops) == ("yunxi.unit.CG.cases", "left over", False)


# Strimzi.


def test_strimzi_gets_one_resource_for_each_topic() -> None:
    city = wanted("城管", partitions=6)
    resources = list(yaml.safe_load_all(strimzi(city.values(), "main")))
    assert len(resources) == len(city)
    by_topic = {resource["spec"]["topicName"]: resource for resource in resources}
    events = by_topic["yunxi.case.events"]
    assert events["metadata"] == {"name": "yunxi.case.events", "labels": {"strimzi.io/cluster": "main"}}
    assert events["spec"]["partitions"] == 6
    assert events["spec"]["config"] == dict(city["case.events"].settings)


def test_kubernetes_gets_names_that_it_takes_and_no_two_are_the_same() -> None:
    city = wanted("a_b", "a-b", "A-B", "城管")
    names = [resource["metadata"]["name"] for resource in yaml.safe_load_all(strimzi(city.values(), "main"))]
    assert len(set(names)) == len(city)
    assert all(name == name.lower() and "_" not in name and name.isascii() for name in names)
