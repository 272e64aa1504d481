"""The life of labels over HTTP, and the cases and pallets."""

from __future__ import annotations

from pathlib import Path

import httpx2
import pytest
import pyzipper
from sqlalchemy.ext.asyncio import AsyncConnection

from access.model import Act
from labels import printing
from labels.model import Job
from labels.pack_manifest import verify_pack
from ledger.codes import KeyRing
from runtime.clock import system_clock
from tests.api.conftest import KeyMaker
from tests.shop import CHEESE, cheese_in_the_shop, order
from tests.world import BASE_URL, SECRET

JOB = "/v1/labels/jobs/1"
Asked = tuple[str, dict[str, object], int]


async def printed(conn: AsyncConnection, folder: Path) -> tuple[Job, list[str]]:
    """Twelve labels of cheese with a print house, and their serials."""
    await cheese_in_the_shop(conn)
    job = await order(conn, lot="C2")
    keys = await KeyRing.load(conn, SECRET)
    out = folder / "codes.csv"
    await printing.render(conn, job.job_id, "codes", out, by="ada", clock=system_clock, keys=keys)
    return job, await printing.serials(conn, job, keys)


async def test_labels_are_applied_spoiled_and_replaced(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection, tmp_path: Path
) -> None:
    _, serials = await printed(conn, tmp_path)
    headers = await key(Act.COMMISSION, Act.ORDER_LABELS, Act.VIEW)
    code = f"{BASE_URL}/01/{CHEESE}/21/"

    async def post(path: str, **body: object) -> httpx2.Response:
        return await client.post(f"{JOB}/{path}", json=body, headers=headers)

    done = [
        await post("commissions", first=1, last=3),
        await post("commissions", first_code=code + serials[4], last_code=code + serials[5]),
        await post("commissions", codes=[serials[8], code + serials[7]]),
        await post("voids", first=10, last=10, reason="torn"),
        await post("deliveries", to="Printers & Sons", receipt="R-1"),
        await post("reprints", serial=serials[0], reason="scratched"),
    ]

    assert [each.status_code for each in done] == [200, 200, 200, 200, 201, 201]
    assert [each.json()["labels"] for each in done[:4]] == [3, 2, 2, 1]
    job = (await client.get(JOB, headers=headers)).json()
    assert (job["commissioned"], job["void"], job["unused"], job["state"]) == (6, 2, 4, "delivered")


@pytest.mark.parametrize(
    "asked",
    [
        ("commissions", {"first": 1, "last": 99}, 400),
        ("commissions", {"first": 1, "codes": ["A"]}, 400),
        ("commissions", {"first_code": "A"}, 400),
        ("commissions", {"codes": ["NOT-A-SERIAL"]}, 400),
        ("voids", {"first": 1, "last": 2, "reason": ""}, 400),
        ("reprints", {"serial": "000000000000", "reason": "torn"}, 404),
        ("deliveries", {"to": "P", "receipt": ""}, 400),
    ],
)
async def test_what_cannot_be_done_with_labels_is_refused(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection, tmp_path: Path, *, asked: Asked
) -> None:
    path, body, status = asked
    await printed(conn, tmp_path)

    answer = await client.post(f"{JOB}/{path}", json=body, headers=await key(Act.COMMISSION, Act.ORDER_LABELS))

    assert answer.status_code == status, answer.text


async def test_a_viewer_changes_no_label(client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection) -> None:
    headers = await key(Act.VIEW)
    for path in ("commissions", "voids", "reprints", "deliveries"):
        assert (await client.post(f"{JOB}/{path}", json={}, headers=headers)).status_code == 403
    assert (await client.post("/v1/labels/checks", json={}, headers=headers)).status_code == 403
    assert (await client.post("/v1/labels/logistics", json={}, headers=headers)).status_code == 403


async def test_a_line_asks_whether_a_label_is_right(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection, tmp_path: Path
) -> None:
    _, serials = await printed(conn, tmp_path)
    headers = await key(Act.COMMISSION)
    scan = {"job_id": 1, "session": "line 2", "code": f"{BASE_URL}/01/{CHEESE}/21/{serials[2]}"}

    answers = [(await client.post("/v1/labels/checks", json=scan, headers=headers)).json() for _ in range(2)]

    assert [(each["verdict"], each["is_right"], each["label"]) for each in answers] == [
        ("right", True, 3),
        ("seen_before", False, 3),
    ]
    unknown = await client.post("/v1/labels/checks", json={**scan, "job_id": 99}, headers=headers)
    assert unknown.status_code == 404


