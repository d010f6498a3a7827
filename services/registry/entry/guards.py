"""What must hold beyond state and sender (前置条件): one small function each, for columns of the table."""

# ruff: noqa: ARG001 - every guard has the shape of a guard

from datetime import date

from msgspec.structs import replace

from kernel.processor import Context
from rules.admission import Entry
from rules.composing import contradictions
from rules.faults import Fault
from rules.registering import FUNDED_ROLES, denies_row8, entry_of, row_faults, told, touches_row8, urgent
from schemas.entry.commands import (
    AmendEntry,
    ApplyEntry,
    CloseNotice,
    DecideEntry,
    EvaluateEntry,
    ExitEntry,
    GiveOpinion,
    GrantTemporary,
    ObjectToEntry,
    RecordFunding,
)
from schemas.refusal import Refusal
from services.registry.entry.dates import after_working_days, starts
from services.registry.entry.parties import PARTIES, unheard
from services.registry.entry.picking import to_exit, to_fund
from services.registry.entry.rows import granted_row, new_row
from services.registry.entry.state import Dossier
from services.registry.entry.table import Against

MOST_OBJECTIONS = 500
BEST_SCORE = 100


def against(code: str, expected: object, found: object, faults: tuple[Fault, ...] = ()) -> Against:
    refusal = Refusal(code=code, expected=str(expected)[:400], found=str(found)[:400] or "nothing")
    return Against(refusal, told(faults))


def _of_faults(faults: list[Fault]) -> Against | None:
    """The first fault is the refusal; all of them travel with it."""
    if not faults:
        return None
    first = faults[0]
    place = f"{first.column}: {first.expected}" if first.column else first.expected
    return against(first.code, place, first.value, tuple(faults[:10]))


def nothing_pending(dossier: Dossier, command: object, context: Context) -> Against | None:
    """The register answers within seconds; until then nothing else is asked of it for this entry."""
    if not dossier.asked:
        return None
    one = dossier.asked[0]
    return against(
        "change_pending", "an answer of the register, then once more", f"{one.what} of {one.version}"
    )


# ── applications ─────────────────────────────────────────────────────────────────────────────────────
def line_complete(dossier: Dossier, command: ApplyEntry | AmendEntry, context: Context) -> Against | None:
    """Legal basis, guiding department, funding standard, known codes: as the check of a bundle asks."""
    entry = entry_of(new_row(dossier, command.text, context))
    return _of_faults(row_faults(context.rules.bundle, entry))


def duties_said(dossier: Dossier, command: ApplyEntry | AmendEntry, context: Context) -> Against | None:
    if command.text.duties or command.text.role == "prohibited":
        return None
    return against("no_duties", "what is to be done, and how far", "nothing")


def guided_from_above(
    dossier: Dossier, command: ApplyEntry | AmendEntry | GrantTemporary, context: Context
) -> Against | None:
    """The guiding department is of a level that is not guarded itself (对接指导部门)."""
    bundle = context.rules.bundle
    unit = bundle.units.get(command.text.guiding_dept, bundle.day(context.now))
    if unit is not None and not bundle.register.guards(unit.level):
        return None
    return against("bad_level", "a department above the guarded levels", command.text.guiding_dept)


def early_enough(dossier: Dossier, command: ApplyEntry | AmendEntry, context: Context) -> Against | None:
    """So many working days before the first day, counted from the receipt at the edge."""
    bundle, first = context.rules.bundle, command.text.valid_from
    days = bundle.bounds.apply_days
    if first is None:
        return against("no_start", "valid_from: the first day", "nothing")
    earliest = after_working_days(bundle, context.received, days)
    if starts(bundle, replace(_blank(dossier, command, context), valid_from=first)) >= earliest:
        return None
    return against(
        "too_late", f"{days} working days before the start, {bundle.day(earliest)} or later", first
    )


def none_under_way(dossier: Dossier, command: object, context: Context) -> Against | None:
    if dossier.coming is None:
        return None
    return against("under_way", "one new version at a time", f"version {dossier.coming.number}")


