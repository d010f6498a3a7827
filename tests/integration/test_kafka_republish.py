"""Unread messages are gone from the topics: refused in a line, and sent again from the journals."""

from collections.abc import Sequence

import pytest

from cities.day import Arrival
from cli.conductor import arriving
from cli.member import open_member
from cli.resend import TopicsAhead, resend
from kernel.errors import CityRunsAlready, UnsoundInbox
from services.intake.reader.processor import READER
from tests.integration.account import account, each_report_in_one_case
from tests.integration.faults import record
from tests.integration.lived import arrivals
from tests.integration.town import Town
from tests.postgres import PostgresServer

REPORTS = 40

pytestmark = pytest.mark.timeout(600)


async def submitted(town: Town, given: Sequence[Arrival]) -> list[str]:
    """Reports that the edge took and published, and nobody has read yet; gives their ids."""
    async with open_member(town.settings, "edge", processors=(), instance=0) as member:
        receipts = [await member.edge.submit(*arriving(arrival)) for arrival in given]
    return [receipt.id for receipt in receipts if receipt.refusal is None]


async def refusal(town: Town) -> UnsoundInbox:
    """What ends the reader at its start."""
    async with open_member(town.settings, "a", processors=(READER,)) as member:
        with pytest.raises(ExceptionGroup) as told:
            await member.host.run(lambda: False)
    [fault] = told.value.exceptions
    assert isinstance(fault, UnsoundInbox)
    return fault


async def test_what_retention_ate_unread_is_refused_and_sent_again(
    postgres_url: str, kafka_bootstrap: str
) -> None:
    async with Town(postgres_url, kafka_bootstrap) as town:
        taken = await submitted(town, arrivals(REPORTS))
        gone = await town.expire("intake.reports")
        fault = await refusal(town)
        assert (fault.refusal.code, fault.exit_code) == ("inbox_lost", 10)
        assert "records are gone unread" in str(fault)
        assert "Do: stop all workers, then `gridcase republish` sends again what is lost" in str(fault)
        async with open_member(town.settings, "b", processors=(READER,)) as at_work:
            while not at_work.host.workers[0].log.assigned():
                await at_work.host.workers[0].log.fetch(1)
            with pytest.raises(CityRunsAlready, match=r"intake\.reader-b"):
                await resend(town.settings)
        found = await resend(town.settings)
        assert len(found.sent) == gone == len(taken)
        assert {one.topic for one in found.gone} == {"intake.reports"}
        assert await resend(town.settings) == ([], [])
        lived = await town.drained()
        whole = account(lived, taken, copies=True, struck=town.struck)
        assert (whole.lost, whole.twice) == (0, 0)
        assert whole.decided_once == whole.inputs == len(taken) + 1  # the edition came by the edge, too
        assert each_report_in_one_case(lived)[0] > REPORTS / 2


@pytest.mark.soak
async def test_a_restored_database_goes_on_once_the_topics_that_are_ahead_of_it_are_gone(
    postgres_server: PostgresServer, postgres_url: str, kafka_bootstrap: str
) -> None:
    async with Town(postgres_url, kafka_bootstrap) as town:
        taken = await submitted(town, arrivals(REPORTS)[: REPORTS // 2])
        await town.drained()
        backup = postgres_url.rpartition("/")[2] + "_backup"
        postgres_server.execute(f"create database {backup} template {postgres_url.rpartition('/')[2]}")
        then = await town.messages()
        await submitted(town, arrivals(REPORTS)[REPORTS // 2 :])
        await town.drained()

        town.use(postgres_server.url(backup))
        with pytest.raises(ExceptionGroup) as told:
            await town.drained()
        assert "journal_restored" in str(told.value.exceptions[0])
        with pytest.raises(TopicsAhead, match="gridcase topics apply"):
            await resend(town.settings)
        await town.make_all_anew(then)
        assert len((await resend(town.settings)).gone) > 0
        taken += await submitted(town, arrivals(REPORTS)[REPORTS // 2 :])
        lived = await town.drained()
        whole = account(lived, taken, copies=True, struck=town.struck)
        assert (whole.lost, whole.twice) == (0, 0)
        assert whole.decided_once == whole.inputs >= len(taken)
        record("database restored from a backup, Kafka", 1, whole)
        postgres_server.execute(f"drop database {backup} with (force)")
