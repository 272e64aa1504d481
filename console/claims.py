"""The remedies that shoppers asked for because of a recall, and the answers they get."""

from __future__ import annotations

from starlette.responses import Response
from starlette.routing import Route

from access.model import Act
from access.permissions import require
from console.desk import HOME, Desk, Visit, see, signed_in, text_of
from console.fields import Numbers
from shoppers import claims


async def show_claims(visit: Visit) -> Response:
    """Claims, the newest first; of one state when the address says so."""
    require(visit.actor, Act.HANDLE_REPORTS)
    asked = visit.request.query_params
    state = asked.get("state") if asked.get("state") in ("received", *claims.STATES) else None
    before = asked.get("before", "")
    last = int(before) if before.isascii() and before.isdecimal() and len(before) <= 18 else None
    found = await claims.listed(visit.conn, state=state, before=last)
    following = found[-1].claim_id if len(found) == claims.PAGE else None
    return visit.page(
        "claims.html", claims=found, state=state, states=("received", *claims.STATES), following=following,
        puts=claims.STATES, characters_max=claims.ANSWER_CHARACTERS_MAX, done=asked.get("done") == "saved",
    )  # fmt: skip


async def put_claim(visit: Visit) -> Response:
    """Put a claim into a state, with the answer that its shopper reads."""
    claim_id = Numbers(visit.form).whole("claim") or 0
    state, answer = text_of(visit.form, "state"), text_of(visit.form, "answer")
    await claims.put(visit.conn, claim_id, state, answer=answer, by=visit.actor, clock=visit.desk.clock)
    return see(f"{HOME}/claims?done=saved")


async def show_photo(visit: Visit) -> Response:
    """The photo that came with a claim."""
    require(visit.actor, Act.HANDLE_REPORTS)
    number = visit.request.path_params["claim"]
    claim_id = int(number) if number.isascii() and number.isdecimal() and len(number) <= 18 else 0
    content = await claims.photo(visit.conn, claim_id)
    return Response(content, headers={"Cache-Control": "no-store"}, media_type="image/jpeg")


def routes(desk: Desk) -> list[Route]:
    """The screen, its form, and the photos."""
    at = f"{HOME}/claims"
    return [
        Route(at, signed_in(desk, show_claims), methods=["GET"]),
        Route(at, signed_in(desk, put_claim), methods=["POST"]),
        Route(f"{at}/{{claim}}/photo", signed_in(desk, show_photo), methods=["GET"]),
    ]
