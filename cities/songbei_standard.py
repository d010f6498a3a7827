"""The Yuncheng standard of the test data as matters of a bundle; what does not parse is set aside by name."""

import csv
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from cities.songbei_map import Notes, Row
from rules.limits import LimitFault, parse_limit

KINDS: Final = {"事件": ("E", "event"), "部件": ("C", "component")}
FILE: Final = "yuncheng.csv"
TRADES: Final = (
    ("园林|绿化", "园林"), ("市政", "市政"), ("环卫", "环卫"), ("执法", "执法"), ("排水", "排水"),
    ("供热|供气|燃气|热力", "供热供气"), ("节约用水|供水", "供水"), ("公安|派出所|交通管理", "公安"),
    ("河道|水务", "水务"), ("通信|联通|联合网络|移动|电信|广电|线缆", "通信"), ("电力|供电", "电力"),
    ("公交", "公交"), ("消防", "消防"), ("住建|物业", "住建"), ("生态环境", "环境"), ("卫生行政", "卫生"),
    ("地名|智慧城市|市容秩序科", "城管"),
)  # fmt: skip
"""Words of the column `responsible` and the trade that stands for them here."""


def read_standard(path: Path, notes: Notes) -> Mapping[str, list[Row]]:
    """The four tables of the taxonomy: matters, conditions, responsibility, keywords."""
    tables: dict[str, list[Row]] = {
        name: [] for name in ("matters", "conditions", "responsibility", "keywords")
    }
    unclear = 0
    for code, rows in _by_matter(path).items():
        conditions = list(_conditions(code, rows, notes))
        if not conditions:
            notes.add(FILE, f"{code} {rows[0]['small_name']}", "no condition with a limit", "set aside")
            continue
        trades = _trades(rows)
        unclear += len(trades) > 1
        tables["matters"].append(_matter(code, rows[0]))
        tables["conditions"] += conditions
        tables["responsibility"] += _responsibility(code, trades)
        tables["keywords"] += _keywords(code, rows[0]["small_name"])
    notes.add(
        FILE,
        f"{unclear} matters",
        "several units responsible",
        "the first one named leads, the others follow",
    )
    return tables


def _by_matter(path: Path) -> Mapping[str, Sequence[Row]]:
    groups: dict[str, list[Row]] = defaultdict(list)
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in csv.DictReader(file):
            if row["kind"] in KINDS:
                groups[f"{KINDS[row['kind']][0]}-{row['big_code']}-{row['small_code']}"].append(row)
    return groups


def _conditions(code: str, rows: Sequence[Row], notes: Notes) -> Iterator[Row]:
    for number, row in enumerate(rows, start=1):
        limit = row["limit"].strip()
        if isinstance(parse_limit(limit), LimitFault):
            notes.add(FILE, f"{code}-{number} {row['small_name']}", f"limit {limit!r} is none", "set aside")
            continue
        items = [item for item in re.split(r"[、，,；;\s|]+", row["close"]) if item]
        yield {
            "matter": code, "code": f"{code}-{number}", "text": _line(row["condition"]), "limit": limit,
            "closing": "|".join(dict.fromkeys(items)),
        }  # fmt: skip


def _line(text: str) -> str:
    return " ".join(text.replace("|", "、").split())[:390]


def _matter(code: str, row: Row) -> Row:
    return {
        "code": code, "name": _line(row["small_name"]).replace(" ", ""), "kind": KINDS[row["kind"]][1],
        "scheme": "运城", "big": row["big_name"], "small": row["small_code"], "accept": "automatic",
        "dispatch": "automatic", "merge_metres": "30", "merge_hours": "24", "supervising": "unit:SB-CENTRE",
    }  # fmt: skip


def _trades(rows: Sequence[Row]) -> list[str]:
    text = "、".join(row["responsible"] for row in rows)
    found = {trade: re.search(words, text) for words, trade in TRADES}
    return sorted((trade for trade, hit in found.items() if hit), key=lambda trade: _start(found[trade]))


def _start(hit: re.Match[str] | None) -> int:
    return hit.start() if hit else 0


def _responsibility(code: str, trades: Sequence[str]) -> Iterator[Row]:
    """The first trade leads, then the street; the other trades come after it."""
    chosen = [("trade", trade) for trade in trades[:1]] + [("territory", "street")]
    chosen += [("trade", trade) for trade in trades[1:3]]
    for order, (by, select) in enumerate(chosen, start=1):
        yield {"matter": code, "order": str(order * 10), "by": by, "select": select, "role": "lead"}


def _keywords(code: str, name: str) -> Iterator[Row]:
    words = [word for word in re.split(r"[、，（）()\s]+", name) if len(word) > 1]
    for word in dict.fromkeys([name.replace("\n", ""), *words]):
        if not re.search(r"[\s|,]", word):
            yield {"matter": code, "word": word, "weight": "90"}
