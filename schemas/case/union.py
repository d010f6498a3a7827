"""All commands and all events of the case, for the tables that must be complete."""

from typing import TypeAlias

from schemas.case import opening

CaseCommand: TypeAlias = opening.OpenCase | opening.AttachReport | opening.AcceptCase | opening.VoidCase | opening.ReopenCase

CaseEvent: TypeAlias = opening.OpenCase  # replaced as the events are written
