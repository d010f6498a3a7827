from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from msgspec import Struct

from rules.areas import Areas
from rules.validity import FIRST_DAY, LAST_DAY, Versions, holds

ROLES = {
    "clerk": "受理员",
    "dispatcher": "派遣员",
    "lead_officer": "值班长",
    "inspector": "核查员",
    "caller": "回访员",
    "keeper": "台账管理员",
    "supervisor": "督办",
    "meeting1": "一级联席会议",
    "meeting2": "二级联席会议",
    "meeting3": "三级联席会议",
    "handler": "承办人",
    "reviewer": "复核员",
    "legal": "法制审核",
    "finance": "财政",
}
"""What a post may do, with the word of the standards."""
STAFF = {
    "grid_leader": "网格长",
    "grid_worker": "网格员",
    "grid_guide": "网格指导员",
    "police": "片区民警",
    "patrol": "治安巡逻员",
    "building_head": "楼栋长",
    "unit_head": "单元长",
    "volunteer": "志愿者",
}
"""网格力量: who is there in a grid, sees, reports and is called; in a case they decide nothing."""


class Post(Struct, frozen=True, kw_only=True):
    """A post (岗位) of a unit in an area and who holds it; work goes to posts, never to persons.

    `role` is one of `ROLES` or `STAFF`.
    """

    code: str
    role: str
    unit: str
    area: str
    person: str = ""
    substitute: str = ""
    valid_from: date = FIRST_DAY
    valid_to: date = LAST_DAY


@dataclass(frozen=True)
class Posts:
    """All posts, found by role and area, or by the unit that they belong to."""

    rows: tuple[Post, ...]
    areas: Areas

    def get(self, code: str, day: date | None = None) -> Post | None:
        return self._versions.get(code, day)

    def __getitem__(self, code: str) -> Post:
        return self._versions.latest(code)

    def holding(self, role: str, area: str, day: date | None = None) -> tuple[Post, ...]:
        """The posts with this role whose area covers the given one, nearest first."""
        return tuple(
            post
            for place in self.areas.chain(area, day)
            for post in self._by_role.get((role, place.code), ())
            if holds(post, day)
        )

    def of_unit(self, unit: str, role: str = "", day: date | None = None) -> tuple[Post, ...]:
        posts = self._by_unit.get(unit, ())
        return tuple(post for post in posts if role in ("", post.role) and holds(post, day))

    @cached_property
    def _versions(self) -> Versions[Post]:
        return Versions(self.rows)

    @cached_property
    def _by_role(self) -> Mapping[tuple[str, str], tuple[Post, ...]]:
        groups: dict[tuple[str, str], list[Post]] = defaultdict(list)
        for post in sorted(self.rows, key=lambda post: post.code):
            groups[post.role, post.area].append(post)
        return {key: tuple(posts) for key, posts in groups.items()}

    @cached_property
    def _by_unit(self) -> Mapping[str, tuple[Post, ...]]:
        groups: dict[str, list[Post]] = defaultdict(list)
        for post in sorted(self.rows, key=lambda post: post.code):
            groups[post.unit].append(post)
        return {key: tuple(posts) for key, posts in groups.items()}
