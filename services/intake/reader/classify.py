"""What a report is about (事项): the longest words of the bundle that stand in it, weighed."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from statistics import median_low

from ahocorasick_rs import AhoCorasick, MatchKind
from msgspec import Struct
from msgspec.structs import replace

from rules.bundle import Bundle
from rules.matters import Matter
from schemas.intake import Candidate
from schemas.report import GridReport
from services.intake.likeness import letters, likeness, plain

CERTAIN = 1000
SAID = 900
"""Confidence in the matter that the channel itself names."""
CONTRADICTED = 700
"""Confidence in it where the words speak for another one."""
SHOWN = 5
KEPT_INDEXES = 4


class Verdict(Struct, frozen=True, gc=False):
    """The finding: matter and condition, how sure per mille, and all that came into question."""

    matter: str = ""
    condition: str = ""
    confidence: int = 0
    triage: str = ""
    urgency: str = "normal"
    candidates: tuple[Candidate, ...] = ()
    doubts: tuple[str, ...] = ()


class Lexicon:
    """All keywords (关键词) of one bundle in one automaton, built once and never changed."""

    __slots__ = ("automaton", "bundle", "certain", "conditions", "owners", "words")

    def __init__(self, bundle: Bundle) -> None:
        owners: dict[str, list[tuple[str, int]]] = defaultdict(list)
        for matter in bundle.matters.rows:
            for word, weight in matter.keywords:
                owners[plain(word)].append((matter.code, weight))
        owners.pop("", None)
        self.bundle = bundle
        self.words = tuple(sorted(owners))
        self.owners = tuple(tuple(owners[word]) for word in self.words)
        self.certain = _certain(bundle)
        self.automaton = AhoCorasick(self.words, matchkind=MatchKind.LeftmostLongest)
        self.conditions: Mapping[str, Sequence[tuple[str, str]]] = {
            matter.code: tuple((condition.code, letters(condition.text)) for condition in matter.conditions)
            for matter in bundle.matters.rows
        }

    def find(self, text: str) -> tuple[Candidate, ...]:
        """The matters that words of the text speak for, best first; each word counts once.

        The middle one of the matters' greatest weights means certainty: a city may weigh on any scale.
        """
        wanted = plain(text)
        hits = self.automaton.find_matches_as_indexes(wanted)
        seen = {number for number, start, end in hits if _whole(wanted, start, end)}
        scores: dict[str, int] = defaultdict(int)
        words: dict[str, list[str]] = defaultdict(list)
        for number in sorted(seen):
            for matter, weight in self.owners[number]:
                scores[matter] += weight
                words[matter].append(self.words[number])
        ranked = sorted(
            (-min(CERTAIN * score // self.certain, CERTAIN), matter)
            for matter, score in scores.items()
            if score > 0
        )
        return tuple(
            Candidate(matter=matter, score=-score, words=tuple(words[matter]))
            for score, matter in ranked[:SHOWN]
        )


def _certain(bundle: Bundle) -> int:
    greatest = [
        max(weight for _, weight in matter.keywords) for matter in bundle.matters.rows if matter.keywords
    ]
    return max(median_low(greatest), 1) if greatest else 1


def _whole(text: str, start: int, end: int) -> bool:
    """Latin words count only whole: `rat` does not stand in `separate`."""
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (_latin(text[start]) and _latin(before)) and not (_latin(text[end - 1]) and _latin(after))


def _latin(character: str) -> bool:
    return character.isascii() and character.isalnum()


_lexicons: dict[str, Lexicon] = {}


def lexicon(bundle: Bundle) -> Lexicon:
    """The lexicon of a bundle, built when it is first wanted; the last few are kept."""
    known = _lexicons.get(bundle.hash)
    if known is not None and known.bundle is bundle:
        return known
    if len(_lexicons) >= KEPT_INDEXES:
        _lexicons.pop(next(iter(_lexicons)))
    _lexicons.pop(bundle.hash, None)
    built = _lexicons[bundle.hash] = Lexicon(bundle)
    return built


def classify(report: GridReport, bundle: Bundle) -> Verdict:
    """The matter that the channel names, if it is known, else the one that the words speak for."""
    index = lexicon(bundle)
    candidates = index.find(report.text)
    said = bundle.matters.get(report.matter) if report.matter else None
    if said is not None:
        return _said(report, said, index, candidates)
    doubts = ("unknown_matter",) if report.matter else ()
    best = next(iter(candidates), None)
    matter = bundle.matters.get(best.matter) if best else None
    if best is None or matter is None:
        return Verdict(urgency=_urgency(report), doubts=(*doubts, "unclassified"))
    rival = candidates[1].score if len(candidates) > 1 else 0
    verdict = _verdict(report, matter, index, confidence=best.score - rival // 2)
    return replace(verdict, candidates=candidates, doubts=doubts)


def _said(report: GridReport, matter: Matter, index: Lexicon, candidates: tuple[Candidate, ...]) -> Verdict:
    best = next(iter(candidates), None)
    contradicted = best is not None and best.matter != matter.code and best.score >= SAID
    verdict = _verdict(report, matter, index, confidence=CONTRADICTED if contradicted else SAID)
    return replace(verdict, candidates=candidates, doubts=("matter_differs",) if contradicted else ())


def _verdict(report: GridReport, matter: Matter, index: Lexicon, *, confidence: int) -> Verdict:
    return Verdict(
        matter=matter.code,
        condition=_condition(report, index.conditions[matter.code]),
        confidence=confidence,
        triage=matter.triage,
        urgency=_urgency(report, matter),
    )


def _condition(report: GridReport, conditions: Sequence[tuple[str, str]]) -> str:
    """The filing condition (立案条件) whose words are most like the report's; between equals the first."""
    if len(conditions) < 2:
        return conditions[0][0] if conditions else ""
    said = letters(report.text)
    ranked = [(-likeness(said, text), number, code) for number, (code, text) in enumerate(conditions)]
    return min(ranked)[2]


def _urgency(report: GridReport, matter: Matter | None = None) -> str:
    return "urgent" if report.kind == "urgent" or (matter and matter.urgency == "urgent") else "normal"
