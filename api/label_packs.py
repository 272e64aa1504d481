"""``/v1/labels/jobs/{job_id}/packs`` and the sheets of logistic labels: files that are made while the caller waits."""

from __future__ import annotations

import tempfile
from base64 import b64encode
from pathlib import Path
from typing import Final, get_args

from starlette.responses import Response

from access.model import Act
from api import label_work_models as m
from api.bodies import QueryNotUsable, read_one
from api.label_jobs import job_of
from api.operations import JSON, Call, Operation, Parameter
from labels import logistics, sealed_packs
from labels.logistics_page import COPIES_MAX, Paper
from labels.logistics_zpl import PRINTER_DPI
from labels.model import Language

_LANGUAGES: Final[dict[str, Language]] = {"en": "en", "zh": "zh"}


async def make_pack(call: Call) -> Response:
    """The codes of a job for a print house, with a signed manifest: a ZIP archive sealed with the password given."""
    told = read_one(m.PackOrder, call.body)
    made = await sealed_packs.sealed_pack(
        call.conn, job_of(call), told.order(), by=call.by, clock=call.clock, keys=await call.keys(),
        master_secret=call.world.master_secret.get_secret_value(),
    )  # fmt: skip
    return _file(made.archive, made.pack.path.name, "application/zip", sha256=made.pack.sha256)


async def show_logistic_labels(call: Call) -> Response:
    """The labels of cases or pallets as PDF, or for a label printer, with what the ledger knows to be inside now."""
    query = call.request.query_params
    paper: Paper | None = next((each for each in get_args(Paper) if each == query.get("paper", "100x150")), None)
    language = _LANGUAGES.get(query.get("language", "en"))
    copies = query.get("copies", "1")
    if paper is None:
        raise QueryNotUsable(name="paper", problem=f"it is none of {', '.join(get_args(Paper))}")
    if language is None:
        raise QueryNotUsable(name="language", problem="it is neither en nor zh")
    if copies not in {str(number) for number in range(1, COPIES_MAX + 1)}:
        raise QueryNotUsable(name="copies", problem=f"it is not a number from 1 to {COPIES_MAX}")
    file_format, dpi = query.get("format", "pdf"), query.get("dpi", str(PRINTER_DPI[0]))
    if file_format not in ("pdf", "zpl"):
        raise QueryNotUsable(name="format", problem="it is neither pdf nor zpl")
    if dpi not in {str(each) for each in PRINTER_DPI}:
        raise QueryNotUsable(name="dpi", problem=f"it is none of {', '.join(map(str, PRINTER_DPI))}")
    job_id = job_of(call)
    with tempfile.TemporaryDirectory(prefix="units-") as folder:
        out = Path(folder) / f"units-{job_id}.{file_format}"
        await logistics.render(
            call.conn, job_id, out, paper=paper, copies=int(copies), language=language,
            zpl_dpi=int(dpi) if file_format == "zpl" else None, by=call.by, clock=call.clock,
        )  # fmt: skip
        media_type = "application/pdf" if file_format == "pdf" else "application/octet-stream"
        return _file(out.read_bytes(), out.name, media_type)


def _file(content: bytes, name: str, media_type: str, *, sha256: str | None = None) -> Response:
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}"'}
    if sha256 is not None:
        headers["Repr-Digest"] = f"sha-256=:{b64encode(bytes.fromhex(sha256)).decode('ascii')}:"
    return Response(content, 200, headers, media_type)


OPERATIONS: Final = (
    Operation(
        "POST", "/v1/labels/jobs/{job_id}/packs", make_pack, "Have a sealed pack of codes made for a print house",
        (Act.ORDER_LABELS,), takes={JSON: m.PackOrder}, answer_media="application/zip", refuses=(400, 404, 409, 413),
        parameters=(Parameter("job_id", "number of the job", where="path", required=True),),
    ),
    Operation(
        "GET", "/v1/labels/logistics/{job_id}/labels.pdf", show_logistic_labels, "Fetch the labels of cases or pallets",
        (Act.ORDER_LABELS,), answer_media="application/pdf", refuses=(400, 404, 409, 413),
        parameters=(
            Parameter("job_id", "number of the logistics job", where="path", required=True),
            Parameter("paper", "100x150, a6 or a5; without it, 100x150"),
            Parameter("format", "pdf or zpl; without it, pdf"),
            Parameter("dpi", "of the label printer: 203, 300 or 600; without it, 203"),
            Parameter("copies", "pages of each label; without it, one"),
            Parameter("language", "en or zh; without it, en"),
        ),
    ),
)  # fmt: skip
