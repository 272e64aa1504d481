"""What a partner can show later: a receipt that says what was known, and that nobody can alter."""

from __future__ import annotations

import hashlib
import re

import httpx2

from portal.receipts import KIND
from portal.signing import Signer
from tests.portal.arrangement import BROWSER, JSON, MILK, SECRET


async def test_the_receipt_of_a_page_says_what_came_in_and_what_was_found(milk_recalled: httpx2.AsyncClient) -> None:
    page = await milk_recalled.post("/check?lang=en", data={"codes": f"{MILK}/M1\n{MILK}/M2"}, headers=BROWSER)
    here = re.search(r"/check/receipts/[\w-]+", page.text)
    assert here is not None

    found = (await milk_recalled.get(here[0], headers=JSON)).json()
    assert found["is_valid"]
    assert found["receipt"]["counts"] == {"RECALLED": 1, "NOT_RECALLED": 1}
    assert found["receipt"]["input_sha256"] == hashlib.sha256(f"{MILK}/M1\n{MILK}/M2\n".encode()).hexdigest()
    shown = await milk_recalled.get(f"{here[0]}?lang=en", headers=BROWSER)
    assert "has not been altered" in shown.text
    assert (await milk_recalled.get(f"{here[0]}.pdf")).content.startswith(b"%PDF")


async def test_a_receipt_that_nobody_was_given_is_unknown(milk_recalled: httpx2.AsyncClient) -> None:
    assert (await milk_recalled.get("/check/receipts/abc", headers=BROWSER)).status_code == 404
    assert (await milk_recalled.get("/check/receipts/abc.xml", headers=BROWSER)).status_code == 404


async def test_a_machine_gets_one_receipt_for_a_repeated_request(milk_recalled: httpx2.AsyncClient) -> None:
    async def asked(codes: list[str], key: str) -> str:
        body = {"codes": codes, "receipt": True}
        answer = await milk_recalled.post("/v1/checks", json=body, headers={"idempotency-key": key})
        return str(answer.json()["receipt"]["receipt"]["id"])

    first = await asked([MILK], "k1")
    assert await asked([MILK], "k1") == first
    assert await asked([f"{MILK}/M1"], "k1") != first
    assert await asked([MILK], "k2") != first
    assert "receipt" not in (await milk_recalled.post("/v1/checks", json={"codes": [MILK]})).json()


def test_a_signature_holds_for_what_was_signed_and_for_nothing_else() -> None:
    signer = Signer(SECRET)
    signed = signer.sign(b"{}", KIND)

    assert signer.payload_of(signed, KIND) == b"{}"
    assert signer.payload_of(signed, "another-kind") is None
    assert signer.payload_of({**signed, "payload": "e30x"}, KIND) is None
    assert Signer(SECRET + "x").payload_of(signed, KIND) is None
    assert Signer(SECRET).keys() == signer.keys()
