"""Two things to wait for: both answers, and nothing that goes on after a failure."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from kernel.both import Both, in_turn, side_by_side


class Heard:
    """What was begun and what came to its end."""

    def __init__(self) -> None:
        self.words: list[str] = []

    def saying(
        self, name: str, seconds: float = 0, error: Exception | None = None
    ) -> Callable[[], Awaitable[str]]:
        async def work() -> str:
            self.words.append(f"{name} begins")
            await asyncio.sleep(seconds)
            if error is not None:
                raise error
            self.words.append(f"{name} ends")
            return name

        return work


@pytest.mark.parametrize("both", [in_turn, side_by_side])
async def test_both_answers_come_in_the_order_of_the_questions(both: Both) -> None:
    heard = Heard()
    assert await both(heard.saying("send", 0.02), heard.saying("fetch")) == ("send", "fetch")


async def test_side_by_side_the_quick_one_does_not_wait() -> None:
    heard = Heard()
    await side_by_side(heard.saying("send", 0.02), heard.saying("fetch"))
    assert heard.words.index("fetch ends") < heard.words.index("send ends")


@pytest.mark.parametrize("both", [in_turn, side_by_side])
@pytest.mark.parametrize("failing", ["send", "fetch"])
async def test_a_failure_is_raised_and_nothing_goes_on(both: Both, failing: str) -> None:
    heard = Heard()
    error = ConnectionError(failing)
    names = {name: error if name == failing else None for name in ("send", "fetch")}
    with pytest.raises(ConnectionError, match=failing):
        await both(heard.saying("send", 0.01, names["send"]), heard.saying("fetch", 0.03, names["fetch"]))
    known = list(heard.words)
    await asyncio.sleep(0.05)
    assert heard.words == known


async def test_who_leaves_takes_both_along() -> None:
    heard = Heard()
    task = asyncio.create_task(side_by_side(heard.saying("send", 1), heard.saying("fetch", 1)))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(heard.words) == ["fetch begins", "send begins"]
