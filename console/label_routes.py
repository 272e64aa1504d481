"""The addresses of the label screens; ``new`` and ``preview`` come before the number of a job."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from console import label_jobs, label_packs, label_work, logistics
from console.desk import HOME, Desk, signed_in
from console.label_jobs import JOBS

LINE_CHECK: Final = f"{HOME}/line-check"
WITH_FILES: Final = (JOBS, LINE_CHECK)
"""Forms under these addresses may bring a file."""


def routes(desk: Desk) -> list[Route]:
    """Orders, jobs with their forms and files, the line check, cases and pallets."""
    shown = {
        f"{JOBS}/new": label_work.show_order,
        f"{JOBS}/preview": label_work.PreviewDoor().show,
        f"{JOBS}/{{job_id}}": label_jobs.show_job,
        f"{JOBS}/{{job_id}}/files/{{name}}": label_jobs.download_file,
        LINE_CHECK: label_work.show_line_check,
        logistics.UNITS: logistics.show_jobs,
        f"{logistics.UNITS}/{{job_id}}": logistics.show_job,
        f"{logistics.UNITS}/{{job_id}}/labels": logistics.download_labels,
    }
    taken = {
        f"{JOBS}/new": label_work.take_order,
        f"{JOBS}/{{job_id}}/render": label_jobs.take_render,
        f"{JOBS}/{{job_id}}/cancel": label_jobs.take_cancel,
        f"{JOBS}/{{job_id}}/commission": label_work.take_commission,
        f"{JOBS}/{{job_id}}/void": label_work.take_void,
        f"{JOBS}/{{job_id}}/reprint": label_work.take_reprint,
        f"{JOBS}/{{job_id}}/deliver": label_work.take_delivery,
        f"{JOBS}/{{job_id}}/resolve": label_jobs.take_resolution,
        f"{JOBS}/{{job_id}}/pack": label_packs.take_pack,
        f"{JOBS}/{{job_id}}/verify-pack": label_packs.take_verification,
        LINE_CHECK: label_work.take_line_check,
        logistics.UNITS: logistics.take_order,
        f"{logistics.UNITS}/{{job_id}}/commission": logistics.take_commission,
    }
    return [
        *(Route(path, signed_in(desk, work), methods=["GET"]) for path, work in shown.items()),
        *(Route(path, signed_in(desk, work), methods=["POST"]) for path, work in taken.items()),
    ]
