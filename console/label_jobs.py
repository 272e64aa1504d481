"""A label job: what became of its labels, how far its files are, and handing them over."""

from __future__ import annotations

from pathlib import Path
from typing import Final, get_args

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from access.model import Act
from access.permissions import require
from console.desk import HOME, Visit, see, text_of
from console.fields import FieldNotUsable, Numbers
from labels import deliveries, handing_over, job_lists, progress, rendering
from labels.job_lists import JobNotFound
from labels.layout import Feed
from labels.refusals import RenderNotFound

JOBS: Final = f"{HOME}/label-jobs"
_MEDIA_BY_SUFFIX: Final = {
    ".pdf": "application/pdf",
    ".csv": "text/csv; charset=utf-8",
    ".zpl": "application/octet-stream",
    ".zip": "application/zip",
    ".json": "application/json",
}
FORMATS: Final = ("pdf", "zpl", "png", "svg", "codes")
DONE: Final = (
    "ordered", "asked", "cancelled", "commissioned", "void", "reprinted", "delivered", "resolved", "pack_whole",
    "pack_foreign",
)  # fmt: skip
"""What was done a moment ago, as the page says it."""
LOOK_AGAIN_S: Final = 2
"""While something is being made, the page asks for itself again after so many seconds."""


async def show_job(visit: Visit) -> Response:
    require(visit.actor, Act.VIEW)
    job = await job_lists.find_job(visit.conn, job_number(visit))
    outputs = await job_lists.outputs_of(visit.conn, job.job_id)
    renderings = await progress.progress_of(visit.conn, job.job_id, clock=visit.desk.clock)
    done = visit.request.query_params.get("done")
    folder = rendering.files_folder(visit.desk.settings.data_dir).absolute()
    busy = any(each.state in ("asked", "making") for each in renderings)
    return visit.page(
        "label_job.html",
        job=job,
        files=[(output, Path(output.path).name) for output in outputs],
        renderings=renderings,
        # What a command made elsewhere lies where its operator put it: it cannot be fetched here.
        fetchable={Path(output.path).name for output in outputs if Path(output.path).is_relative_to(folder)},
        look_again_s=LOOK_AGAIN_S if busy else None,
        formats=FORMATS,
        given_out=[each.render_id for each in renderings if {"delivered", "unknown"} & set(each.parts)],
        words=get_args(handing_over.Word),
        deliveries=await deliveries.deliveries_of(visit.conn, job.job_id),
        may_order=visit.actor.may(Act.ORDER_LABELS),
        may_commission=visit.actor.may(Act.COMMISSION),
        done=done if done in DONE else None,
    )


async def take_render(visit: Visit) -> Response:
    """Ask a worker to make the labels; the page shows how far they are."""
    require(visit.actor, Act.ORDER_LABELS)
    form, job_id = Numbers(visit.form), job_number(visit)
    feed = Feed(form.whole("start_cell") or 1, form.millimetres("right_mm"), form.millimetres("down_mm"))
    await rendering.ask_worker(
        visit.conn, job_id, text_of(visit.form, "format"), rendering.files_folder(visit.desk.settings.data_dir),
        in_parts=text_of(visit.form, "parts") == "yes", feed=feed, by=visit.actor.name, clock=visit.desk.clock,
    )  # fmt: skip
    return see(f"{JOBS}/{job_id}?done=asked")


async def take_cancel(visit: Visit) -> Response:
    """Stop a rendering after the part at hand."""
    require(visit.actor, Act.ORDER_LABELS)
    job_id, render_id = job_number(visit), Numbers(visit.form).whole("rendering")
    if render_id is None:
        raise RenderNotFound(job_id=job_id, render_id="")
    await rendering.cancel(visit.conn, job_id, render_id, by=visit.actor.name, clock=visit.desk.clock)
    return see(f"{JOBS}/{job_id}?done=cancelled")


async def take_resolution(visit: Visit) -> Response:
    """A person's word about a file that was fetched: only after it may its labels be fetched again."""
    require(visit.actor, Act.ORDER_LABELS)
    form, job_id = Numbers(visit.form), job_number(visit)
    render_id, word = form.whole("rendering"), text_of(visit.form, "word")
    if render_id is None:
        raise RenderNotFound(job_id=job_id, render_id="")
    said: handing_over.Word | None = next((each for each in get_args(handing_over.Word) if each == word), None)
    if said is None:
        raise FieldNotUsable(field="word", value=word[:40], wanted="one of the choices")
    await handing_over.resolve(
        visit.conn, render_id, form.whole("part") or 1, said, text_of(visit.form, "reason"), by=visit.actor.name,
        clock=visit.desk.clock, keys=await visit.keys(), job_id=job_id,
    )  # fmt: skip
    return see(f"{JOBS}/{job_id}?done=resolved")


async def download_file(visit: Visit) -> Response:
    """A file that a worker made, once: whoever has it can print its labels. For those who may order labels."""
    require(visit.actor, Act.ORDER_LABELS)
    if visit.request.method == "HEAD":
        raise HTTPException(405, "A file of labels is fetched once, by GET.")
    job_id, desk = job_number(visit), visit.desk
    folder = rendering.files_folder(desk.settings.data_dir)
    name, by = visit.request.path_params["name"], visit.actor.name
    given = await handing_over.give(visit.conn, job_id, name, folder, by=by, clock=desk.clock)
    headers = {
        "Cache-Control": "no-store",
        "Content-Length": str(given.path.stat().st_size),
        "Content-Disposition": f'attachment; filename="{given.path.name}"',
    }
    media_type = _MEDIA_BY_SUFFIX.get(given.path.suffix, "application/octet-stream")
    body = handing_over.sent(desk.engine, job_id, given, by=by, clock=desk.clock)
    return StreamingResponse(body, 200, headers, media_type)


def job_number(visit: Visit) -> int:
    """The job that the path names; raises ``JobNotFound`` for what is no number."""
    text = visit.request.path_params["job_id"]
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise JobNotFound(job_id=text[:40])
    return int(text)
