"""``tracemark recall``: open, preview, submit, approve, publish, notices, widen, narrow, close, cancel, drill."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import recall_delivery, recall_documents, recall_drill, recall_scope, recall_work
from cli.case_drafts import read_lot, read_texts, read_window
from cli.case_preview import print_first, print_rest
from cli.case_verbs import Case, verb
from cli.dates import read_date
from cli.installation import acting
from cli.output import By, DataDir, Json, show, table
from recall import casework, documents, store, urgent
from recall.model import (
    CaseDraft,
    Depth,
    Kind,
    Remedy,
    SupplierDraft,
    Text,
)
from runtime.clock import rfc3339, system_clock

group = typer.Typer(help="Cases: from one bad item to the last unit accounted for.", no_args_is_help=True)

Reason = Annotated[str, typer.Option(help="Why; kept.")]
PublicReason = Annotated[str | None, typer.Option(help="A reason that the public may read at the case's address.")]
Codes = Annotated[list[str] | None, typer.Option("--code", help="A code: names exactly what it says (repeat).")]
Lots = Annotated[list[str] | None, typer.Option("--lot", help="GTIN:LOT (repeat).")]
WholeLot = Annotated[bool, typer.Option("--whole-lot", help="Widen each item's code to its whole lot.")]


class NoticeFormat(StrEnum):
    """A form of the notice list."""

    XLSX = "xlsx"
    CSV = "csv"
    PDF = "pdf"
    JSON = "json"


class PublicKind(StrEnum):
    """A safety recall, or a withdrawal without danger. (A drill has a command of its own.)"""

    RECALL = "recall"
    WITHDRAWAL = "withdrawal"


def register(app: typer.Typer) -> None:
    app.add_typer(group, name="recall")


@group.command("open")
def open_case(
    title: Annotated[str, typer.Option(help="What a shopper reads first.")],
    hazard: Annotated[str, typer.Option(help="What can happen to somebody.")],
    hazard_class: Annotated[
        int, typer.Option("--class", min=1, max=3, help="1 serious, 2 temporary, 3 unlikely harm.")
    ],
    code: Codes = None,
    lot: Lots = None,
    whole_lot: WholeLot = False,
    start: Annotated[str | None, typer.Option("--from", help="With --place: everything that was there from …")] = None,
    end: Annotated[str | None, typer.Option("--to", help="… to this instant.")] = None,
    place: Annotated[str | None, typer.Option(help="GLN of the place.")] = None,
    line: Annotated[str | None, typer.Option(help="Production line.")] = None,
    team: Annotated[str | None, typer.Option(help="Everything that this team made.")] = None,
    operator: Annotated[str | None, typer.Option(help="Everything that this operator made.")] = None,
    equipment: Annotated[str | None, typer.Option(help="Everything that was made on this equipment.")] = None,
    parameter: Annotated[
        str | None, typer.Option(help="Everything made with a parameter out of limits: 'held_s < 15'.")
    ] = None,
    supplier: Annotated[
        list[str] | None, typer.Option(help="Every lot from this party: its GLN or URI (repeat).")
    ] = None,
    parts: Annotated[
        Path | None, typer.Option(help="JSON file of parts: include, exclude (with reasons), by any, all, but.")
    ] = None,
    kind: Annotated[PublicKind, typer.Option(help="recall or withdrawal.")] = PublicKind.RECALL,
    depth: Annotated[Depth, typer.Option(help="How far down the case reaches.")] = Depth.CONSUMER,
    remedy: Annotated[Remedy, typer.Option(help="What an owner shall do with the goods.")] = Remedy.RETURN,
    action: Annotated[
        list[str] | None, typer.Option(help="What to do (repeat, at most 4); without it, the standard steps.")
    ] = None,
    texts: Annotated[Path | None, typer.Option(help="JSON by language: title, hazard, actions, remedies.")] = None,
    phone: Annotated[str | None, typer.Option(help="Whom the public may call.")] = None,
    deadline: Annotated[str | None, typer.Option(help="Until when owners shall have acted: 2026-12-31.")] = None,
    profile: Annotated[
        str, typer.Option(help="The law it is under, such as eu-gpsr or cn-food/2015; kept with the case.")
    ] = "",
    include_possible: Annotated[
        bool, typer.Option("--include-possible", help="Take in lots that are reached only when clocks are doubted.")
    ] = False,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Open a case as a draft. Nothing is public yet."""
    facts = {"line": line, "team": team, "operator": operator, "equipment": equipment, "parameter": parameter}
    is_operation = any((team, operator, equipment, parameter))
    operations = (recall_scope.operation_of({**facts, "place": place}, start, end),) if is_operation else ()
    draft = CaseDraft(
        suppliers=tuple(SupplierDraft(party) for party in supplier or ()),
        operations=operations,
        **recall_scope.parts_of(parts),
        kind=Kind(kind.value),
        title=title,
        hazard=hazard,
        hazard_class=hazard_class,
        codes=tuple(code or ()),
        lots=tuple(read_lot(text) for text in lot or ()),
        whole_lot=whole_lot,
        windows=() if is_operation else read_window(start, end, place, line),
        include_possible=include_possible,
        texts=read_texts(texts) or ({"en": Text(title, hazard, tuple(action))} if action else {}),
        contact={"phone": phone} if phone else {},
        depth=depth,
        remedy=remedy,
        deadline_on=None if deadline is None else read_date(deadline),
        profile=profile,
    )
    case = verb(
        data_dir, lambda conn, keys: casework.open_case(conn, draft, by=acting(by), clock=system_clock, keys=keys)
    )
    show(
        {"case": case.number, "state": case.state},
        as_json=as_json,
        text=f"{case.number} is open as a draft\nnext: tracemark recall preview {case.number}",
    )


