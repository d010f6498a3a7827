"""Clock events and timers."""
from schemas.kernel import ActivateRules

ClockCommand = ActivateRules
ClockEvent = ActivateRules
ClockTimer = ActivateRules
