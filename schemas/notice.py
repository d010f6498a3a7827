"""Notices."""
from schemas.kernel import ActivateRules

NoticeMessage = ActivateRules
NoticeEvent = ActivateRules
