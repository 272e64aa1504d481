"""Whether a case had its effect: checks of a sample, the account of its goods, what was found out, and its end."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from access.model import Act
from access.permissions import require
from console.desk import HOME, Desk, Visit, case_number, see, signed_in, text_of
from console.fields import FieldNotUsable
from recall import casework, effectiveness, lifecycle, reconciliation, responses_store, store
from recall.effectiveness import PERCENT_BY_LEVEL, Result
from recall.lifecycle import Step

SAMPLED_SHOWN: Final = 100
"""Recipients of a sample on one page; the next page goes on."""
OWNERS_SHOWN: Final = 100
FINDINGS: Final = ("disposition", "root_cause", "corrective_action")
FIGURES: Final = ("affected", "on_hand", "quarantined", "returned", "destroyed", "corrected", "not_found", "unknown")


async def show_checks(visit: Visit) -> Response:
    """The checks of a case with their figures, and the form of a new one."""
    require(visit.actor, Act.VIEW)
    case = await store.find_case(visit.conn, case_number(visit))
    figures = await effectiveness.figures(visit.conn, case.case_id)
    may = visit.actor.may(Act.AUTHOR_RECALL) and case.version > 0
    return visit.page("checks.html", case=case, checks=figures, levels=PERCENT_BY_LEVEL, may=may)


async def start_check(visit: Visit) -> Response:
    """Draw the sample."""
    require(visit.actor, Act.AUTHOR_RECALL)
    number, percent = case_number(visit), text_of(visit.form, "percent").strip()
    try:
        share = Decimal(percent) if percent else None
    except InvalidOperation:
        raise FieldNotUsable(field="percent", value=percent[:40], wanted="a whole number") from None
    check_id = await effectiveness.start_check(
        visit.conn, number, text_of(visit.form, "level"), percent=share, by=visit.actor.name, clock=visit.desk.clock,
        seed=text_of(visit.form, "seed").strip() or None,
    )  # fmt: skip
    return see(f"{HOME}/recalls/{number}/checks/{check_id}")


async def show_check(visit: Visit) -> Response:
    """A sample, ``SAMPLED_SHOWN`` at a time, each with its contact and its result."""
    require(visit.actor, Act.VIEW)
    number, check_id = case_number(visit), visit.request.path_params["check"]
    check, sample = await effectiveness.show_check(visit.conn, number, check_id)
    told = visit.request.query_params.get("after", "")
    after = int(told) if told.isascii() and told.isdecimal() and len(told) <= 9 else 0
    shown = sample[after : after + SAMPLED_SHOWN]
    more = after + SAMPLED_SHOWN if len(sample) > after + SAMPLED_SHOWN else None
    return visit.page(
        "check.html", number_of=number, check=check, sample=shown, sampled=len(sample), more=more, after=after,
        asked=sum(each.notified is not None for each in sample), may=visit.actor.may(Act.AUTHOR_RECALL),
    )  # fmt: skip


async def take_results(visit: Visit) -> Response:
    """Write down the results that were filled in; who was not asked yet is left alone."""
    require(visit.actor, Act.AUTHOR_RECALL)
    number, check_id = case_number(visit), visit.request.path_params["check"]
    results = [
        Result(int(told), notified=outcome != "unreached", followed=outcome == "followed", note=_note(visit, told))
        for field in visit.form
        if (told := field.removeprefix("outcome")) != field and told.isascii() and told.isdecimal() and len(told) <= 18
        if (outcome := text_of(visit.form, field)) in ("followed", "notified", "unreached")
    ]
    await effectiveness.record_results(
        visit.conn, number, check_id, results, by=visit.actor.name, clock=visit.desk.clock
    )
    return see(f"{HOME}/recalls/{number}/checks/{check_id}")


async def show_account(visit: Visit) -> Response:
    """The account of the goods as it is now, the last one that was written down, and what closing still needs."""
    require(visit.actor, Act.VIEW)
    case = await store.find_case(visit.conn, case_number(visit))
    account = await reconciliation.account(visit.conn, case)
    may_close = Step.CLOSE in lifecycle.possible_steps(case.state, case.kind) or case.state.value == "published"
    return visit.page(
        "account.html", case=case, account=account, figures=FIGURES, owners_shown=OWNERS_SHOWN, findings=FINDINGS,
        written=await responses_store.last_reconciliation(visit.conn, case.case_id),
        followup=await responses_store.followup(visit.conn, case.case_id),
        may=visit.actor.may(Act.AUTHOR_RECALL), may_close=may_close and visit.actor.may(Act.PUBLISH_RECALL),
    )  # fmt: skip


async def write_account(visit: Visit) -> Response:
    require(visit.actor, Act.AUTHOR_RECALL)
    await reconciliation.reconcile(visit.conn, case_number(visit), **_told(visit))
    return see(f"{HOME}/recalls/{case_number(visit)}/account")


async def write_findings(visit: Visit) -> Response:
    require(visit.actor, Act.AUTHOR_RECALL)
    findings: dict[str, Any] = {name: text_of(visit.form, name) for name in FINDINGS}
    await reconciliation.describe_closing(visit.conn, case_number(visit), **findings, **_told(visit))
    return see(f"{HOME}/recalls/{case_number(visit)}/account")


async def close_case(visit: Visit) -> Response:
    require(visit.actor, Act.PUBLISH_RECALL)
    override = text_of(visit.form, "override").strip() or None
    reason = text_of(visit.form, "reason")
    await casework.close(visit.conn, case_number(visit), reason=reason, override=override, **_told(visit))
    return see(f"{HOME}/cases/{case_number(visit)}")


def _told(visit: Visit) -> dict[str, Any]:
    return {"by": visit.actor.name, "clock": visit.desk.clock}


def _note(visit: Visit, recipient: str) -> str:
    return text_of(visit.form, f"note{recipient}").strip()


def routes(desk: Desk) -> list[Route]:
    """The screens and their forms."""
    at = f"{HOME}/recalls/{{number}}"
    shown = {"checks": show_checks, "checks/{check:int}": show_check, "account": show_account}
    done = {
        "checks": start_check,
        "checks/{check:int}": take_results,
        "account": write_account,
        "account/findings": write_findings,
        "account/close": close_case,
    }
    return [
        *(Route(f"{at}/{path}", signed_in(desk, work), methods=["GET"]) for path, work in shown.items()),
        *(Route(f"{at}/{path}", signed_in(desk, work), methods=["POST"]) for path, work in done.items()),
    ]
