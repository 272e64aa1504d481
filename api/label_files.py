"""Files that come in about labels: serials of the customer's own, codes that a line applied, a pack to be checked."""

from __future__ import annotations

import asyncio
import tempfile
from datetime import date
from pathlib import Path
from typing import Final

from starlette.responses import Response

from access.model import Act
from api import label_models
from api import label_work_models as m
from api.bodies import QueryNotUsable, answer
from api.label_jobs import shown
from api.operations import CSV, FILE_BYTES_MAX, XLSX, Call, Operation, Parameter
from labels import customer_serials
from labels.pack_manifest import verify_pack

ZIP: Final = "application/zip"
PASSWORD_HEADER: Final = "Pack-Password"  # noqa: S105 - the name of a header


def file_name(call: Call, stem: str) -> str:
    """A name for the body, by which its reader knows what it is."""
    return f"{stem}.xlsx" if call.media_type == XLSX else f"{stem}.csv"


async def order_brought(call: Call) -> Response:
    """Order labels with serials of your own: a file with a column ``serial``, taken whole or not at all."""
    query, settings = call.request.query_params, call.world.settings
    for name in ("gtin", "lot"):
        if not query.get(name):
            raise QueryNotUsable(name=name, problem="it is missing")
    lot_in_link = query.get("lot_in_link", "false")
    if lot_in_link not in ("true", "false"):
        raise QueryNotUsable(name="lot_in_link", problem="it is neither true nor false")
    job = await customer_serials.order_brought(
        call.conn, gtin=query["gtin"], lot=query["lot"], data=call.body, name=file_name(call, "serials"),
        template=query.get("template"), best_before_on=_date(query.get("best_before_on")),
        lot_in_link=lot_in_link == "true", base_url=settings.base_url, by=call.by, clock=call.clock,
        keys=await call.keys(), labels_max=settings.labels_max,
    )  # fmt: skip
    return answer(await shown(call, job.job_id), 201, {"Location": f"/v1/labels/jobs/{job.job_id}"})


async def check_pack(call: Call) -> Response:
    """Is this archive whole, and signed here? Its password comes in the header Pack-Password."""
    password, secret = call.request.headers.get(PASSWORD_HEADER), call.world.master_secret.get_secret_value()
    with tempfile.TemporaryDirectory(prefix="pack-") as folder:
        path = Path(folder) / "pack.zip"
        path.write_bytes(call.body)
        found = await asyncio.to_thread(verify_pack, path, password=password, master_secret=secret)
    return answer(m.PackChecked.model_validate(found))


def _date(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise QueryNotUsable(name="best_before_on", problem="it is no date such as 2026-12-31") from None


OPERATIONS: Final = (
    Operation(
        "POST", "/v1/labels/jobs/brought", order_brought, "Order labels with serials of your own",
        (Act.ORDER_LABELS,), status=201, answers=label_models.LabelJobWithOutputs, takes={CSV: None, XLSX: None},
        body_bytes_max=FILE_BYTES_MAX, refuses=(400, 404, 409, 413, 415),
        parameters=(
            Parameter("gtin", "product", required=True),
            Parameter("lot", "lot code", required=True),
            Parameter("template", "name of a template; without it, the product's"),
            Parameter("best_before_on", "2026-12-31; without it, from the lot"),
            Parameter("lot_in_link", "true puts the lot into the code as well"),
        ),
    ),
    Operation(
        "POST", "/v1/labels/pack-checks", check_pack, "Check that a pack is whole and signed here",
        (Act.ORDER_LABELS,), answers=m.PackChecked, takes={ZIP: None}, body_bytes_max=FILE_BYTES_MAX,
        parameters=(Parameter(PASSWORD_HEADER, "password of the archive", where="header"),), refuses=(400, 413, 415),
    ),
)  # fmt: skip
