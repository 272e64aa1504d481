"""``/v1/trace``: everything the ledger knows around one code."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from access.model import Act
from api.bodies import QueryNotUsable, answer, boolean
from api.operations import Call, Operation, Parameter
from gs1 import scan_data
from ledger.trace import trace


async def show_trace(call: Call) -> Response:
    """Upstream, the same lot, downstream, where it is now and whose, and what the record leaves open."""
    query = call.request.query_params
    code = query.get("code")
    if not code:
        raise QueryNotUsable(
            name="code", problem="it is missing: a Digital Link, an element string, a GTIN/lot or an SSCC"
        )
    found = await trace(
        call.conn,
        scan_data.read(code),
        await call.keys(),
        up=boolean("up", query.get("up"), default=True),
        down=boolean("down", query.get("down"), default=True),
        clock=call.clock,
    )
    return answer(found)


OPERATIONS: Final = (
    Operation(
        "GET",
        "/v1/trace",
        show_trace,
        "Trace a code upstream and downstream",
        (Act.VIEW,),
        parameters=(
            Parameter("code", "Digital Link, element string, GTIN/lot/serial, SSCC; percent-encoded", required=True),
            Parameter("up", "what it came from", schema={"type": "boolean", "default": True}),
            Parameter("down", "what came from it, and where that is", schema={"type": "boolean", "default": True}),
        ),
        refuses=(400, 404, 413),
    ),
)
