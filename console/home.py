"""The home: cases, label jobs and products, the newest first, each list a page at a time."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from access.model import Act
from access.permissions import require
from console.desk import Visit
from labels import job_lists
from ledger import lists
from recall import store as recall_store
from recall.due import due_by_number

ROWS: Final = 20


async def show_home(visit: Visit) -> Response:
    require(visit.actor, Act.VIEW)
    cases = await recall_store.list_cases(visit.conn, limit=ROWS + 1, before=_after(visit, "cases"))
    due = await due_by_number(visit.conn, [case.number for case in cases[:ROWS]], clock=visit.desk.clock)
    jobs = await job_lists.list_jobs(visit.conn, limit=ROWS + 1, before=_after(visit, "jobs"))
    products = await lists.list_products(visit.conn, limit=ROWS + 1, after=_after(visit, "products"))
    return visit.page(
        "home.html",
        cases=cases[:ROWS],
        due=due,
        may_handle=visit.actor.may(Act.HANDLE_REPORTS),
        cases_next=cases[ROWS - 1].case_id if len(cases) > ROWS else None,
        jobs=jobs[:ROWS],
        jobs_next=jobs[ROWS - 1].job_id if len(jobs) > ROWS else None,
        products=products[:ROWS],
        products_next=products[ROWS - 1].product_id if len(products) > ROWS else None,
        is_paged=bool(visit.request.query_params.keys() & {"cases", "jobs", "products"}),
    )


def _after(visit: Visit, name: str) -> int | None:
    """The key after which a list goes on; what is not one of ours begins at the start."""
    text = visit.request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None
