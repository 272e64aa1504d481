"""Cases and pallets: their SSCCs are ordered, their labels printed, and the units put on record."""

from __future__ import annotations

import secrets
import tempfile
from pathlib import Path
from typing import Final, get_args

from starlette.responses import Response

from access.model import Act
from access.permissions import require
from console.desk import HOME, Visit, language_of, see, text_of
from console.fields import FieldNotUsable, Numbers
from labels import logistics
from labels.logistics_page import Paper
from labels.refusals import LogisticsJobNotFound

UNITS: Final = f"{HOME}/logistics"
_DONE: Final = ("units_ordered", "units_commissioned")


async def show_jobs(visit: Visit) -> Response:
    """The newest jobs, and the form of an order."""
    require(visit.actor, Act.VIEW)
    jobs = await logistics.list_jobs(visit.conn)
    return visit.page(
        "logistics.html",
        jobs=[(job, logistics.ssccs(job)[0]) for job in jobs],
        kinds=logistics.KINDS,
        may_order=visit.actor.may(Act.ORDER_LABELS),
        order_key=secrets.token_hex(16),
    )


async def take_order(visit: Visit) -> Response:
    require(visit.actor, Act.ORDER_LABELS)
    settings, fields = visit.desk.settings, Numbers(visit.form)
    job = await logistics.order(
        visit.conn, kind=text_of(visit.form, "kind"), count=fields.whole("count") or 0,
        company_prefix=text_of(visit.form, "company_prefix").strip() or settings.company_prefix,
        base_url=settings.base_url, by=visit.actor.name, clock=visit.desk.clock,
        # the form's own key: a button that is pressed twice orders once
        idempotency_key=f"{visit.actor.name} {text_of(visit.form, 'order_key')[:80]}",
    )  # fmt: skip
    return see(f"{UNITS}/{job.logistics_job_id}?done=units_ordered")


async def show_job(visit: Visit) -> Response:
    """The SSCCs of a job, and what can be done with them."""
    require(visit.actor, Act.VIEW)
    job = await logistics.find_job(visit.conn, _number(visit))
    done = visit.request.query_params.get("done")
    return visit.page(
        "logistics_job.html",
        job=job,
        ssccs=logistics.ssccs(job),
        papers=get_args(Paper),
        may_order=visit.actor.may(Act.ORDER_LABELS),
        may_commission=visit.actor.may(Act.COMMISSION),
        done=done if done in _DONE else None,
    )


async def download_labels(visit: Visit) -> Response:
    """The labels as PDF, with what the ledger knows to be inside at this moment, in the visitor's language."""
    require(visit.actor, Act.ORDER_LABELS)
    query = visit.request.query_params
    paper: Paper | None = next((each for each in get_args(Paper) if each == query.get("paper")), None)
    copies = query.get("copies", "1")
    if paper is None or copies not in ("1", "2", "3", "4"):
        raise FieldNotUsable(
            field="paper", value=f"{query.get('paper', '')} {copies}"[:40], wanted="one of the choices"
        )
    job_id = _number(visit)
    with tempfile.TemporaryDirectory(prefix="units-") as folder:
        out = Path(folder) / "labels.pdf"
        await logistics.render(
            visit.conn, job_id, out, paper=paper, copies=int(copies),
            language="zh" if language_of(visit.request) == "zh" else "en", by=visit.actor.name, clock=visit.desk.clock,
        )  # fmt: skip
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": f'attachment; filename="units-{job_id}.pdf"',
        }
        return Response(out.read_bytes(), 200, headers, "application/pdf")


async def take_commission(visit: Visit) -> Response:
    require(visit.actor, Act.COMMISSION)
    job_id, place = _number(visit), text_of(visit.form, "place").strip()
    await logistics.commission(
        visit.conn, job_id, place=place or None, by=visit.actor.name, clock=visit.desk.clock, keys=await visit.keys()
    )
    return see(f"{UNITS}/{job_id}?done=units_commissioned")


def _number(visit: Visit) -> int:
    text = visit.request.path_params["job_id"]
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise LogisticsJobNotFound(job_id=text[:40])
    return int(text)
