"""What staff see on the home, on a label job and on a case, and what each role may do there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from access.model import ROLES
from console.wording import TEXTS
from labels import rendering
from ledger.codes import KeyRing
from recall import casework
from recall.model import Case, CaseDraft, Text
from runtime.clock import system_clock
from runtime.database import transaction
from tests.console.conftest import OURS, Visitor, form_token, words
from tests.shop import CHEESE, cheese_in_the_shop, order
from tests.world import SECRET

Browser = Callable[[], httpx2.AsyncClient]


CHINESE = Text("奶酪可能含有李斯特菌", "李斯特菌可能导致严重疾病。", ("停止食用。",), ("退款。",))


async def case_of_cheese(conn: AsyncConnection, *, by: str = "lin", title: str = "Listeria in cheese") -> Case:
    public = Text(title, "Listeria can make people seriously ill.", ("Stop eating it.",), ("Your money back.",))
    draft = CaseDraft(
        title=title,
        hazard="Listeria can make people seriously ill.",
        hazard_class=1,
        lots=((CHEESE, "C1"),),
        texts={"en": public, "zh": CHINESE},
        contact={"phone": "+44 20 7946 0101"},
    )
    keys = await KeyRing.load(conn, SECRET)
    return await casework.open_case(conn, draft, by=by, clock=system_clock, keys=keys)


async def press(client: httpx2.AsyncClient, number: str, step: str, **fields: str) -> httpx2.Response:
    """Press a button of a case's page, as a browser does."""
    page = await client.get(f"/console/cases/{number}")
    data = {"form_token": form_token(page), **fields}
    return await client.post(f"/console/cases/{number}/{step}", data=data, headers=OURS)


async def test_the_home_of_a_new_installation_says_how_to_begin(visitor: Visitor) -> None:
    page = words(await (await visitor("lin", "viewer")).get("/console"))

    assert "tracemark import products" in page
    assert "tracemark labels order" in page
    assert "That is good news" in page


async def test_the_home_lists_products_label_jobs_and_cases(visitor: Visitor, conn: AsyncConnection) -> None:
    await cheese_in_the_shop(conn)
    case = await case_of_cheese(conn)
    await order(conn)

    page = words(await (await visitor("mei", "viewer")).get("/console"))

    assert f"{case.number} Draft Listeria in cheese" in page
    assert "Farmhouse Cheese" in page
    assert "Job 1" in page
    assert "C1" in page


async def test_long_lists_go_on_on_the_next_page(visitor: Visitor, conn: AsyncConnection) -> None:
    await cheese_in_the_shop(conn)
    numbers = [(await case_of_cheese(conn, title=f"Case {n}")).number for n in range(22)]
    client = await visitor("mei", "viewer")

    first = await client.get("/console")
    second = await client.get(f"/console?cases={first.text.split('/console?cases=')[1].split(chr(34))[0]}")

    assert numbers[-1] in first.text
    assert numbers[1] not in first.text
    assert numbers[1] in second.text
    assert numbers[0] in second.text


async def test_two_people_take_a_case_to_the_public(visitor: Visitor, conn: AsyncConnection) -> None:
    await cheese_in_the_shop(conn)
    number = (await case_of_cheese(conn)).number
    author, approver = await visitor("lin", "recall_author"), await visitor("mei", "recall_approver")

    draft = words(await author.get(f"/console/cases/{number}"))
    submitted = await press(author, number, "submit")
    approved = await press(approver, number, "approve")
    unticked = await press(approver, number, "publish")
    published = await press(approver, number, "publish", confirmed="yes")
    shown = await approver.get(published.headers["location"])

    assert "24 Items" in draft
    assert "Corner Shop" in draft
    assert (submitted.status_code, approved.status_code, published.status_code) == (303, 303, 303)
    assert unticked.status_code == 400
    assert "Every scan says so" in words(shown)
    assert "As published, version 1" in words(shown)
    assert (await conn.execute(text("SELECT number FROM publication"))).scalar_one() == number
    acts = [row.actor async for row in audit.read(conn) if row.act == "recall.publish"]
    assert acts == ["mei"]


async def test_whoever_opened_a_case_cannot_approve_it(visitor: Visitor, conn: AsyncConnection) -> None:
    await cheese_in_the_shop(conn)
    admin = await visitor("ada", "admin")
    number = (await case_of_cheese(conn, by="ada")).number
    await press(admin, number, "submit")

    page = await admin.get(f"/console/cases/{number}")
    refused = await press(admin, number, "approve")

    assert "Another person has to approve it" in words(page)
    assert f"/console/cases/{number}/approve" not in page.text
    assert refused.status_code == 403
    assert "In review" in words(await admin.get(f"/console/cases/{number}"))


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("viewer", set()),
        ("printer", set()),
        ("recall_author", {"submit"}),
        ("recall_approver", {"approve", "publish"}),
    ],
)
async def test_each_role_has_its_buttons_and_no_others(
    visitor: Visitor, conn: AsyncConnection, role: str, allowed: set[str]
) -> None:
    await cheese_in_the_shop(conn)
    number = (await case_of_cheese(conn, by="somebody")).number
    client = await visitor("bo", role)

    outcomes = {
        step: (await press(client, number, step, confirmed="yes")).status_code
        for step in ("submit", "approve", "publish")
    }

    assert {step for step, status in outcomes.items() if status != 403} == allowed


