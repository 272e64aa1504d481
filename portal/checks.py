"""A partner's list of codes: the same list back, a status for each row. Unknown is never folded into not recalled."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from hashlib import blake2b
from types import MappingProxyType
from typing import Final

from gs1 import scan_data
from gs1.errors import GS1Error
from gs1.identifier import SSCC_KEY, Identifier
from portal import check_cells, remarks, unit_reads, units
from portal.check_items import ItemChecks
from portal.check_rows import Row, Status
from portal.language import Tongue
from portal.live import Live
from portal.measures import PIECES, number
from portal.model import Confirmation, Finding, UnitLine, Verdict
from portal.remarks import both, measured, remark
from portal.snapshot import Snapshot
from portal.typed import as_meant
from portal.verdict import judge, shown_cases
from runtime.refusals import Invalid, TooMany

PAGE_ROWS_MAX: Final = 1_000
API_ROWS_MAX: Final = 10_000
UNITS_MAX: Final = 200
"""Cases and pallets in one list: what each holds is read live."""
CODE_LENGTH_MAX: Final = 2_048
AT_A_TIME: Final = 100
"""Rows judged before other requests are let pass."""

_NUMBER = re.compile(r"[-+]?[0-9]+([.,][0-9]+)*")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class ListTooLong(TooMany):
    """The list has {rows} codes; at most {rows_max} are checked at once. Nothing was checked. Split the list."""


class ListEmpty(Invalid):
    """There is no code in what was sent. Give one code per line."""


_STATUS_BY_VERDICT: Final = {
    Verdict.RECALLED: Status.RECALLED,
    Verdict.CHECK_THE_SERIAL: Status.CHECK_THE_SERIAL,
    Verdict.UNKNOWN_CODE: Status.UNKNOWN_CODE,
    Verdict.UNREADABLE: Status.UNREADABLE,
    Verdict.CANNOT_CONFIRM: Status.CANNOT_CONFIRM,
    # Not a recall, and not to be sold on as if nothing were: a person has to look.
    Verdict.WITHDRAWN: Status.UNDER_REVIEW,
    Verdict.BLOCKED: Status.UNDER_REVIEW,
    Verdict.NOT_ACTIVE: Status.UNDER_REVIEW,
    Verdict.UNUSUAL: Status.UNDER_REVIEW,
}


async def check(
    codes: Sequence[str],
    *,
    snapshot: Snapshot,
    confirmation: Confirmation,
    today: date,
    live: Live,
    rows_max: int,
    is_typed: bool = True,
) -> list[Row]:
    """A status for each code, in the same order. Raises ``ListTooLong``, ``ListEmpty``; nothing is checked in part."""
    if len(codes) > rows_max:
        raise ListTooLong(rows=len(codes), rows_max=rows_max)
    if not codes:
        raise ListEmpty()
    checker = Checker(snapshot, confirmation, today, live, is_typed=is_typed)
    rows: list[Row] = []
    for begin in range(0, len(codes), AT_A_TIME):
        rows += await checker.rows(codes[begin : begin + AT_A_TIME])
        await asyncio.sleep(0)
    return rows


class Checker:
    """Checks one list, batch after batch: every row as of the same copy, and each repeated code marked.

    ``units_max``: so many cases and pallets are looked into; those beyond are told as not confirmed. ``is_typed``:
    the codes are people's, of a page or a file; a machine's are read strictly.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        confirmation: Confirmation,
        today: date,
        live: Live,
        *,
        units_max: int = UNITS_MAX,
        is_typed: bool = True,
    ) -> None:
        self._is_typed = is_typed
        self._snapshot = snapshot
        self._confirmation = confirmation
        self._today = today
        self._live = live
        self._units_max = units_max
        self._units = 0
        self._items = ItemChecks(snapshot, self._judged)
        self._seen = 0
        self._first: dict[int, int] = {}
        """Row by hash of the code (64 bits): a million long texts would not fit beside the rest."""

    async def rows(self, codes: Sequence[str], faults: Mapping[int, str] = MappingProxyType({})) -> list[Row]:
        """The rows of the next codes, in order. ``faults``: what is known to be wrong with some, by index."""
        typed = self._is_typed
        asked = [(None, faults[i]) if i in faults else read(code, is_typed=typed) for i, code in enumerate(codes)]
        units = [found.value for found, _ in asked if found and _is_unit(found)]
        wanted = list(dict.fromkeys(units))[: max(self._units_max - self._units, 0)]
        self._units += len(wanted)
        inside = await unit_reads.contents_of(self._live, wanted) if wanted else {}
        others = [(code, found) for code, (found, _) in zip(codes, asked, strict=True) if found and not _is_unit(found)]
        judged = iter(self._items.rows(others))
        rows = []
        for code, (identifier, fault) in zip(codes, asked, strict=True):
            if identifier is None:
                row = Row(code, Status.UNREADABLE, Verdict.UNREADABLE, what=fault)
            else:
                row = self._unit_row(code, identifier.value, inside) if _is_unit(identifier) else next(judged)
            rows.append(self._numbered(row, code))
        return rows

    def _judged(self, code: str, identifier: Identifier) -> Row:
        return check_one(code, identifier, self._snapshot, self._confirmation, self._today)

    def _numbered(self, row: Row, code: str) -> Row:
        self._seen += 1
        meant = as_meant(code) if self._is_typed else code
        key = int.from_bytes(blake2b(meant.encode(errors="surrogatepass"), digest_size=8).digest(), "big", signed=True)
        first = self._first.setdefault(key, self._seen)
        return row if first == self._seen else replace(row, duplicate_of=first)

    def _unit_row(self, code: str, sscc: str, inside: Mapping[str, unit_reads.Inside | None]) -> Row:
        if sscc not in inside:
            what = remark("Only {n} cases or pallets are looked into at once.", n=self._units_max)
            return Row(code, Status.CANNOT_CONFIRM, Verdict.CANNOT_CONFIRM, sscc=sscc, what=what)
        found = inside[sscc]
        held = units.lines(found.contents, self._snapshot) if found is not None else None
        verdict = units.judge_unit(
            held, exists=found.exists if found is not None else None, is_fresh=self._confirmation.is_fresh
        )
        return Row(
            code=code,
            status=_STATUS_BY_VERDICT.get(verdict, Status.NOT_RECALLED),
            verdict=verdict,
            sscc=sscc,
            recalls=tuple(case.number for case in units.recalls_in(held or ())),
            what=_inside(held or ()),
        )


