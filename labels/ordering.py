"""Ordering labels: whether a lot may have them, and which numbers they get.

Drawing numbers takes time in a large order (each serial is looked at), and nobody may wait for it: the numbers are
taken in a short transaction of their own, looked at outside of any, and given to the job in a second one. A draw that
is cut off leaves a gap among the numbers and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from labels import store
from labels.layout import place_symbol
from labels.model import Job, LabelText, Language, LinkForm
from labels.numbering import Numbering, OlderCodes, draw, numbers_to_take
from labels.refusals import (
    CountNotUsable,
    KeyForAnotherOrder,
    KeyNotUsable,
    LotNotPrintable,
    LotUnknown,
    ProductNotOurs,
    ProductUnknown,
    TooManyLabels,
)
from labels.symbol import SymbolPlan
from labels.template_shelf import DEFAULT, find_template, template_of
from ledger import codes, master_data
from ledger.codes import KeyRing
from ledger.model import Lot, Product
from ledger.number_store import Block
from runtime.clock import Clock
from runtime.database import transaction

ORDERED: Final = "labels.order"
KEY_CHARACTERS_MAX: Final = 300


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for. ``template`` None = the product's. ``best_before_on`` None = from the lot."""

    gtin: str
    lot: str
    count: int
    template: str | None
    best_before_on: date | None
    lot_in_link: bool
    base_url: str
    key: str | None


class _CameTwice(Exception):
    """The same order came twice at once, and the other one was first: nothing of this one may stay."""


async def order(
    conn: AsyncConnection, *, gtin: str, lot: str, count: int, template: str | None, best_before_on: date | None,
    lot_in_link: bool, base_url: str, by: str, clock: Clock, master_secret: str, labels_max: int,
    idempotency_key: str | None = None,
) -> Job:  # fmt: skip
    """Draw ``count`` codes for a lot; nothing is printed yet, and the codes are inert until commissioned.

    Without ``best_before_on`` the lot's counts, else the day it was made and the product's shelf life. ``base_url`` is
    kept with the job. Without ``template`` the product's own is taken, else the program's. The same
    ``idempotency_key`` with the same order gives the same job again.

    Refuses a product that is unknown or not ours, an unknown lot, a lot that is held, rejected or recalled, less than
    one label or more than ``labels_max``, an unknown template, a link too long for the template's symbol, words that
    cannot be printed, and a key that was used for another order. A refusal leaves nothing behind.
    """
    if count < 1:
        raise CountNotUsable(count=count, labels_max=labels_max)
    if count > labels_max:
        raise TooManyLabels(count=count, labels_max=labels_max)
    if idempotency_key is not None and not 1 <= len(idempotency_key) <= KEY_CHARACTERS_MAX:
        raise KeyNotUsable(characters_max=KEY_CHARACTERS_MAX)
    asked = Asked(gtin, lot, count, template, best_before_on, lot_in_link, base_url, idempotency_key)
    async with transaction(conn):
        product = await own_product(conn, gtin)
        known = await _known_job(conn, asked, product)
        if known is not None:
            return known
        found = await printable_lot(conn, product, lot)
        asked = replace(asked, template=await template_of(conn, product.product_id, template))
        await check_label(conn, asked, product, found)
        keys = await codes.ensure_key(conn, master_secret, clock=clock)
        older = await _older_codes(conn, product.gtin, keys)
        lo = await codes.take_numbers(conn, numbers_to_take(count))
    numbers = draw(keys.cipher(keys.newest, product.gtin), lo, count, older)
    try:
        async with transaction(conn):
            return await _add(conn, asked, product, found, numbers, epoch=keys.newest, by=by, clock=clock)
    except _CameTwice:
        async with transaction(conn):
            known = await _known_job(conn, asked, product)
        assert known is not None  # jobs are never taken off the record
        return known


async def order_replacement(
    conn: AsyncConnection, job: Job, *, by: str, clock: Clock, master_secret: str
) -> tuple[Job, KeyRing]:
    """One more label like those of ``job``, and the key ring. Inside the caller's transaction."""
    keys = await codes.ensure_key(conn, master_secret, clock=clock)
    older = await _older_codes(conn, job.gtin, keys)
    lo = await codes.take_numbers(conn, numbers_to_take(1))
    numbers = draw(keys.cipher(keys.newest, job.gtin), lo, 1, older)
    await codes.own_block(conn, Block(lo, numbers.n, "label", job.gtin, job.lot_id, keys.newest, numbers.skipped))
    values = store.job_values(
        product_id=job.product_id, lot_id=job.lot_id, numbers=numbers, template=job.template, base_url=job.base_url,
        lot_in_link=job.lot_in_link, best_before_on=job.best_before_on, by=by, at=clock(), reprint_of=job.job_id,
    )  # fmt: skip
    job_id = await store.add_job(conn, values)
    assert job_id is not None  # it has no idempotency key to clash
    return await store.find_job(conn, job_id), keys


def subject(job_id: int) -> str:
    """How the audit trail names a job."""
    return f"label job {job_id}"


