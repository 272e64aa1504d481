"""Parties, and whose name shoppers may read in a history."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response
from starlette.routing import Route

from access.model import Act
from access.permissions import require
from console.desk import HOME, Desk, Visit, see, signed_in, text_of
from ledger import lists
from shoppers import names

PARTIES: Final = f"{HOME}/parties"
ROWS: Final = 50


async def show_parties(visit: Visit) -> Response:
    """Parties in the order in which they came on record, a page at a time."""
    require(visit.actor, Act.VIEW)
    asked = visit.request.query_params.get("after", "")
    after = int(asked) if asked.isascii() and asked.isdecimal() and len(asked) <= 18 else None
    found = await lists.list_parties(visit.conn, after=after, limit=ROWS + 1)
    following = found[ROWS - 1].party_id if len(found) > ROWS else None
    may, done = visit.actor.may(Act.MANAGE_LINKS), visit.request.query_params.get("done") == "saved"
    return visit.page("parties.html", parties=found[:ROWS], following=following, may=may, done=done)


async def put_name(visit: Visit) -> Response:
    """Let shoppers read a name, or no longer."""
    is_public = text_of(visit.form, "public") == "yes"
    party = text_of(visit.form, "party")
    await names.show_name(visit.conn, party, is_public=is_public, by=visit.actor, clock=visit.desk.clock)
    return see(f"{PARTIES}?done=saved")


def routes(desk: Desk) -> list[Route]:
    """The screen and its form."""
    return [
        Route(PARTIES, signed_in(desk, show_parties), methods=["GET"]),
        Route(PARTIES, signed_in(desk, put_name), methods=["POST"]),
    ]
