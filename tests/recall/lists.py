"""A notice list made without a database, for the tests of documents: real shapes, small enough to read."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from recall.documents.header import ListHeader
from recall.model import Kind, Remedy
from recall.notice_totals import totals
from recall.notices import Header, Held, LotOnNotice, Owner, Person, Row, Sent, Site, World, group
from recall.wording import DRILL_MARK, owner_action

HASH = "5f2b" * 16
AT = datetime(2026, 11, 3, 6, tzinfo=UTC)

_WORLD = World(
    lots={
        1: LotOnNotice(1, "09506000134352", "Meadow Farmhouse Cheese 400 g 牧场农家奶酪", "C1", True, "proved",
                       date(2027, 1, 9)),
        2: LotOnNotice(2, "09506000134369", "Raw milk 生牛乳", "M1/7-A", True, "scope"),
        3: LotOnNotice(3, "09506000134352", "Meadow Farmhouse Cheese 400 g 牧场农家奶酪", "C9", False, "scope"),
    },
    owners={
        1: Owner("Meadow Creamery", "9506000134307", "brand", None,
                 {"recall": Person("Ada Field", "+44 20 7946 0101")}),
        2: Owner("North Depot", "9506000134338", "distributor", "wholesale",
                 {"recall": Person("Ben Carter", "+44 113 496 0102", "ben@northdepot.example"),
                  "responsible": Person("诺拉", "+44 20 7946 0103", "nora@meadow.example")}),
        3: Owner("=HYPERLINK(0)", "9506000134345", "retailer", "retail", {"recall": Person("@cleo", "-1", "")}),
        4: Owner("Mira <b>", None, "consumer", "direct"),
    },
    places={1: Site("Plant", "9506000134406", "plant"), 2: Site("North Depot, Leeds", "9506000134437"),
            3: Site("＋街角商店")},
    serial_words=lambda runs: "; ".join(f"A{lo}" for lo, n in runs for lo in range(lo, lo + n)),
)  # fmt: skip


def notice_list(kind: Kind = Kind.RECALL) -> tuple[tuple[Row, ...], ListHeader]:
    """Rows and header: pieces and litres, a whole lot and a part of one, text that looks like formulas and markup."""
    number = "D-2026-0001" if kind is Kind.DRILL else "R-2026-0007"
    action = owner_action(kind, Remedy.RETURN)
    held = [
        Held(2, 1, 1, "in_plant", "LTR", Decimal("100.5")),
        Held(1, 1, 1, "in_plant", "", Decimal(12)),
        Held(1, 2, 2, "in_stock", "", Decimal(24)),
        Held(1, 3, 3, "at_channel", "", Decimal(11)),
        Held(1, 3, 4, "sold", "", Decimal(1)),
        Held(3, 3, 3, "returned", "", Decimal(2), ((7, 2),)),
    ]
    sent = [Sent(1, 2, 2, "", Decimal(36), AT, ("DES-1001",)), Sent(1, 3, 3, "", Decimal(12), AT, ("DES-2001",))]
    head = Header(number, 2, kind.value, HASH, action, date(2026, 11, 30))
    lines = group(held, sent, _WORLD, head)
    header = ListHeader(
        number=number, version=2, kind=kind.value, title="Meadow Farmhouse Cheese 牧场农家奶酪",
        hazard="May contain Listeria. 可能含有李斯特菌。", hazard_class=1, depth="consumer", remedy="return",
        action=action, deadline="2026-11-30", contact="Recall desk · +44 20 7946 0100", published_by="Ada",
        published_at="2026-11-03T06:00:00Z", ledger_event=4711, hash=HASH,
        drill_mark=DRILL_MARK if kind is Kind.DRILL else "", totals=totals(lines),
    )  # fmt: skip
    return tuple(line.row for line in lines), header
