"""lifecycle.md §2: whatever commands come in whatever order, whoever publishes meanwhile."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import event as note
from hypothesis import given, settings
from hypothesis import strategies as st

from rules.bundle import Bundle
from rules.registering import denies_row8, entry_of
from schemas.entry.commands import (
    AmendEntry,
    ApplyEntry,
    CloseNotice,
    DecideEntry,
    ExitEntry,
    GiveOpinion,
    GrantTemporary,
    ObjectToEntry,
    RecordFunding,
)
from schemas.entry.events import (
    EntryChangeRefused,
    EntryExited,
    EntryReturned,
    EntryStartAsked,
    EntryStarted,
    TemporaryGranted,
)
from schemas.entry.states import EntryState
from schemas.register import EntryText
from schemas.switching import SwitchMode
from schemas.topics import REGISTRY_COMMANDS, REGISTRY_COMPOSITIONS, REGISTRY_ENTRIES, REGISTRY_MODES
from tests.builders_city import CLUTTER, MANHOLE, QUARREL, STREET_TRADING, tiny_city
from tests.registering import Register, funding, without
from tests.unit.registry.telling import MONEY, OWN, URGENT

ENTRIES = ("NEW-1", "NEW-2", "OWN-02", "AST-01", "AST-02", "NEG-04")
POSTS = ("CG", "SZ", "JD", "GOV", "JW1", "JW2")
TOPICS = (REGISTRY_COMMANDS.name, REGISTRY_COMPOSITIONS.name, REGISTRY_ENTRIES.name, REGISTRY_MODES.name)
ROW8 = (STREET_TRADING, "E", "row8:城市管理")
END = ExitEntry(reason="任务完成")
SENDERS = (
    *(f"{unit}-handler" for unit in POSTS),
    "OPS-supervisor",
    "OPS-finance",
    "OPS-legal",
    "OPS-meeting1",
)
DAY = date(2026, 3, 2)

days = st.integers(-30, 500).map(lambda number: DAY + timedelta(days=number))


@st.composite
def texts(draw: st.DrawFn) -> EntryText:
    unit = draw(st.sampled_from(POSTS[:4]))
    return replace(
        OWN,
        matter=draw(st.sampled_from((CLUTTER, MANHOLE, STREET_TRADING, "E", "row8:城市管理"))),
        area=draw(st.sampled_from(("C1", "C2", "S1", "D"))),
        role=draw(st.sampled_from(("own", "assist", "prohibited"))),
        unit_level=draw(st.sampled_from(("community", ""))),
        funding=MONEY,
        applicant=unit,
        guiding_dept=unit,
        valid_from=draw(days),
        valid_to=draw(st.none() | days),
        supersedes=draw(st.sampled_from(("", "", "", "OWN-02@1", "NEW-1@1", "NEG-04@1", "AST-02@1"))),
    )


def commands() -> st.SearchStrategy[Any]:
    grants = st.builds(
        lambda text, end: GrantTemporary(
            text=replace(text, valid_from=None, valid_to=end, supersedes=""), order_number="1", promised=end
        ),
        texts(),
        days,
    )
    return st.one_of(
        st.builds(ApplyEntry, text=texts()),
        st.builds(AmendEntry, text=texts()),
        st.builds(GiveOpinion, party=st.sampled_from(("legal", "street")), agrees=st.booleans()),
        st.builds(DecideEntry, approve=st.booleans(), approval_no=st.just("1"), reason=st.just("x")),
        st.just(ObjectToEntry(text="不同意")),
        st.builds(CloseNotice, back=st.booleans(), reason=st.just("x")),
        st.builds(RecordFunding, proof_id=st.just("P"), covers_from=days, covers_to=days),
        st.builds(ExitEntry, reason=st.just("x"), version=st.integers(0, 3)),
        grants,
    )


STEPS = st.one_of(
    st.tuples(st.just("says"), st.sampled_from(ENTRIES), commands()),
    st.tuples(st.just("says"), st.sampled_from(ENTRIES), commands()),
    st.tuples(st.just("ends"), st.sampled_from(ENTRIES)),
    st.tuples(st.just("pays"), st.sampled_from(ENTRIES), st.integers(1, 120)),
    st.tuples(st.just("amends"), st.sampled_from(ENTRIES)),
    st.tuples(
        st.just("grants"), st.sampled_from(ENTRIES), st.sampled_from(("C1", "C2", "G11")), st.integers(0, 40)
    ),
    st.tuples(st.just("honest"), st.sampled_from(ENTRIES)),
    st.tuples(st.just("post"), st.sampled_from(SENDERS), st.sampled_from(ENTRIES), commands()),
    st.tuples(st.just("days"), st.integers(1, 40)),
    st.tuples(st.just("deliver"), st.sampled_from(TOPICS)),
    st.tuples(st.just("deliver"), st.sampled_from(TOPICS)),
    st.tuples(st.just("deliver"), st.sampled_from(TOPICS)),
    st.tuples(st.just("settle")),
    st.tuples(st.just("folder"), st.sampled_from(("OWN-01", "AST-01", "AST-02", "nothing"))),
    st.tuples(st.just("switch"), st.sampled_from(("emergency", "normal"))),
)

PAID = replace(OWN, matter=QUARREL, area="C1", role="assist", funding=MONEY)
AGAIN = replace(OWN, area="C1", applicant="JD", guiding_dept="JD")


@cache
def on_the_eve() -> Register:
    """Three entries that start on one day: a new one, one that waits for its money, and a second version."""
    city = Register(tiny_city())
    city.post("CG-handler", "NEW-1", ApplyEntry(text=OWN))
    city.post("CG-handler", "NEW-2", ApplyEntry(text=PAID))
    city.post("JD-handler", "OWN-02", AmendEntry(text=AGAIN))
    for _ in range(2):
        city.settle()
        for entry in ENTRIES[:3]:
            city.honest(entry)
        city.settle()
        city.go_on(8)
    assert all(city.dossier(entry).coming.state is EntryState.APPROVED for entry in ENTRIES[:3])  # type: ignore[union-attr]
    city.until(datetime(2026, 4, 19, 1, 0, tzinfo=UTC))
    return city


def ends(city: Register, entry: str) -> None:
    city.post(_who(city, entry, END), entry, END)


def pays(city: Register, entry: str, number: int) -> None:
    city.post("OPS-finance", entry, funding(city.today, number))


def amends(city: Register, entry: str) -> None:
    current = city.dossier(entry).current
    text = replace(current.row.text if current else OWN, valid_from=city.today + timedelta(days=60))
    command = AmendEntry(text=text) if current else ApplyEntry(text=text)
    city.post(f"{text.applicant}-handler", entry, command)


def grants(city: Register, entry: str, area: str, number: int) -> None:
    end = city.today + timedelta(days=number)
    text = replace(URGENT, area=area, valid_to=end)
    city.post("OPS-supervisor", entry, GrantTemporary(text=text, order_number="1", promised=end))


def switch(city: Register, mode: str) -> None:
    order = SwitchMode(mode=mode, order_number="1", reason="x")
    city.send(REGISTRY_MODES.name, "S1", order, "post OPS-lead_officer")


ACTS: dict[str, Callable[..., object]] = {
    "says": lambda city, entry, command: city.post(_who(city, entry, command), entry, command),
    "post": Register.post,
    "ends": ends,
    "pays": pays,
    "amends": amends,
    "grants": grants,
    "honest": Register.honest,
    "days": Register.go_on,
    "deliver": Register.deliver,
    "settle": Register.settle,
    "folder": lambda city, entry: city.publish(without(tiny_city(), entry)),
    "switch": switch,
}


def _who(city: Register, entry: str, command: Any) -> str:
    """Somebody who may, mostly: chance alone would seldom get an entry through."""
    if isinstance(command, ApplyEntry | AmendEntry):
        return f"{command.text.applicant}-handler"
    if isinstance(command, RecordFunding):
        return "OPS-finance"
    if isinstance(command, GrantTemporary):
        return "OPS-supervisor"
    current = city.dossier(entry).current
    return (
        f"{current.row.text.applicant}-handler"
        if current and isinstance(command, ExitEntry)
        else "JD-handler"
    )


def one_version_in_force(bundle: Bundle, day: date) -> None:
    names = [one.entry_id for one in bundle.parts.entries if one.in_force(day)]
    assert len(names) == len(set(names)), f"two versions in force on {day}: {sorted(names)}"


def denials(bundle: Bundle) -> set[Any]:
    return {
        one for one in bundle.parts.entries if denies_row8(bundle.matters, one) and one.entry_id[:3] == "NEG"
    }


def holds(city: Register) -> None:
    """What must hold at every moment."""
    one_version_in_force(city.rules.bundle, city.today)
    assert denials(city.rules.bundle) == denials(tiny_city()), "a prohibition of the five was touched"
    for name, event in city.happened(EntryStartAsked):
        row = entry_of(event.row)
        if row.role in ("assist", "entrusted"):
            assert row.funded(row.valid_from), f"{name} asked to start without a proof"
    for name, dossier in city.dossiers():
        assert not (dossier.coming and dossier.current and dossier.coming.number <= dossier.current.number), (
            name
        )


def settled(city: Register) -> None:
    """What must hold once nothing is under way: each side of the register says the same."""
    state = city.in_force
    assert (state.waiting, state.wanted, state.composing) == ((), None, None)
    rows = {(one.entry_id, one.version): one for one in city.register}
    for name, dossier in city.dossiers():
        assert dossier.asked == (), name
        current = dossier.current
        if current is not None and any(
            key == name for key, _ in city.happened(EntryStarted, TemporaryGranted)
        ):
            row = rows[name, current.number]
            assert (row.state, row.role) == ("active", current.row.text.role), f"{name} is lost: {row}"
    for name, event in city.happened(EntryExited):
        if event.edition:
            assert rows[name, event.version].state == "exited", f"the end of {name} is lost"
    switches = [event.mode for _, _, event in city.events if type(event).__name__ == "ModeSwitched"]
    mode = city.rules.modes.get("S1")
    assert (mode.value if mode else "normal") == (switches[-1] if switches else "normal")


@settings(max_examples=200, deadline=None)
@given(st.lists(STEPS, min_size=5, max_size=40))
def test_whatever_comes_in_whatever_order(steps: list[Any]) -> None:
    city = on_the_eve().copy()
    for step in steps:
        ACTS[step[0]](city, *step[1:])
        holds(city)
    city.settle()
    settled(city)
    holds(city)
    for number in (0, 100, 400):
        one_version_in_force(city.rules.bundle, city.today + timedelta(days=number))
    for _, event in city.happened(TemporaryGranted):
        row = entry_of(event.row)
        assert row.role == "assist" or row.matter not in ROW8, "a deny was lifted"
    for kind in (EntryStarted, EntryExited, TemporaryGranted, EntryChangeRefused, EntryReturned):
        note(f"{kind.__name__} {sum(1 for _ in city.happened(kind))}")
