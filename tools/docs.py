"""Writes what is generated under docs/reference: `make docs`. A test may call `pages()` to find drift."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from schemas.case.states import State
    from services.router.table import Row

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
NOTE = "<!-- written by `make docs`; do not edit -->\n\n"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def topics() -> str:
    """Every topic, as declared in schemas/topics.py."""
    from schemas.topics import FAMILIES, TOPICS  # noqa: PLC0415  the page is skipped where it is absent

    rows = [
        (f"`{name}`", item.key, ", ".join(item.producers), ", ".join(item.consumers) or "–", item.retention)
        for name, item in [*((t.name, t) for t in TOPICS), *((f.pattern, f) for f in FAMILIES)]
    ]
    return "# Topics\n\n" + table(("topic", "key", "producers", "consumers", "retention"), rows)


RIGHTS_PAGE = """# Rights at Kafka

What each service must be allowed, by the same declarations as [topics.md](topics.md). `{{id}}` is a unit that
subscribes; a prefix (`GRIDCASE_KAFKA_PREFIX`) begins every name. *Read* and *Write* let one describe too, and
*DescribeConfigs* is for the comparison with the registry at each start. The operator runs `gridcase init` and
`gridcase topics`: makes the topics, compares them, lets the first edition in.

{table}"""


def rights() -> str:
    """What each service may do at the brokers, from the topics that it reads and writes."""
    from kernel.kafka.layout import layouts  # noqa: PLC0415  the page is skipped where it is absent
    from kernel.kafka.rights import OPERATOR, rights, rights_of_operator, rights_of_unit, services  # noqa: PLC0415

    wanted = layouts(str, 1, ["{id}"], 1)
    parties = {service: rights(who, wanted, str) for service, who in services().items()}
    parties |= {OPERATOR: rights_of_operator(wanted, str), "the unit": rights_of_unit("{id}", str)}
    rows = [
        (who, right.kind, f"`{right.name}`", ", ".join(right.operations))
        for who, granted in parties.items()
        for right in granted
    ]
    return RIGHTS_PAGE.format(table=table(("who", "", "name", "may"), rows))


def commands() -> str:
    """The command line, as typer knows it."""
    import typer.cli  # noqa: PLC0415  the page is skipped where it is absent
    from typer.testing import CliRunner  # noqa: PLC0415  the same

    words = ["cli.main", "utils", "docs", "--name", "gridcase"]
    return CliRunner().invoke(typer.cli.app, words, catch_exceptions=False).stdout


def settings() -> str:
    """Every setting with its bounds."""
    from kernel.settings import reference  # noqa: PLC0415  the page is skipped where it is absent

    return reference()


def metrics() -> str:
    """Every metric, as kernel/meters.py declares it."""
    from kernel.meters import FIGURES  # noqa: PLC0415  the page is skipped where it is absent

    rows = [
        (
            f"`{one.name}{'_total' if one.kind == 'counter' else ''}`",
            one.kind,
            ", ".join(f"`{label}`" for label in one.labels),
            one.meaning,
        )
        for one in FIGURES
    ]
    return METRICS_PAGE.format(table=table(("metric", "kind", "labels", "meaning"), rows))


METRICS_PAGE = """# Metrics

At `/metrics` of every process of a city, on whichever host: those of its own workers. Beside them there are
`process_resident_memory_bytes`, `process_cpu_seconds_total` and their like. A partition that no living
process owns is shown by none: watch that `sum(gridcase_partitions)` of a processor is the city's number.

{table}
Lag is counted from the cursor in the journal. The offsets of the group are told to the brokers now and then,
for looking only. The end is what all replicas have: what only a leader has is no lag yet. On one machine a
commit is also the publication, and what another process has just sent is seen after a fifth of a second.
"""


def lifecycle() -> str:
    """State diagram and command table, from the table by which router.case judges."""
    from services.router.lifecycle import LIFECYCLE  # noqa: PLC0415  the page is skipped where it is absent

    rows = [
        (
            f"`{row.command.__name__}`",
            first_sentence(row.command),
            places(row.sources),
            places(row.targets) or "–",
            ", ".join(role.name for role in row.senders),
            ", ".join(f"`{guard.__name__}`" for guard in row.guards) or "–",
        )
        for row in LIFECYCLE
    ]
    return LIFECYCLE_PAGE.format(
        diagram="\n".join(f"  {line}" for line in arrows(LIFECYCLE)),
        table=table(("command", "what it is", "from", "to", "sent by", "needs"), rows),
        words=table(("state", "中文"), [tuple(state_words(state).split(" ", 1)) for state in drawn_states()]),
    )


LIFECYCLE_PAGE = """# The lifecycle of a case

