"""Who would be sent there (派遣预判): the router's decision on a report, without a case, on no record."""

from collections.abc import Sequence
from datetime import datetime

from msgspec import Struct

from rules.inforce import Rules
from rules.matters import Matter
from schemas.case.assigning import AdmissionDecided
from schemas.case.union import CaseEvent
from services.router.admission import question
from services.router.assignment import on_record, walk
from services.router.candidates import place_of, supervising


class Proposal(Struct, frozen=True):
    """The finding as it would be written, what would follow from it, and who would have to act.

    `lead` is empty where nobody is admitted; then a person has to dispatch.
    """

    finding: AdmissionDecided
    follows: tuple[CaseEvent, ...]
    lead: str
    lead_name: str
    origin: str
    supervising: tuple[str, ...]
    posts: tuple[str, ...]


def propose(
    rules: Rules,
    matter: Matter,
    area: str,
    places: Sequence[tuple[str, str]],
    t: datetime,
    *,
    triage: str = "",
) -> Proposal:
    """What `routed` decides for a case of this matter there at that moment, by the same steps.

    `triage` is empty where nobody has decided it: then it is that of the matter.
    """
    bundle = rules.bundle
    day = bundle.day(t)
    ask = question(rules, matter, triage, place_of(bundle, area, places, day), t)
    found = walk(ask)
    events = on_record(found)
    finding = events[0]
    assert isinstance(finding, AdmissionDecided), "the finding comes first"
    unit = bundle.units.get(found.lead.unit, day) if found.lead else None
    if found.lead is None or unit is None:
        return Proposal(finding, tuple(events[1:]), "", "", "", (), ())
    return Proposal(
        finding=finding,
        follows=tuple(events[1:]),
        lead=unit.code,
        lead_name=unit.name,
        origin=found.lead.origin,
        supervising=supervising(bundle, matter, ask.place, unit.code, day),
        posts=tuple(post.code for post in bundle.posts.of_unit(unit.code, "handler", day)),
    )
