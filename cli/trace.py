"""``tracemark trace``: one code in; same lot, all raw lots, all affected lots and where everything is now out."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.dates import read_instant
from cli.given import put_bytes
from cli.installation import open_installation
from cli.output import DataDir, Json, say, show, table, tell
from ledger import codes, private_classes, trace_files
from ledger import trace as tracing
from ledger.trace_holders import holders_of
from ledger.trace_proofs import Language
from ledger.whereabouts import whereabouts
from runtime.clock import system_clock
from runtime.refusals import Invalid

FOUND_RECALLED = 3


class FormatNeedsOut(Invalid):
    """The format {format} is a file: say where with --out FILE."""


class Format(StrEnum):
    JSON = "json"
    XLSX = "xlsx"
    CSV = "csv"
    EPCIS = "epcis"
    SVG = "svg"
    FSMA204 = "fsma204"


class Lang(StrEnum):
    EN = "en"
    ZH = "zh"


def register(app: typer.Typer) -> None:
    app.command()(trace)


def trace(
    code: Annotated[str, typer.Argument(help="Digital Link, element string, GTIN/lot/serial, GTIN:LOT, SSCC, or URI.")],
    up: Annotated[bool, typer.Option("--up", help="Only towards ingredients.")] = False,
    down: Annotated[bool, typer.Option("--down", help="Only towards customers.")] = False,
    siblings: Annotated[bool, typer.Option("--siblings", help="Also the lots that share a raw lot with it.")] = False,
    holders: Annotated[
        bool, typer.Option("--holders", help="Only who holds what was made of it, by channel and owner; of any size.")
    ] = False,
    at: Annotated[str | None, typer.Option("--at", help="Who held and owned it at this instant, and its way.")] = None,
    form: Annotated[Format | None, typer.Option("--format", help="Write the trace as a file.")] = None,
    out: Annotated[Path | None, typer.Option("--out", help="The file to write.")] = None,
    lang: Annotated[Lang, typer.Option("--lang", help="Language of sentences and pictures.")] = Lang.EN,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> int:
    """Where a thing came from and where it went; with --at, who had it then."""
    if form is not None and out is None:
        raise FormatNeedsOut(format=form.value)
    private_classes.refuse_unreadable(code)
    if at is not None:
        return _custody(code, at, data_dir, as_json=as_json)
    if holders:
        return _holders_only(code, data_dir, as_json=as_json)
    both = up == down
    language: Language = "zh" if lang is Lang.ZH else "en"
    chosen = form.value if form is not None else "json"
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> tuple[dict[str, Any], bytes | None]:
            identifier = await private_classes.identifier_of(conn, code)
            keys = await codes.KeyRing.load(conn, installation.master_secret)
            answer = await tracing.trace(
                conn, identifier, keys, up=up or both, down=down or both, siblings=siblings, language=language,
                clock=system_clock,
            )  # fmt: skip
            if out is None:
                return answer, None
            content = trace_files.content(conn, answer, chosen, keys, language=language, clock=system_clock)
            return answer, await content

        answer, content = installation.run(work)
    if out is not None and content is not None:
        put_bytes(out, content)
        tell(f"written: {out} ({len(content):,} bytes)")
    return _shown(answer, as_json=as_json)


def _holders_only(code: str, data_dir: Path | None, *, as_json: bool) -> int:
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> dict[str, Any]:
            identifier = await private_classes.identifier_of(conn, code)
            keys = await codes.KeyRing.load(conn, installation.master_secret)
            return await holders_of(conn, identifier, keys)

        answer = installation.run(work)
    if as_json:
        show(answer, as_json=True)
        return 0
    say(f"{answer['lots']:,} lots reached")
    for row in answer["holders"]:
        affected = f"affected {row['lower']:,} to {row['upper']:,}, most likely {row['expected']:,}"
        say(f"{row['channel'] or '-':<13} {row['owner']}: {row['of']:,} {row['uom'] or 'pieces'}, {affected}")
    return 0


def _shown(answer: dict[str, Any], *, as_json: bool) -> int:
    recalled: bool = answer["recalled"]
    if as_json:
        show(answer, as_json=True)
    else:
        _print(answer)
        if recalled:
            say("\nRECALLED: what this code names is in a published case.")
    return FOUND_RECALLED if recalled else 0


def _custody(code: str, at: str, data_dir: Path | None, *, as_json: bool) -> int:
    instant = read_instant(at)
    with open_installation(data_dir=data_dir) as installation:

        async def work(conn: AsyncConnection) -> dict[str, Any]:
            identifier = await private_classes.identifier_of(conn, code)
            keys = await codes.KeyRing.load(conn, installation.master_secret)
            return await whereabouts(conn, identifier, keys, at=instant)

        answer = installation.run(work)
    if as_json:
        show(answer, as_json=True)
        return 0
    columns = ["place", "custodian", "owner", "state", "in", "quantity"]
    rows = [(*_place(held), held.get("items", held.get("quantity"))) for held in answer["held"]]
    table(columns, rows, title=f"{answer['code']} at {answer['at']}")
    for uom in answer.get("not_known", []):
        say(f"not known: how much there was then in {uom or 'pieces told by quantity'}; it has changed since")
    for row in answer.get("contents", []):
        say(f"in it: {row['items']:,} items of {row['product']} {row['lot']}")
    if answer["timeline"]:
        say()
        way = [(step["since"], step["until"] or "now", *_place(step)) for step in answer["timeline"]]
        table(["since", "until", *columns[:-1]], way, title="Its way")
    return 0


def _place(row: dict[str, Any]) -> tuple[str, str, str, str, str]:
    inside = " in ".join(row["inside"])
    return row["place"]["name"], row["custodian"]["name"], row["owner"]["name"], row["state"], inside


def _print(answer: dict[str, Any]) -> None:
    started = {(start["gtin"], start["lot"]) for start in answer["starts"]}
    for start in answer["starts"]:
        say("start  " + "  ".join(f"{key} {value}" for key, value in start.items() if value not in (None, "", [])))
    same = answer.get("same_lot") or {}
    if same.get("items"):
        say(f"same lot: {same['items']:,} items in {same['serial_ranges']:,} serial ranges")
    _print_lots(answer, started)
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
                _bounds(h["affected"]),
                (h.get("responsible") or {}).get("name"),
            )
            for h in holders
        ]
        columns = ["owner", "channel", "place", "items", "by measure", "affected", "responsible"]
        table(columns, rows, title="Where it is now")
    for row in answer.get("balance", []):
        if row["unaccounted"]:
            say(f"balance: {row['gtin']} {row['lot']}: {row['unaccounted']:,} {row['uom'] or 'items'} unaccounted for")
    for gap in answer.get("gaps", []):
        where = ", ".join(str(value) for key, value in gap.items() if key != "what" and value is not None)
        say(f"gap: {gap['what']}: {where}")
    took = answer["as_of"].get("took_ms")
    say(f"\nas of event {answer['as_of']['event']}, {answer['as_of']['at']}, in {took} ms")


def _print_lots(answer: dict[str, Any], started: set[tuple[str, str]]) -> None:
    for title, part in (("Made from", "upstream"), ("Went into", "downstream")):
        lots = [
            lot for lot in (answer.get(part) or {}).get("lots", []) if (lot["gtin"], lot["lot"]) not in started
        ]  # what was asked for went into nothing by that alone
        if lots:
            say()
            table(
                ["gtin", "lot", "product", "supplier" if part == "upstream" else "affected", "because"],
                [(lot["gtin"], lot["lot"], lot["product"], _beside(lot), lot["because"]) for lot in lots],
                title=title,
            )
    if answer["siblings"]:
        say()
        rows = [(s["gtin"], s["lot"], s["product"], s["through"]["lot"]) for s in answer["siblings"]]
        table(["gtin", "lot", "product", "shares"], rows, title="Share a raw lot with it")


def _beside(lot: dict[str, Any]) -> str | None:
    return lot["supplier"] if "supplier" in lot else _bounds(lot["affected"])


def _bounds(affected: list[dict[str, Any]]) -> str:
    """At least, about, and at most, of how much."""
    return ", ".join(
        f"{row['lower']:,} – {row['expected']:,} – {row['upper']:,} of {row['of']:,} {row['uom']}".rstrip()
        for row in affected
    )


def _measures(quantities: dict[str, Any]) -> str:
    return ", ".join(f"{quantity:,} {uom}" for uom, quantity in quantities.items())
