"""A refusal (不予执行) is a value: a code, what was expected and found. Its words come from templates."""

from dataclasses import dataclass

from schemas.scalars import Line, Name


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why something was not done. `code` selects the words, in each language, that say what to do."""

    code: Name
    expected: Line
    found: Line
