"""A label job: what became of its labels, and the files that were made of it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from starlette.responses import FileResponse, Response

from access import audit
from access.model import Act
from access.permissions import require
from console.desk import Visit
from labels import job_lists
from labels.job_lists import JobNotFound, OutputLine
from runtime.database import transaction
from runtime.refusals import NotFound

_MEDIA_BY_FORMAT: Final = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "codes": "text/csv; charset=utf-8",
    "zpl": "application/octet-stream",
    "png": "application/zip",
    "svg": "application/zip",
}


class FileNotFoundHere(NotFound):
    """The file {name} is not on this machine any more. Make it again: tracemark labels render {job_id}"""


async def show_job(visit: Visit) -> Response:
    require(visit.actor, Act.VIEW)
    job = await job_lists.find_job(visit.conn, _number(visit, "job_id"))
    outputs = await job_lists.outputs_of(visit.conn, job.job_id)
    files = [(output, Path(output.path).name) for output in outputs]
    return visit.page("label_job.html", job=job, files=files)


async def download_file(visit: Visit) -> Response:
    """A file with codes in it: for those who may order labels. Whoever has such a file can print the labels again."""
    require(visit.actor, Act.ORDER_LABELS)
    job_id, output_id = _number(visit, "job_id"), _number(visit, "output_id")
    outputs = await job_lists.outputs_of(visit.conn, job_id)
    output = next((output for output in outputs if output.output_id == output_id), None)
    if output is None:
        raise JobNotFound(job_id=f"{job_id} with file {output_id}")
    path = Path(output.path)
    if not path.is_file():
        raise FileNotFoundHere(name=path.name, job_id=job_id)
    async with transaction(visit.conn):
        details = {"file": path.name, "sha256": output.sha256}
        await audit.note(
            visit.conn, visit.actor.name, "labels.download", f"label job {job_id}", details, visit.desk.clock
        )
    headers = {"Cache-Control": "no-store"}
    return FileResponse(path, 200, headers, _media(output, path), filename=path.name)


def _media(output: OutputLine, path: Path) -> str:
    if path.suffix in (".zip", ".json"):
        return "application/zip" if path.suffix == ".zip" else "application/json"
    return _MEDIA_BY_FORMAT.get(output.format, "application/octet-stream")


def _number(visit: Visit, name: str) -> int:
    text = visit.request.path_params[name]
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise JobNotFound(job_id=text[:40])
    return int(text)
