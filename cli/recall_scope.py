"""``tracemark recall``: why something is affected, late facts and other proposals, and the review afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.case_verbs import Case, verb
from cli.dates import read_instant
from cli.given import bytes_of
from cli.installation import acting
from cli.output import By, DataDir, Json, say, show
from ledger.codes import KeyRing
from recall import casework, deltas, explaining, proposals, urgent
from recall.explaining import Explanation
from recall.model import ExclusionDraft, OperationDraft
from recall.proposals_store import Proposal
from runtime.clock import system_clock
from runtime.refusals import Invalid

Number = Annotated[int, typer.Argument(help="Number of the proposal.")]


class PartsUnreadable(Invalid):
    """{path} does not hold the parts of a scope: {problem}."""


def register(group: typer.Typer) -> None:
    for work in (explain, update, accept, dismiss, after_review):
        group.command(work.__name__.replace("_", "-"))(work)
    group.command("deltas")(list_deltas)


def explain(
    case: Case,
    codes: Annotated[list[str], typer.Argument(metavar="CODE...", help="Of items, lots, logistic units or products.")],
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Why a thing is affected by the case, or which fact keeps it out. Changes nothing."""
    found = verb(data_dir, lambda conn, keys: explaining.explain_all(conn, case, codes, keys=keys))
    if as_json:
        show(found, as_json=True)
    else:
        for told in found:
            _print(told)


def list_deltas(case: Case, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Compare a published case with the ledger now, and list what is proposed."""

    async def compared(conn: AsyncConnection, _keys: KeyRing) -> tuple[Proposal, ...]:
        await deltas.compare(conn, case, clock=system_clock)
        return await proposals.of_case(conn, case)

    found = verb(data_dir, compared)
    lines = [f"{p.proposal_id} {p.kind} ({p.state}), by {p.made_by}: {p.reason} {_told(p)}" for p in found]
    show(found, as_json=as_json, text="\n".join(lines) or f"{case}: nothing is proposed")


def update(
    case: Case,
    override_wording: Annotated[
        str | None, typer.Option(help="Why it is published although the wording check finds something; kept.")
    ] = None,
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Publish the next version of a case, worked out anew: who holds the goods now. Its texts stay as they are."""
    done = verb(
        data_dir,
        lambda conn, keys: casework.update_texts(
            conn, case, None, by=acting(by), clock=system_clock, keys=keys, override_wording=override_wording
        ),
    )
    show(done, as_json=as_json, text=f"{case}: version {done.version}, {done.items:,} items of {done.owners:,} owners")


def accept(case: Case, proposal: Number, by: By = None, data_dir: DataDir = None, as_json: Json = False) -> None:
    """Do what is proposed; what sets goods free, as the second person."""
    done = verb(
        data_dir,
        lambda conn, keys: proposals.accept(conn, case, proposal, by=acting(by), clock=system_clock, keys=keys),
    )
    show(done, as_json=as_json, text=f"{case}: proposal {proposal} is accepted")


def dismiss(
    case: Case,
    proposal: Number,
    reason: Annotated[str, typer.Option(help="Why; kept.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Do not do what is proposed. What was held for late facts is then free, which takes a second person."""
    done = verb(
        data_dir,
        lambda conn, _keys: proposals.dismiss(conn, case, proposal, reason=reason, by=acting(by), clock=system_clock),
    )
    show(done, as_json=as_json, text=f"{case}: proposal {proposal} is dismissed: {reason}")


def after_review(
    case: Case,
    finding: Annotated[str, typer.Option(help="What was found; kept.")],
    by: By = None,
    data_dir: DataDir = None,
    as_json: Json = False,
) -> None:
    """Review, as a second person, a case that one person published in an emergency."""
    verb(
        data_dir,
        lambda conn, _keys: urgent.review_afterwards(conn, case, finding=finding, by=acting(by), clock=system_clock),
    )
    show({"case": case, "finding": finding}, as_json=as_json, text=f"{case} is reviewed: {finding}")


def parts_of(path: Path | None) -> dict[str, Any]:
    """``include`` and ``exclude`` of a file of parts, as a draft takes them; raises ``PartsUnreadable``."""
    if path is None:
        return {}
    try:
        told = orjson.loads(bytes_of(path))
        exclude = tuple(ExclusionDraft(x["part"], str(x["reason"])) for x in told.get("exclude", ()))
        return {"parts": tuple(told["include"]), "exclude": exclude}
    except orjson.JSONDecodeError as error:
        raise PartsUnreadable(path=path, problem=error) from error
    except (KeyError, TypeError, AttributeError) as error:
        problem = 'expected {"include": [part, …], "exclude": [{"part": …, "reason": …}]}'
        raise PartsUnreadable(path=path, problem=problem) from error


def operation_of(facts: dict[str, str | None], start: str | None, end: str | None) -> OperationDraft:
    """The facts of an operation as a draft; instants as typed."""
    return OperationDraft(
        **facts,
        from_at=None if start is None else read_instant(start),
        until_at=None if end is None else read_instant(end),
    )


def _print(told: Explanation) -> None:
    say(f"lot {told.lot} of {told.gtin}: {told.standing.replace('_', ' ')}: {told.why}")
    for fact in told.path:
        at = fact.at.isoformat() if fact.at else "?"
        where = " ".join(filter(None, (fact.place, fact.line)))
        say(f"  event {fact.event_id}, {at}, {where}: {fact.from_lot[1]} went into {fact.to_lot[1]}")
    for gtin, lot in told.inputs:
        say(f"  was made of lot {lot} of {gtin}")
    if told.inputs_left_out:
        say(f"  and of {told.inputs_left_out} more")


def _told(proposal: Proposal) -> str:
    content = proposal.content
    if "lots_added_count" not in content:
        return ""
    return (
        f"(+{content['lots_added_count']} lots, {content['items_added']} items; "
        f"-{content['lots_removed_count']} lots, {content['items_removed']} items)"
    )
