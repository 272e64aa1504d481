"""One code is printed, scanned, recalled, and scanned again."""

from __future__ import annotations

import time
from pathlib import Path

import httpx2
from sqlalchemy.ext.asyncio import AsyncConnection

from cli.samples.dairy import arrange
from labels import printing
from ledger import codes
from recall import casework, documents
from recall.model import CaseDraft, Text
from runtime.clock import system_clock
from runtime.database import DatabaseAddress
from tests.cells import shared_cells
from tests.printed import links_on
from tests.serving import free_port, served
from tests.unhurried import NEVER_S
from tests.world import CHEESE, MILK, SECRET

BROWSER = {
    "Accept": "text/html,application/xhtml+xml",
    "Accept-Language": "en",
    "User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Safari",
}


async def test_a_printed_code_answers_and_says_recalled_once_its_milk_is(
    conn: AsyncConnection, database: DatabaseAddress, tmp_path: Path
) -> None:
    port = free_port()
    base = f"http://127.0.0.1:{port}"
    dairy = await arrange(conn, by="tests", clock=system_clock, master_secret=SECRET, base_url=base, items=24)
    keys = await codes.KeyRing.load(conn, SECRET)

    # given: the labels of C1, printed, and read from the paper
    sheet = tmp_path / "c1.pdf"
    await printing.render(
        conn, dairy.c1.job_id, "pdf", sheet, by="tests", clock=system_clock, cells_folder=shared_cells(), keys=keys
    )
    links = links_on(sheet)
    assert sorted(links) == sorted(dairy.link(base, serial) for serial in dairy.c1_serials)

    with served(database, port=port), httpx2.Client(timeout=NEVER_S) as phone:
        # when it is scanned: the page stands at the address itself, and knows of no recall
        page = phone.get(links[0], headers=BROWSER)
        assert page.status_code == 200
        assert "no recall" in page.text.lower()
        assert "first time" in page.text
        assert verdict(phone, links[0])["verdict"] == "repeat_check"
        sibling = dairy.link(base, dairy.c2_serials[0])

        # when one of its ingredients is recalled, by two people
        number = await publish_recall_of_milk(conn, keys)

        # then the same address says so at once, and the sibling lot stays clear
        published_at = time.monotonic()
        while verdict(phone, links[0])["verdict"] != "recalled":
            assert time.monotonic() - published_at < NEVER_S
        recalled = phone.get(links[0], headers=BROWSER)
        assert "Stop using this product now" in recalled.text
        assert number in recalled.text
        assert verdict(phone, sibling)["verdict"] not in {"recalled", "check_the_serial"}
        assert verdict(phone, f"{base}/01/{CHEESE}/10/C1")["verdict"] == "recalled"
        assert verdict(phone, f"{base}/01/{CHEESE}/10/C2")["verdict"] == "no_recall_known"
        assert number in phone.get(f"{base}/recalls", headers=BROWSER).text

    # and the notice list names the shop, the depot and Mira, with whom to call, and nobody else
    files = await documents.write_notices(conn, number, ("csv",), tmp_path)
    text = files[0].read_text(encoding="utf-8-sig")
    for owner in ("North Depot", "Corner Shop", "Mira", "Meadow Creamery"):
        assert owner in text
    assert "River Market" not in text
    assert "Nora Quist" in text


def verdict(phone: httpx2.Client, link: str) -> dict[str, object]:
    answer: dict[str, object] = phone.get(link, headers={"Accept": "application/json"}).json()
    return answer


async def publish_recall_of_milk(conn: AsyncConnection, keys: codes.KeyRing) -> str:
    words = Text(
        title="Meadow Farmhouse Cheese may contain Listeria",
        hazard="Listeria can cause serious illness.",
        actions=("Stop eating it.", "Bring it back to the shop."),
        remedies=("Full refund", "Replacement"),
    )
    draft = CaseDraft(
        title=words.title,
        hazard=words.hazard,
        hazard_class=1,
        lots=((MILK, "M1"),),
        texts={"en": words},
        contact={"phone": "+44 20 7946 0101"},
    )
    case = await casework.open_case(conn, draft, by="ada", clock=system_clock, keys=keys)
    await casework.submit(conn, case.number, by="ada", clock=system_clock)
    await casework.approve(conn, case.number, by="grace", clock=system_clock)
    await casework.publish(conn, case.number, by="grace", clock=system_clock, keys=keys)
    return case.number