Drawn from `services/router/lifecycle.py`, which is also what judges: state first, then sender, then each need
(`services/router/guards.py`). An arrow is what the table permits; which one is taken, the decision says.
*Open* stands for every state in which somebody still has to do something, *any* for those and closed, written
off and void.

```mermaid
stateDiagram-v2
{diagram}
```

{table}
A refused command is on record as `CommandRefused` with code, expected and found; it changes nothing. A firing
of the clock is judged by the case's own times instead of the state (`services/router/firings.py`).

{words}"""


def admission() -> str:
    """Command table and states, from the table by which registry.entry judges."""
    from cli import words  # noqa: PLC0415  as above
    from schemas.entry.states import EntryState  # noqa: PLC0415  as above
    from services.registry.entry.lifecycle import LIFECYCLE  # noqa: PLC0415  as above

    rows = [
        (
            f"`{row.command.__name__}`",
            first_sentence(row.command),
            ", ".join(sorted(row.sources)),
            ", ".join(sorted(row.targets)) or "–",
            ", ".join(role.name for role in row.senders),
            ", ".join(f"`{guard.__name__}`" for guard in row.guards) or "–",
        )
        for row in LIFECYCLE
    ]
    said = [words.entry_state(state) for state in EntryState if state is not EntryState.NONE]
    return ADMISSION_PAGE.format(
        table=table(("command", "what it is", "from", "to", "sent by", "needs"), rows),
        words=table(("state", "中文"), [tuple(one.split(" ", 1)) for one in said]),
    )


ADMISSION_PAGE = """# The workflow of an admission entry

Drawn from `services/registry/entry/lifecycle.py`, which is also what judges: state first, then sender,
then each need (`services/registry/entry/guards.py`). Of one entry a version may be in force while the next
is under way; the state is that of the version that the command is about.

{table}
By the clock: silence refuses (reviewing, and noticed with an objection that nobody answered), a notice
without objections closes (approved), a version starts on its first day once its proof covers it (active), a
proof that ran out suspends (suspended), the last day ends (expired). A refused command is on record as
`EntryCommandRefused` with code, expected, found and all faults of the line; it changes nothing.

{words}"""


def arrows(rows: "Sequence[Row]") -> list[str]:
    """One arrow for each pair of states, with the commands that lead from one to the other."""
    labels: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        named = named_set(row.sources)
        sources = [named] if named else sorted(row.sources)
        for source in sources:
            for target in sorted(row.targets):
                if source != target:
                    labels.setdefault((source, target), []).append(row.command.__name__)
    return [f"{start(source)} --> {target}: {', '.join(names)}" for (source, target), names in labels.items()]


def start(source: str) -> str:
    """Mermaid's own mark for where a life begins."""
    return "[*]" if source == "none" else source


def named_set(states: "frozenset[State]") -> str:
    """The word for a set of states that has one."""
    from schemas.case.states import OPEN, State  # noqa: PLC0415  the page is skipped where it is absent

    over = {State.CLOSED, State.WRITTEN_OFF, State.VOID}
    return {OPEN: "open", OPEN | over: "any"}.get(states, "")


def places(states: "frozenset[State]") -> str:
    """A set of states as a cell."""
    return named_set(states) or ", ".join(sorted(states))


def drawn_states() -> "list[State]":
    """All states but the one in which there is no case yet."""
    from schemas.case.states import State  # noqa: PLC0415  the page is skipped where it is absent

    return [state for state in State if state is not State.NONE]


def state_words(state: "State") -> str:
    """A state in both languages, as the terminal says it."""
    from cli import words  # noqa: PLC0415  the page is skipped where it is absent

    return words.state_words(state)


def first_sentence(command: type) -> str:
    """What the contract's docstring says first."""
    return " ".join((command.__doc__ or "").split()).split(". ")[0].rstrip(".").replace("|", "/")


def pages() -> dict[Path, str]:
    """Each page with its text; a page whose source is not there is left out."""
    sources = {
        "topics.md": ("schemas.topics", topics),
        "rights.md": ("kernel.kafka.rights", rights),
        "gridcase.md": ("cli.main", commands),
        "settings.md": ("kernel.settings", settings),
        "metrics.md": ("kernel.meters", metrics),
        "lifecycle.md": ("services.router.lifecycle", lifecycle),
        "admission.md": ("services.registry.entry.lifecycle", admission),
    }
    return {
        REFERENCE / name: NOTE + write().strip() + "\n"
        for name, (module, write) in sources.items()
        if (ROOT / Path(*module.split("."))).with_suffix(".py").exists() and importlib.util.find_spec(module)
    }


def main() -> None:
    """Writes all pages."""
    REFERENCE.mkdir(parents=True, exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(path.relative_to(ROOT))


if __name__ == "__main__":
    main()
