"""Labels are made by a worker, watched over HTTP, and fetched once."""

from __future__ import annotations

import hashlib

import httpx2
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from access.model import Act
from labels import work
from ledger import master_data
from ledger.model import LotDraft
from runtime import jobs
from runtime.clock import system_clock
from runtime.database import DatabaseAddress, Role, transaction
from runtime.settings import Settings
from tests.api.conftest import KeyMaker
from tests.shop import CHEESE, cheese_in_the_shop
from tests.shop import order as order_before


async def worked(database: DatabaseAddress, settings: Settings) -> None:
    """A worker does what waits."""
    engine = database.engine(Role.STAFF, pool_size=2)
    assert settings.master_secret is not None
    secret = settings.master_secret.get_secret_value()
    place = jobs.WorkPlace(settings, database, engine, system_clock, secret)
    await jobs.work(place, work.KINDS, until_idle=True)
    await engine.dispose()


async def test_a_worker_makes_the_labels_and_their_file_is_fetched_once(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection, database: DatabaseAddress, settings: Settings
) -> None:
    await cheese_in_the_shop(conn)
    job = await order_before(conn, count=30)
    headers = await key(Act.ORDER_LABELS, Act.VIEW)
    at = f"/v1/labels/jobs/{job.job_id}"

    asked = await client.post(f"{at}/renders", json={"format": "codes"}, headers=headers)
    again = await client.post(f"{at}/renders", json={"format": "codes"}, headers=headers)
    assert (asked.status_code, asked.json()["state"], asked.json()["made"]) == (202, "asked", 0)
    assert again.json()["render_id"] == asked.json()["render_id"]
    await worked(database, settings)

    (seen,) = (await client.get(asked.headers["location"], headers=headers)).json()["renderings"]
    assert (seen["state"], seen["made"], seen["parts"]) == ("made", 30, {"made": 1})
    assert seen["files"] == [f"labels-{job.job_id}.csv"]
    shown = (await client.get(at, headers=headers)).json()
    assert (shown["state"], shown["progress"]) == ("released", [seen])
    file = f"{at}/files/{seen['files'][0]}"
    assert (await client.head(file, headers=headers)).status_code == 405
    fetched = await client.get(file, headers={**headers, "Range": "bytes=0-10"})
    assert (fetched.status_code, len(fetched.text.splitlines())) == (200, 31)
    assert hashlib.sha256(fetched.content).hexdigest() == shown["outputs"][0]["sha256"]
    assert (await client.get(asked.headers["location"], headers=headers)).json()["renderings"][0]["parts"] == {
        "delivered": 1
    }
    second = await client.get(file, headers=headers)
    assert second.status_code == 409
    assert "key:erp" in second.json()["detail"]

    said = {"word": "not_printed", "reason": "the line broke off"}
    resolutions = f"renders/{seen['render_id']}/resolutions"
    for odd, status in (({"word": "perhaps"}, 400), ({"part": 9}, 404), ({"reason": ""}, 400)):
        assert (await client.post(f"{at}/{resolutions}", json=said | odd, headers=headers)).status_code == status
    elsewhere = await client.post(f"/v1/labels/jobs/99/{resolutions}", json=said, headers=headers)
    resolved = await client.post(f"{at}/{resolutions}", json=said, headers=headers)
    assert (elsewhere.status_code, resolved.status_code, resolved.json()["parts"]) == (404, 200, {"made": 1})
    assert (await client.get(file, headers=headers)).content == fetched.content


