"""Faust is pinned to 0.15, because we touch what it does not promise: each name, and why we do it.

When one of these fails, read what Faust does now, then mend kernel/kafka/faust_app.py and faust_batch.py.
Until then GRIDCASE_KAFKA_DELIVERY=stock goes on with nearly none of them, and =plain without Faust.
"""

import asyncio
import inspect
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Callable
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import pytest

pytest.importorskip("faust")

import faust
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import GroupCoordinator  # pyright: ignore[reportMissingImports]
from faust.app.base import BootStrategy
from faust.tables.manager import TableManager
from faust.transport.drivers import aiokafka as driver
from mode.threads import QueueServiceThread, WorkerThread

from kernel.kafka import faust_app, faust_batch, faust_stock
from kernel.kafka.cluster import Cluster
from kernel.kafka.faust_app import Member
from kernel.kafka.group import Membership
from kernel.kafka.sharing import ByNumber
from kernel.kafka.standing import Standing

ROOT = Path(__file__).resolve().parents[3]
PINNED = "0.15."
FOUND = metadata.version("faust-streaming")


class Touched(NamedTuple):
    """A name, the parameters that it must take, and why it is touched."""

    owner: Any
    name: str
    parameters: str
    why: str


CALLED = [
    Touched(driver.AIOKafkaConsumerThread, "_ensure_consumer", "self", "whom batches are asked of"),
    Touched(QueueServiceThread, "call_thread", "self fun args kwargs", "where the client lives"),
    Touched(QueueServiceThread, "stop", "self", "an app that fails is left, thread and all"),
]
OVERRIDDEN = [
    Touched(driver.Consumer, "_new_consumer_thread", "self", "a quiet thread, ending with the process"),
    Touched(
        driver.AIOKafkaConsumerThread, "_create_worker_consumer", "self transport", "one client for twins"
    ),
    Touched(driver.AIOKafkaConsumerThread, "on_crash", "self msg fmt kwargs", "it prints; we raise"),
    Touched(driver.Consumer, "perform_seek", "self", "positions are ours, not the group's"),
    Touched(driver.Consumer, "verify_event_path", "self now tp", "it misses events in streams"),
    Touched(driver.Consumer, "close", "self", "it closes the thread's client in the wrong loop"),
    Touched(
        driver.ConsumerRebalanceListener, "on_partitions_assigned", "self assigned", "placed before all else"
    ),
    Touched(WorkerThread, "run", "self", "it prints what we raise"),
    Touched(WorkerThread, "stop", "self", "it blocks our loop"),
    Touched(BootStrategy, "kafka_consumer", "self", "no leader topic, no replies"),
    Touched(TableManager, "on_start", "self", "it waits a second for tables"),
    Touched(TableManager, "wait_until_tables_registered", "self", "there are none"),
    Touched(TableManager, "wait_until_recovery_completed", "self", "it holds up the start"),
    Touched(faust.App, "on_first_start", "self", "it makes folders"),
    Touched(faust.App, "on_rebalance_start", "self", "stock: one that never ends is noticed"),
    Touched(faust.App, "on_rebalance_end", "self", "stock: Faust has sought what we have not"),
]
KEPT = [
    Touched(driver.AIOKafkaConsumerThread, "_consumer", "", "figures and leaving: the client"),
    Touched(driver.Consumer, "RebalanceListener", "", "ours is told first"),
    Touched(driver.Transport, "Consumer", "", "ours is made"),
    Touched(driver.Transport, "Fetcher", "", "nothing fetches by itself"),
    Touched(faust.App, "BootStrategy", "", "what is started"),
    Touched(faust.App, "assignor", "", "our shares"),
]
"""Attributes of classes."""


def said(touched: Touched) -> str:
    owner = f"{touched.owner.__module__}.{touched.owner.__qualname__}"
    return f"{owner}.{touched.name}: {touched.why}. Faust is {FOUND}, pinned to {PINNED}x"


def of_name(touched: Touched) -> str:
    return f"{touched.owner.__name__}.{touched.name}"