def not_against_row8(
    dossier: Dossier, command: ApplyEntry | AmendEntry | ExitEntry | GrantTemporary, context: Context
) -> Against | None:
    """Nobody amends, ends or supersedes a prohibition of the five matters, nor lifts it for a while."""
    bundle = context.rules.bundle
    texts = () if isinstance(command, ExitEntry) else (command.text,)
    names = {text.supersedes for text in texts if text.supersedes}
    touched = [one for one in bundle.register.rows if f"{one.entry_id}@{one.version}" in names]
    if dossier.current is not None:
        touched.append(entry_of(dossier.current.row))
    deny = next((one for one in touched if denies_row8(bundle.matters, one)), None)
    if deny is not None:
        return against("row8_deny", "a prohibition of the five matters stays as it is", deny.entry_id)
    if not isinstance(command, GrantTemporary) or command.text.role == "assist":
        return None
    if not touches_row8(bundle.matters, command.text.matter):
        return None
    return against("row8_deny", "assist: nothing lifts a prohibition of the five", command.text.role)


def _blank(dossier: Dossier, command: ApplyEntry | AmendEntry, context: Context) -> Entry:
    return entry_of(new_row(dossier, command.text, context))


# ── review and notice ────────────────────────────────────────────────────────────────────────────────
def party_known(dossier: Dossier, command: GiveOpinion, context: Context) -> Against | None:
    return None if command.party in PARTIES else against("unknown_party", " or ".join(PARTIES), command.party)


def reasoned(dossier: Dossier, command: DecideEntry, context: Context) -> Against | None:
    """A refusal has a reason, an approval the number of its document."""
    if not command.approve:
        return None if command.reason else against("no_reason", "why it is refused", "nothing")
    return None if command.approval_no else against("no_approval_no", "the number of the approval", "nothing")


def all_heard(dossier: Dossier, command: DecideEntry, context: Context) -> Against | None:
    """Legal, finance, street and the communities concerned: nothing is approved before all four spoke."""
    coming = dossier.coming
    if not command.approve or coming is None:
        return None
    missing = unheard(coming.row.text, coming.opinions, context)
    if not missing:
        return None
    return against("not_heard", "the opinions of " + ", ".join(PARTIES), "none of " + "; ".join(missing))


def fits_register(dossier: Dossier, command: DecideEntry, context: Context) -> Against | None:
    """Statutory level respected, and no contradiction with an entry in force but one that it supersedes."""
    if not command.approve or dossier.coming is None:
        return None
    entry = entry_of(dossier.coming.row)
    return _of_faults(contradictions(context.rules.bundle, replace(entry, state="active")))


def notice_lasts(dossier: Dossier, command: ObjectToEntry, context: Context) -> Against | None:
    coming = dossier.coming
    if coming is None or coming.ends is None or context.received <= coming.ends:
        return None
    return against("notice_over", f"received by {coming.ends.isoformat()}", context.received.isoformat())


def objection_said(dossier: Dossier, command: ObjectToEntry, context: Context) -> Against | None:
    if not command.text.strip():
        return against("no_text", "what is objected to, and why", "nothing")
    many = dossier.coming.objections if dossier.coming else 0
    return (
        None if many < MOST_OBJECTIONS else against("too_many", f"at most {MOST_OBJECTIONS} objections", many)
    )


def notice_over(dossier: Dossier, command: CloseNotice, context: Context) -> Against | None:
    coming = dossier.coming
    if coming is None or coming.ends is None or context.received > coming.ends:
        return None
    return against("notice_lasts", f"after {coming.ends.isoformat()}", context.received.isoformat())


def answered_one_by_one(dossier: Dossier, command: CloseNotice, context: Context) -> Against | None:
    wanted = dossier.coming.open if dossier.coming else ()
    found = tuple(sorted(one.objection for one in command.answers if one.answer.strip()))
    if found == wanted and len(command.answers) == len(found):
        return None
    return against("not_answered", f"one answer to each of {list(wanted)}", list(found))


