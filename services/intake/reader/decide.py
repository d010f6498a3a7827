from collections.abc import Sequence
from datetime import date, timedelta
from hashlib import sha256

from kernel.processor import Context
from rules.bundle import Bundle
from schemas.intake import (
    Located,
    Nearby,
    ReaderEvent,
    ReadReport,
    ReportAccepted,
    ReportConflicting,
    ReportDead,
    ReportRepeated,
)
from schemas.refusal import Refusal
from schemas.report import GridReport, Reporter
from schemas.wire import encode_data, utc
from services.intake.reader.classify import Verdict, classify
from services.intake.reader.locate import Location, locate
from services.intake.reader.state import Fate, ReportState

LATE = timedelta(days=366)
EARLY = timedelta(hours=1)


def read_report(state: ReportState, report: GridReport, context: Context) -> Sequence[ReaderEvent]:
    """Reads one report (受理登记): repeated, conflicting, dead or accepted, located and classified.

    A dead report is decided anew whenever it comes again, redriven or corrected under the same id.
    """
    digest = sha256(encode_data(report)).hexdigest()
    if state.fate is not Fate.ACCEPTED:
        return [_read(report, digest, context)]
    if digest == state.digest:
        return [ReportRepeated(digest=digest)]
    refusal = Refusal(code="other_content", expected=state.digest, found=digest)
    return [ReportConflicting(digest=digest, refusal=refusal)]


def _read(report: GridReport, digest: str, context: Context) -> ReportAccepted | ReportDead:
    bundle = context.rules.bundle
    refusal = _refused(report, bundle)
    if refusal is not None:
        return ReportDead(digest=digest, refusal=refusal)
    day, dated = _map_day(report, context, bundle)
    location = locate(report, bundle, day)
    if isinstance(location, Refusal):
        return ReportDead(digest=digest, refusal=location)
    verdict = classify(report, bundle)
    return ReportAccepted(
        report=_as_read(report, location, verdict, context, dated=dated),
        found_by=location.found_by,
        doubts=(*location.doubts, *verdict.doubts, *(() if dated else ("occurred_out_of_range",))),
        nearby=tuple([Nearby(area=area, metres=metres) for area, metres in location.nearby]),
        candidates=verdict.candidates,
        digest=digest,
        edition=bundle.hash,
    )


def _refused(report: GridReport, bundle: Bundle) -> Refusal | None:
    """A report comes by a channel of the city, and says or shows something or at least names its matter."""
    channels = bundle.city.channels
    if channels and report.channel not in channels:
        return Refusal(code="unknown_channel", expected=" ".join(channels), found=report.channel)
    if report.photos or report.matter in bundle.matters or report.text.strip():
        return None
    return Refusal(code="empty_report", expected="words or a photo", found="neither")


def _map_day(report: GridReport, context: Context, bundle: Bundle) -> tuple[date, bool]:
    """The day whose map and codes count: that of the occurrence, if it can be believed."""
    if report.occurred is None:
        return bundle.day(context.received), True
    believed = context.received - LATE <= report.occurred <= context.received + EARLY
    if report.historic:
        believed = report.occurred <= context.received + EARLY
    return bundle.day(report.occurred if believed else context.received), believed


def _as_read(
    report: GridReport, where: Location, what: Verdict, context: Context, *, dated: bool
) -> ReadReport:
    return ReadReport(
        report=context.stream,
        channel=report.channel,
        kind=report.kind,
        text=report.text,
        place=report.place,
        position=report.position,
        areas=tuple([Located(layer=layer, area=area) for layer, area in where.areas]),
        located=where.confidence,
        matter=what.matter,
        confidence=what.confidence,
        received=context.received,
        occurred=utc(report.occurred) if report.occurred and dated else None,
        reporter=_reached_by(report.reporter),
        historic=report.historic,
        desk=where.desk,
        condition=what.condition,
        triage=what.triage,
        urgency=what.urgency,
        photos=report.photos,
    )


def _reached_by(reporter: Reporter | None) -> str:
    """A token or a telephone, sealed by the edge; a name alone reaches nobody."""
    return (reporter.token or reporter.phone) if reporter else ""
