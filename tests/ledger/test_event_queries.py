"""Questions about events, asked of the ledger: what an event names finds it, and a token is good for its query only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import codes, event_queries
from ledger.capture import capture
from ledger.codes import KeyRing
from ledger.commissioning import commission_range
from ledger.epcis.read import read_document
from ledger.event_matching import CLASS_FIELDS, EPC_FIELDS
from ledger.event_terms import VALUES_MAX, QueryParameterWrong, QueryTooComplex, read_query
from ledger.master_data import put_lot, put_product
from ledger.model import LotDraft, ProductDraft
from ledger.page_tokens import (
    LIFETIME,
    PageTokenEnded,
    PageTokenNotOurs,
    Position,
    seal,
    seal_member,
    unseal,
    unseal_member,
)
from runtime.database import transaction
from tests.ledger import dairy as d

DOCUMENTS = sorted((Path(__file__).parent / "documents" / "valid").iterdir())
QUESTION = {"EQ_bizStep": ["shipping", "receiving"]}
POSITION = Position(812_345, 77, d.MORNING, 3)


async def ask(conn: AsyncConnection, keys: KeyRing, **parameters: Sequence[str]) -> list[Mapping[str, Any]]:
    query = read_query(parameters)
    page = await event_queries.find_events(conn, query, keys=keys, secret=d.SECRET, per_page=100, clock=d.clock)
    await conn.rollback()
    assert page.next_token is None
    return list(page.events)


async def told(conn: AsyncConnection, keys: KeyRing, *events: Mapping[str, Any]) -> None:
    await capture(conn, d.document(*events), by="anna", clock=d.clock, keys=keys)


def names_in(event: Mapping[str, Any], fields: Mapping[str, tuple[str, ...]]) -> list[tuple[str, str]]:
    """Each parameter with each name that it has to find in this event."""
    found = []
    for parameter, keys in fields.items():
        for key in keys:
            value = event.get(key, [])
            listed = [value] if isinstance(value, str) else value
            found += [(parameter, each["epcClass"] if isinstance(each, dict) else each) for each in listed]
    return found


def everything_told() -> list[Mapping[str, Any]]:
    """An event of each kind, also those that move nothing, and those that only set a mark."""
    mark: dict[str, Any] = {"persistentDisposition": {"set": ["recalled"]}}
    papers: dict[str, Any] = {"bizTransactionList": [{"type": "po", "bizTransaction": "urn:dairy:po:7"}]}
    steaks = [d.much(d.CHEESE, "C1", 10, "KGM")]
    return [
        d.make(0, epcList=d.items(d.CHEESE, range(4)), quantityList=[d.much(d.CHEESE, "C2", 5)]),
        d.make(1, quantityList=[d.much(d.MILK, "M1", 10, "LTR"), *steaks]),
        d.tell("ObjectEvent", 2, action="OBSERVE", **mark, quantityList=[d.much(d.CHEESE, "C1", 0)]),
        d.tell("ObjectEvent", 3, action="OBSERVE", **mark, epcList=[d.item(d.CHEESE, 1), d.sscc(d.OTHER_PALLET)]),
        d.tell("TransactionEvent", 4, action="ADD", **papers, quantityList=[d.much(d.CHEESE, "C2", 2)]),
        d.tell("TransactionEvent", 5, action="ADD", **papers, parentID=d.sscc(d.PALLET), epcList=[d.item(d.CHEESE, 2)]),
        d.pack(6, d.sscc(d.PALLET), childEPCs=[d.item(d.CHEESE, 2)], childQuantityList=[d.much(d.CHEESE, "C2", 1)]),
        {**d.pack(7, d.item(d.CASE, 1), childEPCs=[d.item(d.CHEESE, 3)]), "type": "AssociationEvent"},
        d.tell("TransformationEvent", 8, inputQuantityList=[d.much(d.MILK, "M1", 10, "LTR")],
               inputEPCList=[d.item(d.CHEESE, 1)], outputEPCList=[d.item(d.CHEESE, 9)],
               outputQuantityList=[d.much(d.CHEESE, "C3", 4)]),
        d.tell("ObjectEvent", 9, action="DELETE", bizStep="destroying", epcList=[d.item(d.CHEESE, 9)]),
        d.tell("ObjectEvent", 9.5, action="OBSERVE", quantityList=[{"epcClass": f"https://id.gs1.org/01/{d.MILK}"}]),
    ]  # fmt: skip


async def test_every_name_in_an_event_finds_the_event(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    for path in DOCUMENTS:
        await capture(conn, read_document(path.read_bytes(), path.name), by="anna", clock=d.clock, keys=keys)
    await told(conn, keys, *everything_told())
    events = await ask(conn, keys)

    missed = []
    asked = 0
    for event in events:
        for parameter, uri in names_in(event, {**EPC_FIELDS, **CLASS_FIELDS}):
            asked += 1
            found = await ask(conn, keys, **{parameter: [uri]})
            if event["eventID"] not in [each["eventID"] for each in found]:
                missed.append((parameter, uri, event["type"], event.get("action")))
            assert all((parameter, uri) in names_in(each, {**EPC_FIELDS, **CLASS_FIELDS}) for each in found)

    assert missed == []
    assert asked > 60


async def test_an_event_that_counts_no_more_is_still_found_and_so_is_its_declaration(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    wrong = {**d.make(0, epcList=[d.item(d.CHEESE, 1)]), "eventID": "urn:uuid:00000000-0000-4000-8000-000000000001"}
    declared = {"declarationTime": "2026-03-05T00:00:00Z", "reason": "did_not_occur"}
    await told(conn, keys, wrong)
    await told(conn, keys, {**wrong, "errorDeclaration": declared})

    assert len(await ask(conn, keys, MATCH_epc=[d.item(d.CHEESE, 1)])) == 2
    assert len(await ask(conn, keys, MATCH_epc=[d.item(d.CHEESE, 2)])) == 0
    (declaration,) = await ask(conn, keys, EXISTS_errorDeclaration=["true"])
    assert declaration["errorDeclaration"] == declared


async def test_an_item_finds_the_event_that_commissioned_its_range(conn: AsyncConnection) -> None:
    keys = await d.ring(conn)
    async with transaction(conn):
        await put_product(conn, ProductDraft(d.CHEESE, "Cheese"))
        lot = await put_lot(conn, LotDraft(d.CHEESE, "C1"))
        lo = await codes.reserve_block(
            conn, n=100, kind="label", gtin=d.CHEESE, lot_id=lot.lot_id, key_epoch=1, skipped=()
        )
        await commission_range(
            conn, lot_id=lot.lot_id, runs=[(lo, 50)], at=d.MORNING, place_id=0, owner_id=0, by="anna", clock=d.clock,
            extension={},
        )  # fmt: skip
    inside, outside = (d.item(d.CHEESE, keys.cipher(1, d.CHEESE).serial(lo + k)) for k in (49, 50))

    assert len(await ask(conn, keys, MATCH_epc=[inside])) == 1
    assert await ask(conn, keys, MATCH_epc=[outside]) == []
    assert await ask(conn, keys, MATCH_parentID=[inside]) == []
    pattern = f"urn:epc:idpat:sgtin:{d.CHEESE[1:8]}.{d.CHEESE[0]}{d.CHEESE[8:13]}.*"
    assert len(await ask(conn, keys, MATCH_anyEPC=[pattern])) == 1


async def test_a_page_that_looked_at_enough_is_short_and_goes_on(
    conn: AsyncConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = await d.ring(conn)
    made = [d.make(k, quantityList=[d.much(d.CHEESE, f"C{k}", 1 if k % 5 else 7)]) for k in range(20)]
    await told(conn, keys, *made)
    monkeypatch.setattr(event_queries, "EXAMINED_MAX", 4)
    monkeypatch.setattr(event_queries, "BATCH_EVENTS", 3)
    query = read_query({"EQ_quantity": ["7"]})

    found, token, pages = [], None, 0
    while pages == 0 or token is not None:
        page = await event_queries.find_events(
            conn, query, keys=keys, secret=d.SECRET, per_page=10, clock=d.clock, token=token
        )
        found += [event["quantityList"][0]["epcClass"] for event in page.events]
        token, pages = page.next_token.text if page.next_token else None, pages + 1

    assert found == [d.lot(d.CHEESE, f"C{k}") for k in (15, 10, 5, 0)]
    assert pages == 5
    with pytest.raises(event_queries.CountTooFar):
        await ask(conn, keys, EQ_quantity=["7"], maxEventCount=["2"])


def test_a_token_is_read_back_as_it_was_sealed() -> None:
    token = seal(POSITION, QUESTION, d.SECRET, d.clock())

    assert unseal(token.text, QUESTION, d.SECRET, token.expires_at - timedelta(seconds=1)) == POSITION


def test_a_token_ends_after_a_day() -> None:
    token = seal(POSITION, QUESTION, d.SECRET, d.clock())

    assert token.expires_at <= d.clock() + LIFETIME
    with pytest.raises(PageTokenEnded):
        unseal(token.text, QUESTION, d.SECRET, token.expires_at)


def test_a_token_of_a_list_is_good_for_that_list_only() -> None:
    token = seal_member("shipping", "bizSteps", d.SECRET, d.clock())

    assert unseal_member(token.text, "bizSteps", d.SECRET, d.clock()) == "shipping"
    with pytest.raises(PageTokenNotOurs):
        unseal_member(token.text, "dispositions", d.SECRET, d.clock())


@pytest.mark.parametrize("place", range(0, 70, 7))
def test_a_token_that_was_changed_anywhere_is_refused(place: int) -> None:
    token = seal(POSITION, QUESTION, d.SECRET, d.clock()).text
    changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]

    with pytest.raises(PageTokenNotOurs):
        unseal(changed, QUESTION, d.SECRET, d.clock())


def test_a_token_of_another_query_or_another_installation_is_refused() -> None:
    token = seal(POSITION, QUESTION, d.SECRET, d.clock()).text

    for question, secret in (({"EQ_bizStep": ["shipping"]}, d.SECRET), (QUESTION, d.SECRET + "!")):
        with pytest.raises(PageTokenNotOurs):
            unseal(token, question, secret, d.clock())


@pytest.mark.parametrize("token", ["", "A", "é", "=" * 40, "A" * 6_001, json.dumps({})])
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(PageTokenNotOurs):
        unseal(token, QUESTION, d.SECRET, d.clock())


def test_a_list_longer_than_the_limit_is_refused_whole() -> None:
    values = [f"urn:event:{k}" for k in range(VALUES_MAX)]

    assert len(read_query({"EQ_eventID": values}).event_ids) == VALUES_MAX
    with pytest.raises(QueryTooComplex):
        read_query({"EQ_eventID": [*values, "urn:event:one-too-many"]})


@pytest.mark.parametrize("name", ["EQ_bizstep", "EQ_bizTransaction_", "MATCH_all", "EXISTS_ILMD", "EQ_:lot", "bizStep"])
def test_a_parameter_that_is_none_is_named(name: str) -> None:
    with pytest.raises(QueryParameterWrong, match=name):
        read_query({name: ["shipping"]})
