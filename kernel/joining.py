"""A processor that joins a running city begins where the topics begin, by an explicit act.

Without it an aged topic is refused, and what a sender that has long been counting sends would all come early.
"""

from collections.abc import Iterable, Mapping, Sequence

from kernel.journal import Claim, Cursor, Reach
from kernel.log import Message

Sending = tuple[str, str, Claim]
"""One journal partition that may send here: its origin, its event topic or nothing, and its claim."""


def first_cursor(
    partition: int,
    held: Mapping[str, Sequence[Message]],
    first: Mapping[str, int],
    senders: Iterable[Sending],
    token: bytes,
) -> Cursor:
    """The cursor before all that the topics still hold, with the number that each sender had then.

    `held` are the records of each inbox topic, `first` their first offsets. A sender of which nothing is
    left has sent up to what its journal has published.
    """
    seen: dict[str, dict[str, int]] = {}
    for topic in held:
        numbers = seen[topic] = _published(topic, partition, senders := list(senders))
        lowest: dict[str, int] = {}
        for record in held[topic]:
            origin, k = record.headers.origin, record.headers.k
            lowest[origin] = min(k, lowest.get(origin, k))
        numbers.update({origin: k - 1 for origin, k in lowest.items()})
    reach = {topic: Reach(offset) for topic, offset in first.items()}
    return Cursor(partition=partition, token=token, reach=reach, seen=seen)


def _published(topic: str, partition: int, senders: Iterable[Sending]) -> dict[str, int]:
    found: dict[str, int] = {}
    for origin, events, claim in senders:
        if events == topic:
            if origin.endswith(f"/{partition}"):
                found[origin] = claim.cursor.published
            continue
        unsent = [one.k for one in claim.outgoing if (one.topic, one.partition) == (topic, partition)]
        last = claim.cursor.sent.get(topic, {}).get(partition, 0)
        if last:
            found[origin] = min(unsent) - 1 if unsent else last
    return found
