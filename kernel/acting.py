"""In whose name a command comes (以谁的名义): the post that sent it, or the unit on its own topic."""

from datetime import date
from typing import Final

from kernel.processor import Context
from rules.posts import Post
from schemas.refusal import Refusal

_HELD: Final = frozenset({"post", "unit"})
"""Senders that must be in force on the day."""


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


def held_post(context: Context) -> Post | Refusal | None:
    """The sender's post today, `None` for a sender of another kind; a refusal if it is not in force today."""
    if context.sender.kind not in _HELD:
        return None
    post = acting_post(context, context.rules.bundle.day(context.now))
    if post is None:
        expected = f"a {context.sender.kind} in force today"
        return Refusal(code="post_not_held", expected=expected, found=context.sender.id)
    return post


def described(post: Post | None, context: Context) -> str:
    """Who sent it, as a refusal quotes it."""
    if post is None:
        return f"{context.sender.kind} {context.sender.id}"
    return f"{post.role} of {post.unit} in {post.area}"
