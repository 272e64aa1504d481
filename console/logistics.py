"""Cases and pallets: their SSCCs are ordered, their labels printed, and the units put on record."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final, get_args

from starlette.responses import Response

from access.model import Act
from access.permissions import require
from console.desk import HOME, Visit, language_of, see, text_of
from console.fields import FieldNotUsable, Numbers
from labels import logistics
from labels.logistics_page import COPIES_MAX, Paper
from labels.logistics_zpl import PRINTER_DPI
from labels.refusals import LogisticsJobNotFound

UNITS: Final = f"{HOME}/logistics"
PDF: Final = "pdf"
_PRINTERS: Final = (PDF, *map(str, PRINTER_DPI))
"""For any printer, or for a label printer of so many dots per inch."""
_COPIES: Final = tuple(map(str, range(1, COPIES_MAX + 1)))
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
        printers=_PRINTERS,
        copies=_COPIES,
        may_order=visit.actor.may(Act.ORDER_LABELS),
        may_commission=visit.actor.may(Act.COMMISSION),
        done=done if done in _DONE else None,
    )


async def download_labels(visit: Visit) -> Response:
    """The labels with what the ledger knows to be inside at this moment, in the visitor's language: as PDF, or with the
    dots of a label printer as its print file."""
    require(visit.actor, Act.ORDER_LABELS)
    paper: Paper = next(each for each in get_args(Paper) if each == _choice(visit, "paper", get_args(Paper)))
    copies = int(_choice(visit, "copies", _COPIES))
    printer = _choice(visit, "printer", _PRINTERS)
    name = f"units-{_number(visit)}.{'pdf' if printer == PDF else 'zpl'}"
    with tempfile.TemporaryDirectory(prefix="units-") as folder:
        out = Path(folder) / name
        await logistics.render(
            visit.conn, _number(visit), out, paper=paper, copies=copies, by=visit.actor.name, clock=visit.desk.clock,
            language="zh" if language_of(visit.request) == "zh" else "en",
            zpl_dpi=None if printer == PDF else int(printer),
        )  # fmt: skip
        headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
        media_type = "application/pdf" if printer == PDF else "application/octet-stream"
        return Response(out.read_bytes(), 200, headers, media_type)


def _choice(visit: Visit, field: str, choices: Sequence[str]) -> str:
    """What was chosen of a list, the first of it where nothing was; FieldNotUsable for anything else."""
    chosen = visit.request.query_params.get(field, choices[0])
    if chosen not in choices:
        raise FieldNotUsable(field=field, value=chosen[:40], wanted="one of the choices")
    return chosen


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
