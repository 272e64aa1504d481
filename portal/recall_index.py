"""The public recalls as hashes: what is recalled can be told without being asked for a code.

A token is the shortest Digital Link path of a thing: ``/01/GTIN/10/LOT``, ``/01/GTIN/21/SERIAL``, ``/01/GTIN``. Its key
is the first 64 bits of the SHA-256 of its UTF-8. A serial of ours hides its number from everybody but us, so that runs
of numbers mean nothing to others: every recalled item has a key of its own, up to ``ITEMS_MAX``. Where that does not
suffice the product is marked *ask*: its serials have to be asked for by their code. So nothing recalled is missing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from portal.codes import Block
from portal.intervals import RunRow, Runs
from portal.model import Lot, Product, Recall
from portal.snapshot import Snapshot
from runtime.refusals import TooMany

ITEMS_MAX: Final = 1_000_000
"""Recalled items with a key of their own, 8 bytes each."""
LOTS_MAX: Final = 200_000
"""Recalled lots in one index; a copy with more is refused."""
CHUNK: Final = 1_000
REST_S: Final = 0.0005
"""Between two chunks scans are let pass."""

UInt64s = npt.NDArray[np.uint64]
_UNRESERVED: Final = "-._~"


class IndexTooLarge(TooMany):
    """More than {lots_max:,} lots are recalled: they are not told as one. Ask by code."""


@dataclass(frozen=True, slots=True)
class RecalledLot:
    """A recalled lot; ``in_part``: only some of its items are."""

    gtin: str
    lot: str
    in_part: bool
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Index:
    """All public recalls as of one revision. Withdrawals, which are not about safety, are not in it."""

    revision: int = 0
    cases: tuple[Recall, ...] = ()
    lots: tuple[RecalledLot, ...] = ()
    ask: tuple[str, ...] = ()
    """Products of which not every recalled item has a key: their serials are to be asked for."""
    items: UInt64s = field(default_factory=lambda: np.empty(0, dtype=np.uint64))
    """The keys of the recalled items, sorted."""

    def products(self) -> tuple[str, ...]:
        """The GTINs of which some lot or item is recalled."""
        return tuple(sorted({lot.gtin for lot in self.lots} | set(self.ask)))


def token(gtin: str, *, lot: str | None = None, serial: str | None = None) -> str:
    """The text that is hashed. Reserved characters of lots and serials are percent-encoded (RFC 3986)."""
    if serial is not None:
        return f"/01/{gtin}/21/{quote(serial, safe=_UNRESERVED)}"
    return f"/01/{gtin}" if lot is None else f"/01/{gtin}/10/{quote(lot, safe=_UNRESERVED)}"


def key(text: str) -> int:
    """The first 64 bits of the SHA-256 of a token."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")


def build(snapshot: Snapshot) -> Index:
    """The index of a copy. Long (about 3 µs an item): for a thread, where it lets others pass.

    Raises ``IndexTooLarge``.
    """
    recalls = {case.case_id: case for case in snapshot.scopes.in_order() if not case.is_withdrawal}
    named: dict[int, dict[int, bool]] = {}
    for case_id in recalls:
        for lot_id, in_part in snapshot.scopes.lots_of(case_id):
            named.setdefault(lot_id, {})[case_id] = in_part
    if len(named) > LOTS_MAX:
        raise IndexTooLarge(lots_max=LOTS_MAX)
    lots, ask = [], set()
    whole = {lot_id for lot_id, cases in named.items() if not all(cases.values())}
    runs_by_lot = _whole_runs(snapshot, whole)
    for lot_id, cases in sorted(named.items()):
        lot, product = _lot_of(snapshot, lot_id)
        if lot is None or product is None:
            continue
        if lot.code:
            numbers = tuple(sorted(recalls[case].number for case in cases))
            lots.append(RecalledLot(product.gtin, lot.code, all(cases.values()), numbers))
        if lot_id not in whole:
            runs = [RunRow(lo, n) for case in cases for lo, n in snapshot.scopes.runs_of(case, lot_id)]
            runs_by_lot[lot_id] = runs
        # An item of which nobody told the lot may be of any recalled lot of its product.
        if snapshot.lots.find(product.product_id, "") is not None:
            ask.add(product.gtin)
    items, left_out = _items(snapshot, runs_by_lot)
    return Index(
        revision=snapshot.revision,
        cases=tuple(recalls.values()),
        lots=tuple(lots),
        ask=tuple(sorted(ask | left_out)),
        items=items,
    )


