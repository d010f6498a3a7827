"""What is committed and not yet acknowledged by the log: one queue for each target, sent in order."""

from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence

from kernel.log import Outgoing, Target


class Outbox:
    """Unsent messages of all partitions that a worker owns.

    A target's next send begins where its last one was acknowledged to; other targets need not wait.
    """

    def __init__(self) -> None:
        self._queues: dict[Target, deque[tuple[int, Outgoing]]] = {}

    def __bool__(self) -> bool:
        return bool(self._queues)

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._queues.values())

    def add(self, partition: int, outgoing: Iterable[Outgoing]) -> None:
        """Queue what the journal partition `partition` has committed, in order of k for each target."""
        for message in outgoing:
            target = (message.topic, message.partition)
            queue = self._queues.get(target)
            if queue is None:
                queue = self._queues[target] = deque()
            queue.append((partition, message))

    def batches(self) -> Mapping[Target, Sequence[Outgoing]]:
        """All that is unsent, for each target in order."""
        return {target: [message for _, message in queue] for target, queue in self._queues.items()}

    def acknowledged(self, counts: Mapping[Target, int]) -> None:
        """Drop the leading messages that the log has acknowledged."""
        for target, count in counts.items():
            queue = self._queues[target]
            if count == len(queue):
                del self._queues[target]
                continue
            for _ in range(count):
                queue.popleft()

    def published(self, partition: int, seq: int) -> int:
        """The highest seq of the partition, at most `seq`, up to which everything is acknowledged."""
        unsent = [
            message.seq for queue in self._queues.values() for owner, message in queue if owner == partition
        ]
        return min(unsent) - 1 if unsent else seq

    def forget(self, partitions: Collection[int]) -> None:
        """Drop what belongs to partitions that are lost; their next owner finds it in the journal."""
        for target in list(self._queues):
            kept = deque(item for item in self._queues[target] if item[0] not in partitions)
            if kept:
                self._queues[target] = kept
            else:
                del self._queues[target]
