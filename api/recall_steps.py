"""``/v1/recalls/{number}/…``: widening, narrowing, why something is affected, proposals, and the review afterwards.

What sets goods free takes two people with keys of their own: the first one proposes, the second one accepts.
"""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from access.model import Act
from access.permissions import require_second_person
from api import models, recall_models
from api.bodies import QueryNotUsable, answer, read_one
from api.operations import Call, Operation, Parameter
from api.recalls import number_of, of_case, starts_of, texts_of
from recall import casework, explaining, proposals, proposals_store, store, urgent
from recall.proposals_store import Proposal, Sort

_CODE: Final = Parameter("code", "of an item, a lot, a logistic unit or a product", required=True)
_PROPOSAL: Final = Parameter("proposal", "its number", where="path", schema={"type": "integer"}, required=True)


async def widen_case(call: Call) -> Response:
    """Add to a published case; the next version is public at once."""
    told = read_one(recall_models.Widening, call.body)
    done = await casework.widen(
        call.conn, number_of(call), **starts_of(told), whole_lot=told.whole_lot, reason=told.reason, by=call.by,
        clock=call.clock, keys=await call.keys(),
    )  # fmt: skip
    return answer(done)


async def update_case(call: Call) -> Response:
    """Publish the next version, worked out anew: who holds the goods now, and these texts when they are given."""
    told = read_one(recall_models.Updating, call.body) if call.body else recall_models.Updating()
    done = await casework.update_texts(
        call.conn, number_of(call), texts_of(told) or None, by=call.by, clock=call.clock, keys=await call.keys(),
        override_wording=told.override_wording,
    )  # fmt: skip
    return answer(done)


async def narrow_case(call: Call) -> Response:
    """Propose to take something out of a published case; a second person accepts it."""
    told = read_one(recall_models.Narrowing, call.body)
    made = await proposals.propose_narrowing(
        call.conn, number_of(call), codes=tuple(told.codes), lots=tuple((lot.gtin, lot.lot) for lot in told.lots),
        ranges=tuple((codes.first, codes.last) for codes in told.ranges), reason=told.reason, by=call.by,
        clock=call.clock, keys=await call.keys(),
    )  # fmt: skip
    return answer(made, 202)


async def explain_code(call: Call) -> Response:
    """Why things are affected, or which fact keeps them out; one entry for each lot that a code names.

    ``code`` may be given many times.
    """
    codes = [code.strip() for code in call.request.query_params.getlist("code") if code.strip()]
    if not codes:
        raise QueryNotUsable(name="code", problem="it is missing")
    return answer(await explaining.explain_all(call.conn, number_of(call), codes, keys=await call.keys()))


async def list_proposals(call: Call) -> Response:
    """What late facts or a first person propose, and what became of it."""
    return answer({"items": await proposals.of_case(call.conn, number_of(call))})


async def accept_proposal(call: Call) -> Response:
    """Do what is proposed; what sets goods free, as the second person."""
    proposal = await _proposal(call)
    case = await store.find_case(call.conn, number_of(call))
    if proposal.kind is not Sort.LATE_FACTS:
        await require_second_person(call.conn, call.actor, first=proposal.made_by)
    elif proposal.content["lots_removed_count"]:
        await _not_the_publisher(call, case.case_id, case.version)
    done = await proposals.accept(
        call.conn, case.number, proposal.proposal_id, by=call.by, clock=call.clock, keys=await call.keys()
    )
    return answer(done)


async def dismiss_proposal(call: Call) -> Response:
    """Do not do what is proposed; what was held for late facts is then free, which takes a second person."""
    proposal = await _proposal(call)
    reason = read_one(models.Reason, call.body).reason
    case = await store.find_case(call.conn, number_of(call))
    if proposal.kind is Sort.LATE_FACTS:
        await _not_the_publisher(call, case.case_id, case.version)
    return answer(
        await proposals.dismiss(
            call.conn, case.number, proposal.proposal_id, reason=reason, by=call.by, clock=call.clock
        )
    )


async def review_case(call: Call) -> Response:
    """Say, as a second person, what is to be said of a case that one person published."""
    case = await store.find_case(call.conn, number_of(call))
    review = await proposals_store.after_review(call.conn, case.case_id)
    if review is not None:
        await require_second_person(call.conn, call.actor, first=review.published_by)
    finding = read_one(recall_models.Finding, call.body).finding
    await urgent.review_afterwards(call.conn, case.number, finding=finding, by=call.by, clock=call.clock)
    return answer(await proposals_store.after_review(call.conn, case.case_id))


async def _proposal(call: Call) -> Proposal:
    told = str(call.request.path_params["proposal"])
    if not (told.isascii() and told.isdecimal() and len(told) <= 15):
        raise QueryNotUsable(name="proposal", problem=f"{told[:20]!r} is not a number")
    case = await store.find_case(call.conn, number_of(call))
    return await proposals_store.find(call.conn, case.case_id, int(told), case.number)


async def _not_the_publisher(call: Call, case_id: int, version: int) -> None:
    await require_second_person(
        call.conn, call.actor, first=await proposals_store.publisher(call.conn, case_id, version)
    )


OPERATIONS: Final[tuple[Operation, ...]] = (
    of_case("POST", "/widen", widen_case, "Add to a published case", Act.PUBLISH_RECALL, takes=recall_models.Widening),
    of_case(
        "POST", "/update", update_case, "Publish the next version, worked out anew", Act.PUBLISH_RECALL,
        takes=recall_models.Updating,
    ),
    of_case(
        "POST", "/narrow", narrow_case, "Propose to take something out of a published case", Act.PUBLISH_RECALL,
        takes=recall_models.Narrowing, status=202,
    ),
    of_case(
        "GET", "/explain", explain_code, "Why a thing is affected, or which fact keeps it out", Act.VIEW,
        parameters=(_CODE,),
    ),
    of_case("GET", "/deltas", list_proposals, "What late facts or a first person propose", Act.VIEW),
    of_case(
        "POST", "/deltas/{proposal}/accept", accept_proposal, "Do what is proposed", Act.PUBLISH_RECALL,
        parameters=(_PROPOSAL,),
    ),
    of_case(
        "POST", "/deltas/{proposal}/dismiss", dismiss_proposal, "Do not do what is proposed", Act.PUBLISH_RECALL,
        takes=models.Reason, parameters=(_PROPOSAL,),
    ),
    of_case(
        "POST", "/after-review", review_case, "Review a case that one person published", Act.APPROVE_RECALL,
        takes=recall_models.Finding,
    ),
)  # fmt: skip
