"""Options that many commands share, each declared once."""

from typing import Annotated, TypeAlias

import typer

AsJson: TypeAlias = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
Database: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--database", metavar="URL", help="sqlite:///FILE or postgresql://…; else GRIDCASE_DATABASE_URL."
    ),
]
CaseNumber: TypeAlias = Annotated[str, typer.Argument(metavar="CASE", help="Number of the case (案件编号).")]