def _is_unit(identifier: Identifier) -> bool:
    return identifier.key == SSCC_KEY


def check_one(code: str, identifier: Identifier, snapshot: Snapshot, confirmation: Confirmation, today: date) -> Row:
    """The row of a product, a lot or an item."""
    finding = snapshot.find(identifier)
    verdict = judge(finding, is_fresh=confirmation.is_fresh, today=today)
    status = _STATUS_BY_VERDICT.get(verdict, Status.NOT_RECALLED)
    if verdict is Verdict.UNKNOWN_CODE and finding.product is None:
        status = Status.NOT_OURS
    lot = finding.lot.code if finding.lot is not None else identifier.lot
    return Row(
        code=code,
        status=status,
        verdict=verdict,
        gtin=identifier.gtin,
        lot=lot or None,
        serial=identifier.serial,
        product=finding.product.name if finding.product is not None else None,
        names=finding.product.texts if finding.product is not None else MappingProxyType({}),
        recalls=tuple(case.number for case in shown_cases(finding, verdict)),
        what=_remark(finding, verdict, lot),
    )


def read(code: str, *, is_typed: bool = True) -> tuple[Identifier | None, str]:
    """The identifier, or None and what is wrong with the text. ``is_typed``: it is read as what its keys stand for."""
    if len(code) > CODE_LENGTH_MAX:
        return None, remark("The code has more than {n} characters.", n=CODE_LENGTH_MAX)
    if damage := check_cells.damage_of(code):
        return None, damage
    meant = as_meant(code) if is_typed else code
    try:
        return scan_data.read(meant), ""
    except GS1Error as error:
        return None, check_cells.lost_zeros(meant) or remarks.grammar(error)


def as_csv(rows: Iterable[Row], tongue: Tongue) -> bytes:
    """The list with its statuses, for a spreadsheet: no cell is taken as a formula. Remarks are said in a language."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(("code", "status", "verdict", "gtin", "lot", "serial", "sscc", "product", "recalls", "remark"))
    for row in rows:
        thing = (row.gtin, row.lot, row.serial, row.sscc, row.product_in(tongue))
        told = (" ".join(row.recalls), remarks.said(row.what, tongue))
        cells = (row.code, row.status.value, row.verdict.value, *thing, *told)
        writer.writerow([harmless(cell or "") for cell in cells])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def summary(rows: Sequence[Row]) -> dict[str, int]:
    """How many rows have each status that occurs."""
    return {status.value: n for status in Status if (n := sum(row.status is status for row in rows))}


def _inside(held: Sequence[UnitLine]) -> str:
    recalled = sum(line.recalled for line in held)
    if any(line.uom not in PIECES for line in held):
        return measured("Recalled inside: {amounts}.", _recalled_by_unit(held))
    inside = sum(line.quantity for line in held)
    if not recalled:
        return ""
    return remark("{n} of {all} inside are recalled.", n=number(recalled), all=number(inside))


def _recalled_by_unit(held: Sequence[UnitLine]) -> dict[str, float]:
    """How much is recalled, by unit of measure: kilograms and items are never one sum."""
    found: dict[str, float] = {}
    for line in held:
        if line.recalled:
            uom = "" if line.uom in PIECES else line.uom
            found[uom] = found.get(uom, 0) + line.recalled
    return found


def _remark(finding: Finding, verdict: Verdict, lot: str | None) -> str:
    if finding.is_suspect:
        return remark("The lot in the code is not the lot on record.")
    if verdict is Verdict.UNKNOWN_CODE and finding.product is not None:
        told = remark("The product is known, this lot or item is not.")
        hint = check_cells.perhaps_a_date(lot)
        return both(told, hint) if hint else told
    return ""


def harmless(cell: str) -> str:
    """The cell so that no spreadsheet takes it for a formula. A negative number is none."""
    return f"'{cell}" if cell.startswith(_FORMULA) and not _NUMBER.fullmatch(cell) else cell
