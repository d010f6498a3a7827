"""The ground of `cities/county`: five levels in the layer 治理, and the net of the police (综治) across them.

A community is two or three columns of a lattice, a column a grid and a square of it a sub-grid. The blocks
of the other net are laid one square beside, so that their borders are never those of a community.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from itertools import count, product
from typing import Final, NamedTuple

from cities.lattice import Cell, Lattice

CODE: Final = "990602"
"""A division code of six digits that no place has."""
ROOT: Final = "CL"
NET: Final = Lattice(west=1_021_500_000, south=358_000_000, width=200_000, height=160_000, stray=12)
BANDS: Final = (
    # from north to south: townships from west to east, each with the number of its communities
    "玛塘镇2 嘎日镇2 青桦镇2 夏塘镇1 石滩镇2 柏岭镇2 贡隆镇1",
    "那塘镇2 卡果镇1 杏树湾镇2 白崖镇2 沙柳镇2 曲果镇1 麻地沟镇2",
    "北关街道3 泉湾街道3 杨坪镇2 日果镇2 红土镇1 碾盘镇1",
    "河口街道3 南桥街道3 西坪街道3 水磨镇2 塘多镇1",
    "黑松镇2 榆沟镇2 上窑镇1 下窑镇2 苦水镇2 寺台镇1 三岔镇2",
    "大庄镇2 小庄镇2 牛心镇2 措果镇2 边墙镇1",
)
TIBETAN: Final[Mapping[str, str]] = {
    "措隆县": "མཚོ་ལུང་རྫོང་", "玛塘镇": "དམར་ཐང་", "嘎日镇": "དཀར་རི་", "夏塘镇": "ཤར་ཐང་", "贡隆镇": "གོང་ལུང་",
    "那塘镇": "ནག་ཐང་", "卡果镇": "མཁར་མགོ་", "曲果镇": "ཆུ་མགོ་", "日果镇": "རི་མགོ་", "塘多镇": "ཐང་མདོ་",
    "措果镇": "མཚོ་མགོ་",
}  # fmt: skip
"""The invented Tibetan names that the Chinese ones write by sound: aliases, so that reports find them."""
PLACES: Final = tuple(f"{side}{land}社区" for land, side in product("滩湾坪庄沟台泉", "东西南北上下新前后中"))
COLUMNS: Final = 24
WATCH_COLUMNS: Final = (range(2), *(range(low, low + 3) for low in range(2, 23, 3)), range(23, 24))
WATCH_ROWS: Final = (range(1), *(range(low, low + 2) for low in range(1, 11, 2)), range(11, 12))

Row = Mapping[str, str]


class Part(NamedTuple):
    """One area with the squares that it covers."""

    code: str
    name: str
    kind: str
    parent: str
    cells: Sequence[Cell]
    layer: str = "治理"
    aliases: str = ""

    @property
    def row(self) -> Row:
        scheme = "GB/T 30428.1" if self.kind == "grid" else "local"
        return {
            "code": self.code, "name": self.name, "kind": self.kind, "layer": self.layer,
            "parent": self.parent, "scheme": scheme, "aliases": self.aliases,
        }  # fmt: skip


@cache
def parts() -> Sequence[Part]:
    """Every area, each after the one above it."""
    whole = [(x, y) for y in range(12) for x in range(COLUMNS)]
    root = Part(ROOT, "措隆县", "county", "", whole, aliases=f"{CODE}|{TIBETAN['措隆县']}")
    return (root, *_townships(), *_precincts())


def of_kind(kind: str) -> list[Part]:
    return [part for part in parts() if part.kind == kind]


def above(code: str, kind: str) -> str:
    """The area of that kind that one lies in, or is itself."""
    part = by_code()[code]
    return code if part.kind == kind else above(part.parent, kind)


@cache
def by_code() -> Mapping[str, Part]:
    return {part.code: part for part in parts()}


def _townships() -> Iterator[Part]:
    township, community = count(1), count(1)
    for band, text in enumerate(BANDS):
        rows, names = range(10 - 2 * band, 12 - 2 * band), text.split()
        blocks = _blocks(sum(int(name[-1]) for name in names))
        for name in names:
            number, below = next(township), [next(blocks) for _ in range(int(name[-1]))]
            code, cells = f"XZ{number:02}", [(x, y) for columns in below for y in rows for x in columns]
            aliases = "|".join(word for word in (f"{CODE}{number:03}", TIBETAN.get(name[:-1])) if word)
            yield Part(code, name[:-1], "township", ROOT, cells, aliases=aliases)
            for columns in below:
                yield from _community(next(community), code, columns, rows)


def _blocks(communities: int) -> Iterator[range]:
    """The columns of each community of a band: two, and three for the first ones where there is room."""
    wide, left = COLUMNS - 2 * communities, 0
    for number in range(communities):
        width = 3 if number < wide else 2
        yield range(left, left + width)
        left += width


def _community(number: int, township: str, columns: range, rows: range) -> Iterator[Part]:
    code, name = f"SQ{number:02}", PLACES[number - 1]
    gb = f"{CODE}{township[2:]:0>3}{number:03}"
    yield Part(code, name, "community", township, [(x, y) for y in rows for x in columns], aliases=gb)
    for sequence, x in enumerate(columns, start=1):
        grid = f"{gb}{sequence:03}"
        yield Part(grid, f"{name}第{sequence}网格", "grid", code, [(x, y) for y in rows])
        for half, y in enumerate(reversed(rows), start=1):
            yield Part(f"{grid}{half:02}", f"{name}第{sequence}网格{half}组", "subgrid", grid, [(x, y)])


def _precincts() -> Iterator[Part]:
    """派出所辖区, nine of them, and their 综治网格."""
    number = count(1)
    for at, (bands, blocks) in enumerate(product(_thirds(WATCH_ROWS), _thirds(WATCH_COLUMNS)), start=1):
        code = f"PCS{at}"
        cells = [(x, y) for rows in bands for columns in blocks for y in rows for x in columns]
        yield Part(code, f"第{at}派出所辖区", "precinct", ROOT, cells, "综治")
        for rows, columns in product(bands, blocks):
            sequence = next(number)
            inside = [(x, y) for y in rows for x in columns]
            yield Part(f"ZZ{sequence:02}", f"综治第{sequence}网格", "watch", code, inside, "综治")


def _thirds(ranges: Sequence[range]) -> Sequence[Sequence[range]]:
    size = len(ranges) // 3
    return ranges[:size], ranges[size : 2 * size], ranges[2 * size :]
