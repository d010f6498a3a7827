from enum import StrEnum


class Mode(StrEnum):
    """In which mode an area lives: 平 (normal) or 急 (emergency). A switch is an event of registry.mode."""

    NORMAL = "normal"
    EMERGENCY = "emergency"


BOTH = "both"
"""What an admission entry writes that holds in either mode."""
