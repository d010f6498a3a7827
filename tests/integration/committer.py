"""A process of its own that commits as fast as it can and says what was acknowledged, or holds the city."""
# ruff: noqa: T201 - it speaks to the test that started it

import asyncio
import sys

from kernel.sql.city import open_city
from kernel.sql.journal import SqlJournal
from tests.contract.test_journal import move, outgoing, record

PARTITIONS = range(4)


async def commit_for_ever(url: str) -> None:
    async with await open_city(url) as opened:
        journal = SqlJournal(opened.store, "router.case", delivers=True)
        for turn in range(100_000):
            moves = []
            for claim in await journal.claim(PARTITIONS):
                seq, partition = claim.cursor.seq, claim.cursor.partition
                rows = [record(seq + n, f"s-{turn}-{n}", 1, partition) for n in range(1, 26)]
                sent = [outgoing(seq + n, seq + n, "contract.work", partition) for n in range(1, 26)]
                moves.append(move(claim, turn.to_bytes(4, "big") + bytes([partition]), rows, outgoing=sent))
            assert await journal.commit(moves) == frozenset()
            print(moves[0].cursor.seq, flush=True)


async def hold(url: str) -> None:
    async with await open_city(url):
        print("open", flush=True)
        await asyncio.sleep(60)


if __name__ == "__main__":
    asyncio.run({"commit": commit_for_ever, "hold": hold}[sys.argv[1]](sys.argv[2]))
