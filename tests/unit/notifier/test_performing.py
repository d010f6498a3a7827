import asyncio

import pytest

from kernel.log import Headers, Message
from kernel.performer import Patience, perform_all, performing
from kernel.processor import Sender
from schemas.envelope import Envelope
from schemas.notice import AttemptDelivery, AttemptPerformed, Outcome, Performed, RecordOutcome, RequestNotice
from schemas.topics import NOTICE_REQUESTS
from schemas.wire import TYPE_OF, encode
from services.notifier.delivery.sender import Deliveries
from services.notifier.delivery.terminal import Terminal, printable
from services.notifier.performing import NOT_TRIED, PERFORMER, again
from tests.builders_case import CASE
from tests.stories import START, Story
from tests.unit.notifier.conftest import city

DELIVERED = Outcome(result="delivered")


def attempt(number: int = 1, channel: str = "terminal", text: str = "派单") -> AttemptDelivery:
    return AttemptDelivery(
        key=f"unit:CG/{number}", recipient="unit:CG", notice=number, attempt=1, channel=channel, address="",
        text=text,
    )  # fmt: skip


# ── the recorded side ────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def story() -> Story:
    return Story(PERFORMER, city(), "unit:CG", Sender("processor", "notifier.desk"))


def test_what_was_performed_is_recorded_and_told_to_the_desk(story: Story) -> None:
    done = Performed(request=attempt(), outcome=DELIVERED)
    event = AttemptPerformed(notice=1, attempt=1, channel="terminal", outcome=DELIVERED)
    story.when(done).then(event)
    story.sends(NOTICE_REQUESTS.send("unit:CG", RecordOutcome(notice=1, attempt=1, outcome=DELIVERED)))
    assert again(attempt(), event) == done


def test_what_nobody_performed_was_not_tried(story: Story) -> None:
    story.when(attempt())
    story.then(AttemptPerformed(notice=1, attempt=1, channel="terminal", outcome=NOT_TRIED))


# ── the doing side ───────────────────────────────────────────────────────────────────────────────────
class Receiver:
    """A channel that counts how many it serves at once."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.running = 0
        self.most = 0
        self.keys: list[str] = []

    async def deliver(self, request: AttemptDelivery, key: str) -> Outcome:
        self.keys.append(key)
        self.running += 1
        self.most = max(self.most, self.running)
        await asyncio.sleep(self.seconds)
        self.running -= 1
        if request.text == "bug":
            raise RuntimeError("no such thing")
        return DELIVERED


async def test_outcomes_come_in_the_order_of_the_messages_and_few_run_at_once() -> None:
    receiver = Receiver(0.001)
    messages = [attempt(number) for number in range(1, 21)]
    done = await perform_all(Deliveries({"terminal": receiver}).perform, messages, limit=4)
    assert [each.request for each in done] == messages
    assert {each.outcome for each in done} == {DELIVERED}
    assert receiver.most == 4
    assert sorted(receiver.keys) == sorted(message.key for message in messages)


async def test_an_exception_leaves_open_whether_it_took_effect_and_harms_no_other() -> None:
    perform = Deliveries({"terminal": Receiver()}).perform
    first, second = await perform_all(perform, [attempt(1, text="bug"), attempt(2)], limit=2)
    assert first.outcome == Outcome(result="unknown", detail="RuntimeError: no such thing")
    assert second.outcome == DELIVERED


async def test_silence_is_an_unknown_outcome() -> None:
    perform = Deliveries({"terminal": Receiver(30)}).perform
    [done] = await perform_all(perform, [attempt()], 1, Patience(call_seconds=0.01))
    assert done.outcome == Outcome(result="unknown", detail="no answer within 0.01 s")


async def test_what_has_not_begun_when_the_time_of_the_batch_is_over_was_not_tried() -> None:
    perform = Deliveries({"terminal": Receiver(0.05)}).perform
    done = await perform_all(perform, [attempt(n) for n in (1, 2, 3)], 1, Patience(batch_seconds=0.04))
    assert [each.outcome.result for each in done] == ["delivered", "not_tried", "not_tried"]


async def test_a_cancelled_worker_cancels_what_it_performs() -> None:
    task = asyncio.create_task(perform_all(Deliveries({"terminal": Receiver(30)}).perform, [attempt()], 1))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def logged(offset: int, message: object) -> Message:
    envelope = Envelope(
        id=f"unit:CG/{offset}~1", source="/gridcase/test/notifier.desk", type=TYPE_OF[type(message)],
        subject="unit:CG", time=START, data=message,
    )  # fmt: skip
    return Message(
        "notice.attempts", 3, offset, "unit:CG", START, Headers("notifier.desk/3", offset), encode(envelope)
    )


async def test_a_worker_gets_what_was_performed_by_place_and_nothing_for_the_rest() -> None:
    of_batch = performing(Deliveries({"terminal": Receiver()}).perform)
    strange = RequestNotice(case=CASE, event="", audience="", channel="", template="", text="")
    broken = logged(9, attempt())._replace(body=b"{")
    done = await of_batch([logged(4, attempt()), logged(5, strange), broken])
    assert done == {("notice.attempts", 3, 4): Performed(request=attempt(), outcome=DELIVERED)}
    assert await of_batch([]) == {}


async def test_a_channel_that_nobody_serves_says_so() -> None:
    deliveries = Deliveries({"terminal": Receiver(), "webhook": Receiver()})
    done = await deliveries.perform(attempt(channel="wecom"), "k")
    detail = "expected one of the channels terminal, webhook; found wecom"
    assert done.outcome == Outcome(result="no_channel", detail=detail)


# ── the terminal ─────────────────────────────────────────────────────────────────────────────────────
async def test_the_terminal_prints_one_line_that_moves_no_cursor() -> None:
    lines: list[str] = []
    outcome = await Terminal(lines.append).deliver(attempt(text="案件\n\x1b[2J派单"), "k")
    assert outcome == DELIVERED
    assert lines == ["unit:CG  案件 | ·[2J派单"]
    assert printable("a\u202eb") == "a·b"


async def test_a_closed_terminal_is_a_failure_to_be_tried_again() -> None:
    def closed(_: str) -> None:
        raise BrokenPipeError("gone")

    assert (await Terminal(closed).deliver(attempt(), "k")).result == "failed"
