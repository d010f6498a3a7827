"""`python -m bench`: every number of the issue in one table, with goal and peer in the same run.

Those on Kafka only with `--only kafka`.
"""

import argparse
import gc
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from bench import crowds, onkafka, paths, replays, steady
from bench.figures import Figure, as_json, print_table
from bench.sizes import FULL, QUICK, TINY, Sizes

BENCHES: dict[str, Callable[[Sizes], Iterator[Figure]]] = {
    "path": paths.figures,
    "latency": steady.figures,
    "replay": replays.figures,
    "many": crowds.figures,
    "kafka": onkafka.figures,
}
ASKED_FOR: Final = frozenset({"kafka"})
"""These take servers and minutes of their own: they run where they are named."""


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", action="append", choices=sorted(BENCHES), help="only this one; several")
    parser.add_argument("--json", action="store_true", help="figures for programs")
    parser.add_argument(
        "--quick", action="store_true", help="smaller cities, fewer rounds: minutes become seconds"
    )
    parser.add_argument("--tiny", action="store_true", help="as small as possible: does it run at all?")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    given = _arguments(words)
    sizes = TINY if given.tiny else QUICK if given.quick else FULL
    figures: list[Figure] = []
    for name, bench in BENCHES.items():
        if name not in (given.only or BENCHES.keys() - ASKED_FOR):
            continue
        for figure in bench(sizes):
            figures.append(figure)
            print(
                f"{figure.bench}: {figure.name} {figure.value:,.4g} {figure.unit}",
                file=sys.stderr,
                flush=True,
            )
        gc.collect()
    if given.json:
        print(as_json(figures))
    else:
        print_table(figures)
    return 0


if __name__ == "__main__":
    sys.exit(main())
