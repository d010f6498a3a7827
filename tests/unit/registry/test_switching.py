"""平急转换: by order, for an area and all below it; back, it follows again what lies above."""

from typing import Any

import pytest

from kernel.processor import Sender
from rules.inforce import Mode, Rules
from schemas.registry import ChangeMode
from schemas.switching import ModeChanged, ModeInForce, ModeSwitched, SwitchMode, SwitchRefused
from schemas.topics import REGISTRY_COMMANDS
from services.registry.mode.processor import REGISTRY_MODE
from tests.builders_city import tiny_city
from tests.stories import START, Story

STORM = SwitchMode(mode="emergency", order_number="防汛〔2026〕3号", reason="暴雨红色预警")
BACK = SwitchMode(mode="normal", order_number="防汛〔2026〕4号", reason="预警解除")
OFFICER = Sender("post", "OPS-lead_officer")


def area(code: str = "S1", modes: dict[str, Mode] | None = None) -> Story:
    return Story(REGISTRY_MODE, Rules(7, tiny_city(), modes or {}), code, OFFICER)


def refused(story: Story) -> str:
    [event] = story.events
    assert isinstance(event, SwitchRefused), event
    assert event.refusal.expected
    assert event.refusal.found
    assert story.effects == []
    return event.refusal.code


def switched(number: int, said: SwitchMode, by: str = "OPS-lead_officer") -> ModeSwitched:
    return ModeSwitched(
        switch=number, mode=said.mode, order_number=said.order_number, reason=said.reason, city="tiny",
        by=by, at=START,
    )  # fmt: skip


def test_an_area_goes_to_emergency_and_back() -> None:
    story = area().when(STORM).then(switched(1, STORM))
    story.sends(REGISTRY_COMMANDS.send("tiny", ChangeMode(area="S1", mode="emergency", switch=1)))
    story.when(ModeChanged(switch=1, rules=8), sender=Sender("processor", "registry.rules"))
    story.then(ModeInForce(switch=1, rules=8, at=START)).sends()
    story.when(BACK, sender=Sender("post", "OPS-supervisor")).then(switched(2, BACK, "OPS-supervisor"))
    story.sends(REGISTRY_COMMANDS.send("tiny", ChangeMode(area="S1", mode="normal", switch=2)))
    story.when(STORM).then(switched(3, STORM))


@pytest.mark.parametrize("code", ["OPS-clerk", "JD-handler", "OPS-meeting1", "GOV-handler"])
def test_only_who_supervises_the_area_orders_it(code: str) -> None:
    assert refused(area().when(STORM, sender=Sender("post", code))) == "not_permitted"


def test_a_post_that_nobody_holds_orders_nothing() -> None:
    assert refused(area().when(STORM, sender=Sender("post", "nobody"))) == "post_not_held"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"mode": "panic"}, "unknown_mode"),
        ({"order_number": " "}, "no_order_number"),
        ({"reason": ""}, "no_reason"),
    ],
)
def test_an_order_says_what_and_why_and_has_a_number(said: dict[str, Any], code: str) -> None:
    command = SwitchMode(**{"mode": "emergency", "order_number": "1号", "reason": "暴雨", **said})
    assert refused(area().when(command)) == code


def test_an_area_of_another_city_is_not_switched() -> None:
    assert refused(area("X9").when(STORM)) == "unknown_area"


def test_what_is_so_already_is_refused() -> None:
    assert refused(area().when(BACK)) == "already_so"
    story = area().when(STORM)
    assert refused(story.when(STORM)) == "already_so"


def test_a_switch_that_was_published_is_ended_by_order() -> None:
    area(modes={"S1": Mode.EMERGENCY}).when(BACK).then(switched(1, BACK))


def test_an_area_below_one_in_emergency_has_no_switch_of_its_own_to_end() -> None:
    story = area("C1", modes={"D": Mode.EMERGENCY}).when(BACK)
    assert refused(story) == "already_so"
    [event] = story.events
    assert event.refusal.found == "emergency"