async def require_printable(conn: AsyncConnection, lot: Lot, runs: Sequence[tuple[int, int]] = ()) -> None:
    """``LotNotPrintable`` when the lot is held, rejected or recalled as a whole.

    A lot of which some items are recalled still gets labels, for its other items; with ``runs`` (numbers as lo, n) it
    is refused when any of those very items is recalled.
    """
    reason = None if lot.status == "released" else f"is {lot.status}"
    if reason and lot.status_reason:
        reason += f" ({lot.status_reason})"
    reason = reason or await store.reason_recalled(conn, lot.lot_id)
    if runs:
        reason = reason or await store.reason_items_recalled(conn, lot.lot_id, runs)
    if reason:
        raise LotNotPrintable(gtin=lot.gtin, lot=lot.code, reason=reason)


def best_before_of(product: Product, lot: Lot) -> date | None:
    """The lot's date, else the day it was made and the product's shelf life, else none."""
    if lot.best_before_on is not None or lot.made_on is None or product.shelf_life_days is None:
        return lot.best_before_on
    return lot.made_on + timedelta(days=product.shelf_life_days)


def label_text(product: Product, lot: Lot, best_before_on: date | None) -> LabelText:
    """The words of a product's label, in the language of its name."""
    is_chinese = any("\u4e00" <= character <= "\u9fff" for character in product.name)
    language: Language = "zh" if is_chinese else "en"
    words = product.texts.get(language, {})
    return LabelText(
        product_name=product.name,
        brand=product.brand,
        gtin=product.gtin,
        lot=lot.code,
        language=language,
        best_before_on=best_before_on,
        made_on=lot.made_on,
        net_content=str(words.get("net_content", "")) if isinstance(words, dict) else "",
        allergens=product.allergens,
    )


async def check_label(conn: AsyncConnection, asked: Asked, product: Product, lot: Lot) -> None:
    """Refuse what can be seen now without composing the label: template, symbol and characters."""
    template = await find_template(conn, asked.template or DEFAULT)
    form = LinkForm(asked.base_url, product.gtin, lot.code if asked.lot_in_link else None)
    place_symbol(template, SymbolPlan.size_for(form).side)
    label_text(product, lot, asked.best_before_on)


async def own_product(conn: AsyncConnection, gtin: str) -> Product:
    product = await master_data.find_product(conn, gtin)
    if product is None:
        raise ProductUnknown(gtin=gtin)
    if not product.ours:
        raise ProductNotOurs(gtin=product.gtin, name=product.name)
    return product


async def printable_lot(conn: AsyncConnection, product: Product, code: str) -> Lot:
    # The lot without a code holds items whose lot nobody told us: a label cannot name it.
    lot = await master_data.find_lot(conn, product.gtin, code) if code else None
    if lot is None:
        raise LotUnknown(gtin=product.gtin, lot=code)
    await require_printable(conn, lot)
    return lot


async def _older_codes(conn: AsyncConnection, gtin: str, keys: KeyRing) -> list[OlderCodes]:
    if len(keys.epochs) == 1:
        return []
    blocks = await store.older_blocks(conn, gtin, keys.newest)
    return [OlderCodes(keys.cipher(epoch, gtin), found) for epoch, found in blocks.items()]


async def _add(
    conn: AsyncConnection, asked: Asked, product: Product, lot: Lot, numbers: Numbering, *, epoch: int, by: str,
    clock: Clock,
) -> Job:  # fmt: skip
    await codes.own_block(conn, Block(numbers.lo, numbers.n, "label", product.gtin, lot.lot_id, epoch, numbers.skipped))
    values = store.job_values(
        product_id=product.product_id, lot_id=lot.lot_id, numbers=numbers, template=asked.template or DEFAULT,
        base_url=asked.base_url, lot_in_link=asked.lot_in_link,
        best_before_on=asked.best_before_on or best_before_of(product, lot), by=by, at=clock(),
        idempotency_key=asked.key,
    )  # fmt: skip
    job_id = await store.add_job(conn, values)
    if job_id is None:
        raise _CameTwice
    await store.tell_scanners(conn)
    details = {"gtin": product.gtin, "lot": lot.code, "count": asked.count, "template": asked.template}
    await audit.note(conn, by, ORDERED, subject(job_id), details, clock)
    return await store.find_job(conn, job_id)


async def _known_job(conn: AsyncConnection, asked: Asked, product: Product) -> Job | None:
    """The job of an order that came before under its key. A lot held since then does not change what was ordered."""
    job_id = None if asked.key is None else await store.job_of_key(conn, asked.key)
    if job_id is None:
        return None
    job = await store.find_job(conn, job_id)
    before = (job.gtin, job.lot, job.count, job.template, job.lot_in_link)
    now = (product.gtin, asked.lot, asked.count, asked.template or job.template, asked.lot_in_link)
    if before != now or (asked.best_before_on is not None and asked.best_before_on != job.best_before_on):
        raise KeyForAnotherOrder(key=asked.key, job_id=job_id)
    return job
