"""``tracemark``: the commands, and their exit status (0 done, 1 refused, 2 wrong usage, 3 found something recalled)."""

from __future__ import annotations

import copy
import gc
import importlib
import importlib.metadata
import signal
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
import typer.main

from cli.given import about_writing
from cli.output import refuse, tell
from cli.overview import COMMANDS
from gs1.errors import GS1Error
from runtime.refusals import Refusal

DONE, REFUSED, WRONG_USAGE, FOUND_RECALLED, STOPPED = 0, 1, 2, 3, 130


def application(command: str | None = None) -> typer.Typer:
    """The commands: all of them, or only those of the file that holds ``command``."""
    app = _empty()
    wanted = [COMMANDS[command].held_by] if command else list(dict.fromkeys(each.held_by for each in COMMANDS.values()))
    for name in wanted:
        importlib.import_module(f"cli.{name}").register(app)
    return app


def overview() -> typer.Typer:
    """The names of the commands with a line about each, for the help: none of them is loaded."""
    app = _empty()
    for name, command in COMMANDS.items():
        app.command(name=name, help=command.about)(_nothing)
    return app


def _loaded(command: str, below: str) -> typer.Typer:
    """What these first words need, and no more: ten labels on a sheet shall not wait for the rest."""
    if command and command not in COMMANDS:
        return overview()
    gc.disable()  # nothing that is loaded is let go of again, and looking through it took a tenth of the time
    try:
        app = application(command or None)  # without a word a shell may ask for completion: it is told everything
        for each in app.registered_groups:
            if each.name == command and each.typer_instance is not None:
                each.typer_instance = _only(each.typer_instance, below)
    finally:
        if not gc.get_freeze_count():
            gc.freeze()  # nor looked through while the command works and when it ends: that took a third of it
        gc.enable()
    return app


def _only(group: typer.Typer, name: str) -> typer.Typer:
    """The group without its other commands when ``name`` is one of its own: each costs some milliseconds."""
    commands = [each for each in group.registered_commands if name == (each.name or _name_of(each.callback))]
    groups = [each for each in group.registered_groups if name == each.name]
    if not commands and not groups:
        return group
    only = copy.copy(group)  # the group itself is kept by its file, for the next command of this process
    only.registered_commands, only.registered_groups = commands, groups
    return only


def _name_of(callback: Callable[..., Any] | None) -> str:
    """How a command is called that was given no name."""
    return "" if callback is None else typer.main.get_command_name(callback.__name__)


def _empty() -> typer.Typer:
    app = typer.Typer(
        name="tracemark",
        help="One item, one code: print it, scan it, trace it, recall exactly what is affected.",
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
    )
    app.callback()(_always)  # a command's name must be given also when one command is loaded
    return app


def _nothing() -> None:
    """Stands for a command in the overview, which is asked for when no command was named."""


def run(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        words = sys.argv[1:] if arguments is None else arguments
        named = words[0] if words else ""
        status: Any = _loaded(named, words[1] if len(words) > 1 else "")(words, standalone_mode=False)
    except (Refusal, GS1Error) as refusal:
        refuse(refusal)
        return REFUSED
    except _broken_keys() as broken:
        refuse(broken)
        return REFUSED
    except (KeyboardInterrupt, typer.Abort):
        tell("stopped")
        return STOPPED
    except _lost_database() as error:
        tell(f"refused: the database is away ({str(error).splitlines()[0]}). Nothing was half done; try again.")
        return REFUSED
    except typer.TyperException as error:
        _show_usage(error)
        return WRONG_USAGE
    except OSError as error:  # after those of the network, which are of this kind too
        said = about_writing(error)
        if said is None:
            raise
        refuse(said)
        return REFUSED
    return status if isinstance(status, int) else DONE


def _broken_keys() -> tuple[type[ValueError], ...]:
    """What keys that do not fit raise. Asked for only when something was raised: most commands load no cipher."""
    from serials.keys import KeysError

    return (KeysError,)


def _lost_database() -> tuple[type[Exception], ...]:
    """What a database that is away raises. Asked for only when something was raised: help loads no database."""
    import asyncpg
    from sqlalchemy.exc import InterfaceError, OperationalError

    return OperationalError, InterfaceError, asyncpg.PostgresConnectionError, ConnectionError, TimeoutError


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
