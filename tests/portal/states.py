"""Every state of the page of a code, with much on it: what the browser tests look at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from portal.language import load_tongues
from portal.model import Beside, Checks, CodeState, Finding, Step, UnitLine, Unusual, Verdict
from portal.pages import Pages, unit_row
from portal.wording import said_of_unit, word
from tests.portal.arrangement import NOON, lot, product, recall

TONGUES = load_tongues()
PAGES = Pages("https://id.creamery.example", TONGUES)
MILK = product(
    texts={
        "en": {"storage": "Keep at 2-6 °C", "ingredients": "Whole milk"},
        "zh": {"name": "鲜牛奶 1 升", "storage": "2-6 ℃ 冷藏", "ingredients": "生牛乳"},
    }
)
ITEM = Finding(is_known=True, product=MILK, lot=lot(), number=1001, state=CodeState.ACTIVE)
CASE = recall(
    texts={
        "en": {
            "title": "Fresh milk may hold glass",
            "hazard": "Pieces of glass can injure the mouth and throat.",
            "actions": ["Do not drink it.", "Keep the bottle.", "Take it back to the shop.", "Call us."],
            "remedies": ["Your money back", "A new bottle"],
        },
        "zh": {
            "title": "鲜牛奶可能含有玻璃",
            "hazard": "玻璃碎片可能划伤口腔和咽喉。",
            "actions": ["请勿饮用。", "保留瓶子。", "退回商店。", "请致电我们。"],
            "remedies": ["退款", "换货"],
        },
    }
)
LIFE = tuple(
    Step(NOON - timedelta(days=9 - i), step, role, kind, "Zhejiang", "CN")
    for i, (step, role, kind) in enumerate(
        [
            ("ingredient", "supplier", None),
            ("transforming", "manufacturer", "plant"),
            ("shipping", "distributor", "warehouse"),
            ("retail_selling", "retailer", "store"),
        ]
    )
)

STATES: dict[str, tuple[Finding, Verdict, int]] = {
    "recalled": (replace(ITEM, recalls=(CASE,)), Verdict.RECALLED, 3),
    "recalled_medicine": (
        replace(ITEM, product=replace(MILK, product_id=2, profile="pharma"), recalls=(CASE,)),
        Verdict.RECALLED,
        0,
    ),
    "withdrawn": (replace(ITEM, withdrawals=(recall(kind="withdrawal"),)), Verdict.WITHDRAWN, 0),
    "expired": (replace(ITEM, lot=lot(best_before_on=date(2026, 11, 1))), Verdict.EXPIRED, 0),
    "blocked": (replace(ITEM, state=CodeState.VOID), Verdict.BLOCKED, 0),
    "not_active": (replace(ITEM, state=CodeState.NOT_ACTIVE), Verdict.NOT_ACTIVE, 0),
    "unusual_places": (replace(ITEM, unusual=Unusual("many_places", 5, 7)), Verdict.UNUSUAL, 9),
    "unusual_lot": (replace(ITEM, is_suspect=True), Verdict.UNUSUAL, 2),
    "repeat_check": (ITEM, Verdict.REPEAT_CHECK, 3),
    "first_check": (ITEM, Verdict.FIRST_CHECK, 1),
    "no_recall_known": (replace(ITEM, number=None), Verdict.NO_RECALL_KNOWN, 0),
    "check_the_serial": (replace(ITEM, number=None, part_recalls=(CASE,)), Verdict.CHECK_THE_SERIAL, 0),
    "check_the_lot": (Finding(is_known=True, product=MILK, part_recalls=(CASE,)), Verdict.CHECK_THE_SERIAL, 0),
    "unknown_code": (Finding(product=MILK), Verdict.UNKNOWN_CODE, 0),
    "cannot_confirm": (ITEM, Verdict.CANNOT_CONFIRM, 0),
}


def pages(language: str) -> Iterator[tuple[str, str]]:
    """(state, page) in a language."""
    tongue = TONGUES[language]
    for name, (finding, verdict, checks) in STATES.items():
        beside = Beside(Checks(checks, NOON) if checks else None, LIFE)
        yield name, PAGES.scan(finding, verdict, beside, tongue, NOON).whole.decode()
    held = (
        UnitLine(MILK, lot(code="M20261108.SLOW-COLD2"), 1_200, "", 1_150, (CASE,), ()),
        UnitLine(MILK, lot(), 12.5, "KGM", 0, (), (CASE,)),
        UnitLine(MILK, lot(code="M2"), 50, "", 0, (), ()),
    )
    yield "unit", PAGES.unit(Verdict.RECALLED, held, (CASE,), tongue, NOON).decode()
    said = said_of_unit(Verdict.RECALLED, tongue, NOON)
    case = {"name": "395201234567890130", "sscc": "395201234567890130", "held": "1,200", "is_doubtful": False}
    yield (
        "pallet",
        PAGES.page(
            "check_unit.html",
            tongue,
            **{
                "word": word(Verdict.RECALLED, tongue),
                "tone": "stop",
                "said": said,
                "unit": True,
                "sscc": case["sscc"],
            },
            as_of="",
            can_pick=True,
            left_off=0,
            way=["395201234567890123"],
            sentence="1,200",
            inside=[
                {**case, "recalled": "1,150", "numbers": ["R-2026-0001", "R-2026-0002"]},
                {**case, "recalled": "", "is_doubtful": True, "numbers": ["R-2026-0001"]},
                {**case, "recalled": "", "numbers": []},
            ],
            own=[unit_row(line, tongue) for line in held],
        ).decode(),
    )
    yield "unreadable", PAGES.message(Verdict.UNREADABLE, tongue, None, "…").decode()
