"""``tracemark links`` and ``tracemark unusual``: what shoppers are led to, and codes that may have been copied."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from access.model import operator
from cli.installation import acting, open_installation
from cli.output import By, DataDir, Json, show, table
from gs1 import gtin as gtins
from runtime.clock import system_clock
from shoppers import links as linking
from shoppers import unusual as finding
from shoppers.model import LinkDraft

links_group = typer.Typer(help="Links that the resolver gives out.", no_args_is_help=True)
unusual_group = typer.Typer(help="Codes that may have been copied.", no_args_is_help=True)

Gtin = Annotated[str, typer.Option(help="The product.")]
Lot = Annotated[str, typer.Option(help="One lot of it; without it the whole product.")]


def register(app: typer.Typer) -> None:
    app.add_typer(links_group, name="links")
    app.add_typer(unusual_group, name="unusual")


@links_group.command("add")
def add_link(
    gtin: Gtin,
    link_type: Annotated[str, typer.Option("--type", help="Of the GS1 Web Vocabulary: pip, epil, instructions …")],
    target: Annotated[str, typer.Option(help="https://…; may name {gtin}, {lot}, {serial}, {cpv}.")],
    title: Annotated[str, typer.Option(help="What a person reads.")],
    lot: Lot = "",
    cpv: Annotated[str, typer.Option(help="A variant of the product.")] = "",
    language: Annotated[list[str] | None, typer.Option(help="A language of the target (repeat).")] = None,
    media_type: Annotated[str | None, typer.Option(help="Such as text/html.")] = None,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Put a link on record. The operator is an administrator, so its host is allowed at once."""
    number = gtins.validate(gtin)
    draft = LinkDraft(number, link_type, target, title, cpv, lot, tuple(language or ()), media_type)
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            return await linking.add(
                conn, draft, by=operator(acting(by)), settings=installation.settings, clock=system_clock
            )

        link = installation.run(work)
    show(link, as_json=as_json, text=f"link {link.link_id}: {link.type} of {number} leads to {link.target}")


@links_group.command("list")
def list_links(
    gtin: Annotated[str | None, typer.Option(help="Only of this product.")] = None,
    after: Annotated[int, typer.Option(help="Only links with a higher number than this.")] = 0,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """List the links on record, 100 at a time."""
    number = gtins.validate(gtin) if gtin is not None else None
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            return await linking.listed(conn, gtin=number, after=after)

        found = installation.run(work)
    if as_json:
        show(found, as_json=True)
        return
    rows = [(str(each.link_id), each.gtin, each.lot, each.type, each.target, _state(each.is_allowed)) for each in found]
    table(["link", "gtin", "lot", "type", "target", "state"], rows)


@links_group.command("remove")
def remove_link(
    link: Annotated[int, typer.Argument(help="Number of the link.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Take a link back."""
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            return await linking.remove(conn, link, by=operator(acting(by)), clock=system_clock)

        installation.run(work)
    show({"link": link, "state": "removed"}, as_json=as_json, text=f"link {link} is removed")


@unusual_group.command("list")
def list_findings(data_dir: DataDir = None, as_json: Json = False) -> None:
    """List items whose checks met a rule, the newest 50."""
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            return await finding.listed(conn)

        found = installation.run(work)
    if as_json:
        show(found, as_json=True)
        return
    rows = [(str(f.finding_id), f.rule, f.gtin, str(f.number), f.counted, f.within_days, f.effect) for f in found]
    table(["finding", "rule", "gtin", "number", "counted", "days", "effect"], rows)


@unusual_group.command("clear")
def clear_finding(
    number: Annotated[int, typer.Argument(help="Number of the finding.")],
    reason: Annotated[str, typer.Option(help="Why; kept.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Clear a finding: what was seen until now counts no more for its rule."""
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            return await finding.clear(conn, number, reason=reason, by=operator(acting(by)), clock=system_clock)

        installation.run(work)
    show({"finding": number, "state": "cleared"}, as_json=as_json, text=f"finding {number} is cleared: {reason}")


@unusual_group.command("markets")
def set_markets(
    gtin: Gtin,
    country: Annotated[list[str] | None, typer.Option(help="A country, two letters (repeat); none: anywhere.")] = None,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Say in which countries a product is sold."""
    number = gtins.validate(gtin)
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            wanted = country or []
            return await finding.set_markets(conn, number, wanted, by=operator(acting(by)), clock=system_clock)

        kept = installation.run(work)
    show({"gtin": number, "countries": kept}, as_json=as_json, text=f"{number}: {', '.join(kept) or 'anywhere'}")


def _state(is_allowed: bool) -> str:
    return "shown" if is_allowed else "waits for its host"
