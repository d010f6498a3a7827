"""The admission register (准入清单) of `cities/county`: each derived list 自治, 协助, 负面, 收回 and 临时."""

import csv
from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from cities.county_map import ROOT, of_kind
from cities.county_people import SEAT
from cities.lists import ENTRY_COLUMNS, entries
from cities.make_demo import FOLDER as DEMO

Row = Mapping[str, str]

YEAR: Final = {"covers_from": "2026-01-01", "covers_to": "2026-12-31"}
PAYS: Final = {"funding_source": "县财政", "funding_per": "件"}


class Grant(NamedTuple):
    """A temporary admission: what, where, for which level and mode, who asks by which order, until when."""

    matter: str
    area: str
    level: str
    mode: str
    unit: str
    order: str
    duties: str
    since: str
    until: str
    more: Row


def _paid(number: int) -> Row:
    return {"funding_proof": f"拨-2026-L{number}", **YEAR}


GRANTED: Final = (
    Grant("E-05-06", ROOT, "community", "emergency", "CL-SW", "措汛令〔2026〕2号", "急时到岗，值守低洼处",
          "2026-06-01", "2026-12-31", _paid(1)),
    Grant("E-05", ROOT, "subgrid", "emergency", "CL-YJ", "措应急〔2026〕4号", "寒潮期间看护用气用火",
          "2026-11-01", "2027-03-31", {}),
    Grant("C-04-02", "XZ25", "community", "both", "CL-LC", "措林令〔2026〕1号", "清雪护树",
          "2026-11-10", "2026-12-10", _paid(3)),
    Grant("E-01-12", "SQ38", "community", "both", "CL-CGJ", "措创建〔2026〕1号", "集市日清扫",
          "2026-04-01", "2026-07-31", _paid(4)),
    Grant("W-01-03", "XZ27", "community", "both", "CL-YJ", "措防火令〔2026〕1号", "清明前后进山路口登记",
          "2026-03-15", "2026-12-15", {"role": "own"}),
    Grant("E-05-03", "XZ18", "community", "both", "CL-SW", "措汛令〔2026〕5号", "看护井口",
          "2026-07-01", "2026-12-31", {"state": "exited", "exit_reason": "居民评议不同意继续", **_paid(6)}),
)  # fmt: skip
"""临时准入: in force in 急 only, unfunded, in force, expired, the community's own, ended by its residents."""
STREETS: Final = (
    # matter, standard, duties; then what each of the five streets has paid, and until when
    ("E-01-29", "30元", "劝阻、引导至集中点", ("12-31", "06-30", "", "12-31", "12-31")),
    ("E-02-01", "5元", "随手清除，登记号码", ("12-31", "12-31", "09-30", "", "12-31")),
)


def register() -> list[Row]:
    """All entries: what the demonstration has too, the lists, the police's net, the streets, for a time."""
    blank = dict.fromkeys(ENTRY_COLUMNS, "")
    rows: list[Row] = [
        *_standard(),
        *entries(SEAT, 101),
        *_own(),
        *_of_the_watch(),
        *_of_streets(),
        *_temporary(),
    ]
    return [dict(blank) | dict(row) for row in rows]


def _standard() -> Iterator[Row]:
    """负面, 收回 and 协助 of the standard's matters, as in the demonstration, with the county's numbers."""
    with (DEMO / "entries.csv").open(encoding="utf-8", newline="") as text:
        rows = [row for row in csv.DictReader(text) if row["entry_id"].startswith(("NEG-", "AST-"))]
    levels = {"district": "county", "street": "township", "": ""}
    for number, row in enumerate((row for row in rows if row["area"] == "YX"), start=1):
        here = {name: cell.replace("YX", "CL").replace("云溪区", "措隆县") for name, cell in row.items()}
        here |= {"statutory_level": levels[row["statutory_level"]], "approval_no": _approval(number)}
        here |= {name: here[name].replace("CL-YL", "CL-LC") for name in ("applicant", "guiding_dept")}
        yield here | {"funding_source": here["funding_source"] and SEAT.funds}


def _approval(number: int) -> str:
    return f"{SEAT.approvals}〔{SEAT.year}〕{number}号"


