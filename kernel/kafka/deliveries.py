"""Which delivery fetches: what the setting `kafka_delivery` chooses."""

from collections.abc import Callable, Collection, Sequence

from kernel.kafka.cluster import Cluster
from kernel.kafka.group import Membership, unheard
from kernel.kafka.log import Delivery
from kernel.kafka.plain import PlainDelivery
from kernel.kafka.records import Read, message_of
from kernel.kafka.sharing import ByNumber
from kernel.settings import DeliveryKind


def delivery_of(
    kind: DeliveryKind,
    cluster: Cluster,
    topics: Sequence[str],
    *,
    group: str,
    worker: str,
    tick_seconds: float,
    assignor: ByNumber | None = None,
    moved: Callable[[], object] = unheard,
    singles: Collection[str] = (),
    read: Read = message_of,
) -> Delivery:
    """One member of a processor's group, known to it by the name `worker`, which must be its own alone."""
    membership = Membership(
        cluster, group, worker, assignor or ByNumber(worker), tick_seconds, moved, frozenset(singles), read
    )
    return _KINDS[kind](membership, topics)


# Faust takes a second and 25 MiB to import: only who has chosen it does so.


def _faust(membership: Membership, topics: Sequence[str]) -> Delivery:
    from kernel.kafka.faust_batch import BatchMember  # noqa: PLC0415
    from kernel.kafka.faust_delivery import FaustDelivery  # noqa: PLC0415

    return FaustDelivery(BatchMember, membership, topics)


def _stock(membership: Membership, topics: Sequence[str]) -> Delivery:
    from kernel.kafka.faust_delivery import FaustDelivery  # noqa: PLC0415
    from kernel.kafka.faust_stock import StockMember  # noqa: PLC0415

    return FaustDelivery(StockMember, membership, topics)


_KINDS: dict[DeliveryKind, Callable[[Membership, Sequence[str]], Delivery]] = {
    "faust": _faust,
    "stock": _stock,
    "plain": PlainDelivery,
}
