"""Who waits for whom: a long file holds up other long files, not the first rows of a file and not a photo."""

from __future__ import annotations

import io
from pathlib import Path

import httpx2
import pytest
from starlette.datastructures import UploadFile

from portal import check_jobs
from portal.check_jobs import CheckJobs, TooManyPhotos
from portal.live import Live
from portal.receipts import Receipts
from portal.signing import Signer
from runtime.clock import system_clock
from runtime.database import DatabaseAddress
from tests.portal.arrangement import BASE, BROWSER, MILK, SECRET, portal_of, until

NOWHERE = DatabaseAddress("postgresql://nobody@127.0.0.1:1/none")


def jobs_in(folder: Path) -> CheckJobs:
    receipts = Receipts(Live(NOWHERE), Signer(SECRET), BASE)
    return CheckJobs(folder, NOWHERE, SECRET, receipts, clock=system_clock)


def upload(content: bytes) -> UploadFile:
    return UploadFile(io.BytesIO(content), filename="codes.txt")


async def test_first_rows_and_photos_are_read_while_a_long_file_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_jobs, "AT_ONCE", 0)  # as if a million rows were under way for good
    jobs = jobs_in(tmp_path)
    name = await jobs.take(upload(f"{MILK}:M1\n".encode()), "en")
    assert jobs.state(name)["stage"] == "waiting"  # not "reading", of which two quiet minutes are told as a failure

    async def is_ready() -> bool:
        return bool(jobs.state(name)["stage"] == "ready")

    await until(is_ready)
    jobs.start(name, {"code": 0}, "en")
    found = await jobs.codes_of_photo(upload(b"no photo"), 100, "zh")
    assert "照片" in found["problem"]
    assert jobs.state(name)["stage"] == "waiting"
    await jobs.close()


async def test_a_photo_too_many_is_refused_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_jobs, "PHOTOS_WAITING_MAX", 0)
    with pytest.raises(TooManyPhotos):
        await jobs_in(tmp_path).codes_of_photo(upload(b"no photo"), 100, "zh")
    assert list(tmp_path.iterdir()) == []


async def test_a_network_sends_as_many_files_and_photos_as_forms_and_lists_of_codes_beyond(tmp_path: Path) -> None:
    async with portal_of(NOWHERE, tmp_path, portal_posts_per_minute=1) as portal:

        async def status(**sent: tuple[str, bytes]) -> int:
            answer: httpx2.Response = await portal.post("/check", files=sent, headers=BROWSER)
            return answer.status_code

        assert await status(file=("codes.txt", b"1\n")) == 303
        assert await status(file=("codes.txt", b"1\n")) == 429
        assert await status(photo=("p.jpg", b"no photo")) == 429
        assert (await portal.post("/check", data={"codes": MILK}, headers=BROWSER)).status_code == 200


async def test_a_network_that_had_its_rows_checked_waits_before_the_next_list(tmp_path: Path) -> None:
    async with portal_of(NOWHERE, tmp_path, portal_rows_per_minute=100) as portal:
        asked = [await portal.post("/v1/checks", json={"codes": [MILK] * 1_000}) for _ in range(2)]
        pasted = await portal.post("/check", data={"codes": MILK}, headers=BROWSER)
        scan = await portal.get(f"/01/{MILK}", headers=BROWSER)

    assert [answer.status_code for answer in asked] == [200, 429]
    assert int(asked[1].headers["retry-after"]) >= 1
    assert (pasted.status_code, scan.status_code) == (429, 503)  # a scan is answered (here: that nothing is confirmed)


async def test_what_is_refused_before_a_page_is_asked_is_a_page_all_the_same(tmp_path: Path) -> None:
    async with portal_of(NOWHERE, tmp_path) as portal:
        chinese = BROWSER | {"Accept-Language": "zh"}
        large = await portal.post("/alerts", content=b"x" * 3_200_000, headers=chinese)
        other = await portal.post("/check", headers=chinese | {"Sec-Fetch-Site": "cross-site"})
        broken = await portal.get("/01/09506000134353", headers=chinese)
        machine = await portal.post("/v1/checks", content=b"x" * 3_200_000)

    assert (large.status_code, other.status_code, broken.status_code) == (413, 403, 400)
    assert "内容超过" in large.text and "其他网站" in other.text and "未被接受" in other.text
    assert "校验位不符" in broken.text and "check digit" not in broken.text
    assert machine.headers["content-type"] == "application/problem+json"
