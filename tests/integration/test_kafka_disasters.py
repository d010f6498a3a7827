"""What an operator or a full disk does to a city on Kafka: refused in words, mended, nothing lost."""

import asyncio
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.output import Exit
from tests.integration.test_faults import fill, small_disk
from tests.integration.town import Town
from tests.integration.trial import WORKERS, count, one_gives_way, under_load
from tests.kafka import KafkaServer
from tests.postgres import PostgresServer

__all__ = ["small_disk"]

pytestmark = [pytest.mark.timeout(900)]


async def republished(town: Town) -> tuple[int, int]:
    """What the command of the manual says: how many cursors begin anew, how many messages were sent again."""
    code, said = await town.command("republish", "--json")
    assert code == 0, said
    told = json.loads(said)
    return len(told["gone_unread"]), sum(row[-1] for row in told["sent_again"])


async def refused(town: Town, service: str, *words: str) -> None:
    """A worker ends by itself, with one line that says what is lost and what to do."""
    said = len(town.said)
    await town.start(service)
    assert await town.ends(service) == Exit.BROKER, town.said[-5:]
    lines = [line for line in town.said[said:] if "Do: stop all workers, then `gridcase republish`" in line]
    assert len(lines) == 1, town.said[said:]
    for word in words:
        assert word in lines[0]


@pytest.mark.soak
@pytest.mark.parametrize(("topic", "service"), [("case.commands", "router"), ("case.events", "sla")])
async def test_a_topic_made_anew_is_refused_and_what_it_held_is_sent_again(
    postgres_url: str, kafka_bootstrap: str, topic: str, service: str
) -> None:
    async with under_load(postgres_url, kafka_bootstrap, 150) as (town, load):
        await town.kill(service)  # what the others send it now is still unread when it is deleted
        await town.grows(topic)
        await town.stop_all()
        await town.make_anew(topic)
        await refused(town, service, topic, "inbox_cut")
        at = time.monotonic()
        anew, again = await republished(town)
        assert anew > 0
        assert again > 0
        before = await town.rows(service)
        await town.start_all(WORKERS)
        seconds = [await town.moves(service, before, at)]
        await count(f"{topic} deleted and made anew", 1, town, load, seconds)


@pytest.mark.soak
async def test_a_topic_made_anew_under_its_reader_is_refused(postgres_url: str, kafka_bootstrap: str) -> None:
    async with under_load(postgres_url, kafka_bootstrap, 150) as (town, load):
        for service in ("intake", "sla"):
            await town.stop(service, "a")
        await asyncio.sleep(2)
        load.tell(signal.SIGSTOP)  # nobody writes: the new topic ends below the router's cursor, surely
        await town.make_anew("case.commands")
        assert await town.ends("router") == Exit.BROKER, town.said[-5:]
        load.tell(signal.SIGCONT)
        assert any("inbox_cut" in line and "case.commands" in line for line in town.said), town.said[-5:]
        await town.stop_all()
        at = time.monotonic()
        await republished(town)
        before = await town.rows("router")
        await town.start_all(WORKERS)
        seconds = [await town.moves("router", before, at)]
        await count("case.commands made anew under its reader", 1, town, load, seconds)


@pytest.mark.soak
async def test_offsets_reset_by_an_administrator_are_figures_and_change_nothing(
    postgres_url: str, kafka_bootstrap: str
) -> None:
    async with under_load(postgres_url, kafka_bootstrap, 150) as (town, load):
        await asyncio.sleep(6)  # the figures were told
        await town.stop("router", "a")
        await town.reset_offsets("router.case", "case.commands")
        at, before = time.monotonic(), await town.rows("router")
        await town.start("router")
        seconds = [await town.moves("router", before, at)]
        await count("offsets reset by an administrator", 1, town, load, seconds)


@pytest.mark.soak
async def test_unread_records_that_retention_ate_are_sent_again(
    postgres_url: str, kafka_bootstrap: str
) -> None:
    async with under_load(postgres_url, kafka_bootstrap, 150) as (town, load):
        await town.kill("router")
        await town.grows("case.commands")
        await town.stop("intake", "a")
        await town.expire("case.commands")
        await refused(town, "router", "case.commands", "inbox_lost", "records are gone unread")
        code, said = await town.command("republish")
        assert code == Exit.CITY, said
        assert "Do: stop that process" in said, "workers are at work"
        await town.stop_all()
        at = time.monotonic()
        anew, again = await republished(town)
        assert 0 < anew <= again
        assert await republished(town) == (0, 0), "a second time there is nothing to do"
        before = await town.rows("router")
        await town.start_all(WORKERS)
        seconds = [await town.moves("router", before, at)]
        await count("retention ate unread records", 1, town, load, seconds)


@pytest.mark.soak
async def test_two_processes_under_one_slot_do_not_take_turns(
    postgres_url: str, kafka_bootstrap: str
) -> None:
    async with under_load(postgres_url, kafka_bootstrap, 150) as (town, load):
        first = town.processes["router", "a"]
        await asyncio.sleep(60)  # the first is settled: the newcomer gives way
        seconds = [await one_gives_way(town)]
        assert town.processes["router", "a"] is first
        await count("two processes under one slot", 1, town, load, seconds)


@pytest.mark.soak
async def test_a_full_disk_of_postgresql_is_waited_for_on_kafka(
    own_postgres: Callable[..., PostgresServer], kafka_bootstrap: str, small_disk: Path
) -> None:
    server = own_postgres(
        place=small_disk, max_wal_size="32MB", min_wal_size="32MB", wal_recycle="off"
    ).start()
    ballast = small_disk / "ballast"
    async with under_load(server.url(), kafka_bootstrap, 150) as (town, load):
        town.keep_up()
        fill(ballast)
        async with asyncio.timeout(60):
            while server.log.read_text("utf-8").count("No space left on device") < 20:  # noqa: ASYNC110 - a server tells nobody
                await asyncio.sleep(0.2)
        ballast.unlink()
        await asyncio.to_thread(server.restart, signal.SIGQUIT)
        at, before = time.monotonic(), await town.rows("router")
        seconds = [await town.moves("router", before, at)]
        await count("disk full, PostgreSQL under Kafka", 1, town, load, seconds)


@pytest.mark.soak
async def test_a_full_disk_of_the_broker_is_waited_for(
    postgres_url: str, own_kafka: Callable[..., KafkaServer], small_disk: Path
) -> None:
    """A broker without space ends itself; with space again it is started again, by whoever keeps it."""
    settings = {"log.dirs": str(small_disk / "log"), "log.index.size.max.bytes": "4096"}
    server = own_kafka(settings).start()
    ballast = small_disk / "ballast"
    async with under_load(postgres_url, server.bootstrap, 150) as (town, load):
        town.keep_up()
        fill(ballast)
        assert server.process is not None
        await asyncio.to_thread(server.process.wait, 60)
        ballast.unlink()
        await asyncio.to_thread(server.start)
        at, before = time.monotonic(), await town.rows("router")
        seconds = [await town.moves("router", before, at)]
        await count("disk full, broker", 1, town, load, seconds)
