from msgspec import Struct


class Bounds(Struct, frozen=True, kw_only=True):
    """The numbers that lifecycle.md writes in square brackets, with its proposals as defaults."""

    objections: int = 2
    relieved: int = 3
    passes_per_pair: int = 1
    callbacks: int = 3
    rounds: int = 3
    repeat_days: int = 30
    unmerge_days: int = 30
    extensions_per_round: int = 1
    extensions_per_case: int = 3
    suspensions: int = 2
    suspension_days: int = 90
    second_approver_days: int = 5
    rework_percent: int = 50
    short_limit_minutes: int = 360
    automatic_confidence: int = 800
    near_metres: int = 15
    apply_days: int = 30
    decide_days: int = 15
    notice_days: int = 5
    notice_extra_days: int = 5
    notice_returns: int = 1
    temporary_renewals: int = 1
    merge_score: int = 550
    suggest_score: int = 400
