"""The story of the demo: two small worlds, labels, one recall that reaches a shopper, one drill that nobody sees."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from importlib import resources
from pathlib import Path

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from access import accounts
from access.model import operator
from cli.installation import Installation, results_dir
from cli.recall_drill import drill_sentence
from cli.samples import dairy
from cli.samples.dairy import CHEESE, MILK, Dairy
from labels import printing
from ledger import capture, capture_points, codes, master_data
from ledger.model import ContactDraft, PartyDraft, ProductDraft
from recall import casework, documents
from recall.model import CaseDraft, Text
from runtime.clock import system_clock
from runtime.database import transaction

CATCH, CANS = "09506000135106", "09506000135120"
CANS_LABELLED = 240
DAIRY_ITEMS = 240
FORMATS = ("xlsx", "csv", "pdf", "json")
ADA, GRACE, ROOT = "ada", "grace", "root"
_ROLES = {ADA: "recall_author", GRACE: "recall_approver", ROOT: "admin"}
_TUNA_PARTIES = [
    PartyDraft(gln="9506000135229", name="Blue Bay Imports", role="distributor", channel="wholesale", country="GB"),
    PartyDraft(gln="9506000135236", name="Coast Grocers", role="retailer", channel="retail", country="GB"),
    PartyDraft(gln="9506000135243", name="Green Basket", role="retailer", channel="retail", country="GB"),
]
_TUNA_CONTACTS = {
    "9506000135229": ("Ines Vale", "+44 1394 960201", "ines@bluebay.example"),
    "9506000135236": ("Owen Hart", "+44 1603 960202", "owen@coastgrocers.example"),
    "9506000135243": ("Priya Nair", "+44 1582 960203", "priya@greenbasket.example"),
}


@dataclass(frozen=True, slots=True)
class Story:
    """What a person needs to look around afterwards."""

    recall: str
    recall_title: str
    recalled_link: str
    clear_link: str
    sold_link: str
    labels_pdf: str
    roll_pdf: str
    notices: list[str]
    drill: str
    drill_report: str
    accounts: list[dict[str, str]]


async def tell_story(conn: AsyncConnection, installation: Installation, tell: Callable[[str], None]) -> Story:
    """Everything from milk to notice list; returns where to look."""
    tell("the little dairy: two lots of milk, two of cheese, labels, packing, shipping, one sale …")
    world = await _dairy(conn, installation)
    tell("a tuna chain: vessel, processor, cannery, importer, two chains of shops …")
    await _tuna(conn, installation)
    tell("printing labels, and reading each one back …")
    folder = results_dir(installation.settings, "labels")
    sheet = await _render(conn, installation, world.c1.job_id, folder / "cheese-C1-a4.pdf")
    roll = await _render(conn, installation, await _tuna_labels(conn, installation), folder / "tuna-SKJ2609A-roll.pdf")
    people = await _people(conn)
    tell("opening, approving and publishing a recall of milk lot M1 …")
    number, title = await _recall(conn, installation)
    notices = await documents.write_notices(conn, number, FORMATS, results_dir(installation.settings, "notices"))
    tell("practising another one …")
    drill = await casework.drill(
        conn, f"{CATCH}:H-01", by=ADA, clock=system_clock, keys=await _keys(conn, installation)
    )
    await documents.write_notices(conn, drill.number, FORMATS, results_dir(installation.settings, "drill"))
    base = installation.settings.base_url
    return Story(
        recall=number,
        recall_title=title,
        recalled_link=world.link(base, world.c1_serials[1]),
        clear_link=world.link(base, world.c2_serials[1]),
        sold_link=world.link(base, world.mira),
        labels_pdf=str(sheet.resolve()),
        roll_pdf=str(roll.resolve()),
        notices=[str(path.resolve()) for path in notices],
        drill=drill.number,
        drill_report=drill_sentence(drill),
        accounts=people,
    )


async def _keys(conn: AsyncConnection, installation: Installation) -> codes.KeyRing:
    return await codes.KeyRing.load(conn, installation.master_secret)


async def _dairy(conn: AsyncConnection, installation: Installation) -> Dairy:
    world = await dairy.arrange(
        conn,
        by="demo",
        clock=system_clock,
        master_secret=installation.master_secret,
        base_url=installation.settings.base_url,
        items=DAIRY_ITEMS,
        labels_dir=results_dir(installation.settings, "labels"),
    )
    for definition in dairy.CAPTURE_POINTS:
        await capture_points.put(conn, capture_points.read_definition(definition), by="demo", clock=system_clock)
    return world


async def _tuna(conn: AsyncConnection, installation: Installation) -> None:
    """The documents of the three parties, as each would send them."""
    keys = await _keys(conn, installation)
    folder = resources.files("cli.samples") / "tuna"
    for file in sorted((f for f in folder.iterdir() if f.name.endswith(".json")), key=lambda f: f.name):
        await capture.capture(conn, orjson.loads(file.read_bytes()), by="demo", clock=system_clock, keys=keys)
    async with transaction(conn):
        await master_data.put_product(
            conn,
            ProductDraft(
                gtin=CANS,
                name="Skipjack tuna in olive oil, 160 g",
                brand="Blue Bay",
                profile="food",
                ours=True,
                allergens=("fish",),
                shelf_life_days=1460,
                texts={"zh": {"name": "橄榄油浸鲣鱼罐头 160 克", "brand": "蓝湾"}},
            ),
        )
        for party in _TUNA_PARTIES:
            await master_data.put_party(conn, party)
        for gln, (name, phone, email) in _TUNA_CONTACTS.items():
            await master_data.put_contact(
                conn, ContactDraft(party_uri=gln, kind="recall", name=name, phone=phone, email=email)
            )


async def _tuna_labels(conn: AsyncConnection, installation: Installation) -> int:
    job = await printing.order(
        conn,
        gtin=CANS,
        lot="SKJ2609A",
        count=CANS_LABELLED,
        template="roll-50x30",
        best_before_on=(system_clock() + timedelta(days=1300)).date(),
        lot_in_link=False,
        base_url=installation.settings.base_url,
        by="demo",
        clock=system_clock,
        master_secret=installation.master_secret,
        labels_max=CANS_LABELLED,
    )
    return job.job_id


async def _render(conn: AsyncConnection, installation: Installation, job_id: int, out: Path) -> Path:
    keys = await _keys(conn, installation)
    files = await printing.render(conn, job_id, "pdf", out, by="demo", clock=system_clock, keys=keys)
    return files[0].path


async def _people(conn: AsyncConnection) -> list[dict[str, str]]:
    """Passwords are new in every demo, so that no known one ever opens an installation."""
    people = [{"name": name, "role": role, "password": secrets.token_urlsafe(12)} for name, role in _ROLES.items()]
    for person in people:
        await accounts.add_account(
            conn,
            name=person["name"],
            display_name=person["name"].title(),
            role=person["role"],
            password=person["password"],
            by=operator("demo"),
            clock=system_clock,
        )
    return people


async def _recall(conn: AsyncConnection, installation: Installation) -> tuple[str, str]:
    english = Text(
        title="Meadow Farmhouse Cheese 400 g may contain Listeria monocytogenes",
        hazard="Listeria can cause serious illness, above all in pregnancy, in old age and with weak immunity.",
        actions=(
            "Stop eating this cheese now.",
            "Keep it closed and away from other food.",
            "Bring it back to the shop; no receipt is needed.",
            "See a doctor if you feel ill or have fever.",
        ),
        remedies=("Full refund", "Replacement"),
    )
    draft = CaseDraft(
        title=english.title,
        hazard=english.hazard,
        hazard_class=1,
        lots=((MILK, "M1"),),
        texts={"en": english, "zh": _chinese()},
        contact={"name": "Meadow Creamery", "phone": "+44 20 7946 0101", "email": "recall@meadow.example"},
        deadline_on=(system_clock() + timedelta(days=7)).date(),
    )
    keys = await _keys(conn, installation)
    case = await casework.open_case(conn, draft, by=ADA, clock=system_clock, keys=keys)
    await casework.submit(conn, case.number, by=ADA, clock=system_clock)
    await casework.approve(conn, case.number, by=GRACE, clock=system_clock)
    await casework.publish(conn, case.number, by=GRACE, clock=system_clock, keys=keys)
    return case.number, draft.title


def _chinese() -> Text:
    return Text(
        title="牧场农家奶酪 400 克可能含有单核细胞增生李斯特菌",
        hazard="李斯特菌可引起严重疾病，孕妇、老年人和免疫力低下者风险尤其高。",
        actions=(
            "立即停止食用该奶酪。",
            "保持密封，与其他食品分开存放。",
            "退回购买门店，无需小票。",
            "如发热或不适，请就医。",
        ),
        remedies=("全额退款", "更换同类产品"),
    )


__all__ = ["CANS", "CATCH", "CHEESE", "Story", "tell_story"]
