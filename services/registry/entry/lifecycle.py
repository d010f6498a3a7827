"""The whole workflow of an admission entry (事务准入) on one page. Docs draw it from here."""

from collections.abc import Sequence
from typing import Any, Final

from kernel.processor import Context
from kernel.table import by, decides, deciding, from_, needs, to
from schemas.entry.commands import (
    AmendEntry,
    ApplyEntry,
    CloseNotice,
    DecideEntry,
    EntryAnswer,
    EntryChanged,
    EntryCommand,
    EntryNotChanged,
    EntryRang,
    EntryReplaced,
    EntryTimer,
    EvaluateEntry,
    ExitEntry,
    GiveOpinion,
    GrantTemporary,
    ObjectToEntry,
    RecordFunding,
)
from schemas.entry.events import EntryEvent
from schemas.entry.states import EntryState
from services.registry.entry.decisions.answering import changed, not_changed, replaced
from services.registry.entry.decisions.applying import apply_entry, decide_entry, give_opinion
from services.registry.entry.decisions.noticing import close_notice, object_to_entry
from services.registry.entry.decisions.ringing import ring
from services.registry.entry.decisions.running import (
    evaluate_entry,
    exit_entry,
    grant_temporary,
    record_funding,
)
from services.registry.entry.guards import (
    all_heard,
    answered_one_by_one,
    duties_said,
    early_enough,
    end_reasoned,
    fits_register,
    grant_fits,
    guided_from_above,
    line_complete,
    matter_urgent,
    may_go_back,
    money_asked,
    money_promised,
    none_under_way,
    not_against_row8,
    nothing_pending,
    notice_lasts,
    notice_over,
    objection_said,
    order_and_end,
    party_known,
    proof_sound,
    reasoned,
    score_sound,
)
from services.registry.entry.picking import coming, current, to_exit, to_fund, under_way
from services.registry.entry.senders import (
    amender,
    anyone,
    concerned,
    decider,
    department,
    evaluator,
    finance,
    party,
    sup,
    sup_of_temporary,
)
from services.registry.entry.state import Dossier
from services.registry.entry.table import Row, on, table

NONE, REVIEWING, NOTICED, APPROVED = (
    EntryState.NONE, EntryState.REVIEWING, EntryState.NOTICED, EntryState.APPROVED,
)  # fmt: skip
ACTIVE, SUSPENDED, TEMPORARY = EntryState.ACTIVE, EntryState.SUSPENDED, EntryState.TEMPORARY
REFUSED, EXPIRED, EXITED = EntryState.REFUSED, EntryState.EXPIRED, EntryState.EXITED
OVER = (REFUSED, EXPIRED, EXITED)

# fmt: off
LIFECYCLE: Final[tuple[Row, ...]] = (
    #  command         decision         version    from                                    to                               by                               needs (guards.py)
    on(ApplyEntry,     apply_entry,     under_way, from_(NONE, TEMPORARY, *OVER),          to(REVIEWING),                   by(department),                  needs(nothing_pending, line_complete, duties_said, guided_from_above, not_against_row8, early_enough)),
    on(GiveOpinion,    give_opinion,    coming,    from_(REVIEWING),                       to(),                            by(party),                       needs(party_known)),
    on(DecideEntry,    decide_entry,    coming,    from_(REVIEWING),                       to(NOTICED, REFUSED),            by(decider),                     needs(reasoned, all_heard, fits_register)),
    on(ObjectToEntry,  object_to_entry, coming,    from_(NOTICED),                         to(),                            by(anyone),                      needs(notice_lasts, objection_said)),
    on(CloseNotice,    close_notice,    coming,    from_(NOTICED),                         to(APPROVED, REVIEWING),         by(decider),                     needs(notice_over, answered_one_by_one, may_go_back)),
    on(RecordFunding,  record_funding,  to_fund,   from_(APPROVED, ACTIVE, SUSPENDED, TEMPORARY), to(ACTIVE),               by(finance),                     needs(nothing_pending, money_asked, proof_sound)),
    on(EvaluateEntry,  evaluate_entry,  current,   from_(ACTIVE),                          to(),                            by(evaluator),                   needs(score_sound)),
    on(AmendEntry,     apply_entry,     current,   from_(ACTIVE),                          to(REVIEWING),                   by(amender),                     needs(nothing_pending, none_under_way, not_against_row8, line_complete, duties_said, guided_from_above, early_enough)),
    on(ExitEntry,      exit_entry,      to_exit,   from_(APPROVED, ACTIVE, SUSPENDED, TEMPORARY), to(EXITED),               by(concerned, decider, sup_of_temporary), needs(nothing_pending, not_against_row8, end_reasoned)),
    on(GrantTemporary, grant_temporary, under_way, from_(NONE, TEMPORARY, *OVER),          to(TEMPORARY),                   by(sup),                         needs(nothing_pending, order_and_end, not_against_row8, matter_urgent, money_promised, guided_from_above, grant_fits)),
)
# fmt: on

_command = table(EntryCommand, *LIFECYCLE)
_inner = deciding(
    EntryAnswer | EntryTimer,
    decides(EntryChanged, changed),
    decides(EntryNotChanged, not_changed),
    decides(EntryReplaced, replaced),
    decides(EntryRang, ring),
)
_INNER: Final = frozenset({EntryChanged, EntryNotChanged, EntryReplaced, EntryRang})


def decide(dossier: Dossier, message: Any, context: Context) -> Sequence[EntryEvent]:
    """A command of a person, an answer of the rules, or a timer."""
    return (_inner if type(message) in _INNER else _command)(dossier, message, context)
