"""What is wrong with a bundle in Chinese, for the officials who keep it: the problem and what to do."""

from collections.abc import Iterable
from typing import Final

from rich.table import Table

from cli.output import table
from rules.faults import Fault

CHINESE: Final = {
    "missing_file": ("缺少文件或工作表", "补上；gridcase rules template 可生成一套完整的"),
    "unknown_file": ("不认识的文件或工作表", "改正名称，或让名称以 _ 或 README 开头"),
    "unreadable": ("打不开或读不懂", "按说明的格式重新保存；工作簿存为 .xlsx，不设密码"),
    "missing_column": ("缺少列", "在第1行补上列名"),
    "unknown_column": ("不认识的列名或名称", "改正名称，或删去"),
    "twice_column": ("列名重复", "两列只留一列"),
    "spoilt_cell": (
        "单元格不是原来的文字（公式、数字、日期或错误值）",
        "整列设为“文本”格式后重新填写；公式请选择性粘贴为数值。位数和前面的零可能已丢失",
    ),
    "ragged_row": ("行列对不齐", "把值移到有列名的列下，删除多余的单元格或空行"),
    "twice_key": ("名称重复", "两个只留一个"),
    "empty": ("没有填", "填写"),
    "bad_code": ("编码不合规", "只用字母、汉字、数字、_、-、.，不要空格"),
    "bad_choice": ("不在可选范围内", "从给出的值里选一个"),
    "bad_number": ("数字不合规", "填范围内的整数"),
    "bad_day": ("日期不合规", "写成 2026-01-31，止期不早于起期"),
    "bad_flag": ("应填是或否", "填 yes 或 no（是 / 否）"),
    "bad_limit": ("时限读不懂", "用标准的写法，如 4工作时、1工作日；分阶段、分季节的请分行"),
    "bad_calendar": ("工作时间有误", "改正日历"),
    "bad_shape": ("边界有误", "重新绘制；或在 repair 填 make_valid 由程序修复"),
    "bad_text": ("用语里的字段写法有误", "字段写成 {name}"),
    "unknown_field": ("用语用了通知没有的字段", "删去该字段，或换成列出的字段"),
    "unknown_reference": ("引用的编码不存在", "改正编码，或补上它所指的那一行"),
    "duplicate": ("重复", "两行删去一行，或换一个编码"),
    "overlap": ("有效期重叠", "让旧的一行在新的一行开始前一天截止"),
    "cycle": ("上下级循环", "改正上级"),
    "bad_level": ("层级不对", "改正层级"),
    "no_basis": ("没有法律依据", "写明法律法规；没有依据的事项不得进入网格"),
    "no_guiding_dept": ("没有对接指导部门", "写明指导部门"),
    "no_funding": ("没有经费保障", "写明经费来源、标准和计量单位（费随事转）"),
    "tie": ("两条准入条目冲突", "用事项、区域、图层、平急或日期区分，或由新条目取代旧条目"),
    "row8_gap": ("五类事项缺少负面条目", "为平、急两种情形补上长期有效的 prohibited 条目（根区域一行即可）"),
    "no_fallback": ("没有能兜底的单位", "给兜底单位或政府补上相应层级和职权"),
    "missing_row": ("缺少一行", "补上"),
    "mixed_languages": ("各语言的用语不一致", "每种语言的代码和字段要相同"),
}
"""By the code of the fault."""


def chinese_table(faults: Iterable[Fault]) -> Table:
    """Faults of a bundle, one a row, with the problem and what to do in Chinese."""
    rows = [
        (one.file, one.row or "", one.column, one.value, *CHINESE[one.code], one.expected) for one in faults
    ]
    return table("", ("表", "行", "列", "现值", "问题", "怎么改", "expected"), rows, right=(1,))
