"""A tiny city for tests: one district, one street, two communities, four square grids, all invented.

Grids lie in a square of 0.02 degrees with its south-west corner at 102.10 E, 36.50 N: G11 south-west and
G12 north-west (community C1), G21 south-east and G22 north-east (community C2).
"""

from datetime import date
from functools import cache

from msgspec import structs

from rules.admission import Entry, Funding
from rules.almanac import zone_offsets
from rules.areas import Area
from rules.bounds import Bounds
from rules.bundle import Bundle, City, Kind, Parts
from rules.daytable import CalendarSpec, Day, DayTable, Window
from rules.edition import Edition
from rules.geometry import Shape
from rules.limits import Limit, LimitFault, parse_limit
from rules.matters import ROW8, FilingCondition, Matter, Responsibility
from rules.policies import Policy, Rung
from rules.posts import ROLES, Post
from rules.routes import Route
from rules.templates import Template
from rules.units import Channel, Unit

WEST, SOUTH, SIDE = 1_021_000_000, 365_000_000, 100_000
"""South-west corner and side of a grid, in 10⁻⁷ degrees."""
MIDDLE = {
    "G11": (WEST + SIDE // 2, SOUTH + SIDE // 2),
    "G12": (WEST + SIDE // 2, SOUTH + 3 * SIDE // 2),
    "G21": (WEST + 3 * SIDE // 2, SOUTH + SIDE // 2),
    "G22": (WEST + 3 * SIDE // 2, SOUTH + 3 * SIDE // 2),
}
"""The middle of each grid: lon_e7, lat_e7."""
STREET_TRADING, MANHOLE, CLUTTER, QUARREL = "E-04-05", "P-01-01", "E-01-36", "Q-01-01"


@cache
def tiny_city() -> Bundle:
    return Edition.of(tiny_parts()).load()


def tiny_parts() -> Parts:
    return Parts(
        city=_city(),
        bounds=Bounds(),
        areas=_areas(),
        shapes=_shapes(),
        units=_units(),
        posts=_posts(),
        matters=_matters(),
        entries=_entries(),
        enforcement=(),
        calendars=_calendars(),
        policies=_policies(),
        routes=_routes(),
        templates=_templates(),
    )


def limit(text: str) -> Limit:
    read = parse_limit(text)
    assert not isinstance(read, LimitFault), read
    return read


def _city() -> City:
    return City(
        code="tiny", name="小城区", zone="Asia/Shanghai", root="D", desk_area="D", desk_kind="community",
        centre="OPS", body="GOV", languages=("zh", "en"), layers=("治理",),
        kinds=(
            Kind("district", "区", 0), Kind("street", "街道", 1),
            Kind("community", "社区", 2, guarded=True), Kind("grid", "网格", 3, guarded=True),
        ),
    )  # fmt: skip


def _areas() -> tuple[Area, ...]:
    rows = (
        ("D", "小城区", "district", 0, ""), ("S1", "河东街道", "street", 1, "D"),
        ("C1", "柳树社区", "community", 2, "S1"), ("C2", "杏花社区", "community", 2, "S1"),
        ("G11", "柳树社区第一网格", "grid", 3, "C1"), ("G12", "柳树社区第二网格", "grid", 3, "C1"),
        ("G21", "杏花社区第一网格", "grid", 3, "C2"), ("G22", "杏花社区第二网格", "grid", 3, "C2"),
    )  # fmt: skip
    return tuple(
        Area(code=code, name=name, kind=kind, level=level, layer="治理", parent=parent, scheme="local")
        for code, name, kind, level, parent in rows
    )


def _shapes() -> tuple[Shape, ...]:
    boxes = {
        "D": (0, 0, 2, 2), "S1": (0, 0, 2, 2), "C1": (0, 0, 1, 2), "C2": (1, 0, 2, 2),
        "G11": (0, 0, 1, 1), "G12": (0, 1, 1, 2), "G21": (1, 0, 2, 1), "G22": (1, 1, 2, 2),
    }  # fmt: skip
    return tuple(Shape(area=code, polygons=((square(*box),),)) for code, box in boxes.items())


def square(west: int, south: int, east: int, north: int) -> tuple[int, ...]:
    """A ring in multiples of a grid's side."""
    w, e = WEST + west * SIDE, WEST + east * SIDE
    s, n = SOUTH + south * SIDE, SOUTH + north * SIDE
    return w, s, e, s, e, n, w, n, w, s


def _units() -> tuple[Unit, ...]:
    law, works = "城管执法", "市政养护"
    terminal = (Channel("terminal"),)
    return (
        Unit(code="GOV", name="小城区政府", axis="块", kind="government", level="district", area="D",
             powers=frozenset({law, works}), channels=terminal),
        Unit(code="OPS", name="小城区城运中心", axis="块", kind="centre", level="district", area="D",
             parent="GOV", calendar="round_the_clock", channels=terminal),
        Unit(code="CG", name="河东街道城管执法队", axis="条", kind="department", level="street", area="S1",
             parent="JD", guiding="GOV", powers=frozenset({law}), trade="城管", channels=terminal,
             subscribes=True),
        Unit(code="SZ", name="小城区市政养护所", axis="条", kind="department", level="district", area="D",
             parent="GOV", guiding="GOV", powers=frozenset({works}), trade="市政", subscribes=True,
             channels=(Channel("webhook", "http://127.0.0.1:9/hook"), Channel("terminal"))),
        Unit(code="JD", name="河东街道办事处", axis="块", kind="government", level="street", area="S1",
             parent="GOV", guiding="GOV", fallback=True, channels=terminal, subscribes=True),
        Unit(code="JW1", name="柳树社区居委会", axis="块", kind="committee", level="community", area="C1",
             parent="JD", guiding="JD", channels=terminal, subscribes=True),
        Unit(code="JW2", name="杏花社区居委会", axis="块", kind="committee", level="community", area="C2",
             parent="JD", guiding="JD", channels=terminal),
    )  # fmt: skip


def _posts() -> tuple[Post, ...]:
    central = tuple(
        Post(code=f"OPS-{role}", role=role, unit="OPS", area="D", person=f"person-{role}")
        for role in ROLES
        if role != "handler"
    )
    handlers = (("GOV", "D"), ("CG", "S1"), ("SZ", "D"), ("JD", "S1"), ("JW1", "C1"), ("JW2", "C2"))
    return central + tuple(
        Post(code=f"{unit}-handler", role="handler", unit=unit, area=area, person=f"person-{unit}")
        for unit, area in handlers
    )


def _matters() -> tuple[Matter, ...]:
    return (
        Matter(
            code=STREET_TRADING, scheme="GB/T 30428.2", kind="event", big="04", small="05", name="店外经营",
            accept="automatic", dispatch="automatic", merge_metres=50, merge_hours=24,
            statutory_level="street", power="城管执法", row8="城市管理", row8_known=True,
            supervising="unit:GOV",
            keywords=(("店外经营", 30), ("占道摆摊", 20)),
            conditions=(_condition("1", "店铺超出门窗经营", "2紧急工作时", "物品收回店内"),),
            responsibility=(
                Responsibility("trade", "城管"),
                Responsibility("territory", "community", "assist"),
            ),
        ),
        Matter(
            code=MANHOLE, scheme="GB/T 30428.2", kind="component", big="01", small="01", name="上水井盖",
            accept="automatic", dispatch="automatic", merge_metres=10, merge_hours=72, hazard=True,
            power="市政养护", row8_known=True, supervising="unit:GOV", emergency_continuous=True,
            keywords=(("井盖", 20), ("井盖缺失", 40)),
            conditions=(
                _condition("1", "缺失或开裂", "2紧急工作时", "恢复|现场无隐患"),
                _condition("2", "破损", "4工作时", "恢复"),
            ),
            responsibility=(Responsibility("trade", "市政"),),
        ),
        Matter(
            code=CLUTTER, scheme="local", kind="event", big="01", small="36", name="楼道堆物", triage="small",
            accept="automatic", dispatch="automatic", merge_metres=30, merge_hours=48, row8_known=True,
            keywords=(("楼道", 10), ("堆物", 20), ("杂物", 10)),
            conditions=(_condition("1", "楼道内堆放杂物", "1工作日", "清理干净"),),
            responsibility=(Responsibility("territory", "community"), Responsibility("territory", "street")),
        ),
        Matter(
            code=QUARREL, scheme="local", kind="dispute", big="01", small="01", name="邻里纠纷",
            triage="private", row8_known=True, keywords=(("吵架", 20), ("纠纷", 20)),
            conditions=(_condition("1", "邻里之间的纠纷", "3工作日", "双方签字"),),
            responsibility=(Responsibility("territory", "community"), Responsibility("territory", "street")),
        ),
    )  # fmt: skip


def _condition(code: str, text: str, words: str, closing: str) -> FilingCondition:
    return FilingCondition(code=code, text=text, limit=limit(words), closing=tuple(closing.split("|")))


def _entries() -> tuple[Entry, ...]:
    start, basis = date(2026, 1, 1), ("虚构条例第五条",)
    denials = tuple(
        Entry(entry_id=f"NEG-{n:02}", version=1, matter=f"row8:{tag}", area="D", role="prohibited",
              legal_basis=basis, guiding_dept="GOV")
        for n, tag in enumerate(ROW8, start=1)
    )  # fmt: skip
    paid = Funding("区财政", "每件20元", "件", "PROOF-1", start, date(2026, 12, 31))
    unpaid = Funding("区财政", "每件10元", "件")
    return (
        *denials,
        Entry(entry_id="OWN-01", version=1, matter="Q", area="D", role="own", unit_level="community",
              legal_basis=basis, guiding_dept="JD", valid_from=start),
        Entry(entry_id="OWN-02", version=1, matter=CLUTTER, area="C1", role="own", unit_level="community",
              legal_basis=basis, guiding_dept="JD", valid_from=start),
        Entry(entry_id="AST-01", version=1, matter=STREET_TRADING, area="S1", role="assist",
              unit_level="community", legal_basis=basis, guiding_dept="CG", applicant="CG", funding=paid,
              valid_from=start),
        Entry(entry_id="AST-02", version=1, matter=MANHOLE, area="S1", role="assist", unit_level="community",
              legal_basis=basis, guiding_dept="SZ", applicant="SZ", funding=unpaid, valid_from=start),
    )  # fmt: skip


def _calendars() -> tuple[CalendarSpec, ...]:
    holidays = tuple(Day(date(2026, 10, n), "off", "国庆节", "虚构通知") for n in range(1, 8))
    made_up = Day(date(2026, 10, 10), "work", "国庆节", "虚构通知")
    offsets = zone_offsets("Asia/Shanghai")
    office = CalendarSpec("office", days=DayTable("cn", (*holidays, made_up)), offsets=offsets)
    return office, structs.replace(round_the_clock(), offsets=offsets)


def round_the_clock() -> CalendarSpec:
    """A calendar that is open day and night."""
    whole = (Window(0, 24 * 60),)
    return CalendarSpec("round_the_clock", week=(whole,) * 7, standard=whole)


def _policies() -> tuple[Policy, ...]:
    limits = {
        "accept": "15分钟", "route": "15分钟", "supplement": "1工作日", "check": "30分钟", "sign": "1工作日",
        "decide": "1工作日", "appeal": "10工作日", "contact": "1工作日", "arrive": "30分钟",
        "verify": "30分钟", "callback": "1工作日", "after_close": "5工作日", "meeting": "5工作日",
    }  # fmt: skip
    ladder = (
        Rung("guiding", None, "催办"),
        Rung("parent", limit("1工作日"), "督办"),
        Rung("meeting1", limit("5工作日"), "提级督办"),
    )
    short = tuple(
        Policy(name=name, limit=limit(text), warn=(70,), ladder=(Rung("lead_officer"),))
        for name, text in limits.items()
    )
    long = tuple(Policy(name=name, warn=(70,), ladder=ladder) for name in ("handle", "case", "leg"))
    return (*short, *long, Policy(name="cotask", warn=(70,)), Policy(name="review", warn=(70,)))


WORDS = {
    "case_opened": ("新案件{case}：{matter}", "New case {case}: {matter}"),
    "case_accepted": ("您的诉求已受理，编号{case}", "Your report is accepted as {case}"),
    "case_assigned": ("案件{case}派给贵单位：{matter}", "Case {case} is yours: {matter}"),
    "lead_relieved": ("案件{case}已改派", "Case {case} went to another unit"),
    "routing_stopped": ("案件{case}待派遣", "Case {case} waits to be routed"),
    "objection": ("案件{case}有派单异议", "An objection was raised in case {case}"),
    "supervision": ("案件{case}督办", "Case {case} is under supervision"),
    "breach": ("案件{case}的{clock}已超时", "The clock {clock} of case {case} is overdue"),
    "resolved": ("案件{case}待核实", "Case {case} waits for inspection"),
    "rework": ("案件{case}返工", "Case {case} has to be done again"),
    "case_closed": ("您的诉求{case}已办结", "Your report {case} is closed"),
}
ROUTES = (
    ("CaseOpened", "clerk", "case_opened"), ("CaseAccepted", "reporter", "case_accepted"),
    ("CaseAssigned", "lead", "case_assigned"), ("CaseAssigned", "assist", "case_assigned"),
    ("LeadRelieved", "relieved", "lead_relieved"), ("RoutingStopped", "dispatcher", "routing_stopped"),
    ("RoutedToFallback", "dispatcher", "routing_stopped"), ("ObjectionRaised", "dispatcher", "objection"),
    ("SupervisionOpened", "lead", "supervision"), ("ClockBreached", "lead", "breach"),
    ("ClockBreached", "supervising", "breach"), ("ResolutionReported", "inspector", "resolved"),
    ("ReworkOrdered", "lead", "rework"), ("CaseClosed", "reporter", "case_closed"),
)  # fmt: skip


def _routes() -> tuple[Route, ...]:
    return tuple(Route(event, audience, "own", template) for event, audience, template in ROUTES)


def _templates() -> tuple[Template, ...]:
    return tuple(
        Template(code, language, text)
        for code, texts in WORDS.items()
        for language, text in zip(("zh", "en"), texts, strict=True)
    )
