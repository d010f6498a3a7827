"""`gridcase worker`: some services of a city on Kafka, as one of any number of processes."""

import socket
from typing import Annotated, Final

import typer

from cli.options import Database, one_of
from cli.output import console
from cli.topology import PROCESSORS
from kernel import settings
from kernel.edge import EDGE
from kernel.kafka.cluster import cluster_of

SERVICES: Final = (EDGE, *dict.fromkeys(processor.service for processor in PROCESSORS))


Services = Annotated[
    list[str],
    typer.Argument(
        metavar="SERVICE...", help=f"{', '.join(SERVICES)}; or all.", autocompletion=one_of(SERVICES)
    ),
]
Slot = Annotated[
    str,
    typer.Option(
        help="Name of this process among those of its services; kept over restarts. Else the machine's."
    ),
]
Instance = Annotated[
    int, typer.Option(min=0, max=15, help="Number of its edge; no two at work may share it.")
]
GiveUp = Annotated[
    list[str] | None,
    typer.Option(metavar="TOPIC", help="A unit's topic whose commands are gone unread: go on without."),
]


def worker(
    services: Services,
    slot: Slot = "",
    instance: Instance = 0,
    give_up: GiveUp = None,
    database: Database = None,
) -> None:
    """Run services of a city on Kafka until stopped (工作进程)."""
    _refuse_unknown(services)
    from cli.fit import fitting  # noqa: PLC0415 - needs the extra kafka
    from cli.member import open_member  # noqa: PLC0415 - needs the extra kafka
    from cli.serve import work  # noqa: PLC0415 - as above

    chosen = [one for one in PROCESSORS if "all" in services or one.service in services]
    edge = instance if {"all", EDGE} & {*services} else None
    given = settings.read(database_url=database)
    name = slot or socket.gethostname()
    work(
        given,
        console.print,
        lambda channels, meters: fitting(
            open_member(
                given,
                name,
                processors=chosen,
                instance=edge,
                channels=channels,
                meters=meters,
                bridged=edge is not None,
                given_up=give_up or (),
            ),
            cluster_of(given),
            given.kafka_replicas,
            [one.name for one in chosen] + [EDGE] * (edge is not None),
        ),
    )


def _refuse_unknown(services: list[str]) -> None:
    wrong = [name for name in services if name not in {*SERVICES, "all"}]
    if wrong:
        raise typer.BadParameter(
            f"expected {', '.join(SERVICES)} or all; found {', '.join(wrong)}", param_hint="SERVICE"
        )
