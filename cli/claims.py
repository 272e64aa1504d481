"""``tracemark claims``: remedies that shoppers asked for."""

from __future__ import annotations

from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from access.model import operator
from cli.installation import acting, open_installation
from cli.output import By, DataDir, Json, show, table
from runtime.clock import system_clock
from shoppers import claims

group = typer.Typer(help="Remedies that shoppers asked for because of a recall.", no_args_is_help=True)
_COLUMNS = ("claim_id", "number", "remedy", "pieces", "code", "contact", "state", "answer")


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="claims")


@group.command("list")
def list_claims(
    state: Annotated[str | None, typer.Option(help="received, accepted, refused or done.")] = None,
    before: Annotated[int | None, typer.Option(help="Those before this number: the next page.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Claims, the newest first."""
    with open_installation(data_dir=data_dir) as installation:
        found = installation.run(lambda conn: claims.listed(conn, state=state, before=before))
    if as_json:
        show(found, as_json=True)
    else:
        table(_COLUMNS, [[getattr(each, name) for name in _COLUMNS] for each in found])


@group.command("put")
def put_claim(
    claim: Annotated[int, typer.Argument(help="Number of the claim.")],
    state: Annotated[str, typer.Option(help="accepted, refused or done.")],
    answer: Annotated[str, typer.Option(help="What the shopper reads; needed to refuse.")] = "",
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Answer a claim: the shopper sees it at the claim's link."""
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> None:
            await claims.put(conn, claim, state, answer=answer, by=operator(acting(by)), clock=system_clock)

        installation.run(work)
    show({"claim": claim, "state": state}, as_json=as_json, text=f"claim {claim} is {state}")
