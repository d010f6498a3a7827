"""The line of the register (登记行) that a command leads to."""

from dataclasses import replace
from datetime import date

from kernel.processor import Context
from rules.admission import IN_FORCE
from rules.reading.entries import MODES, ROLES
from schemas.entry.commands import GrantTemporary, RecordFunding
from schemas.register import EntryText, RegisterRow
from services.registry.entry.state import Dossier, Version


def next_version(dossier: Dossier, context: Context) -> int:
    """Behind every version that the workflow or the register in force knows."""
    known = context.rules.bundle.register.versions(context.stream)
    return 1 + max([dossier.last, *(one.version for one in known)])


def new_row(dossier: Dossier, text: EntryText, context: Context) -> RegisterRow:
    """The next version as it was applied for, in the one word that the register has for each thing."""
    text = replace(text, role=ROLES.get(text.role, text.role), mode=MODES.get(text.mode, text.mode))
    number = next_version(dossier, context)
    return RegisterRow(entry=context.stream, version=number, state="approved", text=text)


def granted_row(dossier: Dossier, command: GrantTemporary, context: Context) -> RegisterRow:
    """A temporary admission from today on."""
    today = context.rules.bundle.day(context.now)
    row = new_row(dossier, replace(command.text, valid_from=command.text.valid_from or today), context)
    return replace(row, state="active", term="temporary", order_number=command.order_number)


def started_row(row: RegisterRow, today: date) -> RegisterRow:
    """The version from the day on which it really starts."""
    first = row.text.valid_from
    late = first is None or first < today
    return replace(row, state="active", text=replace(row.text, valid_from=today) if late else row.text)


def ended_row(version: Version, reason: str) -> RegisterRow:
    return replace(version.row, state="exited", exit_reason=reason)


def funded_row(version: Version, command: RecordFunding, today: date) -> RegisterRow:
    """The version with the proof; of proofs without a gap between them the first day stays."""
    row, before = version.row, version.row.text.funding
    since = command.covers_from
    if before.proof_id and before.covers_from and before.covers_to and before.covers_to >= today:
        since = min(since, before.covers_from)
    funding = replace(before, proof_id=command.proof_id, covers_from=since, covers_to=command.covers_to)
    state = "active" if row.state in IN_FORCE else row.state
    return replace(row, state=state, text=replace(row.text, funding=funding))
