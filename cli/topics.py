"""`gridcase topics`: what the registry asks of the brokers, what they have, and what is missing made."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer
from rich.console import RenderableType

from cli.fit import topics_of
from cli.opening import enter
from cli.options import AsJson, Database
from cli.output import Exit, console, emit, table
from kernel import settings
from kernel.kafka.cluster import Cluster
from kernel.kafka.layout import Difference, Layout, differences, left_over, missing
from kernel.kafka.layout import strimzi as resources
from kernel.kafka.rights import (
    OPERATOR,
    Right,
    rights,
    rights_of_operator,
    rights_of_unit,
    services,
)
from kernel.kafka.rights import strimzi as users
from schemas.topics import UNIT_CASES

if TYPE_CHECKING:
    from cli.assemble import LiveCity

app = typer.Typer(
    help="The topics (主题) on Kafka: shown, compared with the registry, made.", no_args_is_help=True
)

_DAY_MS: Final = 24 * 60 * 60 * 1000
_STOPS: Final = " (no worker starts)"


class Wanted(NamedTuple):
    """What the settings and the city ask for, and of which brokers."""

    city: str
    cluster: Cluster
    layouts: Sequence[Layout]


@app.command("show")
def show(
    strimzi: Annotated[
        bool, typer.Option("--strimzi", help="Print resources for Strimzi's operator.")
    ] = False,
    cluster: Annotated[str, typer.Option(help="Strimzi's name of the Kafka cluster.")] = "kafka",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Print the topics that this city needs; no broker is asked."""
    wanted = _wanted(database)
    if strimzi:
        console.print(resources(wanted.layouts, cluster), end="", markup=False, soft_wrap=True)
        return
    columns = ("topic", "partitions", "kept", "copies", "among us")
    rows = [
        (
            layout.name,
            layout.partitions,
            _kept(layout),
            layout.replicas,
            layout.topic if layout.topic != layout.name else "",
        )
        for layout in wanted.layouts
    ]
    page = table(f"{len(rows)} topics", columns, rows, right=(1, 3))
    emit([layout._asdict() for layout in wanted.layouts], page, as_json=as_json)


@app.command("rights")
def show_rights(
    strimzi: Annotated[bool, typer.Option("--strimzi", help="Print users for Strimzi's operator.")] = False,
    cluster: Annotated[str, typer.Option(help="Strimzi's name of the Kafka cluster.")] = "kafka",
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Print what each service, the operator and each unit may do at brokers that ask; none is asked."""
    parties = _parties(_wanted(database))
    if strimzi:
        console.print(users(parties, cluster), end="", markup=False, soft_wrap=True)
        return
    columns = ("who", "", "name", "may")
    rows = [
        (who, right.kind, right.name, ", ".join(right.operations))
        for who, granted in parties.items()
        for right in granted
    ]
    value = {who: [right._asdict() for right in granted] for who, granted in parties.items()}
    emit(value, table(f"{len(rows)} rights", columns, rows), as_json=as_json)


@app.command("check")
def check(database: Database = None, as_json: AsJson = False) -> None:
    """Compare the brokers' topics with the registry and change nothing. Differences end with exit code 8."""
    wanted = _wanted(database)
    _, different = _asked(wanted, make=False)
    _report(wanted, different, (), as_json=as_json)


@app.command("apply")
def apply(database: Database = None, as_json: AsJson = False) -> None:
    """Make the topics that are missing. What is there is left as it is, and told if it differs."""
    wanted = _wanted(database)
    made, different = _asked(wanted, make=True)
    _report(wanted, different, made, as_json=as_json)


def _wanted(database: str | None) -> Wanted:
    found = settings.read()
    cluster = Cluster(found.kafka_bootstrap, found.kafka_prefix)

    async def read(city: "LiveCity") -> Wanted:
        own = cluster.of(city.city.mark, city.city.partitions)
        return Wanted(city.city.code, own, await topics_of(city, own, found.kafka_replicas))

    return enter(database, read)


def _parties(wanted: Wanted) -> Mapping[str, Sequence[Right]]:
    """Everybody who has rights, with them."""
    named, layouts = wanted.cluster.name, wanted.layouts
    units = [name for one in layouts if (name := UNIT_CASES.unit_of(one.topic))]
    return (
        {OPERATOR: rights_of_operator(layouts, named)}
        | {service: rights(who, layouts, named) for service, who in services().items()}
        | {f"unit.{unit}": rights_of_unit(unit, named) for unit in units}
    )


def _asked(wanted: Wanted, *, make: bool) -> tuple[Sequence[Layout], Sequence[Difference]]:
    """What was made, and what differs after that."""
    from kernel.kafka.cluster import cluster_of  # noqa: PLC0415 - as above
    from kernel.kafka.owner import refuse_foreign  # noqa: PLC0415 - the extra kafka may be absent
    from kernel.kafka.topics import brokers  # noqa: PLC0415 - as above

    cluster_of(settings.read())  # says which setting names no broker

    async def ask() -> tuple[Sequence[Layout], Sequence[Difference]]:
        async with brokers(wanted.cluster) as asked:
            needed = rights_of_operator(wanted.layouts, wanted.cluster.name)
            await asked.refuse_without(needed)
            await refuse_foreign(wanted.cluster, wanted.city)
            made: Sequence[Layout] = ()
            if make:
                made = missing(wanted.layouts, await asked.describe(wanted.layouts))
                await asked.create(made)
            others = left_over(wanted.cluster.name, wanted.layouts, await asked.names())
            return made, differences(wanted.layouts, await asked.describe(wanted.layouts), others)

    return asyncio.run(ask())


def _report(
    wanted: Wanted, different: Sequence[Difference], made: Sequence[Layout], *, as_json: bool
) -> None:
    count = len(wanted.layouts)
    lines = [f"made {layout.name} with {layout.partitions} partitions" for layout in made]
    if different:
        columns = ("topic", "", "expected", "found", "do")
        rows = [
            (one.topic, one.what, one.expected, one.found, f"{one.do}{_STOPS if one.stops else ''}")
            for one in different
        ]
        page: RenderableType = table(f"{len(different)} differences", columns, rows)
    else:
        page = f"all {count} topics are as the registry declares them"
    value = {"made": [layout.name for layout in made], "differences": [one._asdict() for one in different]}
    emit(value, *lines, page, as_json=as_json)
    if different:
        raise typer.Exit(Exit.DIFFERENT)


def _kept(layout: Layout) -> str:
    days = int(layout.settings["retention.ms"]) // _DAY_MS
    return f"{days} days" if days >= 0 else "for ever"
