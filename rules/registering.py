"""A line of the admission register as it travels and as it stands in a bundle, and what may become of it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from rules.admission import Entry, Funding, Needs
from rules.areas import Areas
from rules.bundle import Bundle
from rules.faults import Fault
from rules.matters import Matters, prefixes
from rules.reading.codes import Codes
from rules.reading.entries import FILE, read_entries
from rules.rows import SEPARATOR, Folder, Row
from rules.validity import FIRST_DAY, LAST_DAY
from schemas.register import EntryText, FaultTold, FundingText, NeedsText, RegisterRow

FUNDED_ROLES = frozenset({"assist", "entrusted"})
"""费随事转: the roles that need a proof of funding; own work and prohibitions need none."""
_MOST = 400


def entry_of(row: RegisterRow) -> Entry:
    """The line as the guard reads it."""
    text, money = row.text, row.text.funding
    return Entry(
        entry_id=row.entry,
        version=row.version,
        matter=text.matter,
        area=text.area,
        role=text.role,
        layer=text.layer,
        unit_level=text.unit_level,
        term=row.term,
        mode=text.mode,
        state=row.state,
        statutory_level=text.statutory_level,
        legal_basis=text.legal_basis,
        article=text.article,
        order_number=row.order_number,
        owner_instead=text.owner_instead,
        applicant=text.applicant,
        guiding_dept=text.guiding_dept,
        duties=text.duties,
        limits_of_duty=text.limits_of_duty,
        frequency=text.frequency,
        funding=Funding(
            money.source,
            money.standard,
            money.per,
            money.proof_id,
            money.covers_from or LAST_DAY,
            money.covers_to or FIRST_DAY,
        ),
        conditions=Needs(text.conditions.staff, text.conditions.training, text.conditions.equipment),
        approval_no=row.approval_no,
        noticed_on=row.noticed_on or FIRST_DAY,
        valid_from=text.valid_from or FIRST_DAY,
        valid_to=text.valid_to or LAST_DAY,
        exit_reason=row.exit_reason,
        supersedes=text.supersedes,
    )


def row_of(entry: Entry) -> RegisterRow:
    """The line as it travels; `entry_of` gives it back."""
    return RegisterRow(
        entry=entry.entry_id,
        version=entry.version,
        state=entry.state,
        term=entry.term,
        order_number=entry.order_number,
        approval_no=entry.approval_no,
        noticed_on=_given(entry.noticed_on),
        exit_reason=entry.exit_reason,
        text=_text_of(entry),
    )


def _text_of(entry: Entry) -> EntryText:
    needs = entry.conditions
    return EntryText(
        matter=entry.matter,
        area=entry.area,
        role=entry.role,
        legal_basis=entry.legal_basis,
        guiding_dept=entry.guiding_dept,
        applicant=entry.applicant,
        layer=entry.layer,
        unit_level=entry.unit_level,
        mode=entry.mode,
        statutory_level=entry.statutory_level,
        article=entry.article,
        owner_instead=entry.owner_instead,
        duties=entry.duties,
        limits_of_duty=entry.limits_of_duty,
        frequency=entry.frequency,
        funding=_funding_of(entry.funding),
        conditions=NeedsText(staff=needs.staff, training=needs.training, equipment=needs.equipment),
        valid_from=_given(entry.valid_from),
        valid_to=_given(entry.valid_to),
        supersedes=entry.supersedes,
    )


def _funding_of(money: Funding) -> FundingText:
    return FundingText(
        source=money.source,
        standard=money.standard,
        per=money.per,
        proof_id=money.proof_id,
        covers_from=_given(money.covers_from),
        covers_to=_given(money.covers_to),
    )


def _given(day: date) -> date | None:
    return None if day in (FIRST_DAY, LAST_DAY) else day


def name_of(entry: Entry) -> str:
    """How `supersedes` names a version: `ID@VERSION`."""
    return f"{entry.entry_id}@{entry.version}"


def row_faults(bundle: Bundle, entry: Entry) -> list[Fault]:
    """What a keeper of the bundle would be told of this line: it is read again as a row of `entries.csv`."""
    faults: list[Fault] = []
    row = Row(FILE, 0, _cells(entry))
    read_entries(Folder(tables={FILE: [row]}), _codes(bundle), faults)
    return faults


def told(faults: Sequence[Fault]) -> tuple[FaultTold, ...]:
    """Faults as they travel."""
    return tuple(
        FaultTold(
            code=fault.code,
            column=fault.column,
            expected=fault.expected[:_MOST],
            found=fault.value[:_MOST] or "nothing",
        )
        for fault in faults
    )


def denies_row8(matters: Matters, entry: Entry) -> bool:
    """Whether this is a prohibition of one of the five matters, which nobody amends, ends or lifts."""
    return entry.prohibits and entry.state != "exited" and touches_row8(matters, entry.matter)


def touches_row8(matters: Matters, selector: str) -> bool:
    """Whether a matter, a prefix or a tag covers one of the five."""
    return selector.startswith("row8:") or any(matter.row8 for matter in matters.by_prefix(selector))


def urgent(matters: Matters, selector: str) -> bool:
    """Whether all matters below this code are urgent (紧急) or hazards: only these are admitted at once."""
    found = matters.by_prefix(selector)
    return bool(found) and all(matter.urgency == "urgent" or matter.hazard for matter in found)


def renewals(areas: Areas, entries: Sequence[Entry], wanted: Entry) -> int:
    """How many temporary admissions (临时准入) there were for this matter, area and unit level.

    Whatever their entry ids: one that covers the wanted one, or lies within it, counts.
    """
    return sum(
        one.term == "temporary" and name_of(one) != name_of(wanted) and _overlaps(areas, one, wanted)
        for one in entries
    )


def _overlaps(areas: Areas, one: Entry, other: Entry) -> bool:
    matter = one.matter in prefixes(other.matter) or other.matter in prefixes(one.matter)
    place = areas.within(one.area, other.area) or areas.within(other.area, one.area)
    level = one.unit_level == other.unit_level or not (one.unit_level and other.unit_level)
    return matter and place and level


def _codes(bundle: Bundle) -> Codes:
    parts, none = bundle.parts, frozenset[str]()
    return Codes(
        areas=frozenset(area.code for area in parts.areas),
        units=frozenset(unit.code for unit in parts.units),
        posts=none,
        matters=frozenset(matter.code for matter in parts.matters),
        trades=none,
        calendars=none,
        day_tables=none,
        templates=none,
        kinds={kind.code: kind.level for kind in bundle.city.kinds},
        guarded=frozenset(kind.code for kind in bundle.city.kinds if kind.guarded),
        layers=frozenset(bundle.city.layers),
    )


def _cells(entry: Entry) -> Mapping[str, str]:
    """The cells of the line; what is empty is not there."""
    return {name: text for name, text in _texts(entry) if text}


def _texts(entry: Entry) -> Iterator[tuple[str, str]]:
    money, needs = entry.funding, entry.conditions
    for name in (
        "entry_id", "matter", "area", "role", "layer", "unit_level", "term", "mode", "state",
        "statutory_level", "article", "order_number", "owner_instead", "applicant", "guiding_dept", "duties",
        "limits_of_duty", "frequency", "approval_no", "exit_reason", "supersedes",
    ):  # fmt: skip
        yield name, getattr(entry, name)
    yield "version", str(entry.version)
    yield "legal_basis", SEPARATOR.join(entry.legal_basis)
    yield from (("funding_source", money.source), ("funding_standard", money.standard))
    yield from (("funding_per", money.per), ("funding_proof", money.proof_id))
    yield from (("staff", needs.staff), ("training", needs.training), ("equipment", needs.equipment))
    days = (
        ("noticed_on", entry.noticed_on), ("valid_from", entry.valid_from), ("valid_to", entry.valid_to),
        ("covers_from", money.covers_from), ("covers_to", money.covers_to),
    )  # fmt: skip
    yield from ((name, "" if _given(day) is None else day.isoformat()) for name, day in days)
