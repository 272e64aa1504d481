"""Serials that the customer brought in a file: taken whole or not at all, each row judged.

They get numbers of their own and stand on record; everything after the order is as with our serials. A medicine's
serials must not be guessed with a chance of 1 in 10,000 or more (EU 2016/161, Article 4): that is checked against the
space that their own characters and length span, and against the range that they lie in, which finds running numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Final

from sqlalchemy.ext.asyncio import AsyncConnection

from access import audit
from gs1 import elements
from gs1.errors import GS1Error
from labels import store
from labels.data_matrix import require_no_bracket
from labels.model import Job
from labels.numbering import Numbering
from labels.ordering import ORDERED, Asked, best_before_of, check_label, own_product, printable_lot, subject
from labels.refusals import ColumnMissing, ExpiryMissing, SerialsNotTaken, SerialsTooDense, TooManyLabels
from labels.template_shelf import template_of
from ledger import codes
from ledger.codes import KeyRing
from ledger.spreadsheets import read_rows
from runtime.clock import Clock
from runtime.database import transaction
from runtime.refusals import Fault

BROUGHT_MAX: Final = 100_000
"""Serials of one file."""
SERIAL_AI: Final = elements.find("21")
ODDS: Final = 10_000
"""A guess may hit less often than once in so many tries."""
_CLASSES: Final = ("0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_OTHERS: Final = 20  # the marks of GS1 character set 82 beside letters and digits


async def order_brought(
    conn: AsyncConnection, *, gtin: str, lot: str, data: bytes, name: str, template: str | None,
    best_before_on: date | None, lot_in_link: bool, base_url: str, by: str, clock: Clock, keys: KeyRing,
    labels_max: int,
) -> Job:  # fmt: skip
    """Order labels with the serials in the column ``serial`` of a CSV or XLSX file, in its order.

    SerialsNotTaken has a fault for each row: more than 20 characters or one outside GS1 set 82, the same serial twice
    in the file or on record for the GTIN, a cell that a spreadsheet made a number of. For a medicine, SerialsTooDense
    and ExpiryMissing besides. Refuses what ``ordering.order`` refuses of product, lot, template and link.
    """
    serials, lines = _serials(data, name)
    if len(serials) > min(BROUGHT_MAX, labels_max):
        raise TooManyLabels(count=len(serials), labels_max=min(BROUGHT_MAX, labels_max))
    async with transaction(conn):
        product = await own_product(conn, gtin)
        found = await printable_lot(conn, product, lot)
        chosen = await template_of(conn, product.product_id, template)
        asked = Asked(gtin, lot, len(serials), chosen, best_before_on, lot_in_link, base_url, None)
        await check_label(conn, asked, product, found)
        expires_on = best_before_on or best_before_of(product, found)
        if product.profile == "pharma":
            if expires_on is None:
                raise ExpiryMissing(gtin=product.gtin, lot=lot)
            require_no_bracket(lot, *serials)
            require_random(serials, await store.brought_by_length(conn, product.gtin))
        known = await codes.numbers_of(conn, [(product.gtin, serial) for serial in serials], keys)
        _refuse(name, [
            Fault(f"row {line}", f"the serial {serial} is on record for {product.gtin} already.")
            for serial, line in zip(serials, lines, strict=True) if (product.gtin, serial) in known
        ])  # fmt: skip
        lo = await codes.bring_block(conn, gtin=product.gtin, lot_id=found.lot_id, serials=serials)
        values = store.job_values(
            product_id=product.product_id, lot_id=found.lot_id, numbers=Numbering(lo, len(serials)), template=chosen,
            base_url=base_url, lot_in_link=lot_in_link, best_before_on=expires_on, by=by, at=clock(),
        )  # fmt: skip
        job_id = await store.add_job(conn, values)
        assert job_id is not None  # it has no idempotency key to clash: the same file again is refused by its serials
        await store.tell_scanners(conn)
        details = {"gtin": product.gtin, "lot": lot, "count": len(serials), "file": name}
        await audit.note(conn, by, ORDERED, subject(job_id), details, clock)
        return await store.find_job(conn, job_id)


def require_random(serials: Sequence[str], on_record_by_length: dict[int, int]) -> None:
    """SerialsTooDense when a guess of one of these serials would hit once in ODDS tries or more often."""
    by_length: dict[int, list[str]] = {}
    for serial in serials:
        by_length.setdefault(len(serial), []).append(serial)
    for length, alike in by_length.items():
        alphabet = alphabet_of(alike)
        issued, possible = len(alike) + on_record_by_length.get(length, 0), len(alphabet) ** length
        if issued * ODDS > possible:
            raise SerialsTooDense(issued=issued, possible=possible, odds=ODDS, how=f"{length} characters")
        values = sorted(_value(serial, alphabet) for serial in alike)
        span = values[-1] - values[0] + 1
        if len(alike) > 1 and len(alike) * ODDS > span:
            raise SerialsTooDense(issued=len(alike), possible=span, odds=ODDS, how="they run close to each other")


def alphabet_of(serials: Iterable[str]) -> str:
    """The characters that serials like these are drawn from: whole classes, of which any member is seen."""
    seen = set("".join(serials))
    classes = [each for each in _CLASSES if seen & set(each)]
    others = "".join(sorted(seen - set("".join(_CLASSES))))
    return "".join(classes) + others[:_OTHERS]


def _value(serial: str, alphabet: str) -> int:
    value = 0
    for character in serial:
        value = value * len(alphabet) + alphabet.index(character)
    return value


def _serials(data: bytes, name: str) -> tuple[list[str], list[int]]:
    """The serials of a file and the lines they stand in; refuses each row that can be none."""
    table = read_rows(data, name)
    header = [cell.lower() for cell in table.header]
    if "serial" not in header:
        raise ColumnMissing(name=name, wanted="serial", found=", ".join(table.header) or "nothing")
    column = header.index("serial")
    serials, lines, faults = [], [], []
    line_by_serial: dict[str, int] = {}
    for row in table.rows:
        cell = row.cells[column] if len(row.cells) > column else ""
        problem = _problem(cell, line_by_serial)
        if problem:
            faults.append(Fault(f"row {row.line}", problem))
            continue
        serials.append(str(cell))
        lines.append(row.line)
        line_by_serial[str(cell)] = row.line
    if not serials and not faults:
        faults = [Fault("row 2", "the file has no serials.")]
    _refuse(name, faults)
    return serials, lines


def _problem(cell: object, line_by_serial: dict[str, int]) -> str:
    if not isinstance(cell, str):
        return f"{cell!r} is a number to the spreadsheet, which drops zeros; make the column text."
    if cell in line_by_serial:
        return f"the serial {cell} stands in row {line_by_serial[cell]} too."
    try:
        elements.check_value(SERIAL_AI, cell)
    except GS1Error as error:
        return str(error)
    return ""


def _refuse(name: str, faults: Sequence[Fault]) -> None:
    if faults:
        first = faults[0]
        raise SerialsNotTaken(name=name, count=len(faults), line=first.where, what=first.what, faults=faults)
