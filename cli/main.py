"""``tracemark``: the commands, and their exit status (0 done, 1 refused, 2 wrong usage, 3 found something recalled)."""

from __future__ import annotations

import importlib
import importlib.metadata
import signal
import sys
from typing import Annotated, Any

import asyncpg
import typer
from sqlalchemy.exc import InterfaceError, OperationalError

from cli.output import refuse, tell
from gs1.errors import GS1Error
from runtime import logs
from runtime.refusals import Refusal
from serials.keys import KeysError

DONE, REFUSED, WRONG_USAGE, FOUND_RECALLED, STOPPED = 0, 1, 2, 3, 130

# Which file of cli/ holds which command, in the order of the help. A command loads its own group only: `serve portal`
# is a public process, and no sign-in code shall be in it.
GROUPS = {
    "demo": ("demo",),
    "serve": ("serve",),
    "worker": ("worker",),
    "database": ("migrate", "settings", "doctor", "backup", "restore", "verify-backup"),
    "files": ("import", "capture"),
    "capture_points": ("capture-point",),
    "labels": ("labels",),
    "trace": ("trace",),
    "cases": ("recall",),
    "check": ("check",),
    "shoppers": ("links", "unusual"),
    "claims": ("claims",),
    "accounts": ("account", "key"),
    "benchmark": ("benchmark",),
}


def application(command: str | None = None) -> typer.Typer:
    """The commands: all of them, or only the group that holds ``command``."""
    app = typer.Typer(
        name="tracemark",
        help="One item, one code: print it, scan it, trace it, recall exactly what is affected.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_always)  # a command's name must be given also when one command is loaded
    wanted = [group for group, commands in GROUPS.items() if command in commands] or list(GROUPS)
    for group in wanted:
        importlib.import_module(f"cli.{group}").register(app)
    return app


def run(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    logs.configure()
    signal.signal(signal.SIGTERM, _stop)
    try:
        words = sys.argv[1:] if arguments is None else arguments
        status: Any = application(words[0] if words else None)(words, standalone_mode=False)
    except (Refusal, GS1Error, KeysError) as refusal:
        refuse(refusal)
        return REFUSED
    except (KeyboardInterrupt, typer.Abort):
        tell("stopped")
        return STOPPED
    except (OperationalError, InterfaceError, asyncpg.PostgresConnectionError, ConnectionError, TimeoutError) as error:
        tell(f"refused: the database is away ({str(error).splitlines()[0]}). Nothing was half done; try again.")
        return REFUSED
    except typer.TyperException as error:
        _show_usage(error)
        return WRONG_USAGE
    return status if isinstance(status, int) else DONE


def _show_usage(error: typer.TyperException) -> None:
    context = getattr(error, "ctx", None)
    message = error.format_message()
    if context is None or context.get_help() == message:  # a group alone is answered by its help
        tell(message)
        return
    tell(context.get_usage())
    tell(f"wrong usage: {message}")
    tell(f"see: {context.command_path} --help")


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"tracemark {importlib.metadata.version('tracemark')}")
        raise typer.Exit


def _always(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_tell_version, help="Tell the version and stop.")
    ] = False,
) -> None:
    """One item, one code: print it, scan it, trace it, recall exactly what is affected."""


def _stop(_number: int, _frame: object) -> None:
    """SIGTERM ends a command as Ctrl-C does: on the way out the embedded server is left, and its last user stops it."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(run())
