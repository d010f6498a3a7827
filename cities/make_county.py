"""Draws `cities/county`: a county of many peoples, deeper than the demonstration and with two nets.

`python -m cities.make_county` writes every file but the README; a test compares them with what is
committed. What is the law or the habit of both cities is read from `cities/demo` and `lists.yaml`.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, cast

import yaml

from cities import county_map, county_people, lists
from cities.county_map import parts
from cities.county_register import register
from cities.lattice import feature
from cities.make_demo import FOLDER as DEMO
from cities.make_demo import days, table

HERE: Final = Path(__file__).parent
FOLDER: Final = HERE / "county"
COPIED: Final = ("calendar.yaml", "policies.yaml", "bounds.yaml", "routes.csv")
CITY: Final = """\
code: tsolung
name: 措隆县
zone: Asia/Shanghai
root: CL
desk_area: CL
desk_kind: community
centre: CL-CENTRE
body: CL-GOV
languages: [zh, bo]
layers: [治理, 综治]
channels: [hotline, app, patrol, handset, meeting, machine, wechat, platform]
kinds:
  - {code: county, name: 县, level: 0, guarded: no}
  - {code: township, name: 镇（街道）, level: 1, guarded: no}
  - {code: precinct, name: 派出所辖区, level: 1, guarded: no}
  - {code: community, name: 社区, level: 2, guarded: yes}
  - {code: watch, name: 综治网格, level: 2, guarded: yes}
  - {code: grid, name: 网格, level: 3, guarded: yes}
  - {code: subgrid, name: 子网格, level: 4, guarded: yes}
limit_words: {standard_day: 480, urgent_day: 1440, urgent_day_working: no, bare_hour_working: yes, bare_day_working: yes}
starts: 2026-01-01
"""  # noqa: E501 - a line of YAML
GUARDED: Final = ("community", "watch", "grid", "subgrid")
LEVELS: Final = {"district": "county", "street": "township"}
"""The demonstration's levels of authority in the county's words."""
BOTH: Final = ("case_accepted", "case_closed", "case_voided")
"""What residents are told, in both languages in one message: a notice goes out in the main language."""
NOTE: Final = "# Written by cities/make_county.py; the Tibetan words stand in cities/tibetan.yaml.\n"

Row = Mapping[str, str]


def standard(file: str) -> Iterator[Row]:
    """The rows of the demonstration about matters of the national standard, with units and levels of here."""
    shared = {one.code for one in lists.listed()}
    with (DEMO / file).open(encoding="utf-8", newline="") as text:
        for row in csv.DictReader(text):
            if row.get("matter", row.get("code")) not in shared:
                here = {name: cell.replace("YX-", "CL-") for name, cell in row.items()}
                level = {"statutory_level", "select"} & row.keys()
                yield here | {name: LEVELS.get(here[name], here[name]) for name in level}


def matters() -> list[Row]:
    return [*standard("matters.csv"), *lists.matters(county_people.SEAT)]


def shapes() -> str:
    """The polygon of every area, one GeoJSON feature a line."""
    lines = ",\n".join(
        json.dumps(feature(part.code, county_map.NET.ring(part.cells), {})) for part in parts()
    )
    return f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'


def enforcement() -> list[Row]:
    """What a community is asked without an entry is first observed, from July on refused."""
    return [
        {"level": level, "step": str(step), "strength": strength, "valid_from": since}
        for level in GUARDED
        for step, strength, since in (
            (2, "enforce", "2026-01-01"), (3, "enforce", "2026-01-01"), (5, "enforce", "2026-01-01"),
            (6, "observe", "2026-01-01"), (6, "enforce", "2026-07-01"),
            (7, "observe", "2026-01-01"), (7, "enforce", "2026-07-01"),
        )
    ]  # fmt: skip


def words() -> tuple[str, str]:
    """The Chinese words of the demonstration and the Tibetan ones, with the same codes and fields.

    What nobody has said in Tibetan yet stays Chinese.
    """
    chinese = cast("Mapping[str, str]", yaml.safe_load((DEMO / "templates/zh.yaml").read_text("utf-8")))
    said = cast("Mapping[str, Any]", yaml.safe_load((HERE / "tibetan.yaml").read_text("utf-8")))
    tibetan = {
        code: _refusal(said, text) if code.startswith("refusal.") else said["notices"].get(code, text)
        for code, text in chinese.items()
    }
    both = {code: f"{text} {tibetan[code]}" if code in BOTH else text for code, text in chinese.items()}
    return _yaml(both), _yaml(tibetan)


def _refusal(said: Mapping[str, Any], chinese: str) -> str:
    asked = [said[field] for field in ("expected", "found") if f"{{{field}}}" in chinese]
    return " ".join([said["refusal"], *asked])


def _yaml(texts: Mapping[str, str]) -> str:
    return NOTE + "".join(f"{code}: {json.dumps(text, ensure_ascii=False)}\n" for code, text in texts.items())


def drawn() -> Mapping[str, str]:
    """Every generated file by name."""
    tables: Mapping[str, Sequence[Row]] = {
        "areas": [part.row for part in parts()],
        "units": county_people.units(),
        "posts": county_people.posts(),
        "pairings": county_people.pairings(),
        "staffing": county_people.staffing(),
        "matters": matters(),
        "conditions": [*standard("conditions.csv"), *lists.conditions()],
        "responsibility": [*standard("responsibility.csv"), *lists.responsibility(county_people.SEAT)],
        "keywords": [*standard("keywords.csv"), *lists.keywords()],
        "entries": register(),
        "enforcement": enforcement(),
        "days": days(),
    }
    chinese, tibetan = words()
    return {
        "city.yaml": CITY,
        "areas.geojson": shapes(),
        **{f"{name}.csv": table(rows) for name, rows in tables.items()},
        **{name: (DEMO / name).read_text(encoding="utf-8") for name in COPIED},
        "templates/zh.yaml": chinese,
        "templates/bo.yaml": tibetan,
    }


def main() -> None:
    (FOLDER / "templates").mkdir(parents=True, exist_ok=True)
    for name, text in drawn().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
