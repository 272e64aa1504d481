"""``/v1/labels/…`` after the order: what becomes of labels, templates, line checks, cases and pallets."""

from __future__ import annotations

import csv
import io
from typing import Any, Final

from starlette.responses import Response

from access.model import Act
from api import label_work_models as m
from api.bodies import QueryNotUsable, answer, read_one
from api.label_files import file_name
from api.label_jobs import job_of
from api.operations import CSV, FILE_BYTES_MAX, JSON, XLSX, Call, Operation, Parameter
from labels import (
    applied,
    deliveries,
    life,
    line_check,
    logistics,
    preview,
    template_shelf,
)
from labels.compiled import cells_folder
from labels.model import Language

_JOB: Final = (Parameter("job_id", "number of the job", where="path", required=True),)


async def commission(call: Call) -> Response:
    """Labels are on their items: a range, from a first code to a last one, the codes that were seen, or all unused.
    A CSV or XLSX file names those that were really applied, in a column ``digital_link``, ``code`` or ``serial``."""
    job_id = job_of(call)
    common: dict[str, Any] = {"by": call.by, "clock": call.clock, "keys": await call.keys()}
    if call.media_type != JSON:
        place, name = call.request.query_params.get("place"), file_name(call, "applied")
        done = await applied.commission_file(call.conn, job_id, call.body, name, place=place, **common)
        return answer(m.LabelsDone.model_validate(done))
    told = read_one(m.Applied, call.body)
    common |= {"place": told.place, "at": told.at}
    if told.codes is not None:
        rows = io.StringIO()
        csv.writer(rows).writerows([["code"], *([code] for code in told.codes)])
        done = await applied.commission_file(call.conn, job_id, rows.getvalue().encode(), "codes", **common)
    elif told.first_code is not None and told.last_code is not None:
        done = await applied.commission_codes(call.conn, job_id, told.first_code, told.last_code, **common)
    else:
        done = await life.commission(call.conn, job_id, told.first, told.last, **common)
    return answer(m.LabelsDone.model_validate(done))


async def void(call: Call) -> Response:
    """Take labels out of use for good. The same labels again change nothing."""
    told = read_one(m.LabelsVoided, call.body)
    done = await life.void(
        call.conn, job_of(call), told.first, told.last, told.reason, by=call.by, clock=call.clock,
        keys=await call.keys(),
    )  # fmt: skip
    return answer(m.LabelsDone.model_validate(done))


async def reprint(call: Call) -> Response:
    """Order one new label in the place of one that is spoiled; the old one becomes void."""
    told = read_one(m.LabelReplaced, call.body)
    secret = call.world.master_secret.get_secret_value()
    new = await life.reprint(
        call.conn, job_of(call), told.serial, told.reason, by=call.by, clock=call.clock, master_secret=secret
    )
    return answer(m.NewJob(job_id=new.job_id), 201, {"Location": f"/v1/labels/jobs/{new.job_id}"})


async def deliver(call: Call) -> Response:
    """Keep who received the codes of a job, and by what receipt."""
    told = read_one(m.Receipt, call.body)
    kept = await deliveries.deliver(
        call.conn, job_of(call), to=told.to, receipt=told.receipt, by=call.by, clock=call.clock
    )
    return answer(m.Delivered.model_validate(kept), 201)


async def list_templates(call: Call) -> Response:
    found = await template_shelf.list_templates(call.conn)
    return answer(m.TemplateList(items=[m.Template.model_validate(each) for each in found]))


async def show_preview(call: Call) -> Response:
    """One label as PNG, with a serial that was never issued."""
    query = call.request.query_params
    languages: dict[str, Language] = {"en": "en", "zh": "zh"}
    language = languages.get(query.get("language", "en"))
    if language is None:
        raise QueryNotUsable(name="language", problem="it is neither en nor zh")
    shown = await preview.preview(
        call.conn, template=query.get("template"), gtin=query.get("gtin"), lot=query.get("lot"), language=language,
        base_url=call.world.settings.base_url, cells_folder=cells_folder(call.world.settings.data_dir),
    )  # fmt: skip
    return Response(shown.png, 200, {"Cache-Control": "no-store"}, "image/png")


async def check(call: Call) -> Response:
    """Is this label one of the job that runs on the line, of its lot, and not seen before in this session?"""
    told = read_one(m.LineScan, call.body)
    found = await line_check.check_label(
        call.conn, told.code, job_id=told.job_id, session=told.session, by=call.by, clock=call.clock,
        keys=await call.keys(),
    )  # fmt: skip
    return answer(m.LineCheck.model_validate(found))


