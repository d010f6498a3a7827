"""The first sheet of a workbook: how it is filled in (填写说明), for officials, in Chinese and English."""

from typing import Final

GENERAL: Final = (
    (
        "本工作簿就是一个城市的全部规则：每张工作表对应 docs/reference/bundle.md 里的一个文件。",
        "This workbook holds all rules of one city; docs/reference/bundle.md explains every column.",
    ),
    (
        "第1行是列名，请勿改动；从第2行起每行一条。不用的可选列可以删掉，列的次序不限。",
        "Row 1 holds the names of the columns: leave them. One thing a row below. Optional columns may go.",
    ),
    (
        "所有单元格都是“文本”格式：编码前面的零要保留，长编码不能变成数字。从别处粘贴时请选“只粘贴数值”。",
        "All cells are text, so that leading zeros and long codes survive. Paste values only.",
    ),
    (
        "日期写成 2026-01-31；是与否写 yes / no（或 是 / 否）；一格多个值用 | 隔开。",
        "Days are 2026-01-31; yes and no are yes / no (是 / 否); | separates several values.",
    ),
    (
        "时限用标准里的写法：2紧急工作时、4工作时、1工作日、3自然日、30分钟。",
        "Limits in the words of the standards: 2紧急工作时, 4工作时, 1工作日, 30分钟; or 4 working hours.",
    ),
    (
        "有下拉箭头的格子请从列表里选。公式、合并单元格不要用。",
        "Cells with an arrow offer a list: choose from it. Use no formulas and no merged cells.",
    ),
    (
        "名称以 _ 或 README 开头的工作表不读入，可作备注。",
        "Sheets whose name begins with _ or README are not read: keep notes there.",
    ),
    (
        "填完后运行：gridcase rules check 文件.xlsx，一次列出全部问题（工作表、行、列、怎么改）。",
        "Then run: gridcase rules check FILE.xlsx. It lists all faults at once, with what to do.",
    ),
)
PURPOSES: Final = {
    "city": (
        "城市：名称、时区、语言、图层、中心和政府",
        "the city: name, zone, languages, layers, centre and body",
    ),
    "kinds": (
        "区域类别和层级；guarded=yes 的层级须有准入条目",
        "kinds of area; guarded: needs admission entries",
    ),
    "neighbours": ("相邻城市", "neighbouring cities"),
    "areas": ("区域：区、街道、社区、网格", "the tree of areas"),
    "shapes": ("边界：GeoJSON，WGS 84", "boundaries of areas (GeoJSON, WGS 84)"),
    "units": ("单位：条与块、职权、行业、兜底", "units of line and territory: powers, trade, fallback"),
    "posts": ("岗位：在岗人员用代称", "posts and who holds them (pseudonyms)"),
    "pairings": ("包联：单位、领导、干部对区域", "who answers for which area (包联)"),
    "staffing": ("配备标准：每个区域至少几人", "how many posts of a role each area has (1+1+1+N)"),
    "matters": ("事项：小类", "matters (sub-categories)"),
    "conditions": ("立案条件：时限、结案条件", "filing conditions, limits, closing conditions"),
    "responsibility": ("责任单位：按次序（谁主管谁负责）", "candidates for the lead, in order"),
    "keywords": ("识别词：由此认出事项", "words by which a matter is recognised"),
    "entries": ("准入清单", "the admission register"),
    "enforcement": ("准入力度：off、observe、enforce", "how firmly admission holds"),
    "calendars": ("工作时间", "office hours"),
    "days": ("节假日：放假和调休", "days off and days made up"),
    "policies": ("时限：时钟、日历、预警百分比", "clocks: limit, calendar, warnings in per cent"),
    "ladders": ("升级：多久之后找谁", "who is told after how long when a clock is late"),
    "bounds": ("数值：次数和上限", "numbers that bound the lifecycle"),
    "routes": ("通知：谁、哪个渠道、哪段话", "who hears of what, by which channel, in which words"),
    "templates": ("用语：每种语言一列", "the words of notices, one column a language"),
}
"""What each sheet says."""
