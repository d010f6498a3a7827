"""registry.mode: who may order it puts an area into 急 and back; the rules make it a number of the city."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from kernel.acting import described, held_post
from kernel.processor import Context, Effect, Processor
from kernel.table import decides, deciding, folding, nothing, reacting, sends, unchanged, when
from rules.modes import Mode
from schemas.envelope import Envelope
from schemas.refusal import Refusal
from schemas.registry import ChangeMode
from schemas.switching import (
    ModeChanged,
    ModeInForce,
    ModeSwitched,
    SwitchEvent,
    SwitchMessage,
    SwitchMode,
    SwitchRefused,
)
from schemas.topics import REGISTRY_COMMANDS, REGISTRY_MODES

ORDERS: Final = ("supervisor", "lead_officer")
"""The posts that may order a switch for the areas that theirs covers."""


class Switch(Struct, frozen=True):
    """The area's own switch: how it was last ordered, and with which rules number it is in force."""

    mode: str = ""
    switches: int = 0
    rules: int = 0


def switch_mode(state: Switch, command: SwitchMode, context: Context) -> Sequence[SwitchEvent]:
    """急 begins for the area and all below it; back, it follows again what lies above it."""
    refusal = _may_not(context) or _not_ordered(command) or _nothing_to_do(state, command, context)
    if refusal is not None:
        return (SwitchRefused(refusal=refusal, by=context.sender.id),)
    switched = ModeSwitched(
        switch=state.switches + 1,
        mode=command.mode,
        order_number=command.order_number,
        reason=command.reason,
        city=context.rules.bundle.city.code,
        by=context.sender.id,
        at=context.received,
    )
    return (switched,)


def in_force(state: Switch, answer: ModeChanged, context: Context) -> Sequence[SwitchEvent]:  # noqa: ARG001
    return (ModeInForce(switch=answer.switch, rules=answer.rules, at=context.now),)


def _may_not(context: Context) -> Refusal | None:
    bundle, area = context.rules.bundle, context.stream
    if not bundle.areas.chain(area, bundle.day(context.now)):
        return Refusal(code="unknown_area", expected="an area of the city, in force today", found=area)
    post = held_post(context)
    if isinstance(post, Refusal):
        return post
    if post is not None and post.role in ORDERS and bundle.areas.within(area, post.area):
        return None
    wanted = f"{' or '.join(ORDERS)} over {area}"
    return Refusal(code="not_permitted", expected=wanted, found=described(post, context))


def _not_ordered(command: SwitchMode) -> Refusal | None:
    modes = [mode.value for mode in Mode]
    if command.mode not in modes:
        return Refusal(code="unknown_mode", expected=" or ".join(modes), found=command.mode or "nothing")
    for name, said in (("order_number", command.order_number), ("reason", command.reason)):
        if not said.strip():
            return Refusal(code=f"no_{name}", expected=name.replace("_", " "), found="nothing")
    return None


def _nothing_to_do(state: Switch, command: SwitchMode, context: Context) -> Refusal | None:
    """The last order counts, before the first one what was published; an area above has its own switch."""
    published = context.rules.modes.get(context.stream, Mode.NORMAL).value
    own = state.mode or published
    if command.mode != own:
        return None
    found = context.rules.mode(context.stream).value
    return Refusal(code="already_so", expected=f"another mode than {own} of the area's own", found=found)


def _switched(state: Switch, event: ModeSwitched) -> Switch:
    return replace(state, mode=event.mode, switches=event.switch)


def _in_force(state: Switch, event: ModeInForce) -> Switch:
    return replace(state, rules=event.rules)


def _change(event: ModeSwitched, envelope: Envelope) -> Sequence[Effect]:
    asked = ChangeMode(area=envelope.subject, mode=event.mode, switch=event.switch)
    return (REGISTRY_COMMANDS.send(event.city, asked),)


REGISTRY_MODE: Final[Processor[Switch, Any, SwitchEvent]] = Processor(
    name="registry.mode",
    inbox=(REGISTRY_MODES,),
    handles=(SwitchMode, ModeChanged),
    initial=Switch(),
    decide=deciding(SwitchMessage, decides(SwitchMode, switch_mode), decides(ModeChanged, in_force)),
    evolve=folding(
        SwitchEvent,
        when(ModeSwitched, _switched),
        when(ModeInForce, _in_force),
        when(SwitchRefused, unchanged),
    ),
    react=reacting(
        SwitchEvent,
        sends(ModeSwitched, _change),
        sends(ModeInForce, nothing),
        sends(SwitchRefused, nothing),
    ),
)