@group.command()
def preview(case: Case, data_dir: DataDir = None, as_json: Json = False) -> None:
    """What the case reaches, by product, channel and owner. Changes nothing."""
    first = None if as_json else print_first
    found = verb(data_dir, lambda conn, keys: casework.preview(conn, case, clock=system_clock, first=first))
    if as_json:
        show(found, as_json=True)
    else:
        print_rest(found)


@group.command()
def submit(case: Case, by: By = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Hand a draft over for approval."""
    _step(casework.submit, case, by, data_dir, as_json)


@group.command()
def approve(case: Case, by: By = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Approve a case; it takes another person than the one who opened it."""
    _step(casework.approve, case, by, data_dir, as_json)


@group.command()
def publish(
    case: Case,
    override: Annotated[
        str | None, typer.Option("--override-wording", help="Publish in spite of wording faults; the reason is kept.")
    ] = None,
    alone_because: Annotated[
        str | None, typer.Option(help="In an emergency: publish without approval; a second person reviews it after.")
    ] = None,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Make the case public: from now on every scan says so, and the notice lists stand."""
    told: dict[str, Any] = {"by": acting(by), "clock": system_clock, "override_wording": override}
    if alone_because is None:
        done = verb(data_dir, lambda conn, keys: casework.publish(conn, case, keys=keys, **told))
    else:
        told["reason"] = alone_because
        done = verb(data_dir, lambda conn, keys: urgent.publish_alone(conn, case, keys=keys, **told))
    show(
        done,
        as_json=as_json,
        text=f"{case} version {done.version} is published\n"
        f"next: tracemark recall notices {case} --format xlsx --out notices",
    )


@group.command()
def notices(
    case: Case,
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    format: Annotated[list[NoticeFormat], typer.Option(help="xlsx, csv, pdf, json (repeat).")],  # noqa: A002 - the contract's name
    version: Annotated[int | None, typer.Option(help="Of the case; without it, the latest.")] = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Write the notice list, grouped by channel and owner, with the responsible person."""
    forms = tuple(item.value for item in format)
    paths = verb(data_dir, lambda conn, keys: documents.write_notices(conn, case, forms, out, version=version))
    show({"case": case, "files": paths}, as_json=as_json, text="\n".join(map(str, paths)))


@group.command()
def widen(
    case: Case,
    reason: Reason,
    code: Codes = None,
    lot: Lots = None,
    whole_lot: WholeLot = False,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Add to the scope of a case; a published one gets a new version."""
    lots = tuple(read_lot(text) for text in lot or ())
    done = verb(
        data_dir,
        lambda conn, keys: casework.widen(
            conn,
            case,
            codes=tuple(code or ()),
            lots=lots,
            whole_lot=whole_lot,
            reason=reason,
            by=acting(by),
            clock=system_clock,
            keys=keys,
        ),
    )
    show(done, as_json=as_json, text=f"{case} is widened: {reason}")


@group.command()
def narrow(
    case: Case,
    reason: Reason,
    code: Codes = None,
    lot: Lots = None,
    approved_by: Annotated[str, typer.Option("--approved-by", help="The second person: this sets goods free.")] = "",
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Take out of the scope of a case what is proved not to be affected."""
    lots = tuple(read_lot(text) for text in lot or ())
    done = verb(
        data_dir,
        lambda conn, keys: casework.narrow(
            conn,
            case,
            codes=tuple(code or ()),
            lots=lots,
            reason=reason,
            by=acting(by),
            approved_by=approved_by,
            clock=system_clock,
            keys=keys,
        ),
    )
    show(done, as_json=as_json, text=f"{case} is narrowed: {reason}")


@group.command()
def close(
    case: Case,
    reason: Reason,
    override: Annotated[
        str | None, typer.Option(help="Close without reconciliation or findings; the reason is kept.")
    ] = None,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """End the work on a case, once it is reconciled and its findings stand. What it named stays recalled."""
    _step(casework.close, case, by, data_dir, as_json, reason=reason, override=override)


@group.command()
def cancel(
    case: Case,
    reason: Reason,
    public_reason: PublicReason = None,
    approved_by: Annotated[str, typer.Option("--approved-by", help="The second person, for a published case.")] = "",
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Take a case back: it was opened in error. A published one takes two people, because it sets goods free."""
    told: dict[str, Any] = {"reason": reason, "public_reason": public_reason, "by": acting(by), "clock": system_clock}
    told["approved_by"] = approved_by
    verb(data_dir, lambda conn, keys: casework.cancel(conn, case, keys=keys, **told))
    show({"case": case, "state": "cancelled"}, as_json=as_json, text=f"{case} is cancelled: {reason}")


@group.command("list")
def list_cases(data_dir: DataDir = None, as_json: Json = False) -> None:
    """Cases, newest first."""
    cases = verb(data_dir, lambda conn, keys: store.list_cases(conn))
    if as_json:
        show(cases, as_json=True)
    else:
        table(
            ["case", "kind", "state", "version", "title", "after-review"],
            [(c.number, c.kind, c.state, c.version, c.title, _review(c.review_due_at)) for c in cases],
        )


def _review(due_at: datetime | None) -> str:
    if due_at is None:
        return ""
    return f"{'OVERDUE since' if system_clock() > due_at else 'due'} {rfc3339(due_at)}"


def _step(
    work: Callable[..., Awaitable[Any]], case: str, by: str | None, data_dir: Path | None, as_json: bool, **more: Any
) -> None:
    found = verb(data_dir, lambda conn, keys: work(conn, case, by=acting(by), clock=system_clock, **more))
    show(
        {"case": found.number, "state": found.state},
        as_json=as_json,
        text=f"{found.number} is {found.state.replace('_', ' ')}",
    )


for _part in (recall_delivery, recall_drill, recall_work, recall_documents, recall_scope):
    _part.register(group)
