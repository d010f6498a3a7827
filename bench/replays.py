"""Figures of the replay host, each on one core."""

import asyncio
from collections.abc import Iterator
from itertools import islice

from bench.figures import Figure
from bench.lived import Life, lived
from bench.replaying import (
    Timing,
    decide,
    decode_only,
    fold_journal,
    fold_memory,
    inputs_of,
    pairs_of,
    peer_loads,
    stored,
    timed,
)
from bench.sizes import Sizes
from bench.stores import database, store_in
from rules.inforce import Rules

_PEER_EVENTS = 20_000


def figures(sizes: Sizes) -> Iterator[Figure]:
    life = asyncio.run(lived(sizes.life))
    pairs = pairs_of(life)
    msgspec = decode_only(pairs, sizes.rounds)
    memory = fold_memory(pairs, sizes.rounds)
    yield Figure(
        bench="replay",
        name="fold from memory",
        value=memory.per_second,
        unit="events/s",
        goal=300_000,
        peer="msgspec alone, same bytes",
        against=msgspec.per_second,
        ratio=0.4,
        note=f"{told(memory)}; {len(pairs):,} events of whole lives",
    )
    journal = asyncio.run(_from_sqlite(life, sizes.rounds))
    few = list(islice(pairs, _PEER_EVENTS))
    peer = peer_loads(few, min(3, sizes.rounds))
    yield Figure(
        bench="replay",
        name="fold from the SQLite journal",
        value=journal.per_second,
        unit="events/s",
        goal=220_000,
        peer="eventsourcing, SQLite file",
        against=peer.per_second,
        ratio=8,
        note=told(journal),
    )
    yield from _decided(life, sizes.rounds)


async def _from_sqlite(life: Life, rounds: int) -> Timing:
    with database("sqlite") as address:
        async with store_in("sqlite", address, lambda: life.until) as store:
            return await fold_journal(await stored(store, life), life.events, rounds)


def _decided(life: Life, rounds: int) -> Iterator[Figure]:
    rules = Rules(1, life.bundle)
    every = inputs_of(life)
    three = [one for one in every if b".AcceptCase.v1" in one.body[:300]]
    for name, inputs in (("decide, every command of a life", every), ("decide, accept and assign", three)):
        events = decide(inputs, rules) / max(1, len(inputs))
        found = timed(len(inputs), lambda inputs=inputs: decide(inputs, rules), rounds)
        yield Figure(
            bench="replay",
            name=name,
            value=found.per_second,
            unit="commands/s",
            goal=60_000,
            note=f"{told(found)}; {events:.1f} events each",
        )


def told(timing: Timing) -> str:
    return f"median of {len(timing.rounds)}, ±{100 * timing.noise:.0f} %"
