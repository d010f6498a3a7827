"""The small constrained types from which every contract is built.

Constraints are `Annotated` metadata: pydantic enforces them on what comes from outside, msgspec only
reads the types on what we wrote ourselves (see `schemas.wire`).
"""

from datetime import datetime
from typing import Annotated, TypeAlias

from pydantic import AwareDatetime, Field

Code: TypeAlias = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s/~]+$")]
"""A code of an area, unit, post, matter or entry (编码): text, never a number, of no fixed length."""

OptionalCode: TypeAlias = Annotated[str, Field(max_length=64, pattern=r"^[^\s/~]*$")]
"""A code or, where there is none, the empty string."""

CaseId: TypeAlias = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^\s/~]+$")]
"""A case number (案件编号) such as `20261123-SQ01-0147`: date, desk area, number without gaps."""

Name: TypeAlias = Annotated[str, Field(max_length=200)]
Line: TypeAlias = Annotated[str, Field(max_length=400)]
"""One line of words: a reason, a title."""

Text: TypeAlias = Annotated[str, Field(max_length=8000)]
"""Free text (文本) of a report, an answer or minutes."""

Hash: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest in lower-case hexadecimal."""

PerMille: TypeAlias = Annotated[int, Field(ge=0, le=1000)]
"""A share in thousandths; hashed bytes carry no floats."""

DegreesE7: TypeAlias = Annotated[int, Field(ge=-1_800_000_000, le=1_800_000_000)]
"""Degrees times ten million, about a centimetre."""

Metres: TypeAlias = Annotated[int, Field(ge=0)]
Count: TypeAlias = Annotated[int, Field(ge=0)]
Instant: TypeAlias = Annotated[datetime, AwareDatetime]
"""A point in time with its zone; UTC on the wire."""
