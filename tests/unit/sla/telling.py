"""What the tests of the clocks share: a case told in its own events, from 2 March 2026."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from kernel.processor import Send, Sender, SetTimer
from rules.inforce import Rules
from schemas.sla import ClockRang
from services.sla.processor import CLOCK
from services.sla.state import Clock
from tests.builders_case import CASE
from tests.builders_city import tiny_city
from tests.stories import Story

RULES = Rules(number=1, bundle=tiny_city())
ROUTER, TIMER = Sender("processor", "router.case"), Sender("timer", "sla.clock")


def at(text: str) -> datetime:
    """`02 09:00`: day of March 2026 and hour in China."""
    day, _, clock = text.partition(" ")
    return datetime.fromisoformat(f"2026-03-{day}T{clock}").replace(tzinfo=ZoneInfo("Asia/Shanghai"))


def story(rules: Rules = RULES) -> Story:
    return Story(CLOCK, rules, CASE, ROUTER)


def told(*events: Any, rules: Rules = RULES) -> Story:
    """A story in which the clocks have followed these case events, each at its own `at`."""
    tale = story(rules)
    for event in events:
        tale.when(event, at=event.at)
    return tale


def clocks(tale: Story) -> dict[str, Clock]:
    return dict(tale.state.clocks)


def running(tale: Story) -> set[str]:
    return {name for name, clock in tale.state.clocks.items() if not clock.paused}


def due(tale: Story, clock: str) -> datetime | None:
    return tale.state.clocks[clock].run.due


def ring(tale: Story, clock: str) -> Story:
    """The pending timer of a clock fires at its due."""
    run = tale.state.clocks[clock].run
    assert run.alarm is not None, f"{clock} has no timer"
    rang = ClockRang(clock=clock, run=run.run, step=run.alarm.step)
    return tale.when(rang, sender=TIMER, at=max(run.alarm.due, tale.now))


def timers(tale: Story) -> dict[str, datetime]:
    return {effect.name: effect.due for effect in tale.effects if isinstance(effect, SetTimer)}


def commands(tale: Story) -> list[Any]:
    return [effect.message for effect in tale.effects if isinstance(effect, Send)]
