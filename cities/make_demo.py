"""Draws what is regular in `cities/demo`: the map, the posts, the days off, and the lists of `lists.yaml`.

`python -m cities.make_demo` writes the files; a test compares them with what is committed. Everything
else in the folder is written by hand; so are the first rows of the tables that the lists are added to.
All names are invented.
"""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Final

from cities import lists
from cities.lattice import Cell, Lattice, Point, feature, joined
from rules.almanac import seed_days

FOLDER: Final = Path(__file__).parent / "demo"
CODE: Final = "990601"
"""A division code of six digits that no place has."""
NET: Final = Lattice(west=1_186_000_000, south=301_000_000, width=36_000, height=31_000, stray=14)
STREETS: Final = (("JD01", "云溪街道"), ("JD02", "桥东街道"), ("JD03", "北苑街道"))
COMMUNITIES: Final = (
    # name, street, columns, rows, squares that make one grid
    ("锦云社区", "JD01", range(4), range(6, 8), None),
    ("翠溪社区", "JD01", range(4, 8), range(6, 8), ((5, 6), (6, 6))),
    ("鹤鸣社区", "JD01", range(4), range(4, 6), ((1, 4), (2, 4))),
    ("桥东社区", "JD02", range(4, 8), range(4, 6), ((4, 5), (4, 4))),
    ("梧桐社区", "JD02", range(4), range(2, 4), None),
    ("澄湖社区", "JD02", range(4, 8), range(2, 4), ((6, 3), (7, 3))),
    ("北苑社区", "JD03", range(4), range(2), ((3, 1), (3, 0))),
    ("松岗社区", "JD03", range(4, 8), range(2), None),
)
BEATS: Final = tuple(
    (f"CG{number:02}", range(left, min(left + 3, 8)), range(low, low + 2))
    for number, (low, left) in enumerate(((low, left) for low in (6, 4, 2, 0) for left in (0, 3, 6)), start=1)
)
"""城管责任区: the net of the city management department, whose borders are not those of the communities."""
FIRST_WORDS: Final = ("锦绣", "翠湖", "云栖", "梧桐", "桂花", "阳光", "和顺", "金桥", "听雨", "明月")
LAST_WORDS: Final = ("花园", "家园", "苑", "小区", "新村", "名邸")
SURNAMES: Final = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕施张孔曹严华金魏陶姜"
GIVEN: Final = "文博思远雨桐子涵佳宁志强晓燕丽娟建国海峰秀兰永康明哲静怡国梁春梅立新"

Row = Mapping[str, str]


def grids() -> Iterator[tuple[str, str, tuple[Cell, ...]]]:
    """Every grid as code, code of its community and squares, in the order of the codes."""
    for number, (_, street, columns, rows, pair) in enumerate(COMMUNITIES, start=1):
        for sequence, cells in enumerate(joined(columns, rows, pair), start=1):
            yield f"{CODE}{street[2:]:0>3}{number:03}{sequence:03}", f"SQ{number:02}", cells