async def test_the_notice_list_can_be_downloaded_once_there_is_one(visitor: Visitor, conn: AsyncConnection) -> None:
    await cheese_in_the_shop(conn)
    number = (await case_of_cheese(conn)).number
    client = await visitor("mei", "admin")
    early = await client.get(f"/console/cases/{number}/notices/xlsx")
    for step in ("submit", "approve", "publish"):
        assert (await press(client, number, step, confirmed="yes")).status_code == 303

    files = {
        form: await client.get(f"/console/cases/{number}/notices/{form}") for form in ("xlsx", "csv", "pdf", "json")
    }
    wrong = await client.get(f"/console/cases/{number}/notices/exe")

    assert (early.status_code, wrong.status_code) == (409, 400)
    for form, file in files.items():
        assert file.status_code == 200
        assert f".{form}" in file.headers["content-disposition"]
    assert b"Corner Shop" in files["csv"].content
    assert files["pdf"].content.startswith(b"%PDF-")


async def rendered(conn: AsyncConnection, job_id: int, data_dir: Path, keys: KeyRing) -> str:
    """A list of codes that a worker has made; its name."""
    folder = rendering.files_folder(data_dir)
    asked = await rendering.ask_worker(conn, job_id, "codes", folder, in_parts=False, by="lin", clock=system_clock)
    (output,) = await rendering.carry_out(
        conn, asked.render_id, by="lin", clock=system_clock, keys=keys, cells_folder=None, processes=1
    )
    return output.path.name


async def test_a_label_job_shows_its_counts_and_hands_each_file_out_once_to_printers(
    visitor: Visitor, conn: AsyncConnection, tmp_path: Path
) -> None:
    await cheese_in_the_shop(conn)
    job = await order(conn, count=12)
    async with transaction(conn):
        keys = await KeyRing.load(conn, SECRET)
    name = await rendered(conn, job.job_id, tmp_path, keys)
    printer, viewer = await visitor("pat", "printer"), await visitor("vi", "viewer")
    files = f"/console/label-jobs/{job.job_id}/files"

    page = await printer.get(f"/console/label-jobs/{job.job_id}")
    refused = await viewer.get(f"{files}/{name}")
    found, again, never = [await printer.get(f"{files}/{each}") for each in (name, name, "other.csv")]

    assert "12 Ordered 0 Commissioned 0 Void 12 Unused" in words(page)
    assert f"{files}/{name}" in page.text
    assert str(tmp_path) not in page.text
    assert (found.status_code, found.text.count("\n")) == (200, 13)
    assert [row.actor async for row in audit.read(conn) if row.act == "labels.delivered"] == ["pat"]
    assert (again.status_code, never.status_code, refused.status_code) == (409, 404, 403)


@pytest.mark.parametrize(
    "path", ["/console/cases/R-2026-9999", "/console/label-jobs/99", "/console/label-jobs/x", "/console/x"]
)
async def test_what_is_not_there_is_said_on_a_page(visitor: Visitor, path: str) -> None:
    answer = await (await visitor("lin", "viewer")).get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
    assert "Back to the console" in words(answer)


async def test_what_others_wrote_is_shown_as_text_and_never_as_markup(visitor: Visitor, conn: AsyncConnection) -> None:
    await cheese_in_the_shop(conn)
    case = await case_of_cheese(conn, title='<img src=x onerror="alert(1)">')
    client = await visitor("mei", "viewer")

    for path in ("/console", f"/console/cases/{case.number}"):
        page = await client.get(path)
        assert "<img src=x" not in page.text
        assert "&lt;img src=x" in page.text


async def test_a_case_is_shown_in_the_language_of_the_visitor_where_its_author_wrote_it(
    visitor: Visitor, conn: AsyncConnection
) -> None:
    await cheese_in_the_shop(conn)
    path = f"/console/cases/{(await case_of_cheese(conn)).number}"
    client = await visitor("mei", "viewer")

    chinese, english = words(await client.get(f"{path}?lang=zh")), words(await client.get(f"{path}?lang=en"))
    listed = words(await client.get("/console?lang=zh"))

    assert CHINESE.title in listed and "Listeria in cheese" not in listed
    assert CHINESE.title in chinese and CHINESE.hazard in chinese and "Listeria in cheese" not in chinese
    assert "Listeria in cheese" in english and CHINESE.title not in english


async def test_the_console_speaks_chinese_to_whoever_asks_and_remembers_it(browser: Browser) -> None:
    client = browser()

    asked = await client.get("/console/sign-in", headers={"Accept-Language": "zh-Hans-CN,zh;q=0.9,en;q=0.5"})
    chosen = await client.get("/console/sign-in?lang=zh")
    later = await client.get("/console/sign-in")
    unknown = await browser().get("/console/sign-in?lang=xx", headers={"Accept-Language": "fr"})

    for page in (asked, chosen, later):
        assert '<html lang="zh">' in page.text
        assert "登录" in page.text
    assert '<html lang="en">' in unknown.text


def test_each_language_has_every_text_and_every_role_has_a_name() -> None:
    english, chinese = TEXTS["en"], TEXTS["zh"]

    assert english.keys() == chinese.keys()
    assert all(english.values()) and all(chinese.values())
    assert {f"role_{role}" for role in ROLES} <= english.keys()
    assert {key for key, said in english.items() if said == chinese[key]} <= {"gtin", "not_yet", "labels_count"}


async def test_the_style_is_our_own_and_small(browser: Browser) -> None:
    page = await browser().get("/console/sign-in")
    style = await browser().get("/console/static/console.css")

    assert style.headers["content-type"].startswith("text/css")
    assert len(style.content) < 16_000
    assert "http" not in style.text
    assert "http" not in page.text
