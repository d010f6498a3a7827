"""`gridcase worker` with faults planted in router.case: each SIGUSR1 lets the next one happen, once.

The first argument names them, with commas between; `a+b` is `a` and, once that has happened, `b`. When one
happens it says `planted NAME`.
"""
# ruff: noqa: T201 - it speaks to the test that started it

import inspect
import os
import signal
import sys
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from cli.main import app
from kernel.decider import Decider
from kernel.kafka import group, standing
from kernel.kafka.log import KafkaLog
from kernel.kafka.publishing import Publisher
from kernel.kafka.standing import Standing
from kernel.sql import journal
from kernel.sql.journal import SqlJournal
from kernel.worker import Worker
from services.router.processor import ROUTER_CASE

NAME: Final = ROUTER_CASE.name
TOPICS: Final = set(ROUTER_CASE.topics)

waiting: deque[deque[str]] = deque()
armed: deque[str] = deque()


class PlantedError(RuntimeError):
    """A fault that a test has planted."""


def arm() -> None:
    armed.clear()
    if waiting:
        armed.extend(waiting.popleft())
        print("armed", "+".join(armed), flush=True)


def trip(layer: str) -> None:
    """Let the fault happen if it is its turn."""
    if not armed or armed[0] != layer:
        return
    armed.popleft()
    if not armed:
        print("planted", layer, flush=True)
    if layer.startswith("freeze"):
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        raise PlantedError(f"planted in {layer}")


def plant(owner: Any, name: str, ours: Callable[..., bool], before: str = "", behind: str = "") -> None:
    """Let `before` happen before a function's work and `behind` after it, where it is router.case's."""
    real = getattr(owner, name)

    def sync(*given: Any, **named: Any) -> Any:
        own = ours(*given)
        if own and before:
            trip(before)
        found = real(*given, **named)
        if own and behind:
            trip(behind)
        return found

    async def later(*given: Any, **named: Any) -> Any:
        own = ours(*given)
        if own and before:
            trip(before)
        found = await real(*given, **named)
        if own and behind:
            trip(behind)
        return found

    setattr(owner, name, later if inspect.iscoroutinefunction(real) else sync)


def plant_all() -> None:
    plant(KafkaLog, "fetch", lambda log, *_: membership(log.delivery) == NAME, behind="fetch")
    plant(Standing, "take", lambda one, *_: reads(one), before="client")
    plant(Standing, "assign", lambda one, *_: reads(one), before="rebalance")
    plant(standing, "message_of", lambda topic, *_: topic == "case.commands", before="decode")
    plant(Decider, "draft", lambda one, *_: one.processor.name == NAME, before="decide")
    plant(journal, "commit", lambda _, name, moves, *__: name == NAME and rows(moves), behind="append")
    plant(journal, "commit", lambda _, name, moves, *__: name == NAME and rows(moves), behind="freeze in")
    plant(SqlJournal, "commit", lambda one, moves: one.processor == NAME and rows(moves), behind="commit")
    plant(SqlJournal, "commit", lambda one, moves: one.processor == NAME and rows(moves), behind="freeze out")
    plant(SqlJournal, "claim", lambda one, *_: one.processor == NAME, before="claim")
    plant(Publisher, "publish", lambda one, sent: one._who == who() and bool(sent), "publish", "acknowledge")
    plant(Worker, "_check", lambda one, *_: one.decider.processor.name == NAME, before="check")
    plant(
        group, "_commit", lambda found, _: any("case.commands" in tp.topic for tp in found), before="offsets"
    )


def reads(one: Standing) -> bool:
    return set(one.topics.values()) == TOPICS


def membership(delivery: Any) -> str:
    return str(delivery._membership.group)


def rows(moves: Any) -> bool:
    return any(move.records for move in moves)


def who() -> str:
    return f"{NAME}-{sys.argv[sys.argv.index('--slot') + 1]}-publisher"


if __name__ == "__main__":
    waiting.extend(deque(one.split("+")) for one in sys.argv.pop(1).split(","))
    plant_all()
    signal.signal(signal.SIGUSR1, lambda *_: arm())
    app()
