from datetime import date

import pytest

from rules.faults import Faults
from rules.folder import compile_folder
from rules.pairings import Pairing, Staffing
from tests.keeping import Keeper

DAY = date(2026, 11, 23)
PAIRED = "unit,area,link,contact,valid_from,valid_to"


def written(keeper: Keeper, file: str, *lines: str) -> None:
    (keeper.path / file).write_text("\n".join([*lines, ""]), "utf-8")


def test_a_pairing_holds_for_its_area_and_below_on_its_days(keeper: Keeper) -> None:
    written(
        keeper, "pairings.csv", PAIRED,
        "SZ,C1,unit,王联络,2026-01-01,2026-12-31", "GOV,G11,leader,,,2026-06-30", "CG,G11,,,,",
    )  # fmt: skip
    city = compile_folder(keeper.path)
    assert not isinstance(city, Faults), list(city)
    assert [row.unit for row in city.pairings.of_area("G11", DAY)] == ["CG", "SZ"]
    assert [row.unit for row in city.pairings.of_area("G11", date(2026, 3, 1))] == ["CG", "GOV", "SZ"]
    assert [row.unit for row in city.pairings.of_area("G12", DAY)] == ["SZ"]
    assert city.pairings.of_area("G21", DAY) == ()
    assert city.pairings.of_unit("CG", DAY) == (Pairing(unit="CG", area="G11"),)


def test_a_staffing_template_is_read(keeper: Keeper) -> None:
    written(keeper, "staffing.csv", "kind,role,least,shared", "grid,grid_worker,1,", "grid,police,1,yes")
    city = compile_folder(keeper.path)
    assert not isinstance(city, Faults), list(city)
    assert city.parts.staffing == (
        Staffing(kind="grid", role="grid_worker", least=1),
        Staffing(kind="grid", role="police", least=1, shared=True),
    )


@pytest.mark.parametrize(
    ("file", "lines", "place"),
    [
        ("pairings.csv", (PAIRED, "SX,G11,,,,"), (2, "unit", "unknown_reference")),
        ("pairings.csv", (PAIRED, "SZ,G99,,,,"), (2, "area", "unknown_reference")),
        ("pairings.csv", (PAIRED, "SZ,G11,friend,,,"), (2, "link", "bad_choice")),
        (
            "pairings.csv",
            (PAIRED, "SZ,G11,,,,2026-06-30", "SZ,G11,,,2026-06-30,"),
            (3, "valid_from", "overlap"),
        ),
        ("pairings.csv", (PAIRED, "SZ,G11,,,2026-07-01,2026-06-30"), (2, "valid_to", "bad_day")),
        ("staffing.csv", ("kind,role,least", "gird,police,1"), (2, "kind", "unknown_reference")),
        ("staffing.csv", ("kind,role,least", "grid,policeman,1"), (2, "role", "bad_choice")),
        ("staffing.csv", ("kind,role,least", "grid,police,0"), (2, "least", "bad_number")),
        ("staffing.csv", ("kind,role,least", "grid,police,1", "grid,police,2"), (3, "role", "duplicate")),
    ],
)
def test_what_does_not_fit_is_a_fault(
    keeper: Keeper, file: str, lines: tuple[str, ...], place: tuple[int, str, str]
) -> None:
    written(keeper, file, *lines)
    assert keeper.found() == [(file, *place)]


def test_who_is_there_in_a_grid_needs_no_twin_at_the_root(keeper: Keeper) -> None:
    keeper.add("posts.csv", "G11-worker,grid_worker,JW1,G11,孙网格")
    assert keeper.found() == []
