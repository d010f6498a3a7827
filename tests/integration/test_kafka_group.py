"""Workers of one processor share its partitions: they come, leave, die, come back, and no record is lost."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.structs import TopicPartition

from kernel.errors import InnerUnreadable, SlotTaken
from kernel.kafka import group
from kernel.kafka.cluster import TopicMissing
from kernel.kafka.log import KafkaLog
from kernel.kafka.sharing import ByNumber
from kernel.log import Message
from tests.contract.cabinet import IN_TURN, PARTITIONS, Cabinet, owning
from tests.contract.test_log import RULES, WORK, outgoing, per_target

ALL = frozenset(range(PARTITIONS))
TAKEN_OVER_SECONDS = 8


@pytest.fixture(params=IN_TURN)
async def cabinet(kafka_bootstrap: str, request: pytest.FixtureRequest) -> AsyncIterator[Cabinet]:
    async with Cabinet(kafka_bootstrap, request.param) as opened:
        yield opened


async def turning(log: KafkaLog, found: list[tuple[int, int]] | None = None) -> list[Message]:
    messages = list(await log.fetch(1000))
    if found is not None:
        found += [(message.partition, message.offset) for message in messages]
    return messages


async def share_out(
    *logs: KafkaLog, found: list[tuple[int, int]] | None = None, seconds: float = 10
) -> float:
    """Turn all logs until every partition is owned once; gives how long that took, and what came by."""
    began = time.monotonic()
    async with asyncio.timeout(seconds):
        while True:
            await asyncio.gather(*(turning(log, found) for log in logs))
            owned = [partition for log in logs for partition in log.assigned()]
            if sorted(owned) == sorted(ALL) and all(log.assigned() for log in logs):
                return time.monotonic() - began


async def sought(log: KafkaLog) -> KafkaLog:
    for partition in log.assigned():
        await log.seek(partition, {WORK.name: 0, RULES.name: 0})
    return log


async def send(cabinet: Cabinet, first: int, last: int, partitions: Sequence[int] = tuple(ALL)) -> None:
    log = cabinet.log(())
    batches = per_target([outgoing(k, partition=p) for k in range(first, last + 1) for p in partitions])
    assert await log.publish(batches) == {target: len(batch) for target, batch in batches.items()}


async def read(
    log: KafkaLog, count: int, found: Sequence[tuple[int, int]] = (), seconds: float = 10
) -> list[tuple[int, int]]:
    """So many records, with those that have come by already, as partition and offset."""
    read = list(found)
    async with asyncio.timeout(seconds):
        while len(read) < count:
            await turning(log, read)
    return read


async def test_one_that_comes_gets_half_and_hands_it_back_when_it_leaves(cabinet: Cabinet) -> None:
    one, two = cabinet.log(worker="worker.1"), cabinet.log(worker="worker.2")
    await owning(one, ALL)
    await share_out(one, two)
    assert len(one.assigned()) == len(two.assigned()) == PARTITIONS // 2
    await two.close()
    assert await share_out(one) < 4


async def test_one_that_stays_away_is_replaced_when_its_session_ends(cabinet: Cabinet) -> None:
    one, two = cabinet.log(worker="worker.1"), cabinet.log(worker="worker.2")
    await share_out(one, two)
    await two.close(leave=False)
    assert await share_out(one) < TAKEN_OVER_SECONDS


class Counting(ByNumber):
    """How often its worker was given its share."""

    shares = 0

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        self.shares += 1


async def test_one_that_comes_back_in_time_finds_its_partitions_and_disturbs_nobody(cabinet: Cabinet) -> None:
    counting = Counting("worker.1")
    one, two = cabinet.log(worker="worker.1", assignor=counting), cabinet.log(worker="worker.2")
    await share_out(one, two)
    theirs, shares = two.assigned(), counting.shares
    assert shares > 0
    await two.close(leave=False)
    again = cabinet.log(worker="worker.2")
    began = time.monotonic()
    await owning(again, theirs)
    assert time.monotonic() - began < 2
    await asyncio.sleep(2)  # longer than between two heartbeats
    assert counting.shares == shares


async def test_what_a_rebalance_leaves_goes_on_where_it_was(cabinet: Cabinet) -> None:
    """Nobody seeks again, neither after one came nor after it left: nothing is lost, nothing comes twice."""
    one, two = cabinet.log(worker="worker.1"), cabinet.log(worker="worker.2")
    await owning(one, ALL)
    await sought(one)
    await send(cabinet, 1, 5)
    assert sorted(await read(one, 30)) == [(p, offset) for p in sorted(ALL) for offset in range(5)]
    await share_out(one, two)
    kept = one.assigned()
    await send(cabinet, 6, 7)
    assert sorted(await read(one, 2 * len(kept))) == [(p, offset) for p in sorted(kept) for offset in (5, 6)]
    await two.close()
    found: list[tuple[int, int]] = []
    await share_out(one, found=found)
    await send(cabinet, 8, 8)
    found = await read(one, 6 + 2 * (PARTITIONS - len(kept)), found)
    assert sorted(found) == sorted(
        [(p, 7) for p in kept] + [(p, offset) for p in ALL - kept for offset in (5, 6, 7)]
    )


async def test_while_a_backlog_is_read_one_comes_and_leaves_and_no_record_is_missed(cabinet: Cabinet) -> None:
    one, two = cabinet.log(worker="worker.1"), cabinet.log(worker="worker.2")
    await owning(one, ALL)
    await sought(one)
    await send(cabinet, 1, 2000)
    offsets: dict[int, int] = dict.fromkeys(ALL, 0)
    owned: set[frozenset[int]] = set()

    async def reading() -> None:
        while sum(offsets.values()) < 2000 * PARTITIONS:
            for message in await one.fetch(50):
                assert message.offset == offsets[message.partition]
                offsets[message.partition] += 1
            owned.add(one.assigned())
            await asyncio.sleep(0.02)

    async def coming_and_going() -> None:
        while not two.assigned():
            await two.fetch(1)
        await two.close()

    async with asyncio.timeout(40):
        await asyncio.gather(reading(), coming_and_going())
    assert set(offsets.values()) == {2000}
    assert len(owned) == 2


async def test_without_one_of_its_topics_a_worker_owns_nothing_and_says_why(cabinet: Cabinet) -> None:
    await cabinet.delete(RULES.name)
    log = cabinet.log()
    with pytest.raises(TopicMissing, match=RULES.name):
        await read(log, 1)
    assert log.assigned() == frozenset()
    await cabinet.create(RULES.name)
    async with asyncio.timeout(20):
        while log.assigned() != ALL:
            with suppress(TopicMissing):
                await log.fetch(1)


async def test_the_groups_own_offsets_are_figures_that_nobody_follows(
    cabinet: Cabinet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "FIGURE_SECONDS", 0.2)
    log = cabinet.log()
    await owning(log, ALL)
    await sought(log)
    await send(cabinet, 1, 3)
    await read(log, 18)
    for _ in range(3):
        await log.fetch(1)
    dashboard = AIOKafkaConsumer(
        bootstrap_servers=cabinet.cluster.bootstrap, group_id=cabinet.cluster.name("workers")
    )
    async with dashboard:
        part = TopicPartition(cabinet.cluster.name(WORK.name), 0)
        assert await dashboard.committed(part) == 3
    await log.close()
    again = cabinet.log()
    await owning(again, ALL)
    assert await again.fetch(10) == ()
    assert again.positions(0) == {}
    await sought(again)
    assert len(await read(again, 18)) == 18


async def test_a_position_that_the_log_no_longer_has_gives_nothing_and_stays(cabinet: Cabinet) -> None:
    """The idle tick compares it with the spans and says in words what is lost; here nothing is raised."""
    await send(cabinet, 1, 5, [0])
    log = cabinet.log()
    await owning(log, ALL)
    await cabinet.expire((WORK.name, 0), 3)
    for offset in (1, 99):
        await log.seek(0, {WORK.name: offset, RULES.name: 0})
        for _ in range(3):
            assert await log.fetch(10) == ()
        assert log.positions(0) == {WORK.name: offset, RULES.name: 0}


@pytest.mark.parametrize(
    ("record", "found"),
    [
        ({"value": b"{}"}, "no key"),
        ({"key": b"c-1"}, "no value"),
        ({"key": b"c-1", "value": b"{}"}, "no header gridcase"),
        ({"key": b"c-1", "value": b"{}", "headers": [("gridcase", b"[1]")]}, "Expected `str`"),
        ({"key": b"\xff", "value": b"{}", "headers": [("gridcase", b'["edge/0",1]')]}, "utf-8"),
    ],
)
async def test_what_a_stranger_put_on_an_inner_topic_is_named(
    cabinet: Cabinet, record: dict[str, bytes], found: str
) -> None:
    async with AIOKafkaProducer(bootstrap_servers=cabinet.cluster.bootstrap) as stranger:
        await stranger.send_and_wait(cabinet.cluster.name(WORK.name), partition=4, **record)  # pyright: ignore[reportArgumentType]
    log = cabinet.log()
    await owning(log, ALL)
    await sought(log)
    with pytest.raises(InnerUnreadable, match=rf"{WORK.name}/4 at offset 0 .*{found}"):
        await read(log, 1)


async def test_of_two_processes_under_one_name_one_gives_way(cabinet: Cabinet) -> None:
    """Each puts the other out of the group, for ever: the broker knows a static member by its name alone."""
    logs = [cabinet.log(worker="workers-a") for _ in range(2)]
    await owning(logs[0], ALL)

    async def turning_until_told(log: KafkaLog) -> None:
        while True:
            await log.fetch(1)

    began = time.monotonic()
    turned = [asyncio.create_task(turning_until_told(log)) for log in logs]
    async with asyncio.timeout(60):
        done, left = await asyncio.wait(turned, return_when=asyncio.FIRST_COMPLETED)
    for task in left:
        task.cancel()
    with pytest.raises(SlotTaken, match="uses the slot a"):
        next(iter(done)).result()
    assert time.monotonic() - began < 30
