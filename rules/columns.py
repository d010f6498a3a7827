from typing import NamedTuple


class Columns(NamedTuple):
    """The columns of one table: those that must be there and those that may."""

    needed: tuple[str, ...]
    optional: tuple[str, ...] = ()


def _columns(needed: str, optional: str = "") -> Columns:
    return Columns(tuple(needed.split()), tuple(optional.split()))


VALIDITY = "valid_from valid_to"
TABLES = {
    "areas.csv": _columns("code name kind layer parent", f"scheme aliases {VALIDITY}"),
    "units.csv": _columns(
        "code name axis kind area level",
        f"parent guiding powers calendar trade channels subscribes fallback {VALIDITY}",
    ),
    "posts.csv": _columns("code role unit area", f"person substitute {VALIDITY}"),
    "pairings.csv": _columns("unit area", f"link contact {VALIDITY}"),
    "staffing.csv": _columns("kind role least", "shared"),
    "matters.csv": _columns(
        "code name kind",
        "scheme big small accept dispatch check triage urgency hazard emergency_continuous merge_metres"
        " merge_hours statutory_level power row8 supervising answer",
    ),
    "conditions.csv": _columns("matter code text limit closing", "leg_limit stages"),
    "responsibility.csv": _columns("matter order by select", "role"),
    "keywords.csv": _columns("matter word weight"),
    "entries.csv": _columns(
        "entry_id version matter area role legal_basis guiding_dept",
        "layer unit_level term mode state statutory_level article order_number owner_instead applicant duties"
        " limits_of_duty frequency funding_source funding_standard funding_per funding_proof covers_from"
        f" covers_to staff training equipment approval_no noticed_on {VALIDITY} exit_reason supersedes",
    ),
    "enforcement.csv": _columns("level step strength", "valid_from"),
    "days.csv": _columns("table date kind", "name notice windows expected"),
    "routes.csv": _columns("event audience channel template", "digest"),
}
"""The columns of every table, as docs/reference/bundle.md gives them."""
DOCUMENTS = ("city.yaml", "calendar.yaml", "policies.yaml", "bounds.yaml")
SHAPES = "areas.geojson"
TEMPLATES = "templates/"
OPTIONAL_FILES = frozenset({
    "areas.geojson", "pairings.csv", "staffing.csv", "keywords.csv", "enforcement.csv", "days.csv",
    "bounds.yaml",
})  # fmt: skip