def estate(number: int) -> str:
    """The name of the residential estate (小区) of the `number`-th grid; no two are alike."""
    return FIRST_WORDS[number % 10] + LAST_WORDS[(number // 10 + number) % 6]


def areas() -> list[Row]:
    """区 → 街道 → 社区 → 网格; the GB codes of the upper levels and the names of estates are aliases."""
    rows = [_area("YX", "云溪区", "district", "", CODE)]
    rows += [_area(code, name, "street", "YX", f"{CODE}{code[2:]:0>3}") for code, name in STREETS]
    for number, (name, street, *_) in enumerate(COMMUNITIES, start=1):
        gb = f"{CODE}{street[2:]:0>3}{number:03}"
        rows.append(_area(f"SQ{number:02}", name, "community", street, f"{gb}|{name[:-2]}"))
    names = {f"SQ{number:02}": name for number, (name, *_) in enumerate(COMMUNITIES, start=1)}
    for number, (code, community, _) in enumerate(grids()):
        name = f"{names[community]}第{int(code[-3:])}网格"
        rows.append(_area(code, name, "grid", community, estate(number)))
    return rows + [_area(code, f"城管第{int(code[2:])}责任区", "beat", "YX", "") for code, *_ in BEATS]


def _area(code: str, name: str, kind: str, parent: str, aliases: str) -> Row:
    scheme = "GB/T 30428.1" if kind == "grid" else "local"
    layer = "城管" if kind == "beat" else "治理"
    return {
        "code": code, "name": name, "kind": kind, "layer": layer, "parent": parent, "scheme": scheme,
        "aliases": aliases,
    }  # fmt: skip


def shapes() -> str:
    """The polygons of every level, as one GeoJSON feature a line."""
    squares: dict[str, list[Cell]] = {}
    streets = {f"SQ{number:02}": street for number, (_, street, *_) in enumerate(COMMUNITIES, start=1)}
    for code, community, cells in grids():
        for area in ("YX", streets[community], community, code):
            squares.setdefault(area, []).extend(cells)
    for code, columns, rows in BEATS:
        squares[code] = [(x, y) for y in rows for x in columns]
    rings: dict[str, Sequence[Point]] = {area: NET.ring(cells) for area, cells in sorted(squares.items())}
    lines = ",\n".join(json.dumps(feature(area, ring, {})) for area, ring in rings.items())
    return f'{{"type": "FeatureCollection", "features": [\n{lines}\n]}}\n'


def posts() -> list[Row]:
    """Everybody who acts: the centre, the meetings, two handlers for each unit, one post a grid."""
    rows = [*_centre(), *_meetings(), *_handlers(), *_grid_posts()]
    return [{**row, "person": person(number)} for number, row in enumerate(rows)]


def person(number: int) -> str:
    """An invented name; the first thousand differ."""
    given = GIVEN[number * 7 % len(GIVEN)] + GIVEN[(number * 11 + 5) % len(GIVEN)]
    return SURNAMES[number % len(SURNAMES)] + given


def _centre() -> Iterator[Row]:
    for role, times in (
        ("clerk", 3), ("dispatcher", 2), ("lead_officer", 1), ("inspector", 2), ("caller", 3),
        ("keeper", 1), ("supervisor", 2), ("reviewer", 2),
    ):  # fmt: skip
        for number in range(1, times + 1):
            yield _post(f"P-{role}-{number}", role, "YX-CENTRE", "YX")
    for street, _ in STREETS:
        yield _post(f"P-inspector-{street}", "inspector", "YX-CENTRE", street)


def _meetings() -> Iterator[Row]:
    for street, _ in STREETS:
        yield _post(f"P-meeting1-{street}", "meeting1", street, street)
    yield _post("P-meeting2", "meeting2", "YX-CENTRE", "YX")
    yield _post("P-meeting3", "meeting3", "YX-GOV", "YX")


def _handlers() -> Iterator[Row]:
    for unit in _read("units.csv"):
        if unit["code"] != "YX-CENTRE":
            for number in (1, 2):
                yield _post(f"P-{unit['code']}-{number}", "handler", unit["code"], unit["area"])


def _grid_posts() -> Iterator[Row]:
    for code, community, _ in grids():
        yield _post(f"P-{code}", "handler", f"JW{community[2:]}", code)


def _post(code: str, role: str, unit: str, area: str) -> Row:
    return {"code": code, "role": role, "unit": unit, "area": area, "person": ""}


def days() -> list[Row]:
    """The days off and made up of 2026 as published, and the one day of 2027 that is sure."""
    known = [
        {
            "table": "cn", "date": day.date.isoformat(), "kind": day.kind, "name": day.name,
            "notice": day.notice, "expected": "no",
        }
        for day in seed_days([2026]).days
    ]  # fmt: skip
    return [
        *known,
        {"table": "cn", "date": "2027-01-01", "kind": "off", "name": "元旦", "notice": "", "expected": "yes"},
    ]


def seat() -> lists.Seat:
    """Who sits where in the district, for the lists; who is not there, the government does it."""
    trades = {unit["trade"]: unit["code"] for unit in _read("units.csv") if unit["trade"]}
    return lists.Seat(
        root="YX", body="YX-GOV", centre="YX-CENTRE", trades=trades, grids=("grid",),
        approvals="云社准", funds="区财政", year=2026,
    )  # fmt: skip


def with_lists(file: str) -> str:
    """A table with its rows written by hand, and those of the lists behind them."""
    added = {
        "matters.csv": lambda: lists.matters(seat()),
        "conditions.csv": lists.conditions,
        "responsibility.csv": lambda: lists.responsibility(seat()),
        "entries.csv": lambda: lists.entries(seat(), 101),
    }[file]
    codes = {one.code for one in lists.listed()}
    by_hand = [row for row in _read(file) if row.get("matter", row.get("code")) not in codes]
    columns = list(by_hand[0])
    return table([*by_hand, *({name: row[name] for name in columns} for row in added())])


LISTED: Final = ("matters.csv", "conditions.csv", "responsibility.csv", "entries.csv")


def _read(file: str) -> list[Row]:
    with (FOLDER / file).open(encoding="utf-8", newline="") as text:
        return list(csv.DictReader(text))


def table(rows: Sequence[Row]) -> str:
    """Rows as CSV with the first row's columns."""
    text = StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def drawn() -> Mapping[str, str]:
    """Every generated file by name."""
    return {
        "areas.csv": table(areas()),
        "areas.geojson": shapes(),
        "posts.csv": table(posts()),
        "days.csv": table(days()),
        **{file: with_lists(file) for file in LISTED},
    }


def main() -> None:
    for name, text in drawn().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()