async def test_cases_get_their_numbers_and_come_to_be(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    headers = {**await key(Act.COMMISSION, Act.ORDER_LABELS, Act.VIEW), "Idempotency-Key": "cases-1"}
    asked = {"kind": "case", "count": 2, "company_prefix": "950600013"}

    made = await client.post("/v1/labels/logistics", json=asked, headers=headers)
    again = await client.post("/v1/labels/logistics", json=asked, headers=headers)
    without_key = {name: value for name, value in headers.items() if name != "Idempotency-Key"}
    where = made.headers["location"]
    told = [(await client.post(f"{where}/commissions", json={}, headers=without_key)).json() for _ in range(2)]

    assert (made.status_code, again.json()) == (201, made.json())
    assert len(made.json()["ssccs"]) == 2
    assert [each["changed"] for each in told] == [True, False]
    assert (await client.get(where, headers=headers)).json()["commissioned_event_id"] == told[0]["event_id"]
    assert (await client.get("/v1/labels/logistics/9", headers=headers)).status_code == 404
    sheet = await client.get(f"{where}/labels.pdf?paper=a6&language=zh", headers=headers)
    assert (sheet.status_code, sheet.content[:5], sheet.headers["content-type"]) == (200, b"%PDF-", "application/pdf")
    for odd in ("paper=a0", "copies=9", "language=xx"):
        assert (await client.get(f"{where}/labels.pdf?{odd}", headers=headers)).status_code == 400
    no_prefix = await client.post("/v1/labels/logistics", json={"kind": "case", "count": 2}, headers=without_key)
    assert no_prefix.status_code == 400


async def test_files_bring_serials_of_ones_own_and_what_the_line_applied(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection, tmp_path: Path
) -> None:
    await cheese_in_the_shop(conn)
    headers = {**await key(Act.ORDER_LABELS, Act.COMMISSION), "Content-Type": "text/csv"}
    own = f"/v1/labels/jobs/brought?gtin={CHEESE}&lot=C2"

    ordered = await client.post(own, content="serial\nA-1\nA-2\nA-3\n", headers=headers)
    again = await client.post(own, content="serial\nA-4\nA-1\n", headers=headers)
    job_id = ordered.json()["job_id"]
    keys = await KeyRing.load(conn, SECRET)
    await printing.render(conn, job_id, "codes", tmp_path / "own.csv", by="ada", clock=system_clock, keys=keys)
    where = f"/v1/labels/jobs/{job_id}/commissions"
    seen = await client.post(where, content="serial\nA-3\nA-1\n", headers=headers)
    foreign = await client.post(where, content="serial\nA-2\nB-9\n", headers=headers)

    assert (ordered.status_code, ordered.json()["count"], seen.status_code, seen.json()["labels"]) == (201, 3, 200, 2)
    assert (again.status_code, foreign.status_code) == (400, 400)
    assert [each.json()["errors"][0]["where"] for each in (again, foreign)] == ["row 3", "row 3"]
    for odd in ("&best_before_on=soon", "&lot_in_link=perhaps", "&lot="):
        assert (await client.post(own + odd, content="serial\nA-5\n", headers=headers)).status_code == 400
    json_sent = await client.post(own, content="{}", headers={**headers, "Content-Type": "application/json"})
    assert json_sent.status_code == 415


async def test_a_print_house_gets_a_sealed_pack(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection, tmp_path: Path
) -> None:
    _, serials = await printed(conn, tmp_path)
    headers = {**await key(Act.ORDER_LABELS), "Idempotency-Key": "pack-1"}
    asked = {"recipient": "Printers & Sons", "per_roll": 5, "password": "a long password"}

    made = await client.post(f"{JOB}/packs", json=asked, headers=headers)
    again = await client.post(f"{JOB}/packs", json=asked, headers=headers)
    open_to_all = await client.post(f"{JOB}/packs", json={**asked, "password": "short"}, headers=headers)
    of_nothing = await client.post(f"{JOB}/packs", json={**asked, "columns": ["price"]}, headers=headers)

    assert (made.status_code, again.status_code, made.headers["content-type"]) == (200, 200, "application/zip")
    assert (open_to_all.status_code, of_nothing.status_code) == (400, 400)
    (tmp_path / "pack.zip").write_bytes(made.content)
    found = verify_pack(tmp_path / "pack.zip", password=str(asked["password"]), master_secret=SECRET)
    assert (found.ours, found.labels, found.files, found.recipient) == (True, 12, 3, "Printers & Sons")
    with pyzipper.AESZipFile(tmp_path / "pack.zip") as archive:
        archive.setpassword(str(asked["password"]).encode())
        assert archive.read("roll-00003.csv").decode().splitlines()[-1].split(",")[3] == serials[-1]


async def test_templates_are_listed_and_a_label_is_shown(
    client: httpx2.AsyncClient, key: KeyMaker, conn: AsyncConnection
) -> None:
    headers = await key(Act.VIEW, Act.ORDER_LABELS)

    names = [each["name"] for each in (await client.get("/v1/labels/templates", headers=headers)).json()["items"]]
    shown = await client.get("/v1/labels/preview?template=roll-40x30&language=zh", headers=headers)

    assert {"a4-24", "l7160", "roll-80x50"} <= set(names)
    assert (shown.headers["content-type"], shown.content[:4]) == ("image/png", b"\x89PNG")
    assert (await client.get("/v1/labels/preview?template=a0", headers=headers)).status_code == 404
    assert (await client.get("/v1/labels/preview?language=xx", headers=headers)).status_code == 400
