"""`gridcase topics` on a real broker: what is missing is made, what differs is said, nothing is altered."""

import asyncio
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from typer.testing import CliRunner, Result

from cli.main import app
from cli.output import Exit
from kernel.kafka.cluster import Cluster
from schemas.topics import FAMILIES, TOPICS

TINY = str(Path(__file__).parents[1] / "cities" / "tiny")
UNITS = {"CG", "SZ", "JD", "JW1"}
"""The units of the tiny city that subscribe."""

COUNT = len(TOPICS) + len(UNITS) * len(FAMILIES)
Run = Callable[..., Result]


@pytest.fixture
def cluster(kafka_bootstrap: str) -> Cluster:
    return Cluster(kafka_bootstrap, prefix=f"t{uuid.uuid4().hex[:8]}.")


@pytest.fixture
def run(cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command on a city with six partitions, whose settings name the broker."""
    monkeypatch.setenv("GRIDCASE_KAFKA_BOOTSTRAP", cluster.bootstrap)
    monkeypatch.setenv("GRIDCASE_KAFKA_PREFIX", cluster.prefix)
    monkeypatch.setenv("GRIDCASE_KAFKA_REPLICAS", "1")
    url = f"sqlite:///{tmp_path / 'city.db'}"

    def one(*words: str) -> Result:
        return CliRunner().invoke(app, [*words, "--database", url])

    founded = one("init", "--city", TINY, "--partitions", "6")
    assert founded.exit_code == 0, founded.stderr
    return one


def make(cluster: Cluster, topic: str, partitions: int, **settings: str) -> None:
    async def create() -> None:
        admin = AIOKafkaAdminClient(**cluster.client("test"))
        await admin.start()
        try:
            await admin.create_topics([NewTopic(cluster.name(topic), partitions, 1, topic_configs=settings)])
        finally:
            await admin.close()

    asyncio.run(create())


def value(result: Result) -> Any:
    return json.loads(result.stdout)


def test_what_is_missing_is_made_once(run: Run) -> None:
    before = value(run("topics", "check", "--json"))
    assert [one["what"] for one in before["differences"]] == ["missing"] * COUNT
    first = run("topics", "apply")
    assert first.exit_code == 0, first.stderr
    assert first.stdout.count("made ") == COUNT
    assert f"all {COUNT} topics are as the registry declares them" in first.stdout
    again = value(run("topics", "apply", "--json"))
    assert again == {"made": [], "differences": []}
    assert run("topics", "check").exit_code == 0


def test_what_differs_is_said_and_left_as_it_is(run: Run, cluster: Cluster) -> None:
    make(cluster, "case.events", 3, **{"message.timestamp.type": "CreateTime", "retention.ms": "3600000"})
    make(cluster, "unit.GONE.cases", 1)
    applied = value_of_difference(run("topics", "apply", "--json"))
    assert applied == value_of_difference(run("topics", "check", "--json"))
    events = cluster.name("case.events")
    assert {(topic, what): (expected, found, stops) for topic, what, expected, found, stops in applied} == {
        (events, "partitions"): ("6", "3", True),
        (events, "message.timestamp.type"): ("LogAppendTime", "CreateTime", True),
        (events, "retention.ms"): ("-1", "3600000", False),
        (events, "max.message.bytes"): ("2097152", "1048588", False),
        (cluster.name("unit.GONE.cases"), "left over"): (
            "no topic for a unit that does not subscribe", "one", False,
        ),
    }  # fmt: skip
    told = run("topics", "check")
    assert told.exit_code == Exit.DIFFERENT
    assert "no worker starts" in " ".join(told.stdout.split())
    assert all(len(line) <= 100 for line in told.stdout.splitlines())


def value_of_difference(result: Result) -> list[tuple[Any, ...]]:
    assert result.exit_code == Exit.DIFFERENT
    return [
        (one["topic"], one["what"], one["expected"], one["found"], one["stops"])
        for one in value(result)["differences"]
    ]


def test_show_asks_no_broker(run: Run, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDCASE_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    assert f"{COUNT} topics" in run("topics", "show").stdout
    shown = value(run("topics", "show", "--json"))
    assert {one["topic"] for one in shown} >= {"case.events", "unit.CG.cases", "unit.JW1.commands"}
    resources = list(yaml.safe_load_all(run("topics", "show", "--strimzi", "--cluster", "main").stdout))
    assert [one["spec"]["topicName"] for one in resources] == [one["name"] for one in shown]
    assert {one["spec"]["partitions"] for one in resources} == {6, 1}


def test_brokers_that_are_not_there_or_refuse_are_one_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRIDCASE_KAFKA_REPLICAS", "3")
    refused = run("topics", "apply")
    assert refused.exit_code == Exit.BROKER
    assert "only 1 broker(s) are registered" in refused.stderr
    monkeypatch.setenv("GRIDCASE_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    gone = run("topics", "check")
    assert gone.exit_code == Exit.BROKER
    assert "No answer from 127.0.0.1:1" in gone.stderr
    assert gone.stderr.strip().count("\n") == 0
    monkeypatch.setenv("GRIDCASE_KAFKA_BOOTSTRAP", "")
    unset = run("topics", "apply")
    assert unset.exit_code == Exit.SETTINGS
    assert "GRIDCASE_KAFKA_BOOTSTRAP" in unset.stderr


def test_rights_have_the_names_of_this_city_and_ask_no_broker(
    run: Run, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRIDCASE_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    shown = value(run("topics", "rights", "--json"))
    assert {f"unit.{unit}" for unit in UNITS} < set(shown)
    topics = {one["name"]: one["operations"] for one in shown["router"] if one["kind"] == "topic"}
    assert topics[cluster.name("case.commands")] == ["Read", "Write", "DescribeConfigs"]
    assert cluster.name("intake.reports") not in topics
    users = list(yaml.safe_load_all(run("topics", "rights", "--strimzi").stdout))
    names = {user["metadata"]["name"] for user in users}
    assert len(names) == len(shown)
    assert all(name == name.lower() for name in names)
    assert all(len(line) <= 100 for line in run("topics", "rights").stdout.splitlines())
