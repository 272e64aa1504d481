"""``/v1/labels/jobs/{job_id}/renders`` and ``files``: labels made by a worker, watched, and handed over once."""

from __future__ import annotations

from base64 import b64encode
from typing import Final

from starlette.exceptions import HTTPException
from starlette.responses import Response, StreamingResponse

from access.model import Act
from api import label_models
from api.bodies import answer, read_one
from api.label_jobs import job_of
from api.operations import JSON, Call, Operation, Parameter
from labels import handing_over, progress, rendering
from labels.layout import Feed
from labels.refusals import RenderNotFound

_MEDIA: Final = {
    ".pdf": "application/pdf",
    ".zpl": "application/octet-stream",
    ".zip": "application/zip",
    ".csv": "text/csv; charset=utf-8",
    ".json": "application/json",
}
_JOB: Final = Parameter("job_id", "number of the job", where="path", required=True)


async def make_labels(call: Call) -> Response:
    """Ask a worker to make a job's labels. Asked again while they are not made, it is the same rendering."""
    told = read_one(label_models.LabelRenderOrder, call.body)
    job_id = job_of(call)
    folder = rendering.files_folder(call.world.settings.data_dir)
    if told.pack is not None:
        asked = await rendering.ask_pack(
            call.conn, job_id, told.pack.order(), folder, by=call.by, clock=call.clock,
            master_secret=call.world.master_secret.get_secret_value(),
        )  # fmt: skip
    else:
        feed = Feed(told.start_cell, told.right_mm, told.down_mm)
        asked = await rendering.ask_worker(
            call.conn, job_id, told.format, folder, in_parts=told.parts, feed=feed, by=call.by, clock=call.clock
        )
    now = await progress.progress_of_one(call.conn, job_id, asked.render_id, clock=call.clock)
    where = {"Location": f"/v1/labels/jobs/{job_id}/progress"}
    return answer(label_models.LabelRendering.model_validate(now), 202, where)


async def cancel_rendering(call: Call) -> Response:
    """Stop a rendering after the part at hand; what was made of it is thrown away."""
    job_id, render_id = job_of(call), _render_of(call)
    await rendering.cancel(call.conn, job_id, render_id, by=call.by, clock=call.clock)
    now = await progress.progress_of_one(call.conn, job_id, render_id, clock=call.clock)
    return answer(label_models.LabelRendering.model_validate(now))


async def resolve_part(call: Call) -> Response:
    """A person's word about a file that was fetched: only after it may its labels be fetched again."""
    told, job_id, render_id = read_one(label_models.PartResolved, call.body), job_of(call), _render_of(call)
    await handing_over.resolve(
        call.conn, render_id, told.part, told.word, told.reason, by=call.by, clock=call.clock,
        keys=await call.keys(), job_id=job_id,
    )  # fmt: skip
    now = await progress.progress_of_one(call.conn, job_id, render_id, clock=call.clock)
    return answer(label_models.LabelRendering.model_validate(now))


def _render_of(call: Call) -> int:
    text = call.request.path_params["render_id"]
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise RenderNotFound(job_id=job_of(call), render_id=text[:40])
    return int(text)


async def show_progress(call: Call) -> Response:
    """How far the renderings of a job are; small enough to be asked for every second."""
    job_id = job_of(call)
    found = await progress.progress_of(call.conn, job_id, clock=call.clock)
    renderings = [label_models.LabelRendering.model_validate(each) for each in found]
    return answer(label_models.LabelProgress(job_id=job_id, renderings=renderings))


async def fetch_file(call: Call) -> Response:
    """A released file, once: whoever has it can print its labels. A person says when it may be fetched again."""
    if call.request.method == "HEAD":
        raise HTTPException(405, "A file of labels is fetched once, by GET; its size and hash stand beside the job.")
    job_id, name = job_of(call), call.request.path_params["name"]
    folder = rendering.files_folder(call.world.settings.data_dir)
    given = await handing_over.give(call.conn, job_id, name, folder, by=call.by, clock=call.clock)
    headers = {"Cache-Control": "no-store"}
    if given.sha256 is not None:
        headers["Repr-Digest"] = f"sha-256=:{b64encode(bytes.fromhex(given.sha256)).decode('ascii')}:"
    headers["Content-Length"] = str(given.path.stat().st_size)
    headers["Content-Disposition"] = f'attachment; filename="{given.path.name}"'
    media_type = _MEDIA.get(given.path.suffix, "application/octet-stream")
    body = handing_over.sent(call.world.engine, job_id, given, by=call.by, clock=call.clock)
    return StreamingResponse(body, headers=headers, media_type=media_type)


OPERATIONS: Final = (
    Operation(
        "POST",
        "/v1/labels/jobs/{job_id}/renders",
        make_labels,
        "Have a job's labels made",
        (Act.ORDER_LABELS,),
        status=202,
        answers=label_models.LabelRendering,
        takes={JSON: label_models.LabelRenderOrder},
        parameters=(_JOB,),
        refuses=(400, 404, 409, 413),
        repeatable=True,
    ),
    Operation(
        "DELETE",
        "/v1/labels/jobs/{job_id}/renders/{render_id}",
        cancel_rendering,
        "Cancel a rendering",
        (Act.ORDER_LABELS,),
        answers=label_models.LabelRendering,
        parameters=(_JOB, Parameter("render_id", "number of the rendering", where="path", required=True)),
        refuses=(404, 409),
    ),
    Operation(
        "POST",
        "/v1/labels/jobs/{job_id}/renders/{render_id}/resolutions",
        resolve_part,
        "Say what became of a file that was fetched",
        (Act.ORDER_LABELS,),
        answers=label_models.LabelRendering,
        takes={JSON: label_models.PartResolved},
        parameters=(_JOB, Parameter("render_id", "number of the rendering", where="path", required=True)),
        refuses=(400, 404, 409),
    ),
    Operation(
        "GET",
        "/v1/labels/jobs/{job_id}/progress",
        show_progress,
        "Watch a job's labels being made",
        (Act.VIEW,),
        answers=label_models.LabelProgress,
        parameters=(_JOB,),
        refuses=(404,),
    ),
    Operation(
        "GET",
        "/v1/labels/jobs/{job_id}/files/{name}",
        fetch_file,
        "Fetch a file of labels, once",
        (Act.ORDER_LABELS,),
        answer_media="application/octet-stream",
        parameters=(_JOB, Parameter("name", "name of the file, as progress tells it", where="path", required=True)),
        refuses=(404, 409),
    ),
)
