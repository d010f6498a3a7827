"""`gridcase bench`: every figure with its goal and its peer, measured here and now."""

from enum import StrEnum
from importlib.util import find_spec
from typing import Annotated

import typer

from cli.options import AsJson
from cli.output import NotThere


class Part(StrEnum):
    """What can be measured alone."""

    PATH = "path"
    LATENCY = "latency"
    REPLAY = "replay"
    MANY = "many"
    KAFKA = "kafka"


def bench(
    only: Annotated[
        list[Part] | None, typer.Option(help="Only this part; several. Else all but kafka.")
    ] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Smaller cities: minutes become seconds.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure (测速) the whole path, latency, replay, many streams, Kafka; each with goal and peer."""
    if find_spec("bench") is None:
        raise NotThere(what="the package bench", do="run it from a checkout of gridcase, after make setup")
    from bench.__main__ import main  # noqa: PLC0415 - it stands in the checkout, not in an installation

    words = [word for part in only or () for word in ("--only", part.value)]
    raise typer.Exit(main([*words, *(["--quick"] if quick else []), *(["--json"] if as_json else [])]))