async def test_a_worker_makes_a_print_houses_pack_that_is_checked_when_it_comes_back(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection, database: DatabaseAddress, settings: Settings
) -> None:
    await cheese_in_the_shop(conn)
    job = await order_before(conn, count=30)
    headers = await key(Act.ORDER_LABELS, Act.VIEW)
    at, password = f"/v1/labels/jobs/{job.job_id}", "twelve and more"
    pack = {"recipient": "Printers & Sons", "per_roll": 12, "columns": ["roll", "serial"], "password": password}

    asked = await client.post(f"{at}/renders", json={"format": "pack", "pack": pack}, headers=headers)
    again = await client.post(f"{at}/renders", json={"format": "pack", "pack": pack}, headers=headers)
    for odd in ({"format": "pack"}, {"format": "pdf", "pack": pack}, {"format": "pack", "pack": pack, "parts": True}):
        assert (await client.post(f"{at}/renders", json=odd, headers=headers)).status_code == 400
    kept = (await conn.execute(text("SELECT recipe::text FROM label_render"))).scalar_one()
    await worked(database, settings)

    assert (asked.status_code, again.json()["render_id"]) == (202, asked.json()["render_id"])
    assert '"password"' in kept and password not in kept
    (seen,) = (await client.get(f"{at}/progress", headers=headers)).json()["renderings"]
    assert (seen["state"], seen["made"], seen["parts"]) == ("made", 30, {"made": 3})
    assert not list(settings.data_dir.rglob("roll-*"))  # the codes stand in the sealed archive only
    assert (await conn.execute(text("SELECT recipe ? 'password' FROM label_render"))).scalar_one() is False
    fetched = await client.get(f"{at}/files/{seen['files'][0]}", headers=headers)
    zipped = {**headers, "Content-Type": "application/zip", "Pack-Password": password}
    found = await client.post("/v1/labels/pack-checks", content=fetched.content, headers=zipped)
    spoiled = await client.post("/v1/labels/pack-checks", content=fetched.content[:-9], headers=zipped)
    assert (found.json()["ours"], found.json()["labels"], found.json()["files"]) == (True, 30, 3)
    assert (spoiled.status_code, spoiled.headers["content-type"]) == (400, "application/problem+json")


async def test_who_may_only_look_gets_no_file_and_no_rendering(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    job = await order_before(conn)
    at, headers = f"/v1/labels/jobs/{job.job_id}", await key(Act.VIEW)

    assert (await client.get(f"{at}/progress", headers=headers)).json() == {"job_id": job.job_id, "renderings": []}
    assert (await client.post(f"{at}/renders", json={"format": "pdf"}, headers=headers)).status_code == 403
    assert (await client.get(f"{at}/files/labels-1.pdf", headers=headers)).status_code == 403
    assert (await client.delete(f"{at}/renders/1", headers=headers)).status_code == 403


async def test_a_rendering_that_was_cancelled_or_refused_is_not_made_and_not_tried_again(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection, database: DatabaseAddress, settings: Settings
) -> None:
    await cheese_in_the_shop(conn)
    job = await order_before(conn)
    at, headers = f"/v1/labels/jobs/{job.job_id}", await key(Act.ORDER_LABELS, Act.VIEW)
    first = (await client.post(f"{at}/renders", json={"format": "svg"}, headers=headers)).json()["render_id"]
    second = (await client.post(f"{at}/renders", json={"format": "codes"}, headers=headers)).json()["render_id"]

    cancelled = await client.delete(f"{at}/renders/{first}", headers=headers)
    async with transaction(conn):
        await master_data.put_lot(conn, LotDraft(gtin=CHEESE, code="C1", status="held"))
    await worked(database, settings)

    assert cancelled.json()["state"] == "cancelled"
    renderings = (await client.get(f"{at}/progress", headers=headers)).json()["renderings"]
    assert [(r["render_id"], r["state"], r["files"]) for r in renderings] == [
        (second, "refused", []), (first, "cancelled", []),
    ]  # fmt: skip
    assert "is held" in renderings[0]["problem"]
    assert (await conn.execute(text("SELECT count(*) FROM pgqueuer"))).scalar_one() == 0
    assert not list(settings.data_dir.rglob("labels-*"))
    assert (await client.delete(f"{at}/renders/{second}", headers=headers)).status_code == 409


async def test_what_cannot_be_made_or_is_not_there_is_refused(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    await order_before(conn)
    headers = await key(Act.ORDER_LABELS, Act.VIEW)

    for path, kind, status in (("99", "pdf", 404), ("1", "docx", 400), ("1", "zpl", 400)):  # a sheet is no roll
        asked = await client.post(f"/v1/labels/jobs/{path}/renders", json={"format": kind}, headers=headers)
        assert asked.status_code == status
    for unknown in ("1/files/none.pdf", "x/progress"):
        assert (await client.get(f"/v1/labels/jobs/{unknown}", headers=headers)).status_code == 404
    for unknown in ("1/renders/9", "1/renders/x"):
        assert (await client.delete(f"/v1/labels/jobs/{unknown}", headers=headers)).status_code == 404
