"""Packs of codes for a print house: made while one waits, and checked when one comes back."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from urllib.parse import urlencode

from starlette.responses import Response

from access.model import Act
from access.permissions import require
from console.desk import Visit, see, text_of
from console.fields import FieldNotUsable, Numbers
from console.label_jobs import JOBS, job_number
from labels import job_lists, packs, rendering, sealed_packs
from labels.pack_manifest import verify_pack


async def take_pack(visit: Visit) -> Response:
    """The codes of a job as a sealed archive: at once, or by a worker when they are many."""
    require(visit.actor, Act.ORDER_LABELS)
    form, job_id = visit.form, job_number(visit)
    asked = packs.PackOrder(
        text_of(form, "recipient").strip()[:500] or "-", text_of(form, "format"), packs.DEFAULT_COLUMNS,
        Numbers(form).whole("per_roll"), text_of(form, "password"),
    )  # fmt: skip
    job = await job_lists.find_job(visit.conn, job_id)
    secret = visit.desk.master_secret.get_secret_value()
    if job.count > packs.IN_REQUEST_MAX:
        folder = rendering.files_folder(visit.desk.settings.data_dir)
        await rendering.ask_pack(
            visit.conn, job_id, asked, folder, by=visit.actor.name, clock=visit.desk.clock, master_secret=secret
        )
        return see(f"{JOBS}/{job_id}?done=asked")
    made = await sealed_packs.sealed_pack(
        visit.conn, job_id, asked, by=visit.actor.name, clock=visit.desk.clock, keys=await visit.keys(),
        master_secret=secret,
    )  # fmt: skip
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{made.pack.path.name}"',
    }
    return Response(made.archive, 200, headers, "application/zip")


async def take_verification(visit: Visit) -> Response:
    """Is the archive that came back whole, and signed here?"""
    require(visit.actor, Act.ORDER_LABELS)
    job_id, found = job_number(visit), await Numbers(visit.form).file("pack")
    if found is None:
        raise FieldNotUsable(field="pack", value="", wanted="the archive")
    password = text_of(visit.form, "password") or None
    secret = visit.desk.master_secret.get_secret_value()
    with tempfile.TemporaryDirectory(prefix="pack-") as folder:
        path = Path(folder) / "pack.zip"
        path.write_bytes(found[0])
        told = await asyncio.to_thread(verify_pack, path, password=password, master_secret=secret)
    done = "pack_whole" if told.ours and told.job == job_id else "pack_foreign"
    return see(f"{JOBS}/{job_id}?{urlencode({'done': done})}")
