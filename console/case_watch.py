"""A case after its publication: why a thing is affected, what waits for a person, and the review afterwards."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from access.model import Act
from access.permissions import require, require_second_person
from console.desk import HOME, Desk, Visit, case_number, language_of, see, signed_in, text_of
from console.scope_words import said
from console.wording import say
from recall import explaining, lifecycle, proposals, proposals_store, store, urgent
from recall.lifecycle import Step
from recall.model import Case
from recall.proposals_store import Proposal, Sort
from recall.scope import line_of_json
from runtime.refusals import NotFound


class NoSuchDecision(NotFound):
    """There is no such decision about a proposal."""


async def watched(visit: Visit, case: Case) -> dict[str, Any]:
    """What the page of a case shows beside its reach; ``explained`` only when a code is asked about."""
    asked = visit.request.query_params.get("code", "").splitlines()
    codes = [line.strip() for line in asked if line.strip()]
    review = await proposals_store.after_review(visit.conn, case.case_id)
    frozen = await store.frozen_set(visit.conn, case) if case.version else None
    shared = frozen and await proposals_store.overlapping(visit.conn, case.case_id, frozen.affected_set_id)
    waiting = await proposals_store.proposals(visit.conn, case.case_id, open_only=True)
    await visit.conn.rollback()
    steps = lifecycle.possible_steps(case.state, case.kind)
    return {
        "code": "\n".join(codes),
        "explained": await explaining.explain_all(visit.conn, case.number, codes, keys=await visit.keys())
        if codes
        else (),
        "taken_out": _taken_out(case, language_of(visit.request)),
        "review": review,
        "overdue": review is not None and review.is_overdue(visit.desk.clock()),
        "shared": shared or (),
        "waiting": waiting,
        "lines_by_proposal": {each.proposal_id: _lines(each, language_of(visit.request)) for each in waiting},
        "may_decide": visit.actor.may(Act.PUBLISH_RECALL),
        "may_publish_alone": visit.actor.may(Act.PUBLISH_RECALL) and Step.PUBLISH_ALONE in steps,
        "may_review": visit.actor.may(Act.APPROVE_RECALL),
    }


def _taken_out(case: Case, language: str) -> dict[str, str]:
    """What the room says of each exclusion, and the same in the language of the page; the reason as it was written."""
    return {
        explaining.taken_out(each): say(
            language, "because_taken_out", what=said(each.line, language), by=each.by, reason=each.reason
        )
        for each in case.scope.exclude
    }


def _lines(proposal: Proposal, language: str) -> list[str]:
    """What a proposal to narrow would take out, as a person would say it."""
    return [said(line_of_json(line), language) for line in proposal.content.get("lines", ())]


async def decide(visit: Visit) -> Response:
    """Accept or dismiss a proposal; what sets goods free, as the second person."""
    require(visit.actor, Act.PUBLISH_RECALL)
    number, told = case_number(visit), visit.request.path_params
    case = await store.find_case(visit.conn, number)
    proposal = await proposals_store.find(visit.conn, case.case_id, told["proposal"], number)
    if proposal.kind is not Sort.LATE_FACTS:
        await require_second_person(visit.conn, visit.actor, first=proposal.made_by)
    elif told["decision"] == "dismiss" or proposal.content["lots_removed_count"]:
        first = await proposals_store.publisher(visit.conn, case.case_id, case.version)
        await require_second_person(visit.conn, visit.actor, first=first)
    await visit.conn.rollback()
    step: dict[str, Any] = {"by": visit.actor.name, "clock": visit.desk.clock}
    if told["decision"] == "accept":
        await proposals.accept(visit.conn, number, proposal.proposal_id, keys=await visit.keys(), **step)
    elif told["decision"] == "dismiss":
        reason = text_of(visit.form, "reason")
        await proposals.dismiss(visit.conn, number, proposal.proposal_id, reason=reason, **step)
    else:
        raise NoSuchDecision
    return see(f"{HOME}/cases/{number}")


async def publish_alone(visit: Visit) -> Response:
    """The emergency path, with its reason."""
    require(visit.actor, Act.PUBLISH_RECALL)
    number = case_number(visit)
    await urgent.publish_alone(
        visit.conn, number, reason=text_of(visit.form, "reason"), by=visit.actor.name, clock=visit.desk.clock,
        keys=await visit.keys(), override_wording=text_of(visit.form, "override_wording").strip() or None,
    )  # fmt: skip
    return see(f"{HOME}/cases/{number}?done=publish")


async def review_afterwards(visit: Visit) -> Response:
    """Take what a second person found."""
    require(visit.actor, Act.APPROVE_RECALL)
    number = case_number(visit)
    await urgent.review_afterwards(
        visit.conn, number, finding=text_of(visit.form, "finding"), by=visit.actor.name, clock=visit.desk.clock
    )
    return see(f"{HOME}/cases/{number}")


def routes(desk: Desk) -> list[Route]:
    """The addresses of these forms."""
    at = f"{HOME}/cases/{{number}}"
    return [
        Route(f"{at}/proposals/{{proposal:int}}/{{decision}}", signed_in(desk, decide), methods=["POST"]),
        Route(f"{at}/publish-alone", signed_in(desk, publish_alone), methods=["POST"]),
        Route(f"{at}/after-review", signed_in(desk, review_afterwards), methods=["POST"]),
    ]
