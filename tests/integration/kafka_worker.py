"""A process of its own that runs router.case for a city on Kafka until it is told to stop, or is killed.

Says `owns N` whenever it owns another number of partitions, `works N` whenever more rows were written. After
SIGUSR1 nothing leaves it any more: what it then commits is on record, and for somebody else to publish.
"""
# ruff: noqa: T201 - it speaks to the test that started it

import asyncio
import logging
import signal
import sys

from cli.assemble import MemberCity
from cli.member import open_member
from kernel.errors import Fault
from kernel.kafka.publishing import Publisher
from kernel.settings import read
from services.router.processor import ROUTER_CASE

LOOK_SECONDS = 0.05


def fall_silent() -> None:
    async def publish(publisher: Publisher, batches: object) -> None:
        print("silent", flush=True)
        await asyncio.Event().wait()

    Publisher.publish = publish  # pyright: ignore[reportAttributeAccessIssue] - that is the fault


async def tell(city: MemberCity) -> None:
    """Say what is owned and how much was written."""
    (worker,) = city.host.workers
    owned, works = -1, 0
    while True:
        if len(worker.decider.tenures) != owned:
            owned = len(worker.decider.tenures)
            print("owns", owned, flush=True)
        if worker.handled > works:
            works = worker.handled
            print("works", works, flush=True)
        await asyncio.sleep(LOOK_SECONDS)


async def main(slot: str, url: str, bootstrap: str, prefix: str) -> None:
    settings = read(
        {
            "GRIDCASE_DATABASE_URL": url,
            "GRIDCASE_KAFKA_BOOTSTRAP": bootstrap,
            "GRIDCASE_KAFKA_PREFIX": prefix,
        },
        None,
    )
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, fall_silent)
    async with open_member(settings, slot, processors=(ROUTER_CASE,)) as city:
        telling = asyncio.create_task(tell(city))
        try:
            await city.host.run(stopped.is_set)
        finally:
            telling.cancel()
    print("stopped", flush=True)


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)
    try:
        asyncio.run(main(*sys.argv[1:]))
    except* Fault as faults:
        print("fault", faults.exceptions[0], file=sys.stderr, flush=True)
        sys.exit(1)