def test_faust_is_the_version_that_was_read() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert "faust-streaming>=0.15.3,<0.16" in extras["kafka"]
    assert FOUND.startswith(PINNED), f"Faust is {FOUND}: read it, then pin it"


@pytest.mark.parametrize("touched", [*CALLED, *OVERRIDDEN], ids=of_name)
def test_a_method_is_there_and_takes_what_it_took(touched: Touched) -> None:
    method = getattr(touched.owner, touched.name, None)
    assert method is not None, said(touched)
    assert " ".join(inspect.signature(method).parameters) == touched.parameters, said(touched)


@pytest.mark.parametrize("touched", KEPT, ids=of_name)
def test_an_attribute_is_there(touched: Touched) -> None:
    assert hasattr(touched.owner, touched.name), said(touched)


# What is made of them.


def member(of: Callable[[Membership, Standing], Member]) -> Member:
    cluster = Cluster("127.0.0.1:1,127.0.0.1:2", "t.")
    membership = Membership(cluster, "router.case", "router.case-a", ByNumber("router.case-a"), 0.25)
    return of(membership, Standing(membership, ["case.commands"]))


@pytest.fixture(params=[faust_batch.BatchMember, faust_stock.StockMember])
async def made(request: pytest.FixtureRequest) -> AsyncIterator[Member]:
    app = member(request.param)
    yield app
    await app.stop()


async def test_every_setting_that_is_given_is_one(made: Member) -> None:
    """Faust ignores what it does not know."""
    given = set(vars(made)["_default_options"][1]) - {"env"}
    assert given <= faust.Settings.setting_names()  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]


def things_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def test_the_environment_says_nothing_and_no_folder_is_made(
    made: Member, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BROKER_SESSION_TIMEOUT", "99")
    monkeypatch.setenv("WEB_ENABLED", "1")
    app = member(type(made))  # pyright: ignore[reportArgumentType]
    await app.on_first_start()
    assert (app.conf.broker_session_timeout, app.conf.web_enabled) == (6.0, False)
    assert things_in(tmp_path) == []


async def test_faust_keeps_client_and_thread_where_we_look(made: Member) -> None:
    thread = vars(made.consumer)["_thread"]
    assert isinstance(thread, faust_app.Thread)
    assert vars(thread)["Worker"] is vars(faust_app)["_Worker"]
    assert made.reader.client() is None
    vars(thread)["_consumer"] = client = object()
    assert made.reader.client() is client
    vars(thread)["_consumer"] = None


def facts(client: AIOKafkaConsumer) -> dict[str, object]:
    return {name: value for name, value in vars(client).items() if isinstance(value, str | int | float)}


async def test_the_client_in_faust_is_that_of_the_plain_delivery() -> None:
    app = member(faust_batch.BatchMember)
    thread = vars(app.consumer)["_thread"]
    clients = [thread._create_consumer(loop=app.loop), AIOKafkaConsumer(**app.membership.client())]
    ours, plain = (facts(client) for client in clients)
    assert ours == plain
    assert ours["_auto_offset_reset"] == "none"
    assert [vars(one)["_partition_assignment_strategy"] for one in clients] == [[app.membership.shares]] * 2
    await asyncio.gather(*(client.stop() for client in clients))


async def test_aiokafka_lets_a_member_leave_that_has_no_name() -> None:
    client = AIOKafkaConsumer(group_id="g")
    assert vars(client)["_coordinator"] is None
    await client.stop()
    leaving = inspect.getsource(GroupCoordinator._maybe_leave_group)
    assert "self._group_instance_id is None" in leaving


UNTOUCHED = """
import asyncio, logging, signal, sys
def seen():
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)]
    loops = asyncio.get_event_loop_policy()
    return logging.getLoggerClass(), list(logging.root.handlers), handlers, loops, sys.stdout, sys.excepthook
before = seen()
from kernel.kafka import faust_batch, faust_stock
assert seen() == before
"""


def test_faust_leaves_the_process_as_it_is() -> None:
    """No handlers of signals, no other logging, no other loop."""
    subprocess.run([sys.executable, "-c", UNTOUCHED], check=True, cwd=ROOT, timeout=60)
