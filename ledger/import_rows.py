"""One record of a file into the ledger, and whether that changed anything. Inside the caller's transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from ledger import master_data
from ledger.import_kinds import STATUS_BY_RESULT, Draft, InspectionDraft
from ledger.model import Contact, ContactDraft, LotDraft, PartyDraft, PlaceDraft, Product, ProductDraft
from ledger.statements import named_statements

Outcome = Literal["new", "changed", "unchanged"]

_SQL = named_statements(Path(__file__).with_name("imports.sql"))


async def put(conn: AsyncConnection, draft: Draft, values: Mapping[str, Any]) -> Outcome:
    """Put one draft on record. ``values`` are the filled cells of its row: what is empty stays as it is on record."""
    if isinstance(draft, PartyDraft):
        party = await master_data.find_party(conn, draft.uri or draft.gln or "")
        if party is not None and "role" not in values:
            draft = replace(draft, role=party.role)  # type: ignore[arg-type]
        return _outcome(party, await master_data.put_party(conn, draft))
    if isinstance(draft, PlaceDraft):
        place = await master_data.find_place(conn, draft.uri or draft.gln or "")
        return _outcome(place, await master_data.put_place(conn, draft))
    if isinstance(draft, ProductDraft):
        product = await master_data.find_product(conn, draft.gtin)
        draft = _with_other_texts(draft, product) if product is not None else draft
        return _outcome(product, await master_data.put_product(conn, draft))
    if isinstance(draft, LotDraft):
        lot = await master_data.find_lot(conn, draft.gtin, draft.code)
        return _outcome(lot, await master_data.put_lot(conn, draft))
    if isinstance(draft, ContactDraft):
        return await _put_contact(conn, draft)
    assert isinstance(draft, InspectionDraft), "shipments are recorded together"
    return await _put_inspection(conn, draft)


def _outcome(before: object | None, after: object) -> Outcome:
    if before is None:
        return "new"
    return "unchanged" if before == after else "changed"


def _with_other_texts(draft: ProductDraft, product: Product) -> ProductDraft:
    """A file has a column for each text: the texts without a column stay."""
    told = draft.texts or {}
    languages = {*product.texts, *told}
    texts = {language: {**product.texts.get(language, {}), **told.get(language, {})} for language in languages}
    return replace(draft, texts=texts)


async def _put_contact(conn: AsyncConnection, draft: ContactDraft) -> Outcome:
    party = await master_data.find_party(conn, draft.party_uri)
    known: dict[str, Contact] = {}
    if party is not None:
        known = {contact.kind: contact for contact in await master_data.contacts_of(conn, [party.party_id])}
    return _outcome(known.get(draft.kind), await master_data.put_contact(conn, draft))


async def _put_inspection(conn: AsyncConnection, draft: InspectionDraft) -> Outcome:
    """Keep the inspection; the latest one of a lot decides whether the lot may be used."""
    lot = await master_data.get_lot(conn, draft.gtin, draft.lot)
    row = {"lot_id": lot.lot_id, "at": draft.at, "result": draft.result, "report": draft.report}
    if (await conn.execute(_SQL["inspection_is_known"], row)).scalar_one():
        return "unchanged"
    await conn.execute(_SQL["add_inspection"], {**row, "inspector": draft.inspector})
    later = await conn.execute(_SQL["later_inspection_exists"], {"lot_id": lot.lot_id, "at": draft.at})
    if not later.scalar_one():
        status = STATUS_BY_RESULT[draft.result]
        reason = f"inspection {draft.result}" + (f", {draft.report}" if draft.report else "")
        await master_data.put_lot(conn, LotDraft(draft.gtin, draft.lot, status=status, status_reason=reason))
    return "new"