def _entry(entry_id: str, matter: str, role: str, guiding: str, **more: str) -> Row:
    return {
        "entry_id": entry_id, "version": "1", "matter": matter, "area": ROOT, "role": role,
        "unit_level": "community", "guiding_dept": guiding, "noticed_on": "2025-12-01",
        "valid_from": "2026-01-01", **more,
    }  # fmt: skip


def _own() -> Iterator[Row]:
    """自治 of the standard's local matters, and 协助 that every township has unless a street has its own."""
    law = "中华人民共和国城市居民委员会组织法"
    mediation = f"中华人民共和国人民调解法|{law}"
    told = (
        ("OWN-01", "E-06-98", mediation, "第八条", "见面、劝和、记录，可用本民族语言", "不代替裁决"),
        (
            "OWN-02",
            "E-06-99",
            f"{law}|居民公约",
            "第三条",
            "劝导清理，组织楼栋长巡看",
            "不得强行处置他人财物",
        ),
        ("OWN-03", "E-06-97", law, "第三条", "居中沟通住户与物业", "设备维修由物业承担"),
    )
    for number, (code, matter, basis, article, duties, limits) in enumerate(told, start=301):
        yield _entry(
            code, matter, "own", "CL-MZ", legal_basis=basis, article=article, duties=duties,
            limits_of_duty=limits, approval_no=_approval(number),
        )  # fmt: skip


def _of_the_watch() -> Iterator[Row]:
    """What a grid of the police's net (综治网格) does of its own: an entry of that layer and level only."""
    for number, matter in enumerate(("G-01-03", "G-01-04", "G-01-07"), start=1):
        yield _entry(
            f"ZZW-{number:02}", matter, "own", "CL-GA", layer="综治", unit_level="watch",
            legal_basis="网格化服务管理条例（示例）|中华人民共和国人民警察法", article="第二十三条",
            duties="巡看、发现、报告", limits_of_duty="不代替执法", approval_no=_approval(310 + number),
        )  # fmt: skip


def _of_streets() -> Iterator[Row]:
    """协助: for the county as a whole, and for each street with the money that this street has."""
    streets = [part.code for part in of_kind("township") if part.name.endswith("街道")]
    for number, (matter, standard, duties, paid) in enumerate(STREETS, start=1):
        law = "城市市容和环境卫生管理条例"
        more = {
            "legal_basis": law, "applicant": "CL-CGJ", "duties": duties, "frequency": "按件",
            "limits_of_duty": "只协助，不执法，不作责任主体", "funding_standard": standard, **PAYS,
        }  # fmt: skip
        whole = {"funding_proof": f"拨-2026-JD{number}0", **YEAR, "approval_no": _approval(320 + number * 10)}
        yield _entry(f"JD-{number}0", matter, "assist", "CL-CGJ", **more, **whole)
        for at, (street, until) in enumerate(zip(streets, paid, strict=True), start=1):
            proof: Row = _proof(f"拨-2026-JD{number}{at}", until) if until else {}
            here = {"area": street, "approval_no": _approval(320 + number * 10 + at), **proof}
            yield _entry(f"JD-{number}{at}", matter, "assist", "CL-CGJ", **more, **here)


def _proof(name: str, until: str) -> Row:
    return {"funding_proof": name, "covers_from": "2026-01-01", "covers_to": f"2026-{until}"}


def _temporary() -> Iterator[Row]:
    for number, one in enumerate(GRANTED, start=1):
        paid: Row = {**PAYS, "funding_per": "人日", "funding_standard": "100元"}
        own = one.more.get("role") == "own"
        yield {
            **_entry(f"LS-{number:02}", one.matter, "assist", one.unit),
            "area": one.area, "unit_level": one.level, "term": "temporary", "mode": one.mode,
            "order_number": one.order, "legal_basis": "中华人民共和国突发事件应对法", "applicant": one.unit,
            "duties": one.duties, "limits_of_duty": "到期自行终止", "frequency": "随令",
            "approval_no": one.order, "noticed_on": "", "valid_from": one.since, "valid_to": one.until,
            **({} if own else paid), **one.more,
        }  # fmt: skip
