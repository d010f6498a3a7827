"""In whose name a command comes (以谁的名义): the post that sent it, or the unit on its own topic."""

from datetime import date

from kernel.processor import Context
from rules.posts import Post


def acting_post(context: Context, day: date | None = None) -> Post | None:
    """The sender's post, on a day or whenever it was; `None` for a processor, a reporter or the clock.

    Who writes on a unit's own topic is the unit: it may what its handlers may, and nothing else.
    """
    sender, bundle = context.sender, context.rules.bundle
    if sender.kind == "post":
        return bundle.posts.get(sender.id, day)
    unit = bundle.units.get(sender.id, day) if sender.kind == "unit" else None
    if unit is None:
        return None
    return Post(code=unit.code, role="handler", unit=unit.code, area=unit.area)
