"""The label screens that change something: order, commission, void, replace, hand over; and the check on the line."""

from __future__ import annotations

import asyncio
import secrets
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from starlette.responses import Response

from access.model import Act
from access.permissions import require
from console.desk import Visit, see, text_of
from console.fields import Numbers
from console.label_jobs import JOBS, job_number
from labels import applied, customer_serials, deliveries, job_lists, life, line_check, ordering, preview, template_shelf
from labels.compiled import cells_folder
from labels.photo import code_on
from runtime.refusals import TooMany

PREVIEWS_MAX: Final = 2
"""Pictures that are composed at a time in one process: each costs a second and a hundred MiB."""
_COME_AGAIN_S: Final = 3


class TooManyPreviews(TooMany):
    """Too many labels are being drawn at this moment. Wait {retry_after_s} seconds and try again."""


async def show_order(visit: Visit) -> Response:
    """The form of an order; with a product, a picture of its label."""
    require(visit.actor, Act.ORDER_LABELS)
    query = visit.request.query_params
    wanted = {name: query.get(name, "")[:60] for name in ("gtin", "lot", "template")}
    picture = f"{JOBS}/preview?{urlencode({name: value for name, value in wanted.items() if value})}"
    templates = await template_shelf.list_templates(visit.conn)
    looked = "look" in query
    return visit.page(
        "label_order.html",
        templates=templates,
        wanted=wanted,
        picture=picture if looked else None,
        order_key=secrets.token_hex(16),
    )


async def take_order(visit: Visit) -> Response:
    """Draw serials, or take those of the file that the customer brought."""
    require(visit.actor, Act.ORDER_LABELS)
    form, settings, fields = visit.form, visit.desk.settings, Numbers(visit.form)
    brought = await fields.file("serials")
    asked: dict[str, Any] = {
        "gtin": text_of(form, "gtin").strip(), "lot": text_of(form, "lot").strip(),
        "template": text_of(form, "template").strip() or None, "best_before_on": fields.day("best_before"),
        "lot_in_link": text_of(form, "lot_in_link") == "yes", "base_url": settings.base_url, "by": visit.actor.name,
        "clock": visit.desk.clock, "labels_max": settings.labels_max,
    }  # fmt: skip
    if brought is not None:
        data, name = brought
        job = await customer_serials.order_brought(visit.conn, data=data, name=name, keys=await visit.keys(), **asked)
        return see(f"{JOBS}/{job.job_id}?done=ordered")
    job = await ordering.order(
        visit.conn, count=fields.whole("count") or 0, **asked,
        master_secret=visit.desk.master_secret.get_secret_value(),
        # the form's own key: a button that is pressed twice orders once
        idempotency_key=f"{visit.actor.name} {text_of(form, 'order_key')[:80]}",
    )  # fmt: skip
    return see(f"{JOBS}/{job.job_id}?done=ordered")


class PreviewDoor:
    """Lets PREVIEWS_MAX pictures be composed at a time in this process."""

    def __init__(self) -> None:
        self._composing = 0

    async def show(self, visit: Visit) -> Response:
        """One label as PNG; TooManyPreviews when others are being drawn."""
        require(visit.actor, Act.ORDER_LABELS)
        if self._composing >= PREVIEWS_MAX:
            raise TooManyPreviews(retry_after_s=_COME_AGAIN_S)
        self._composing += 1
        try:
            query = visit.request.query_params
            shown = await preview.preview(
                visit.conn, template=query.get("template"), gtin=query.get("gtin"), lot=query.get("lot"),
                language="zh" if query.get("lang") == "zh" else "en", base_url=visit.desk.settings.base_url,
                cells_folder=cells_folder(visit.desk.settings.data_dir),
            )  # fmt: skip
        finally:
            self._composing -= 1
        return Response(shown.png, 200, {"Cache-Control": "no-store"}, "image/png")


async def take_commission(visit: Visit) -> Response:
    require(visit.actor, Act.COMMISSION)
    job_id, keys = job_number(visit), await visit.keys()
    by, clock = visit.actor.name, visit.desk.clock
    seen = await Numbers(visit.form).file("applied")
    first_code, last_code = text_of(visit.form, "first_code").strip(), text_of(visit.form, "last_code").strip()
    if seen is not None:
        data, name = seen
        await applied.commission_file(visit.conn, job_id, data, name, by=by, clock=clock, keys=keys)
    elif first_code or last_code:
        await applied.commission_codes(visit.conn, job_id, first_code, last_code, by=by, clock=clock, keys=keys)
    else:
        first, last = (Numbers(visit.form).whole(field) for field in ("first", "last"))
        await life.commission(visit.conn, job_id, first, last, by=by, clock=clock, keys=keys)
    return see(f"{JOBS}/{job_id}?done=commissioned")


async def take_void(visit: Visit) -> Response:
    require(visit.actor, Act.COMMISSION)
    job_id, reason, fields = job_number(visit), text_of(visit.form, "reason"), Numbers(visit.form)
    await life.void(
        visit.conn, job_id, fields.whole("first") or 0, fields.whole("last") or 0, reason, by=visit.actor.name,
        clock=visit.desk.clock, keys=await visit.keys(),
    )  # fmt: skip
    return see(f"{JOBS}/{job_id}?done=void")


async def take_reprint(visit: Visit) -> Response:
    require(visit.actor, Act.ORDER_LABELS)
    new = await life.reprint(
        visit.conn, job_number(visit), text_of(visit.form, "serial").strip(), text_of(visit.form, "reason"),
        by=visit.actor.name, clock=visit.desk.clock, master_secret=visit.desk.master_secret.get_secret_value(),
    )  # fmt: skip
    return see(f"{JOBS}/{new.job_id}?done=reprinted")


async def take_delivery(visit: Visit) -> Response:
    require(visit.actor, Act.ORDER_LABELS)
    job_id, to, receipt = job_number(visit), text_of(visit.form, "to"), text_of(visit.form, "receipt")
    await deliveries.deliver(visit.conn, job_id, to=to, receipt=receipt, by=visit.actor.name, clock=visit.desk.clock)
    return see(f"{JOBS}/{job_id}?done=delivered")


class LineForm(NamedTuple):
    """What a line check goes on with: the job, as text, and the run of the line."""

    job: str
    session: str


async def show_line_check(visit: Visit) -> Response:
    require(visit.actor, Act.COMMISSION)
    query = visit.request.query_params
    return visit.page("line_check.html", line=LineForm(query.get("job", "")[:18], ""), found=None)


async def take_line_check(visit: Visit) -> Response:
    """One scan or photo, and the same form again: a handheld scanner types into it and presses Enter."""
    require(visit.actor, Act.COMMISSION)
    line = LineForm(text_of(visit.form, "job").strip()[:18], text_of(visit.form, "session")[:200])
    job = await job_lists.find_job(visit.conn, Numbers(visit.form).whole("job") or 0)
    photo = await Numbers(visit.form).file("photo")
    code = text_of(visit.form, "code") if photo is None else await asyncio.to_thread(code_on, photo[0])
    found = await line_check.check_label(
        visit.conn, code, job_id=job.job_id, session=line.session, by=visit.actor.name,
        clock=visit.desk.clock, keys=await visit.keys(),
    )  # fmt: skip
    return visit.page("line_check.html", line=line, found=found)
