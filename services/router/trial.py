"""Another edition tried on what has happened (试算): who would lead now, and why not who led then."""

from typing import Final, NamedTuple

from schemas.case.assigning import AdmissionDecided, CandidateVerdict
from services.router.admission import ADMITTED, LEAD
from services.router.explain import LANGUAGES, word

REFUSED, GRANTED, AHEAD, GONE = "refused", "granted", "ahead", "gone"
ASSISTS, UNANSWERED = "assists", "unanswered"


class Reason(NamedTuple):
    """Why a finding came out otherwise: `kind` says what happened to `unit`, the rest cites its verdict.

    refused: it led before, and is refused now. granted: it leads now, and was refused before. ahead: it leads
    now, and was not looked at before, because it was no candidate or came behind. assists: the lead is the
    same, `unit` alone assists or does so no more. unanswered: only one of the editions has an answer at all.
    """

    kind: str
    unit: str = ""
    step: int = 0
    verdict: str = ""
    entry: str = ""
    version: int = 0
    origin: str = ""


def reason(before: AdmissionDecided, after: AdmissionDecided) -> Reason | None:
    """Why these findings differ in who leads or assists, the first cause found; `None` if they agree."""
    if before.lead != after.lead:
        lost, won = _as_lead(after, before.lead), _as_lead(before, after.lead)
        if lost is not None and lost.verdict not in ADMITTED:
            return _cited(REFUSED, lost)
        if won is not None and won.verdict not in ADMITTED:
            now = _as_lead(after, after.lead)
            return _cited(GRANTED, won)._replace(
                entry=now.entry if now else "", version=now.version if now else 0
            )
        first = _as_lead(after, after.lead)
        return _cited(AHEAD, first) if first else Reason(GONE, before.lead)
    changed = sorted({*before.assistants} ^ {*after.assistants})
    if not changed:
        return None
    verdict = next((one for one in after.verdicts if one.unit == changed[0]), None)
    return _cited(ASSISTS, verdict) if verdict else Reason(ASSISTS, changed[0])


def sentence(found: Reason, name: str, language: str) -> str:
    """The reason for people; `name` is that of its unit."""
    text = _WORDS[found.kind][LANGUAGES.index(language)]
    cited = word("entry", language).format(found.entry, found.version) if found.entry else ""
    if found.kind == AHEAD:
        parts = [word(found.origin, language), cited]
    else:
        step = word("step", language).format(found.step) if found.step else ""
        parts = [step, word(found.verdict, language), cited]
    about = ", ".join(part for part in parts if part)
    return text.format(name=name, about=f" ({about})" if about else "")


def _as_lead(finding: AdmissionDecided, unit: str) -> CandidateVerdict | None:
    found = (one for one in finding.verdicts if one.unit == unit and one.role == LEAD)
    return next(found, None)


def _cited(kind: str, verdict: CandidateVerdict) -> Reason:
    return Reason(
        kind, verdict.unit, verdict.step, verdict.verdict, verdict.entry, verdict.version, verdict.origin
    )


_WORDS: Final = {
    REFUSED: ("{name}不再可派{about}", "{name} is refused now{about}"),
    GRANTED: ("{name}原先不可派{about}，现可派", "{name} was refused before{about}, and is not now"),
    AHEAD: ("{name}现列为在前的候选单位{about}", "{name} is asked first now{about}"),
    GONE: ("{name}不再是候选单位，无单位可派", "{name} is no candidate now, and nobody else is admitted"),
    ASSISTS: ("协办单位不同：{name}{about}", "whether {name} assists differs{about}"),
    UNANSWERED: ("新版本无法派遣{about}", "the new edition has no answer{about}"),
}
