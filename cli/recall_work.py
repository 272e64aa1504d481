"""``tracemark recall``: the board of a case, checks of its effect, the account of its goods, and what closes it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.case_verbs import Case, verb
from cli.given import bytes_of
from cli.installation import acting
from cli.output import By, DataDir, Json, say, show, table
from ledger.spreadsheets import read_rows
from recall import board as boards
from recall import effectiveness, reconciliation, sightings
from recall.board import Board
from runtime.clock import system_clock
from runtime.refusals import Fault, Invalid

Check = Annotated[int, typer.Argument(help="Number of the check.")]

_REACHED = ("recipients", "told", "opened", "answered", "complete", "overdue", "undelivered")
_GOODS = ("affected", "shipped", "on_hand", "quarantined", "returned", "destroyed", "corrected", "not_found", "unknown")
_YES_NO = {"yes": True, "y": True, "true": True, "是": True, "no": False, "n": False, "false": False, "否": False}


class ResultsUnreadable(Invalid):
    """The results cannot be read: {problem}. Columns: recipient, notified, followed (yes or no), note."""


def register(group: typer.Typer) -> None:
    for work in (board, reconcile, findings, responsible, check, check_show, check_results):
        group.command(work.__name__.replace("_", "-"))(work)


def board(case: Case, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Whom the notice reached, who answered, what was found, and what needs a person now."""
    found = verb(data_dir, lambda conn, keys: boards.board(conn, case, clock=system_clock))
    if as_json:
        show(found, as_json=True)
    else:
        _print(found)


def reconcile(case: Case, by: By = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Write down the account of the goods: affected against found, by product, channel and owner."""
    figures = verb(data_dir, lambda conn, keys: reconciliation.reconcile(conn, case, by=acting(by), clock=system_clock))
    percent = figures["accounted_percent"]
    text = f"{case} v{figures['version']}: {figures['accounted']} of {figures['affected']} items accounted for"
    text += f" ({percent} %)" if percent is not None else ""
    show(figures, as_json=as_json, text=f"{text}; unknown: {figures['unknown']}")


def findings(
    case: Case,
    disposition: Annotated[str | None, typer.Option(help="What became of the goods.")] = None,
    root_cause: Annotated[str | None, typer.Option(help="Why it happened.")] = None,
    corrective_action: Annotated[str | None, typer.Option(help="What was done so that it does not again.")] = None,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write down what a case must tell before it is closed. What is not named stays."""
    told = {"disposition": disposition, "root_cause": root_cause, "corrective_action": corrective_action}
    verb(
        data_dir,
        lambda conn, keys: reconciliation.describe_closing(conn, case, by=acting(by), clock=system_clock, **told),
    )
    show({"case": case, **told}, as_json=as_json, text=f"{case}: written down")


def responsible(
    case: Case,
    name: Annotated[str, typer.Option(help="Who is responsible for the case.")],
    email: Annotated[str, typer.Option(help="Where sightings are told.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Who is told when a recalled code is opened after publication."""
    verb(
        data_dir,
        lambda conn, keys: sightings.watch(conn, case, name=name, email=email, by=acting(by), clock=system_clock),
    )
    show({"case": case, "name": name, "email": email}, as_json=as_json, text=f"{case}: {name} <{email}>")


def check(
    case: Case,
    level: Annotated[str, typer.Option(help="A all, B a share, C 10 %, D 2 %, E none.")],
    percent: Annotated[str | None, typer.Option(help="Of level B: over 10, under 100.")] = None,
    seed: Annotated[str | None, typer.Option(help="Draws the same sample again.")] = None,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Draw the sample of an effectiveness check, by channel, from a seed that is kept."""
    share = None if percent is None else Decimal(percent)
    number = verb(
        data_dir,
        lambda conn, keys: effectiveness.start_check(
            conn, case, level.upper(), percent=share, seed=seed, by=acting(by), clock=system_clock
        ),
    )
    show({"check": number}, as_json=as_json, text=f"check {number}\nnext: tracemark recall check-show {case} {number}")


def check_show(case: Case, number: Check, data_dir: DataDir = None, as_json: Json = False) -> None:
    """The sample of a check: whom to ask, and what was found."""
    found, sample = verb(data_dir, lambda conn, keys: effectiveness.show_check(conn, case, number))
    if as_json:
        show({"check": found, "sample": sample}, as_json=True)
    else:
        say(f"check {found.check_id}, level {found.level} ({found.percent} %), seed: {found.seed}")
        columns = ("recipient_id", "channel", "name", "contact_name", "phone", "email", "notified", "followed", "note")
        table(columns, [[getattr(each, column) for column in columns] for each in sample])


def check_results(
    case: Case,
    number: Check,
    file: Annotated[Path, typer.Argument(help="CSV or XLSX: recipient, notified, followed, note.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Take in what was found at the recipients of a sample."""
    rows = _results(file)

    async def record(conn: AsyncConnection, _keys: Any) -> None:
        await effectiveness.record_results(conn, case, number, rows, by=acting(by), clock=system_clock)

    verb(data_dir, record)
    show({"check": number, "results": len(rows)}, as_json=as_json, text=f"{len(rows)} results")


def _results(file: Path) -> list[effectiveness.Result]:
    found = read_rows(bytes_of(file), file.name)
    header = [name.lower() for name in found.header]
    if not {"recipient", "notified", "followed"} <= set(header):
        raise ResultsUnreadable(problem="a column is missing")
    results, faults = [], []
    for row in found.rows:
        cells = dict(zip(header, (str(cell).strip() for cell in row.cells), strict=False))
        notified, followed = (_YES_NO.get(cells.get(name, "").lower()) for name in ("notified", "followed"))
        if not cells.get("recipient", "").isdecimal() or notified is None or followed is None:
            faults.append(Fault(f"row {row.line}", "a recipient's number, and yes or no twice"))
            continue
        results.append(effectiveness.Result(int(cells["recipient"]), notified, followed, cells.get("note", "")))
    if faults:
        raise ResultsUnreadable(problem=f"{faults[0].where}: {faults[0].what}", faults=faults)
    return results


def _print(found: Board) -> None:
    say(f"{found.number} v{found.version}, {found.state}" + (", reminders rest" if found.paused_at else ""))
    rows = [(each.channel, *(getattr(each.reached, name) for name in _REACHED)) for each in found.by_channel]
    table(("channel", *_REACHED), [*rows, ("all", *(getattr(found.reached, name) for name in _REACHED))])
    say()
    goods = [(row["channel"], *(row[name] for name in _GOODS)) for row in found.accounts["by_channel"]]
    table(("channel", *_GOODS), [*goods, ("all", *(found.accounts[name] for name in _GOODS))], title="items")
    for each in found.overdue:
        say(f"no answer: {each.name} ({each.channel})")
    for each in found.undelivered:
        say(f"not delivered: {each.name} ({each.channel})")
    for seen in found.sightings:
        say(f"seen {seen.seen_at:%Y-%m-%d %H}:00 UTC: {seen.product} lot {seen.lot}, {seen.scans} scans")
    if found.are_more_seen or found.are_more_late:
        say("there are more sightings or late events than are listed here")
    for late in found.late_units:
        say(f"turned up later: {late.product} lot {late.lot}, {late.biz_step or 'event'} at {late.place or 'unknown'}")
