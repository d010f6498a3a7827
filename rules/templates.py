import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from msgspec import Struct

_FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")

CASE_FIELDS: Final = frozenset(
    {"case", "state", "place", "text", "matter", "area", "lead", "assistants", "unit"}
)
"""What a notice may say after every event. `text` is the first report's, with personal data sealed."""

EVENT_FIELDS: Final = frozenset({
    "answer", "at", "basis", "clock", "due", "how", "kind", "level", "limit", "number", "outcome", "reason",
    "remedy", "reply_due", "round", "why",
})  # fmt: skip
"""Fields of those events that have one of this name; for the others they are empty."""

FIELDS: Final = CASE_FIELDS | EVENT_FIELDS
"""All that a template of a route may ask for; never anything of the reporter."""


class Template(Struct, frozen=True):
    """Words of a notice or of a refusal code in one language; `{name}` is the only form of a field."""

    code: str
    language: str
    text: str

    @property
    def fields(self) -> frozenset[str]:
        return frozenset(_FIELD.findall(self.text))

    @property
    def well_formed(self) -> bool:
        """Whether every brace belongs to a field."""
        rest = _FIELD.sub("", self.text)
        return "{" not in rest and "}" not in rest


@dataclass(frozen=True)
class Templates:
    """All words by code and language. What a language lacks is said in the city's first language."""

    rows: tuple[Template, ...]
    languages: tuple[str, ...] = ("zh",)

    def render(self, code: str, language: str, values: Mapping[str, object]) -> str:
        """The text with its fields filled; a missing value or an unknown code is a KeyError, hence a bug."""
        text = self._texts.get((code, language)) or self._texts[code, self.languages[0]]
        return _FIELD.sub(lambda found: str(values[found[1]]), text)

    def has(self, code: str, language: str = "") -> bool:
        return (code, language or self.languages[0]) in self._texts

    @cached_property
    def _texts(self) -> Mapping[tuple[str, str], str]:
        return {(row.code, row.language): row.text for row in self.rows}
