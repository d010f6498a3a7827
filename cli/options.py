"""Options that many commands share, each declared once."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Annotated, TypeAlias

import typer


def one_of(words: Iterable[str]) -> Callable[[str], list[str]]:
    """Completion in the shell: those of the words that begin as typed."""
    known = sorted(words)
    return lambda incomplete: [word for word in known if word.startswith(incomplete)]


AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Database: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--database", metavar="URL", help="sqlite:///FILE or postgresql://…; else GRIDCASE_DATABASE_URL."
    ),
]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
CaseNumber: TypeAlias = Annotated[str, typer.Argument(metavar="CASE", help="Number of the case (案件编号).")]


class Tongue(StrEnum):
    """The languages of explanations."""

    EN = "en"
    ZH = "zh"


Language: TypeAlias = Annotated[Tongue, typer.Option(help="English or Chinese words.")]
