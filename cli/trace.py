"""``tracemark trace``: one code in; same lot, all raw lots, all affected lots and where everything is now out."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.installation import open_installation
from cli.output import DataDir, Json, say, show, table
from gs1 import scan_data
from ledger import codes
from ledger import trace as tracing
from runtime.clock import system_clock

FOUND_RECALLED = 3


def register(app: typer.Typer) -> None:
    app.command()(trace)


def trace(
    code: Annotated[str, typer.Argument(help="A Digital Link, an element string, GTIN/lot/serial, GTIN:LOT, an SSCC.")],
    up: Annotated[bool, typer.Option("--up", help="Only towards ingredients.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Only towards customers.")] = False,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> int:
    """Where a thing came from and where it went."""
    identifier = scan_data.read(code)
    both = up == down
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> Any:
            keys = await codes.KeyRing.load(conn, installation.master_secret)
            return await tracing.trace(conn, identifier, keys, up=up or both, down=down or both, clock=system_clock)

        answer = installation.run(work)
    recalled: bool = answer["recalled"]
    if as_json:
        show(answer, as_json=True)
    else:
        _print(answer)
        if recalled:
            say("\nRECALLED: what this code names is in a published case.")
    return FOUND_RECALLED if recalled else 0


def _print(answer: dict[str, Any]) -> None:
    started = {(start["gtin"], start["lot"]) for start in answer["starts"]}
    for start in answer["starts"]:
        say("start  " + "  ".join(f"{key} {value}" for key, value in start.items() if value not in (None, "", [])))
    same = answer.get("same_lot") or {}
    if same.get("items"):
        say(f"same lot: {same['items']:,} items in {same['serial_ranges']:,} serial ranges")
    for title, part in (("Made from", "upstream"), ("Went into", "downstream")):
        lots = [
            lot for lot in (answer.get(part) or {}).get("lots", []) if (lot["gtin"], lot["lot"]) not in started
        ]  # what was asked for went into nothing by that alone
        if lots:
            say()
            table(
                ["gtin", "lot", "product", "supplier"],
                [(lot["gtin"], lot["lot"], lot.get("product"), lot.get("supplier")) for lot in lots],
                title=title,
            )
    holders = answer.get("holders", [])
    if holders:
        say()
        rows = [
            (
                (h["owner"] or {}).get("name"),
                h["channel"],
                (h["place"] or {}).get("name"),
                h["items"],
                _measures(h["quantities"]),
                (h.get("responsible") or {}).get("name"),
            )
            for h in holders
        ]
        table(["owner", "channel", "place", "items", "by measure", "responsible"], rows, title="Where it is now")
    for gap in answer.get("gaps", []):
        where = ", ".join(str(value) for key, value in gap.items() if key != "what" and value is not None)
        say(f"gap: {gap['what']}: {where}")
    took = answer["as_of"].get("took_ms")
    say(f"\nas of event {answer['as_of']['event']}, {answer['as_of']['at']}, in {took} ms")


def _measures(quantities: dict[str, Any]) -> str:
    return ", ".join(f"{quantity:,} {uom}" for uom, quantity in quantities.items())
