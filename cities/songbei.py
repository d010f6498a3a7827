"""Builds a city from the test data: Songbei's polygons with Yuncheng's limits.

`python -m cities.songbei DATA OUT`: `DATA` is the folder of the test data (grids/, standards/), `OUT` the
bundle folder to write. Prints what was repaired or set aside, and why. Nothing of it belongs in git.
"""

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from cities.day import Arrival, reports
from cities.make_demo import person, table
from cities.songbei_map import Drawn, Notes, Row, geojson, read_map
from cities.songbei_standard import TRADES, read_standard
from rules.bundle import Bundle
from rules.matters import ROW8

DEMO: Final = Path(__file__).parent / "demo"
COPIED: Final = ("calendar.yaml", "days.csv", "policies.yaml", "bounds.yaml", "routes.csv", "enforcement.csv")
CITY: Final = """\
code: songbei
name: 松北区
zone: Asia/Shanghai
root: SB
desk_area: SB
desk_kind: community
centre: SB-CENTRE
body: SB-GOV
starts: 2026-01-01
languages: [zh, en]
layers: [治理]
kinds:
  - {code: district, name: 区, level: 0, guarded: no}
  - {code: street, name: 街道, level: 1, guarded: no}
  - {code: community, name: 社区, level: 2, guarded: yes}
  - {code: grid, name: 网格, level: 3, guarded: yes}
"""


def build(data: Path, out: Path) -> Notes:
    """Writes the bundle folder and says what was wrong with the data."""
    notes = Notes()
    drawn = read_map(data / "grids", notes)
    units = [*_units(drawn)]
    tables: Mapping[str, Sequence[Row]] = {
        "areas": [one.row for one in drawn],
        "units": units,
        "posts": _posts(drawn, units),
        "entries": [*_denials()],
        **read_standard(data / "standards" / "yuncheng.csv", notes),
    }
    out.mkdir(parents=True, exist_ok=True)
    for name, rows in tables.items():
        (out / f"{name}.csv").write_text(table(rows), encoding="utf-8", newline="")
    (out / "areas.geojson").write_text(geojson(drawn), encoding="utf-8")
    (out / "city.yaml").write_text(CITY, encoding="utf-8")
    for name in COPIED:
        shutil.copyfile(DEMO / name, out / name)
    shutil.copytree(DEMO / "templates", out / "templates", dirs_exist_ok=True)
    return notes


def songbei_reports(bundle: Bundle, seed: int, count: int, *, day: date) -> list[Arrival]:
    """Reports in Chinese at random points of the whole district: few of them lie in a drawn grid."""
    return reports(bundle, seed, count, day=day, kind="district")


def _units(drawn: Sequence[Drawn]) -> Iterator[Row]:
    yield _unit("SB-GOV", "松北区人民政府", "government")
    yield _unit("SB-CENTRE", "松北区城市运行中心", "centre", parent="SB-GOV", calendar="round_the_clock")
    for number, (_, trade) in enumerate(TRADES, start=1):
        line = {"axis": "条", "parent": "SB-GOV", "guiding": "SB-GOV", "trade": trade}
        yield _unit(f"BM{number:02}", f"松北区{trade}主管单位", "department", **line)
    for one in drawn:
        if one.row["kind"] == "street":
            place = {"area": one.row["code"], "level": "street", "parent": "SB-GOV", "fallback": "yes"}
            yield _unit(f"{one.row['code']}B", f"{one.row['name']}办事处", "government", **place)


def _unit(code: str, name: str, kind: str, **other: str) -> Row:
    """A unit of the district, unless `other` says otherwise."""
    return {
        "code": code, "name": name, "axis": "块", "kind": kind, "area": "SB", "level": "district",
        "parent": "", "guiding": "", "calendar": "", "trade": "", "channels": "terminal", "subscribes": "yes",
        "fallback": "no",
    } | other  # fmt: skip


def _posts(drawn: Sequence[Drawn], units: Sequence[Row]) -> list[Row]:
    streets = [one.row["code"] for one in drawn if one.row["kind"] == "street"]
    roles = (
        "clerk", "clerk", "dispatcher", "lead_officer", "inspector", "caller", "caller", "keeper",
        "supervisor", "reviewer",
    )  # fmt: skip
    rows = [_post(f"P-{role}-{at}", role, "SB-CENTRE", "SB") for at, role in enumerate(roles)]
    rows += [_post(f"P-inspector-{street}", "inspector", "SB-CENTRE", street) for street in streets]
    rows += [_post(f"P-meeting1-{street}", "meeting1", f"{street}B", street) for street in streets]
    rows += [_post(f"P-meeting{level}", f"meeting{level}", "SB-CENTRE", "SB") for level in (2, 3)]
    rows += [
        _post(f"P-{unit['code']}-{n}", "handler", unit["code"], unit["area"])
        for unit in units
        for n in (1, 2)
        if unit["kind"] != "centre"
    ]
    return [{**row, "person": person(number)} for number, row in enumerate(rows)]


def _post(code: str, role: str, unit: str, area: str) -> Row:
    return {"code": code, "role": role, "unit": unit, "area": area, "person": ""}


def _denials() -> Iterator[Row]:
    """The least that may be published: the five denials of domain.md row 8."""
    for number, tag in enumerate(ROW8, start=1):
        yield {
            "entry_id": f"NEG-{number:02}", "version": "1", "matter": f"row8:{tag}", "area": "SB",
            "role": "prohibited", "legal_basis": "社区事务准入办法（示例）", "guiding_dept": "SB-GOV",
        }  # fmt: skip


def main(data: str, out: str) -> None:
    notes = build(Path(data), Path(out))
    for file, name, wrong, done in notes.rows:
        sys.stdout.write(f"{file:<18} {name:<44} {wrong:<46} {done}\n")
    sys.stdout.write(f"{len(notes.rows)} notes; bundle in {out}\n")


if __name__ == "__main__":
    main(*sys.argv[1:3])
