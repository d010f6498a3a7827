"""The states of an admission entry (准入条目状态), shared by all who read its events."""

from enum import StrEnum


class EntryState(StrEnum):
    """Where one version of an entry stands."""

    NONE = "none"  # 未申请
    REVIEWING = "reviewing"  # 审核
    NOTICED = "noticed"  # 公示
    APPROVED = "approved"  # 已准入
    ACTIVE = "active"  # 生效
    SUSPENDED = "suspended"  # 暂停
    TEMPORARY = "temporary"  # 临时准入
    REFUSED = "refused"  # 不予准入
    EXPIRED = "expired"  # 到期
    EXITED = "exited"  # 退出
