"""The words that a notice's template may ask for (模板字段), each computed only if it is asked for."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from rules.bundle import Bundle
from rules.templates import EVENT_FIELDS, FIELDS
from schemas.case.timing import Term
from services.notifier.known import Known


class Words(Mapping[str, object]):
    """The values of one event for `Templates.render`. An unknown field is a KeyError, hence a bug."""

    __slots__ = ("bundle", "case", "event", "known", "language")

    def __init__(self, case: str, known: Known, event: Any, bundle: Bundle, language: str) -> None:
        self.case = case
        self.known = known
        self.event = event
        self.bundle = bundle
        self.language = language

    def __getitem__(self, field: str) -> str:
        of_case = OF_CASE.get(field)
        if of_case is not None:
            return of_case(self)
        if field in EVENT_FIELDS:
            return self.coded(field, self.said(field))
        raise KeyError(field)

    def __iter__(self) -> Iterator[str]:
        return iter(FIELDS)

    def __len__(self) -> int:
        return len(FIELDS)

    def said(self, field: str) -> str:
        """A field of the event: limits as the standard writes them, times by the city's own clock."""
        value = getattr(self.event, field, None)
        if isinstance(value, Term):
            return value.text
        if isinstance(value, datetime):
            return self.bundle.calendars.get("").local(value).strftime("%Y-%m-%d %H:%M")
        return "" if value is None else str(value)

    def coded(self, field: str, code: str) -> str:
        """The city's own word for a code, from the template `<field>.<code>` if it has one."""
        templates, name = self.bundle.templates, f"{field}.{code}"
        return templates.render(name, self.language, {}) if templates.has(name) else code

    def unit(self, code: str) -> str:
        """The name of a unit; of an unknown one its code, so that a notice never fails for a name."""
        found = self.bundle.units.get(code) if code else None
        return found.name if found else code

    def matter(self) -> str:
        found = self.bundle.matters.get(self.known.matter) if self.known.matter else None
        return found.name if found else self.known.matter

    def area(self) -> str:
        found = self.bundle.areas.get(self.known.area) if self.known.area else None
        return found.name if found else self.known.area


OF_CASE: Final[Mapping[str, Callable[[Words], str]]] = {
    "case": lambda words: words.case,
    "state": lambda words: words.coded("state", words.known.state),
    "place": lambda words: words.known.place,
    "text": lambda words: words.known.text,
    "matter": Words.matter,
    "area": Words.area,
    "lead": lambda words: words.unit(words.known.lead),
    "assistants": lambda words: "、".join(map(words.unit, words.known.assistants)),
    "unit": lambda words: words.unit(words.said("unit")),
}
"""How each field of `CASE_FIELDS` is said."""
