"""What Chinese keyboards make of a code is read as it is meant; what comes from a scanner is not touched."""

from __future__ import annotations

import httpx2
import pytest

from gs1.identifier import Identifier
from portal import checks
from portal.typed import as_meant, codes_of_text
from tests.portal.arrangement import BASE, BROWSER, CHEESE, JSON, MILK, item

LOT_M1 = Identifier.lot_of(MILK, "M1")
WIDE = str.maketrans("0123456789M/:", "０１２３４５６７８９Ｍ／：")


@pytest.mark.parametrize(
    "text",
    [
        f"{MILK}/M1".translate(WIDE),
        f"{MILK}:M1".translate(WIDE),
        f"{MILK}、M1",  # the key / of a Chinese keyboard
        f"\u3000{MILK}／Ｍ１\u3000",
        f"（０１）{MILK}（１０）Ｍ１",
        f"\u200b\u202a{MILK}/M1\u202c",  # as copied out of a messenger
    ],
)
def test_digits_letters_and_signs_in_full_width_are_read(text: str) -> None:
    assert checks.read(text) == (LOT_M1, "")


@pytest.mark.parametrize(
    "text",
    [f"{BASE}/01/{MILK}/10/Ｍ１", f"]C101{MILK}10Ｍ１", f"01{MILK}10Ｍ１\x1d"],
)
def test_in_what_a_scanner_sent_they_are_a_fault(text: str) -> None:
    assert as_meant(text) == text
    assert checks.read(text)[0] is None


def test_what_a_machine_sends_is_read_strictly() -> None:
    assert checks.read(f"{MILK}／Ｍ１", is_typed=False)[0] is None


def test_chinese_commas_and_full_stops_separate_codes() -> None:
    text = f"{MILK}/M1，{MILK}/M2、{CHEESE}/C1；\n{MILK}/M1。"

    assert codes_of_text(text) == [f"{MILK}/M1", f"{MILK}/M2", f"{CHEESE}/C1", f"{MILK}/M1"]


def test_a_lot_that_could_be_another_product_stays_with_its_own() -> None:
    """The key / of a Chinese keyboard writes 、: to check the product alone would say nothing of the lot."""
    (code,) = codes_of_text(f"{MILK}、{CHEESE}".translate(WIDE))

    assert checks.read(code)[0] == Identifier.lot_of(MILK, CHEESE)


@pytest.mark.parametrize(("typed", "lot"), [("A，1", "A,1"), ("A。1", "A.1"), ("A，B，C", "A,B,C")])
def test_between_what_are_no_codes_they_stand_for_the_sign_of_their_key(typed: str, lot: str) -> None:
    """A plain comma belongs to a lot: were it cut there, another lot would be looked up."""
    (code,) = codes_of_text(f"{MILK}/{typed}")

    assert checks.read(code)[0] == Identifier.lot_of(MILK, lot)
    assert codes_of_text(f"{MILK}/A,{MILK}") == [f"{MILK}/A,{MILK}"]


async def test_a_list_typed_on_a_chinese_keyboard_is_checked_and_remarked_upon_in_chinese(
    milk_recalled: httpx2.AsyncClient,
) -> None:
    codes = f"{MILK}、M1，{MILK}／M2。\n{MILK}/M9\n９５２０１２３４５６７８"
    answer = await milk_recalled.post(
        "/check?lang=zh", files={"codes": (None, codes)}, headers=BROWSER | {"origin": BASE}
    )

    assert answer.text.count("鲜牛奶 1 升") == 3
    assert "有这种产品，但没有这个批次或单件。" in answer.text
    assert "前面的零可能丢失了" in answer.text or "校验位不符" in answer.text
    assert "The product is known" not in answer.text
    listed = await milk_recalled.post(
        "/check?lang=zh", files={"codes": (None, codes), "format": (None, "csv")}, headers=BROWSER | {"origin": BASE}
    )
    assert "有这种产品，但没有这个批次或单件。" in listed.text


async def test_a_line_of_a_hand_scanner_is_answered_in_the_language_of_its_page(
    milk_recalled: httpx2.AsyncClient,
) -> None:
    codes = [f"{MILK}／M9", item(1000)]
    page = {"codes": codes, "typed": True, "language": "zh"}
    ours = (await milk_recalled.post("/v1/checks", json=page, headers=JSON)).json()["rows"]
    machines = (await milk_recalled.post("/v1/checks", json={"codes": codes}, headers=JSON)).json()["rows"]

    assert (ours[0]["status"], ours[0]["what"]) == ("UNKNOWN_CODE", "有这种产品，但没有这个批次或单件。")
    assert (machines[0]["status"], machines[1]["product"]) == ("UNREADABLE", "Fresh milk 1 l")
    assert (ours[1]["status"], ours[1]["product"]) == ("RECALLED", "鲜牛奶 1 升")
