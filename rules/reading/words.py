from collections.abc import Iterator

from rules.cells import Cells
from rules.faults import Fault
from rules.limits import LimitWords
from rules.modes import Mode
from rules.policies import CLOCKS, CONDITION_CLOCKS, Policy, Rung
from rules.posts import ROLES
from rules.reading.codes import Codes
from rules.routes import AUDIENCES, CHANNELS, EVENTS, Route
from rules.rows import NOTHING, TEMPLATES, Folder, Node, Row
from rules.templates import Template

FILE = "policies.yaml"
LADDER = ("lead", "guiding", "parent", "centre", *ROLES)
SECTIONS = {"clocks": Mode.NORMAL, "emergency": Mode.EMERGENCY}


def read_policies(folder: Folder, codes: Codes, words: LimitWords, faults: list[Fault]) -> tuple[Policy, ...]:
    document, policies = folder.document(FILE), list[Policy]()
    for name, node in document.items().items():
        if name not in SECTIONS:
            faults.append(Row(FILE, node.line).fault("unknown_column", name, "clocks or emergency", name))
        for clock, child in node.items().items() if name in SECTIONS else ():
            row = child.row(FILE, clock=clock, mode=SECTIONS[name].value)
            policies.append(_policy(Cells(row, faults), child, codes, words))
    given = {policy.name for policy in policies if policy.mode == Mode.NORMAL.value}
    if document is not NOTHING:
        missing = (clock for clock in CLOCKS if clock not in given)
        faults += (Row(FILE, 0).fault("missing_row", clock, "this clock under clocks") for clock in missing)
    return tuple(policies)


def _policy(cells: Cells, node: Node, codes: Codes, words: LimitWords) -> Policy:
    clock = cells.choice("clock", CLOCKS)
    for name in node.items():
        if name not in ("limit", "calendar", "warn", "ladder"):
            cells.fault("unknown_column", name, "limit, calendar, warn or ladder", name)
    of_case = clock in CONDITION_CLOCKS
    if of_case and cells.has("limit"):
        cells.fault("bad_limit", "limit", "no limit: it is a fact of the case", do="remove it")
    return Policy(
        name=clock,
        limit=None if of_case else cells.limit("limit", words),
        mode=cells.free("mode"),
        calendar=cells.known("calendar", codes.calendars, "calendar.yaml"),
        warn=_warnings(cells),
        ladder=tuple(_rungs(node.items().get("ladder", NOTHING), words, cells.faults)),
    )


def _warnings(cells: Cells) -> tuple[int, ...]:
    texts = cells.several("warn")
    numbers = tuple(int(text) for text in texts if text.isascii() and text.isdigit() and 1 <= int(text) <= 99)
    if len(numbers) != len(texts) or list(numbers) != sorted(set(numbers)):
        cells.fault("bad_number", "warn", "rising per cents from 1 to 99")
    return numbers


def _rungs(node: Node, words: LimitWords, faults: list[Fault]) -> Iterator[Rung]:
    for child in node.list():
        cells = Cells(child.row(FILE), faults)
        after = cells.limit("after", words) if cells.has("after") else None
        yield Rung(cells.choice("to", LADDER), after, cells.free("kind"))


def read_routes(folder: Folder, codes: Codes, faults: list[Fault]) -> tuple[Route, ...]:
    routes: list[Route] = []
    for row in folder.table("routes.csv"):
        cells = Cells(row, faults)
        route = Route(
            cells.code("event"),
            cells.choice("audience", AUDIENCES),
            cells.choice("channel", CHANNELS),
            cells.known("template", codes.templates, TEMPLATES, "empty"),
            cells.flag("digest"),
        )
        if route.event and route.event not in EVENTS:
            cells.fault("bad_choice", "event", "the name of a case event, such as CaseAssigned")
        if route in routes:
            cells.fault("duplicate", "event", "each route once")
        routes.append(route)
    return tuple(routes)


def read_templates(folder: Folder, languages: tuple[str, ...], faults: list[Fault]) -> tuple[Template, ...]:
    """The words of all languages; each code has the same fields in each."""
    found: dict[str, dict[str, Template]] = {}
    documents = folder.templates()
    for language in (language for language in languages if language in documents):
        document = documents[language]
        file = f"{TEMPLATES}{language}.yaml"
        found[language] = {}
        for code, node in document.items().items():
            template = Template(code, language, node.text())
            cells = Cells(Row(file, node.line, {code: template.text}), faults)
            cells.text(code)
            if not template.well_formed:
                cells.fault("bad_text", code, "fields like {name}")
            found[language][code] = template
            _compare(cells, template, found)
    _complete(found, faults)
    return tuple(template for words in found.values() for template in words.values())


def _compare(cells: Cells, template: Template, found: dict[str, dict[str, Template]]) -> None:
    for language, words in found.items():
        other = words.get(template.code)
        if other and other.fields != template.fields:
            fields = ", ".join(sorted(other.fields)) or "none"
            cells.fault("mixed_languages", template.code, f"the fields of {language}: {fields}")


def _complete(found: dict[str, dict[str, Template]], faults: list[Fault]) -> None:
    for language, words in found.items():
        for code in sorted({code for others in found.values() for code in others} - set(words)):
            row = Row(f"{TEMPLATES}{language}.yaml", 0)
            faults.append(row.fault("mixed_languages", code, "the code, as in another language", code))
