"""``/v1/recalls/…/board`` and what owners answer by key; the page behind a notice's link is in ``answers``."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from access.model import Act
from api import answer_models as models
from api import paging
from api.answers import draft_of
from api.bodies import answer, read_one
from api.operations import JSON, Call, Operation, Parameter
from recall import acknowledgements, board, delivery, reconciliation
from recall.deliveries_store import PAGE_MAX

_NUMBER: Final = Parameter("number", "of the case, such as R-2026-0001", where="path", required=True)


async def show_board(call: Call) -> Response:
    """Whom the notice reached, who answered, what was found."""
    return answer(await board.board(call.conn, _number(call), clock=call.clock))


async def list_deliveries(call: Call) -> Response:
    """The notices that went out or wait, in the order of their numbers."""
    limit = min(paging.limit_of(call.request), PAGE_MAX)
    after = paging.number_of(call.request) or 0
    found = await delivery.list_deliveries(call.conn, _number(call), after=after, limit=limit)
    lines = [models.DeliveryLine.model_validate(each) for each in found]
    return paging.page(call.request, lines, limit, found[-1].delivery_id if found else None)


async def take_answer(call: Call) -> Response:
    """The answer of a recipient, as a partner's system or a person at the telephone tells it."""
    told = read_one(models.Acknowledgement, call.body)
    taken = await acknowledgements.answer_for(
        call.conn, told.case_number, told.recipient, draft_of(told), via="api", by=call.by, clock=call.clock
    )
    return answer(taken, 201)


async def take_bounce(call: Call) -> Response:
    """A letter that came back, as a mail provider tells it."""
    told = read_one(models.Bounce, call.body)
    done = await delivery.bounce(
        call.conn, reason=told.reason, delivery_id=told.delivery, address=told.address, by=call.by, clock=call.clock
    )
    return answer(models.DeliveryLine.model_validate(done))


async def reconcile(call: Call) -> Response:
    """Write down the account of the goods."""
    return answer(await reconciliation.reconcile(call.conn, _number(call), by=call.by, clock=call.clock))


def _number(call: Call) -> str:
    number: str = call.request.path_params["number"]
    return number if number.isprintable() else "?"


OPERATIONS: Final = (
    Operation(
        "GET", "/v1/recalls/{number}/board", show_board, "The board of a case", (Act.VIEW,), parameters=(_NUMBER,),
        refuses=(400, 404, 409),
    ),
    Operation(
        "GET", "/v1/recalls/{number}/deliveries", list_deliveries, "The notices that went out or wait", (Act.VIEW,),
        answers=models.DeliveryPage, parameters=(_NUMBER, *paging.PARAMETERS), refuses=(400, 404, 409),
    ),
    Operation(
        "POST", "/v1/recalls/{number}/reconcile", reconcile, "Write down the account of the goods",
        (Act.PUBLISH_RECALL,), parameters=(_NUMBER,), refuses=(400, 404, 409),
    ),
    Operation(
        "POST", "/v1/acknowledgements", take_answer, "The answer of a recipient", (Act.AUTHOR_RECALL,), status=201,
        takes={JSON: models.Acknowledgement}, refuses=(400, 404, 409, 413),
    ),
    Operation(
        "POST", "/v1/bounces", take_bounce, "A letter that came back", (Act.AUTHOR_RECALL,),
        answers=models.DeliveryLine, takes={JSON: models.Bounce}, refuses=(400, 404, 409, 413),
    ),
)  # fmt: skip
