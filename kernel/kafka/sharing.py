"""Who of a group gets which partition numbers: the same number of every topic goes to the same worker.

Nobody remembers anything: the same workers always get the same shares, and one that comes or goes moves few.
"""

from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Final

from aiokafka.cluster import ClusterMetadata
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment, ConsumerProtocolMemberMetadata

NAME: Final = "gridcase-by-number"


def share(workers: Collection[str], numbers: Collection[int]) -> dict[str, list[int]]:
    """Each number to the worker that likes it most among those with room; shares differ by one at most."""
    shares: dict[str, list[int]] = {worker: [] for worker in sorted(workers)}
    if not shares:
        return shares
    least, extra = divmod(len(numbers), len(shares))
    for number in sorted(numbers):
        for worker in sorted(shares, key=lambda name: _liking(name, number), reverse=True):
            held = len(shares[worker])
            if held < least or (held == least and extra):
                extra -= held == least
                shares[worker].append(number)
                break
    return shares


def _liking(worker: str, number: int) -> bytes:
    return blake2b(f"{number} {worker}".encode(), digest_size=8).digest()


class ByNumber:
    """`share` as aiokafka asks for it. A worker is known by its name, not by its session."""

    name = NAME

    def __init__(self, worker: str) -> None:
        self._worker = worker

    def metadata(self, topics: Collection[str]) -> ConsumerProtocolMemberMetadata:
        """What this worker tells the group: its topics and its name."""
        return ConsumerProtocolMemberMetadata(0, sorted(topics), self._worker.encode())

    def assign(
        self, cluster: ClusterMetadata, members: Mapping[str, ConsumerProtocolMemberMetadata]
    ) -> dict[str, ConsumerProtocolMemberAssignment]:
        """The shares of all members, worked out by the one that leads the group."""
        partitions = {
            topic: cluster.partitions_for_topic(topic) or set[int]()
            for metadata in members.values()
            for topic in metadata.subscription
        }
        named: dict[str, str] = {}
        for member, metadata in sorted(members.items()):
            name = metadata.user_data.decode()
            named[f"{name} {member}" if name in named else name] = member
        shares = share(named, set[int]().union(*partitions.values()))
        assigned: dict[str, ConsumerProtocolMemberAssignment] = {}
        for name, member in named.items():
            topics = sorted(members[member].subscription)
            held = [(topic, [n for n in shares[name] if n in partitions[topic]]) for topic in topics]
            assigned[member] = ConsumerProtocolMemberAssignment(0, held, b"")
        return assigned

    def on_assignment(self, assignment: ConsumerProtocolMemberAssignment) -> None:
        """Nothing is remembered."""
