"""Who keeps the admission register of a simulated city: grants, money, ends, switches, and the composer."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random
from typing import Any, Final, NamedTuple

from kernel.hosts.simulator.city import PerformOne, SimulatedCity
from kernel.hosts.simulator.happenings import finish
from kernel.hosts.simulator.world import Broken
from kernel.log import Message
from kernel.processor import Sender
from rules.bundle import Bundle
from rules.edition import Edition
from rules.inforce import Mode, Rules
from schemas.entry.commands import ExitEntry, GrantTemporary, ObjectToEntry, RecordFunding
from schemas.register import EntryText, FundingText
from schemas.registry import Composed, ComposeEdition
from schemas.switching import SwitchMode
from schemas.wire import trusted
from services.registry.composer.composing import composed
from services.registry.entry.processor import REGISTRY_ENTRY
from services.registry.entry.state import Dossier
from services.registry.mode.processor import REGISTRY_MODE
from services.registry.rules.processor import REGISTRY_RULES
from services.registry.rules.state import InForce

_MONEY: Final = FundingText(source="区财政", standard="每件20元", per="件")


class Order(NamedTuple):
    """Who says what to which entry or area."""

    sender: Sender
    subject: str
    message: object


class MemoryStore:
    """Editions by hash, as a composer finds and stores them."""

    def __init__(self, bundles: dict[str, Bundle]) -> None:
        self._bundles = bundles

    async def find(self, edition: str) -> Edition | None:
        """See the port."""
        bundle = self._bundles.get(edition)
        return Edition.of(bundle.parts) if bundle else None

    async def bundle(self, edition: str) -> Bundle:
        """See the port."""
        return self._bundles[edition]

    async def put(self, edition: Edition) -> None:
        """See the port."""
        self._bundles.setdefault(edition.hash, edition.load())


def composer(bundles: dict[str, Bundle]) -> PerformOne:
    """What carries out compositions; what it made stands in `bundles` afterwards."""
    store = MemoryStore(bundles)

    def one(message: Message) -> Any:
        request = trusted(message.body).message
        if not isinstance(request, ComposeEdition):
            return None
        return Composed(request=request, outcome=finish(composed(store, request)))

    return one


def order(random: Random, city: SimulatedCity, bundle: Bundle) -> Order | None:
    """One order, right or wrong, about a few entries and areas, so that they meet."""
    return random.choice(_ORDERS)(random, city, bundle)


def _grant(random: Random, city: SimulatedCity, bundle: Bundle) -> Order | None:
    urgent = [matter for matter in bundle.parts.matters if matter.hazard or matter.urgency == "urgent"]
    posts = bundle.posts.holding("supervisor", bundle.city.root)
    if not urgent or not posts:
        return None
    matter = random.choice(urgent[:2])
    today = bundle.day(city.world.now)
    text = EntryText(
        matter=matter.code,
        area=random.choice(_communities(bundle)),
        role=random.choice(("assist", "own")),
        legal_basis=("虚构条例第六条",),
        guiding_dept=bundle.city.body,
        applicant=bundle.city.body,
        funding=_MONEY,
        valid_to=today + timedelta(days=random.randrange(3)),
    )
    granted = GrantTemporary(text=text, order_number="急令", promised=today + timedelta(days=1))
    return Order(Sender("post", random.choice(posts).code), f"TMP-{random.randrange(3)}", granted)


def _fund(random: Random, city: SimulatedCity, bundle: Bundle) -> Order | None:
    posts = bundle.posts.of_unit(bundle.city.body, "handler")
    names = [one.entry_id for one in bundle.parts.entries if one.role == "assist"][:3] or ["TMP-0"]
    if not posts:
        return None
    today = bundle.day(city.world.now)
    paid = RecordFunding(
        proof_id=f"P-{random.randrange(9)}", covers_from=today, covers_to=today + timedelta(days=20)
    )
    return Order(Sender("post", posts[0].code), random.choice((*names, "TMP-0")), paid)


def _end(random: Random, city: SimulatedCity, bundle: Bundle) -> Order | None:  # noqa: ARG001 - as every order
    posts = bundle.posts.holding("supervisor", bundle.city.root)
    if not posts:
        return None
    ended = ExitEntry(reason="险情解除")
    name = random.choice(("TMP-0", "TMP-1", "TMP-2", bundle.parts.entries[0].entry_id))
    return Order(Sender("post", posts[0].code), name, ended)


def _object(random: Random, city: SimulatedCity, bundle: Bundle) -> Order | None:  # noqa: ARG001 - as above
    return Order(Sender("reporter", "r1"), f"TMP-{random.randrange(3)}", ObjectToEntry(text="不同意"))


def _switch(random: Random, city: SimulatedCity, bundle: Bundle) -> Order | None:  # noqa: ARG001 - as above
    posts = bundle.posts.holding("lead_officer", bundle.city.root)
    if not posts:
        return None
    said = SwitchMode(
        mode=random.choice((Mode.EMERGENCY.value, Mode.NORMAL.value)), order_number="防汛", reason="暴雨"
    )
    return Order(Sender("post", posts[0].code), random.choice(_communities(bundle)), said)


def _communities(bundle: Bundle) -> Sequence[str]:
    return [area.code for area in bundle.areas.of_kind(bundle.city.desk_kind)][:2] or [bundle.city.root]


_ORDERS: Final[Sequence[Callable[[Random, SimulatedCity, Bundle], Order | None]]] = (
    _grant, _grant, _fund, _fund, _end, _object, _switch, _switch,
)  # fmt: skip


def register_agrees(city: SimulatedCity) -> None:
    """Nothing waits, and what the entries and switches say of themselves is what the rules in force say."""
    found: dict[str, InForce] = dict(city.watch.states(REGISTRY_RULES.name))
    for stream, state in found.items():
        if state.waiting or state.wanted or state.composing:
            raise Broken("nothing waits for an edition", f"{stream}: {state}")
        rules = city.rules().get(state.number)
        if rules is not None:
            _entries_agree(city, rules)
            _switches_agree(city, rules)


def _entries_agree(city: SimulatedCity, rules: Rules) -> None:
    dossiers: dict[str, Dossier] = dict(city.watch.states(REGISTRY_ENTRY.name))
    for name, dossier in dossiers.items():
        if dossier.asked:
            raise Broken("every change is answered", f"{name}: {dossier.asked}")
        versions = {one.version: one.state for one in rules.bundle.register.versions(name)}
        current = dossier.current
        if current is not None and versions.get(current.number) != "active":
            raise Broken(
                "no change is lost", f"{name}: version {current.number} in force, register {versions}"
            )
        active = [number for number, state in versions.items() if state == "active"]
        if len(active) > 1:
            raise Broken("one version in force", f"{name}: {active}")


def _switches_agree(city: SimulatedCity, rules: Rules) -> None:
    for area, switch in dict(city.watch.states(REGISTRY_MODE.name)).items():
        mode = rules.modes.get(area, Mode.NORMAL).value
        if switch.switches and switch.mode != mode:
            raise Broken("no switch is lost", f"{area}: ordered {switch.mode}, the rules say {mode}")
