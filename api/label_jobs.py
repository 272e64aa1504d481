"""``/v1/labels/jobs``: orders of labels and what became of them. Codes themselves never travel here; files do."""

from __future__ import annotations

from typing import Final

from starlette.responses import Response

from access.model import Act
from api import label_models, models, paging
from api.bodies import answer, read_one
from api.operations import JSON, Call, Operation, Parameter
from labels import job_lists, printing, progress
from labels.job_lists import JobLine, JobNotFound


async def order_labels(call: Call) -> Response:
    """Draw serials for a lot. The same Idempotency-Key is the same order, however often it is sent."""
    told = read_one(models.LabelOrder, call.body)
    settings = call.world.settings
    job = await printing.order(
        call.conn,
        gtin=told.gtin,
        lot=told.lot,
        count=told.count,
        template=told.template,
        best_before_on=told.best_before_on,
        lot_in_link=told.lot_in_link,
        base_url=settings.base_url,
        by=call.by,
        clock=call.clock,
        master_secret=call.world.master_secret.get_secret_value(),
        labels_max=settings.labels_max,
        # two callers may choose the same key: it is one order only within the records of one
        idempotency_key=f"{call.by} {call.idempotency_key}" if call.idempotency_key else None,
    )
    return answer(await shown(call, job.job_id), 201, {"Location": f"/v1/labels/jobs/{job.job_id}"})


async def list_jobs(call: Call) -> Response:
    limit = paging.limit_of(call.request)
    found = await job_lists.list_jobs(call.conn, before=paging.number_of(call.request), limit=limit)
    lines = [models.LabelJob.model_validate(job) for job in found]
    return paging.page(call.request, lines, limit, found[-1].job_id if found else None)


async def show_job(call: Call) -> Response:
    """A label job, and the files that were made of it."""
    return answer(await shown(call, job_of(call)))


def job_of(call: Call) -> int:
    """The number of the job in the path; raises ``JobNotFound``."""
    text = call.request.path_params["job_id"]
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):
        raise JobNotFound(job_id=text[:40])
    return int(text)


async def shown(call: Call, job_id: int) -> label_models.LabelJobWithOutputs:
    """A job as the API shows it."""
    job: JobLine = await job_lists.find_job(call.conn, job_id)
    outputs = [models.LabelOutput.model_validate(output) for output in await job_lists.outputs_of(call.conn, job_id)]
    renderings = await progress.progress_of(call.conn, job_id, clock=call.clock)
    return label_models.LabelJobWithOutputs(
        **models.LabelJob.model_validate(job).model_dump(),
        outputs=outputs,
        progress=[label_models.LabelRendering.model_validate(each) for each in renderings],
    )


OPERATIONS: Final = (
    Operation(
        "GET",
        "/v1/labels/jobs",
        list_jobs,
        "List label jobs, the newest first",
        (Act.VIEW,),
        answers=models.LabelJobPage,
        parameters=paging.PARAMETERS,
        refuses=(400,),
    ),
    Operation(
        "POST",
        "/v1/labels/jobs",
        order_labels,
        "Order labels for a lot",
        (Act.ORDER_LABELS,),
        status=201,
        answers=label_models.LabelJobWithOutputs,
        takes={JSON: models.LabelOrder},
        refuses=(400, 404, 409, 413),
        repeatable=True,
    ),
    Operation(
        "GET",
        "/v1/labels/jobs/{job_id}",
        show_job,
        "Show a label job and its files",
        (Act.VIEW,),
        answers=label_models.LabelJobWithOutputs,
        parameters=(Parameter("job_id", "number of the job", where="path", required=True),),
        refuses=(404,),
    ),
)
