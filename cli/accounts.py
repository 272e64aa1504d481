"""``tracemark account add`` and ``tracemark key add``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from access import accounts as accounting
from access import api_keys
from access.model import ROLES, Act, operator
from cli.installation import acting, open_installation
from cli.output import By, DataDir, Json, show
from runtime.clock import system_clock
from runtime.refusals import Invalid

account_group = typer.Typer(help="People who may sign in to the console.", no_args_is_help=True)
key_group = typer.Typer(help="Keys for machines.", no_args_is_help=True)


class ActUnknown(Invalid):
    """There is no act {act}. Acts: {acts}."""


def register(app: typer.Typer) -> None:
    app.add_typer(account_group, name="account")
    app.add_typer(key_group, name="key")


@account_group.command("add")
def add_account(
    name: Annotated[str, typer.Argument(help="Name to sign in with.")],
    role: Annotated[str, typer.Option(help="One of: " + ", ".join(ROLES))],
    display_name: Annotated[str | None, typer.Option(help="Name shown to others.")] = None,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Add an account. The password is asked for, or read as one line from standard input."""
    if sys.stdin.isatty():
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            return await accounting.add_account(
                conn,
                name=name,
                display_name=display_name or name,
                role=role,
                password=password,
                by=operator(acting(by)),
                clock=system_clock,
            )

        installation.run(work)
    show({"account": name, "role": role}, as_json=as_json, text=f"{name} may sign in as {role}")


@key_group.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    act: Annotated[list[str], typer.Option(help="What it may do (repeat). One of: " + ", ".join(a.value for a in Act))],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make a key. It is shown once, now, and only its hash is kept."""
    acts = frozenset(_act(word) for word in act)
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            return await api_keys.create(conn, name=name, acts=acts, by=operator(acting(by)), clock=system_clock)

        secret = installation.run(work)
    show({"name": name, "key": secret}, as_json=as_json, text=secret)


def _act(word: str) -> Act:
    try:
        return Act(word)
    except ValueError as error:
        raise ActUnknown(act=word, acts=", ".join(a.value for a in Act)) from error
