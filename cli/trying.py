"""`gridcase rules try`: another bundle on what has happened, before anybody publishes it (试算)."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from os import sched_getaffinity
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer

from cli import words
from cli.assign import NEEDED, Asked, Assigner
from cli.batch import Encoded, Encoding, read_rows, rules_of_city
from cli.bundles import bundle_of
from cli.opening import look
from cli.options import AsJson, Database, Language, Tongue
from cli.output import NotThere, emit, table
from cli.reading import View
from kernel.journal import RULES_STREAM
from rules.bundle import Bundle
from rules.edition import Edition
from rules.inforce import Mode, Rules
from schemas.case.assigning import AdmissionDecided
from schemas.refusal import Refusal
from schemas.wire import trusted
from services.router.processor import ROUTER_CASE
from services.router.proposal import propose
from services.router.trial import UNANSWERED, Reason, reason, sentence

_LARGE: Final = 8 << 20
"""Bytes from which a file is worth more than one process."""
_EXAMPLES: Final = 5
_SHOWN: Final = 40
_REMEMBERED: Final = 200_000


class Move(NamedTuple):
    """What differs for one or many reports: who led, who would lead now, and the reason."""

    matter: str
    before: str
    after: str
    reason: Reason


class Tally:
    """Reports tried, those without an answer before, and the differences with a few examples of each."""

    def __init__(self) -> None:
        self.tried = self.by_hand = 0
        self.unanswered: Counter[str] = Counter()
        self.moves: Counter[Move] = Counter()
        self.examples: dict[Move, list[str]] = {}

    def add(self, name: str, move: Move | None) -> None:
        """One report more, and what differs for it."""
        self.tried += 1
        if move is not None:
            self.moves[move] += 1
            self._keep(move, [name])

    def join(self, other: "Tally") -> None:
        """What another process has counted."""
        self.tried += other.tried
        self.by_hand += other.by_hand
        self.unanswered += other.unanswered
        self.moves += other.moves
        for move, names in other.examples.items():
            self._keep(move, names)

    def _keep(self, move: Move, names: Sequence[str]) -> None:
        known = self.examples.setdefault(move, [])
        known += names[: _EXAMPLES - len(known)]


def try_(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="The bundle to try.")],
    events: Annotated[
        Path | None,
        typer.Option(help="Reports as a CSV with the columns of gridcase assign; else the city's own cases."),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(metavar="CITY", help="What the reports went by: a bundle or a database."),
    ] = None,
    encoding: Encoded = Encoding.UTF_8,
    language: Language = Tongue.EN,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Try a bundle on history (试算): which cases would have gone elsewhere, and why. Nothing is changed."""
    new = bundle_of(bundle)
    if events is None:
        old, found = look(database, lambda city: _lived(city, new))
    else:
        if against is None:
            raise NotThere(what="what the reports went by", do="give --against a bundle or a database")
        before = rules_of_city(against)
        old, found = before.bundle, _tried(events, encoding, before, new)
    _show(found, old, new, language, as_json=as_json)


async def _lived(city: View, new: Bundle) -> tuple[Bundle, Tally]:
    """The first finding of every case on record, and what the new edition would have found in its place."""
    if city.bundle is None:
        raise NotThere(what=f"an edition of {city.code}", do="found the city with gridcase init")
    seen: set[str] = set()
    states: dict[str, Any] = {}
    trial = Tally()
    async for record in city.after(ROUTER_CASE.name, {}):
        if record.stream in seen or record.stream.startswith(RULES_STREAM):
            continue
        event = trusted(record.body).message
        if isinstance(event, AdmissionDecided):
            seen.add(record.stream)
            _try_case(trial, event, states.pop(record.stream), new)
        else:
            state = states.get(record.stream, ROUTER_CASE.initial)
            states[record.stream] = ROUTER_CASE.evolve(state, event)
    return city.bundle, trial


def _try_case(trial: Tally, finding: AdmissionDecided, case: Any, new: Bundle) -> None:
    if finding.verdicts and finding.verdicts[0].origin == "named":
        trial.by_hand += 1
        return
    matter = new.matters.get(finding.matter)
    if matter is None or new.areas.get(finding.area) is None:
        code = "unknown_matter" if matter is None else "unknown_area"
        trial.add(case.id, Move(finding.matter, finding.lead, "", Reason(UNANSWERED, verdict=code)))
        return
    rules = Rules(0, new, {finding.area: Mode(finding.mode)})
    now = propose(rules, matter, finding.area, case.places, finding.t, triage=case.triage).finding
    why = reason(finding, now)
    trial.add(case.id, Move(finding.matter, finding.lead, now.lead, why) if why else None)


def _tried(file: Path, encoding: Encoding, old: Rules, new: Bundle) -> Tally:
    """All rows of a file; a large one is read by as many processes as there are processors."""
    if not file.exists():
        raise NotThere(what=f"file {file}", do="check the path")
    count = len(sched_getaffinity(0)) if file.stat().st_size >= _LARGE else 1
    if count == 1:
        return _try_rows(file, encoding, _Pair(old, Rules(0, new)), 0, 1)
    packed = [Edition.of(one.parts).pack() for one in (old.bundle, new)]
    shares = [(file, encoding, packed, old.number, dict(old.modes), share, count) for share in range(count)]
    with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
        first, *rest = pool.map(_try_share, shares)
    for one in rest:
        first.join(one)
    return first


