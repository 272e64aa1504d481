"""Changing a case: adding to it, proposing to take something out or to cancel it, and its steps backwards."""

from __future__ import annotations

from typing import Any, Final

from starlette.responses import Response
from starlette.routing import Route

from access.model import Act
from access.permissions import require
from console.case_form import lines_of, lot_of
from console.cases import NotConfirmed
from console.desk import HOME, Desk, Visit, case_number, see, signed_in, text_of
from recall import casework, lifecycle, proposals, store
from recall.lifecycle import Step
from recall.refusals import StepNotPossible

ACT_BY_STEP: Final = {
    Step.UPDATE: Act.PUBLISH_RECALL,
    Step.WIDEN: Act.PUBLISH_RECALL,
    Step.NARROW: Act.PUBLISH_RECALL,
    Step.CANCEL: Act.PUBLISH_RECALL,
    Step.SEND_BACK: Act.APPROVE_RECALL,
    Step.START_CLOSING: Act.PUBLISH_RECALL,
    Step.REOPEN: Act.PUBLISH_RECALL,
}
"""The steps of this screen, in its order, and the right that each takes."""


async def show_changes(visit: Visit) -> Response:
    """The forms of those steps that the case's state allows and its visitor may take."""
    require(visit.actor, Act.VIEW)
    case = await store.find_case(visit.conn, case_number(visit))
    possible = lifecycle.possible_steps(case.state, case.kind)
    steps = [step.value for step, act in ACT_BY_STEP.items() if step in possible and visit.actor.may(act)]
    done = visit.request.query_params.get("done", "")
    return visit.page("case_changes.html", case=case, steps=steps, done=done in ACT_BY_STEP and done)


async def take_change(visit: Visit) -> Response:
    """Take the step, or propose it where it sets goods free and a second person has to agree."""
    number, told = case_number(visit), visit.request.path_params["step"]
    step = next((step for step in ACT_BY_STEP if step.value == told), None)
    if step is None:
        case = await store.find_case(visit.conn, number)
        raise StepNotPossible(step=str(told)[:20], state=case.state.value, possible=", ".join(ACT_BY_STEP))
    require(visit.actor, ACT_BY_STEP[step])
    await _take(visit, number, step)
    return see(f"{HOME}/cases/{number}/change?done={step.value}")


async def _take(visit: Visit, number: str, step: Step) -> None:
    told: dict[str, Any] = {"by": visit.actor.name, "clock": visit.desk.clock}
    reason = text_of(visit.form, "reason").strip()
    if step in (Step.UPDATE, Step.WIDEN) and text_of(visit.form, "confirmed") != "yes":
        raise NotConfirmed
    if step is Step.UPDATE:
        await casework.update_texts(
            visit.conn, number, None, override_wording=reason or None, keys=await visit.keys(), **told
        )
    elif step is Step.WIDEN:
        whole = text_of(visit.form, "whole_lot") == "yes"
        await casework.widen(
            visit.conn, number, **_named(visit), whole_lot=whole, reason=reason or None, keys=await visit.keys(), **told
        )
    elif step is Step.NARROW:
        await proposals.propose_narrowing(
            visit.conn, number, **_named(visit), reason=reason, keys=await visit.keys(), **told
        )
    elif step is Step.CANCEL:
        await _cancel(visit, number, reason, told)
    elif step is Step.SEND_BACK:
        await casework.send_back(visit.conn, number, reason=reason, **told)
    elif step is Step.REOPEN:
        await casework.reopen(visit.conn, number, reason=reason, **told)
    else:
        await casework.start_closing(visit.conn, number, **told)


async def _cancel(visit: Visit, number: str, reason: str, told: dict[str, Any]) -> None:
    """A case that nobody saw is cancelled at once; a published one sets goods free and waits for a second person."""
    public_reason = text_of(visit.form, "public_reason").strip() or None
    case = await store.find_case(visit.conn, number)
    await visit.conn.rollback()
    if case.version and not case.is_drill:
        await proposals.propose_cancelling(visit.conn, number, reason=reason, public_reason=public_reason, **told)
    else:
        await casework.cancel(visit.conn, number, reason=reason, keys=await visit.keys(), **told)


def _named(visit: Visit) -> dict[str, Any]:
    return {
        "codes": lines_of(visit.form, "codes"),
        "lots": tuple(lot_of(line) for line in lines_of(visit.form, "lots")),
    }


def routes(desk: Desk) -> list[Route]:
    """The screen and its forms."""
    at = f"{HOME}/cases/{{number}}/change"
    return [
        Route(at, signed_in(desk, show_changes), methods=["GET"]),
        Route(f"{at}/{{step}}", signed_in(desk, take_change), methods=["POST"]),
    ]