def may_go_back(dossier: Dossier, command: CloseNotice, context: Context) -> Against | None:
    most = context.rules.bundle.bounds.notice_returns
    if not command.back:
        return None
    if not command.reason:
        return against("no_reason", "why it goes back to be reviewed", "nothing")
    found = dossier.coming.returns if dossier.coming else 0
    return (
        None if found < most else against("returned_before", f"at most {most} returns from the notice", found)
    )


# ── money, evaluation, end ───────────────────────────────────────────────────────────────────────────
def money_asked(dossier: Dossier, command: RecordFunding, context: Context) -> Against | None:
    version = to_fund(dossier, command)
    role = version.row.text.role if version else ""
    return None if role in FUNDED_ROLES else against("no_funding_asked", "an assist or entrusted entry", role)


def proof_sound(dossier: Dossier, command: RecordFunding, context: Context) -> Against | None:
    """A proof with its number, of days that are not over, and without a gap behind the one before."""
    today = context.rules.bundle.day(context.now)
    if not command.proof_id:
        return against("no_proof", "the number of the proof", "nothing")
    if not today <= command.covers_to or command.covers_to < command.covers_from:
        days = f"{command.covers_from} to {command.covers_to}"
        return against("bad_day", f"days in order that end on {today} or later", days)
    version = to_fund(dossier, command)
    before = entry_of(version.row).funding if version and version is dossier.current else None
    if before is None or not before.proof_id or not before.covers_from <= today <= before.covers_to:
        return None
    gap = date.fromordinal(before.covers_to.toordinal() + 1) < command.covers_from
    return (
        against("funding_gap", f"from {before.covers_to} on, or earlier", command.covers_from)
        if gap
        else None
    )


def score_sound(dossier: Dossier, command: EvaluateEntry, context: Context) -> Against | None:
    return None if command.score <= BEST_SCORE else against("bad_score", f"0 to {BEST_SCORE}", command.score)


def end_reasoned(dossier: Dossier, command: ExitEntry, context: Context) -> Against | None:
    return None if command.reason.strip() else against("no_reason", "why the entry ends", "nothing")


def exits_known(dossier: Dossier, command: ExitEntry, context: Context) -> Against | None:
    """A version that is over cannot end once more."""
    found = to_exit(dossier, command)
    return None if found is not None else against("no_version", "a version that is not over", command.version)


# ── temporary admission ──────────────────────────────────────────────────────────────────────────────
def order_and_end(dossier: Dossier, command: GrantTemporary, context: Context) -> Against | None:
    """At once, by an order with its number, and until an end date."""
    today, text = context.rules.bundle.day(context.now), command.text
    if not command.order_number:
        return against("no_order", "the number of the order", "nothing")
    if text.valid_to is None or text.valid_to < today:
        return against("no_end_date", f"an end date, {today} or later", text.valid_to or "nothing")
    if text.valid_from is not None and text.valid_from > today:
        return against("not_at_once", f"from {today}, without a first day to come", text.valid_from)
    if text.role == "prohibited":
        return against("bad_choice", "own, assist or entrusted", text.role)
    return None


def money_promised(dossier: Dossier, command: GrantTemporary, context: Context) -> Against | None:
    """Source, standard and what it is counted per, with the day by which the money comes."""
    today, money = context.rules.bundle.day(context.now), command.text.funding
    if not (money.source and money.standard and money.per):
        return against("no_funding", "source, standard and what it is counted per", "nothing")
    if command.promised is None or command.promised < today:
        return against(
            "no_promise", f"the day of the promise, {today} or later", command.promised or "nothing"
        )
    return None


def matter_urgent(dossier: Dossier, command: GrantTemporary, context: Context) -> Against | None:
    if urgent(context.rules.bundle.matters, command.text.matter):
        return None
    return against("not_urgent", "an urgent matter (紧急) or a hazard", command.text.matter)


def grant_fits(dossier: Dossier, command: GrantTemporary, context: Context) -> Against | None:
    """No contradiction with the register, and renewed no more often than the bound allows."""
    entry = entry_of(granted_row(dossier, command, context))
    return _of_faults(contradictions(context.rules.bundle, entry))