def _try_share(share: tuple[Path, Encoding, list[bytes], int, Mapping[str, Mode], int, int]) -> Tally:
    """Every so-manieth row, in a process of its own."""
    file, encoding, packed, number, modes, first, step = share
    old, new = [Edition.unpack(body).load() for body in packed]
    return _try_rows(file, encoding, _Pair(Rules(number, old, modes), Rules(0, new)), first, step)


def _try_rows(file: Path, encoding: Encoding, pair: "_Pair", first: int, step: int) -> Tally:
    trial = Tally()
    for row in islice(read_rows(file, encoding, NEEDED), first, None, step):
        if isinstance(row.cells, Refusal):
            trial.unanswered[row.cells.code] += 1
            continue
        move = pair.move(row.cells)
        if isinstance(move, str):
            trial.unanswered[move] += 1
        else:
            trial.add(row.cells.get("id") or f"row {row.number}", move)
    return trial


class _Pair:
    """Both editions, asked the same; what was asked of them before is remembered."""

    def __init__(self, old: Rules, new: Rules) -> None:
        self._old, self._new = Assigner(old), Assigner(new)
        self._known: dict[tuple[object, ...], Move | None] = {}

    def move(self, cells: Mapping[str, str]) -> Move | str | None:
        """What differs for this row, or the code of what is wrong with it in the old edition."""
        asked, again = self._old.asked(cells), self._new.asked(cells)
        if not isinstance(asked, Asked):
            return asked[0].code
        if not isinstance(again, Asked):
            lead = asked.proposed().lead
            return Move(asked.matter.code, lead, "", Reason(UNANSWERED, verdict=again[0].code))
        key = (*_key(asked), *_key(again))
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            before, after = asked.proposed().finding, again.proposed().finding
            why = reason(before, after)
            self._known[key] = Move(before.matter, before.lead, after.lead, why) if why else None
        return self._known[key]


def _key(asked: Asked) -> tuple[object, ...]:
    """All that the decision depends on: the guard knows what holds on a day, and no hours."""
    rules = asked.rules
    stretch = rules.bundle.stretch(rules.bundle.day(asked.t))
    return asked.matter.code, asked.area, asked.found.areas, rules.mode(asked.area), stretch


def _show(found: Tally, old: Bundle, new: Bundle, language: Tongue, *, as_json: bool) -> None:
    moved = found.moves.total()
    value = {
        "before": old.hash,
        "after": new.hash,
        "tried": found.tried,
        "by_hand": found.by_hand,
        "unanswered": dict(found.unanswered),
        "elsewhere": moved,
        "moves": [_move(move, count, found, old, new) for move, count in found.moves.most_common()],
    }
    title = f"{old.hash[:12]} → {new.hash[:12]}: {found.tried:,} tried 试算, {moved:,} elsewhere 去向不同"
    rows = list(_rows(islice(found.moves.most_common(), _SHOWN), found, old, new, language))
    heads = ("reports", "matter", "from 原派", "to 现派", "why 原因", "e.g.")
    last = [f"… {len(found.moves) - _SHOWN:,} more: --json shows all"] if len(found.moves) > _SHOWN else []
    if found.by_hand:
        last.append(f"{found.by_hand:,} cases were dispatched by a person 人工派遣, and are not compared")
    if found.unanswered:
        faults = ", ".join(f"{code} {count:,}" for code, count in found.unanswered.most_common())
        last.append(f"rows without an answer before 原版本无答案: {faults}")
    emit(value, table(title, heads, rows, right=(0,)), *last, as_json=as_json)


def _move(move: Move, count: int, found: Tally, old: Bundle, new: Bundle) -> dict[str, Any]:
    said = {tongue.value: _why(move, old, new, tongue) for tongue in Tongue}
    return {
        "reports": count,
        "matter": move.matter,
        "before": move.before,
        "after": move.after,
        "reason": move.reason._asdict(),
        "words": said,
        "examples": found.examples[move],
    }


def _rows(
    moves: Iterable[tuple[Move, int]], found: Tally, old: Bundle, new: Bundle, language: Tongue
) -> Iterator[tuple[str, ...]]:
    for move, count in moves:
        bundle = old if old.matters.get(move.matter) else new
        yield (
            f"{count:,}",
            words.matter(bundle, move.matter),
            words.unit(old, move.before) if move.before else "–",
            words.unit(new, move.after) if move.after else "–",
            _why(move, old, new, language),
            found.examples[move][0],
        )


def _why(move: Move, old: Bundle, new: Bundle, language: Tongue) -> str:
    unit = move.reason.unit
    bundle = new if new.units.get(unit) else old
    return sentence(move.reason, words.unit(bundle, unit) if unit else "", language.value)
