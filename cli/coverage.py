"""`gridcase rules coverage`: what a bundle without faults leaves open (覆盖检查)."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import RenderableType

from cli.bundles import bundle_of
from cli.coverage_words import GapWords
from cli.options import AsJson, Language, Tongue
from cli.output import emit, table
from rules.coverage import CODES, Gap
from rules.coverage import coverage as gaps_of

_SHOWN: Final = 50


def coverage(
    bundle: Annotated[Path, typer.Argument(metavar="BUNDLE", help="A folder or an Excel workbook.")],
    day: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The day that is asked about; else today.")
    ] = None,
    language: Language = Tongue.EN,
    as_json: AsJson = False,
) -> None:
    """What is not covered (覆盖检查): areas without pairing or post, matters without owner or entry."""
    compiled = bundle_of(bundle)
    asked = day.date() if day else compiled.day(datetime.now(UTC))
    gaps, said = gaps_of(compiled, asked), GapWords(compiled, language)
    counts = Counter(gap.code for gap in gaps)
    value = {
        "bundle": str(bundle),
        "edition": compiled.hash,
        "day": asked,
        "counts": {code: counts[code] for code in CODES},
        "gaps": [
            {
                "code": gap.code,
                "area": gap.area,
                "areas": gap.areas,
                "subject": gap.subject,
                "level": gap.level,
                "expected": gap.expected,
                "found": gap.found,
                "words": f"{said.where(gap)}: {said.what(gap)}",
            }
            for gap in gaps
        ],
    }
    head = f"{compiled.city.name} ({compiled.city.code}), {asked}: {len(gaps):,} gaps 处缺口"
    pages = [_page(code, [gap for gap in gaps if gap.code == code], said) for code in CODES if counts[code]]
    emit(value, head, *(part for page in pages for part in page), as_json=as_json)


def _page(code: str, gaps: Sequence[Gap], said: GapWords) -> Sequence[RenderableType]:
    """One kind of gap: a table, what was left off, and what to do."""
    rows = [(said.where(gap), said.what(gap)) for gap in gaps[:_SHOWN]]
    more = len(gaps) - _SHOWN
    last = [f"… {more:,} more: --json shows all"] if more > 0 else []
    title = f"{said.name(code)} ({len(gaps):,})"
    return [table(title, ("where 区域", "what 缺什么"), rows), *last, f"→ {said.do(code)}", ""]