async def order_logistics(call: Call) -> Response:
    """Reserve SSCCs for cases or pallets. The same Idempotency-Key is the same order."""
    told, settings = read_one(m.LogisticsOrder, call.body), call.world.settings
    job = await logistics.order(
        call.conn, kind=told.kind, count=told.count, company_prefix=told.company_prefix or settings.company_prefix,
        extension=told.extension, base_url=settings.base_url, by=call.by, clock=call.clock,
        idempotency_key=f"{call.by} {call.idempotency_key}" if call.idempotency_key else None,
    )  # fmt: skip
    shown = m.LogisticsJob(**m.LogisticsLine.model_validate(job).model_dump(), ssccs=logistics.ssccs(job))
    return answer(shown, 201, {"Location": f"/v1/labels/logistics/{job.logistics_job_id}"})


async def show_logistics(call: Call) -> Response:
    """A job of logistic labels and its SSCCs."""
    job = await logistics.find_job(call.conn, job_of(call))
    return answer(m.LogisticsJob(**m.LogisticsLine.model_validate(job).model_dump(), ssccs=logistics.ssccs(job)))


async def commission_logistics(call: Call) -> Response:
    """The units of a job exist from now on. The same again changes nothing."""
    told = read_one(m.UnitsApplied, call.body)
    event_id, changed = await logistics.commission(
        call.conn, job_of(call), place=told.place, by=call.by, clock=call.clock, keys=await call.keys()
    )
    return answer(m.UnitsDone(event_id=event_id, changed=changed))


_LOGISTICS: Final = (Parameter("job_id", "number of the logistics job", where="path", required=True),)

OPERATIONS: Final = (
    Operation(
        "POST", "/v1/labels/jobs/{job_id}/commissions", commission, "Say that labels are on their items",
        (Act.COMMISSION,), answers=m.LabelsDone, takes={JSON: m.Applied, CSV: None, XLSX: None},
        parameters=(*_JOB, Parameter("place", "with a file: GLN or URI of where they were applied")),
        body_bytes_max=FILE_BYTES_MAX, refuses=(400, 404, 409, 413, 415),
    ),
    Operation(
        "POST", "/v1/labels/jobs/{job_id}/voids", void, "Take labels out of use",
        (Act.COMMISSION,), answers=m.LabelsDone, takes={JSON: m.LabelsVoided}, parameters=_JOB,
        refuses=(400, 404, 409, 413),
    ),
    Operation(
        "POST", "/v1/labels/jobs/{job_id}/reprints", reprint, "Replace a spoiled label",
        (Act.ORDER_LABELS,), status=201, answers=m.NewJob, takes={JSON: m.LabelReplaced}, parameters=_JOB,
        refuses=(400, 404, 409),
    ),
    Operation(
        "POST", "/v1/labels/jobs/{job_id}/deliveries", deliver, "Keep who received the codes of a job",
        (Act.ORDER_LABELS,), status=201, answers=m.Delivered, takes={JSON: m.Receipt}, parameters=_JOB,
        refuses=(400, 404, 409),
    ),
    Operation(
        "GET", "/v1/labels/templates", list_templates, "List label templates", (Act.VIEW,), answers=m.TemplateList,
    ),
    Operation(
        "GET", "/v1/labels/preview", show_preview, "Show one label as a picture", (Act.ORDER_LABELS,),
        answer_media="image/png", refuses=(400, 404, 409),
        parameters=(
            Parameter("template", "name of a template; without it, the product's"),
            Parameter("gtin", "product; without it, a sample"),
            Parameter("lot", "lot code; without it, a sample's"),
            Parameter("language", "en or zh, for a sample"),
        ),
    ),
    Operation(
        "POST", "/v1/labels/checks", check, "Check a label on the line", (Act.COMMISSION,), answers=m.LineCheck,
        takes={JSON: m.LineScan}, refuses=(400, 404),
    ),
    Operation(
        "POST", "/v1/labels/logistics", order_logistics, "Reserve SSCCs for cases or pallets", (Act.ORDER_LABELS,),
        status=201, answers=m.LogisticsJob, takes={JSON: m.LogisticsOrder}, refuses=(400, 409, 413), repeatable=True,
    ),
    Operation(
        "GET", "/v1/labels/logistics/{job_id}", show_logistics, "Show a job of logistic labels", (Act.VIEW,),
        answers=m.LogisticsJob, parameters=_LOGISTICS, refuses=(404,),
    ),
    Operation(
        "POST", "/v1/labels/logistics/{job_id}/commissions", commission_logistics, "Put logistic units on record",
        (Act.COMMISSION,), answers=m.UnitsDone, takes={JSON: m.UnitsApplied}, parameters=_LOGISTICS,
        refuses=(400, 404, 409),
    ),
)  # fmt: skip
