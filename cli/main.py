"""The command `gridcase`: every command group, and how faults become one line and an exit code."""

from typing import Any, ClassVar, Final

import typer
from sqlalchemy.exc import DBAPIError
from typer.core import TyperGroup

from cli import case, db, explain, held, personal, registry, rules, topics, version
from cli.assign import assign
from cli.bench import bench
from cli.compare import compare
from cli.init import init
from cli.locate import locate
from cli.mend import recover, republish
from cli.move import export, import_
from cli.output import EXIT_CODES, BundleFaults, Exit, ExtraMissing, errors, fail
from cli.replay import replay
from cli.run import run
from cli.send import send
from cli.simulate import simulate
from cli.tail import tail
from cli.up import up
from cli.worker import worker
from kernel.errors import Fault

_EXTRAS: Final = {
    "asyncpg": "postgres",
    "faust": "kafka",
    "aiokafka": "kafka",
    "rapidfuzz": "text",
    "opencc": "text",
    "openpyxl": "excel",
}
_CODES: Final = (
    "Exit codes: " + " · ".join(f"{code.value} {words}" for code, words in EXIT_CODES.items()) + "."
)


class DatabaseFailed(Fault):
    """The database failed at work: expected an answer, found {reason}. Do: look at its log and its
    disk; what was acknowledged is on record.
    """

    exit_code: ClassVar[int] = Exit.DATABASE


class Faultless(TyperGroup):
    """A fault is one red line and its exit code; a bug keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except Fault as fault:
            raise _told(fault) from fault
        except ModuleNotFoundError as error:
            package = (error.name or "").partition(".")[0]
            if package not in _EXTRAS:
                raise
            raise _told(ExtraMissing(package=package, extra=_EXTRAS[package])) from error
        except DBAPIError as error:
            raise _told(_of_database(error)) from error
        except ExceptionGroup as group:
            fault = _first_fault(group)
            if fault is None:
                raise
            raise _told(fault) from group
        except KeyboardInterrupt:
            fail("stopped")
            raise typer.Exit(Exit.INTERRUPTED) from None


def _first_fault(group: ExceptionGroup) -> Fault | None:
    """The fault that ended tasks running side by side, if it was one."""
    found = group.subgroup((Fault, DBAPIError))
    while isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    if isinstance(found, DBAPIError):
        return _of_database(found)
    return found if isinstance(found, Fault) else None


def _of_database(error: DBAPIError) -> Fault:
    return DatabaseFailed(reason=str(error.orig or error).partition("\n")[0])


def _told(fault: Fault) -> typer.Exit:
    if isinstance(fault, BundleFaults):
        errors.print(fault.table())
    fail(str(fault))
    return typer.Exit(fault.exit_code)


app = typer.Typer(
    cls=Faultless,
    name="gridcase",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Case routing (案件流转) for city operations centres (城运中心).",
    epilog=_CODES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


@app.callback()
def gridcase() -> None:
    """Case routing (案件流转) for city operations centres (城运中心)."""


app.command("init")(init)
app.command("run")(run)
app.command("up")(up)
app.command("worker")(worker)
app.command("send")(send)
app.add_typer(case.app, name="case")
app.command("tail")(tail)
app.add_typer(explain.app, name="explain")
app.command("locate")(locate)
app.command("assign")(assign)
app.add_typer(rules.app, name="rules")
app.add_typer(registry.app, name="registry")
app.command("replay")(replay)
app.command("compare")(compare)
app.command("simulate")(simulate)
app.add_typer(held.app, name="held")
app.add_typer(db.app, name="db")
app.add_typer(topics.app, name="topics")
app.command("republish")(republish)
app.command("recover")(recover)
app.command("export")(export)
app.command("import")(import_)
app.command("bench")(bench)
app.add_typer(personal.app, name="personal")
app.command("version")(version.show)
