"""A worker of the light decision: `python -m bench.light_worker SLOT`, settings in the environment."""

import asyncio
import logging
import os
import signal
import sys

from bench.light import LIGHT
from cli.member import open_member
from kernel.settings import read


async def main() -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    async with open_member(read(os.environ, None), sys.argv[1], processors=(LIGHT,)) as city:
        await city.host.run(stopped.is_set)


if __name__ == "__main__":
    logging.basicConfig(level=logging.ERROR)
    asyncio.run(main())