def _lot_of(snapshot: Snapshot, lot_id: int) -> tuple[Lot | None, Product | None]:
    lot = snapshot.lots.get(lot_id)
    return lot, snapshot.products_by_id.get(lot.product_id) if lot is not None else None


def _whole_runs(snapshot: Snapshot, lots: set[int]) -> dict[int, list[RunRow]]:
    """All numbers of lots: those that are theirs now, and those issued for them of which nothing was told since."""
    found: dict[int, list[RunRow]] = {lot_id: [] for lot_id in lots}
    wanted = np.array(sorted(lots), dtype=np.int64)
    base, news = snapshot.runs.base, snapshot.runs.news
    for row in np.flatnonzero(np.isin(news.lot_id, wanted)):
        found[int(news.lot_id[row])].append(RunRow(int(news.lo[row]), int(news.n[row])))
    for row in np.flatnonzero(np.isin(base.lot_id, wanted)):
        found[int(base.lot_id[row])] += _gaps(news, RunRow(int(base.lo[row]), int(base.n[row])))
    for block in snapshot.blocks.of_lots(wanted):
        assert block.lot_id is not None
        found[block.lot_id] += _not_taken(snapshot, RunRow(block.lo, block.n))
    return found


def _not_taken(snapshot: Snapshot, run: RunRow) -> list[RunRow]:
    """The numbers issued for the lot of which nothing else was told since."""
    pieces = [run]
    for layer in (snapshot.runs.base, snapshot.runs.news):
        pieces = [left for piece in pieces for left in _gaps(layer, piece)]
    return pieces


def _gaps(layer: Runs, piece: RunRow) -> list[RunRow]:
    return layer.gaps_in(piece) if len(layer) else [piece]


def _items(snapshot: Snapshot, runs_by_lot: Mapping[int, list[RunRow]]) -> tuple[UInt64s, set[str]]:
    """The keys of all items in the runs, and the products of which some could not be given one."""
    keys: list[UInt64s] = []
    left_out: set[str] = set()
    count = 0
    for lot_id, runs in runs_by_lot.items():
        _, product = _lot_of(snapshot, lot_id)
        if product is None:
            continue
        issued = [piece for run in runs for piece in _issued(snapshot, run)]
        size = sum(n for _, n, _ in issued)
        if any(block is None for _, _, block in issued) or count + size > ITEMS_MAX:
            left_out.add(product.gtin)
            continue
        count += size
        for lo, n, block in issued:
            assert block is not None
            keys += _keys_of(snapshot, lo, n, block)
    if not keys:
        return np.empty(0, dtype=np.uint64), left_out
    return np.unique(np.concatenate(keys)), left_out


def _issued(snapshot: Snapshot, run: RunRow) -> Iterator[tuple[int, int, Block | None]]:
    """The run cut by the blocks that issued its numbers; None: numbers given to serials that we did not make."""
    at, end = run.lo, run.lo + run.n
    for block in snapshot.blocks.meeting(run.lo, run.n):
        if block.lo > at:
            yield at, block.lo - at, None
        first, past = max(block.lo, at), min(block.lo + block.n, end)
        yield first, past - first, block if block.gtin is not None and block.epoch is not None else None
        at = past
    if at < end:
        yield at, end - at, None


def _keys_of(snapshot: Snapshot, lo: int, n: int, block: Block) -> Iterator[UInt64s]:
    assert snapshot.keys is not None
    assert block.gtin is not None
    assert block.epoch is not None
    cipher = snapshot.keys.own_cipher(block.gtin, block.epoch)
    head = f"/01/{block.gtin}/21/".encode()
    for begin in range(lo, lo + n, CHUNK):
        numbers = np.arange(begin, min(begin + CHUNK, lo + n), dtype=np.int64)
        texts = cipher.serials(numbers)
        digests = b"".join(hashlib.sha256(head + text.tobytes()).digest()[:8] for text in texts)
        yield np.frombuffer(digests, dtype=">u8").astype(np.uint64)
        time.sleep(REST_S)
