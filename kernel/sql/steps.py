"""The steps of a stepped city's clock, kept for all its processes."""

import asyncio
from contextlib import suppress
from typing import Final

from sqlalchemy import Connection, insert, select

from kernel.clock import StairClock, Step
from kernel.sql.store import Store
from kernel.sql.tables import micros, moment, steps

FOLLOW_SECONDS: Final = 0.03
"""How often a process looks for new steps; a step must lie further ahead than this."""


async def put_step(store: Store, step: Step) -> None:
    """Keep a step that is not in force yet."""
    row = {"wall": micros(step.wall), "city": micros(step.city)}
    await store.write(lambda connection: connection.execute(insert(steps).values(row)) and None)


async def learn(store: Store, clock: StairClock) -> None:
    """Tell a clock the steps that it does not know."""
    last = clock.last

    def work(connection: Connection) -> list[Step]:
        query = select(steps.c.wall, steps.c.city).order_by(steps.c.wall)
        wanted = query if last is None else query.where(steps.c.wall > micros(last))
        return [Step(moment(row.wall), moment(row.city)) for row in connection.execute(wanted)]

    clock.learn(await store.read(work))


async def follow(store: Store, clock: StairClock) -> None:
    """Keep a clock told, until cancelled; while the database is away it stands still."""
    while True:
        await asyncio.sleep(FOLLOW_SECONDS)
        with suppress(Exception):
            await learn(store, clock)
