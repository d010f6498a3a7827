"""How supervisions end (督办解除): with what they were due to, or by a word."""

from collections.abc import Iterable

from kernel.processor import Context
from schemas.case.supervising import SupervisionLifted
from services.router.state import Case, Supervision


def lifted(case: Case, context: Context, *, everything: bool = False) -> list[SupervisionLifted]:
    """What ends with the case: the clock's own supervisions when it is over, all of them when it is void."""
    return ended([one for one in case.supervisions if everything or one.clock], "case_over", context)


def decided(case: Case, context: Context) -> list[SupervisionLifted]:
    """The supervision of the bound of rounds asked for a decision, and here it is."""
    return ended([one for one in case.supervisions if one.at_bound], "decided", context)


def ended(some: Iterable[Supervision], reason: str, context: Context) -> list[SupervisionLifted]:
    return [
        SupervisionLifted(
            number=one.number, kind=one.kind, reason=reason, by=context.sender.id, at=context.received
        )
        for one in some
    ]
