"""The copy in columns says what a plain list of rows says, whatever was told, and however often it was merged."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gs1.digital_link import parse_path
from portal import column_store
from portal.codes import Block, Blocks, BlockTable, ForeignSerials
from portal.columns import RecordTooLarge, RowsNotAsExpected, numbers, row_form
from portal.intervals import Layered, RunRow, Runs
from portal.lots import Lots, LotTable
from portal.model import Lot
from portal.scope_columns import ScopeColumns, ScopeRow
from portal.scopes import Scopes
from portal.store import catch_up, load
from portal.text_index import TEXT_BYTES_MAX, Texts, TextTooLong
from runtime.database import DatabaseAddress, Role
from tests.examples import examples
from tests.portal.arrangement import CHEESE, MILK, SECRET, arrange, item, lot, publish, recall
from tests.portal.test_models import NUMBERS, apart, run, scope_rows

CODES = ["", "M1", "M1/2", "批次7", "L" * 20]
days = st.one_of(st.none(), st.dates(date(1990, 1, 1), date(2099, 12, 31)))
lots = st.builds(
    lot,
    st.integers(1, 9),
    st.sampled_from(CODES),
    st.integers(1, 2),
    made_on=days,
    best_before_on=days,
    status=st.sampled_from(["released", "held", "rejected"]),
)


def one_record(told: list[list[Lot]]) -> list[list[Lot]]:
    """Each telling as one state of the database has it: no two lots of one number, nor of one product and code."""
    states: list[list[Lot]] = []
    now: dict[int, Lot] = {}
    for news in told:
        kept: list[Lot] = []
        for each in news:
            others = (other for other in now.values() if other.lot_id != each.lot_id)
            if all((other.product_id, other.code) != (each.product_id, each.code) for other in others):
                now[each.lot_id] = each
                kept = [other for other in kept if other.lot_id != each.lot_id] + [each]
        states.append(kept)
    return states


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(st.lists(lots, max_size=6), min_size=1, max_size=4), st.integers(0, 4))
def test_lots_are_found_as_they_were_told_last(told: list[list[Lot]], merged_after: int) -> None:
    copy = Lots()
    rows: dict[int, Lot] = {}
    for place, news in enumerate(one_record(told)):
        copy = copy.with_news(LotTable.of(news))
        copy = copy.merged() if place == merged_after else copy
        rows |= {each.lot_id: each for each in news}

    for lot_id in range(11):
        assert copy.get(lot_id) == rows.get(lot_id)
    for product_id in (1, 2, 3):
        for code in (*CODES, "M2"):
            wanted = [each for each in rows.values() if (each.product_id, each.code) == (product_id, code)]
            assert copy.find(product_id, code) == (wanted[0] if wanted else None)


@settings(max_examples=examples(25), deadline=None)
@given(st.lists(st.lists(run, max_size=8), min_size=1, max_size=4))
def test_merging_changes_nothing_that_is_said_of_a_number(told: list[list[tuple[int, int, int, int]]]) -> None:
    copy = Layered()
    for runs in told:
        copy = copy.with_news(Runs.of(apart(runs)))
        merged = copy.merged()
        said = [(found and found[2:]) for found in map(copy.at, range(NUMBERS + 15))]
        assert said == [(found and found[2:]) for found in map(merged.at, range(NUMBERS + 15))]
        copy = merged if len(runs) % 2 else copy


@settings(max_examples=examples(25), deadline=None)
@given(scope_rows, scope_rows, st.sets(st.integers(1, 3)))
def test_cases_told_anew_leave_what_all_cases_told_at_once_leave(
    old: list[ScopeRow], new: list[ScopeRow], changed: set[int]
) -> None:
    cases, products = [recall(1), recall(2), recall(3)], {1: 1, 2: 1, 3: 2}
    news = [row for row in new if row.case_id in changed]
    now = [row for row in old if row.case_id not in changed] + news
    columns = ScopeColumns.of(old, products).replaced(changed, ScopeColumns.of(news, products))
    told, anew = Scopes.of_columns(cases, columns), Scopes.of(cases, now, products)

    for lot_id in (1, 2, 3, 4):
        assert told.of_lot(lot_id) == anew.of_lot(lot_id)
        assert told.names_part_of(lot_id) == anew.names_part_of(lot_id)
        for number in range(NUMBERS + 15):
            assert told.of_item(lot_id, number) == anew.of_item(lot_id, number)
    for product_id in (1, 2):
        assert told.of_product(product_id) == anew.of_product(product_id)
    for case_id in (1, 2, 3):
        assert told.lots_of(case_id) == anew.lots_of(case_id)


def test_a_block_told_anew_skips_what_it_skips_now() -> None:
    old = Blocks.of([Block(10, 5, MILK, 1, 1), Block(20, 5, MILK, 1, 1)])
    copy = old.with_news(BlockTable.of([Block(10, 5, MILK, 1, 1, frozenset({12}))]))

    for blocks in (copy, copy.merged()):
        assert [blocks.has_issued(int(MILK), 1, number) for number in (11, 12, 24, 25)] == [True, False, True, False]
    assert not old.has_issued(int(CHEESE), 1, 11)


def test_a_text_too_long_for_a_code_is_refused_and_never_found() -> None:
    longest = "S" * TEXT_BYTES_MAX
    assert ForeignSerials.of([(MILK, longest, 5)]).number(MILK, longest) == 5
    assert ForeignSerials.of([(MILK, longest, 5)]).number(MILK, longest + "S") is None
    with pytest.raises(TextTooLong):
        Texts.of([b"S" * (TEXT_BYTES_MAX + 1)])


async def test_rows_over_the_limit_or_without_a_value_are_refused_not_cut(database: DatabaseAddress) -> None:
    portal = await database.connect(Role.PORTAL)

    async def read(select: str, rows_max: int) -> Any:
        source = "FROM generate_series(1, 3) AS n ORDER BY n"
        return await numbers(portal, select, source, row_form(n=">i8"), rows_max=rows_max, what="rows")

    async with portal.transaction():
        assert (await read("SELECT n::int8", 3))["n"].tolist() == [1, 2, 3]
        with pytest.raises(RecordTooLarge, match="more than 2 rows"):
            await read("SELECT n::int8", 2)
        with pytest.raises(RowsNotAsExpected):
            await read("SELECT nullif(n, 2)::int8", 3)
        with pytest.raises(RowsNotAsExpected):
            await read("SELECT n::int4", 3)
    await portal.close()


async def test_a_copy_that_followed_every_change_is_the_copy_loaded_now(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    await arrange(conn)
    portal = await database.connect(Role.PORTAL)
    followed = await load(portal, SECRET)
    await publish(conn, case_id=1, lots=[1, 2])
    await publish(conn, case_id=2, lots=[3], runs=[(2, 2010, 5)])
    followed = (await catch_up(portal, followed, SECRET)).merged()
    changes = [
        "DELETE FROM publication WHERE case_id = 1",
        "INSERT INTO affected_set (affected_set_id, case_id, scope, ledger_event, hash, lots, items, owners, totals,"
        " took_ms, frozen_at) OVERRIDING SYSTEM VALUE VALUES (5, 2, '[]', 1, 'y', 1, 1, 1, '{}', 1, now())",
        "INSERT INTO affected_lot (affected_set_id, lot_id, whole, basis) VALUES (5, 2, false, 'scope')",
        "INSERT INTO affected_run (affected_set_id, lot_id, lo, n) VALUES (5, 2, 2010, 5)",
        "UPDATE publication SET revision = next_public_revision(), title = 'Shards', affected_set_id = 5"
        " WHERE case_id = 2",
        "UPDATE lot SET code = 'M2+B', status = 'held' WHERE lot_id = 2",
        "INSERT INTO lot (lot_id, product_id, code) OVERRIDING SYSTEM VALUE VALUES (9, 2, 'C/2')",
        "INSERT INTO foreign_serial (gtin, serial, number) VALUES ('09520123456788', 'S-1', 1050)",
        "UPDATE code_run SET n = 20, changed_in = pg_current_xact_id()::text::bigint WHERE lo = 2000",
        "INSERT INTO code_run (lo, n, lot_id, since, event_id, disposition)"
        " VALUES (2020, 30, 2, now(), 1, 'destroyed')",
    ]
    for sql in changes:
        await conn.execute(text(sql))
    await conn.commit()
    followed = await catch_up(portal, followed, SECRET)
    anew = (await load(portal, SECRET)).snapshot
    async with portal.transaction():
        named = await column_store.scope(portal, [2])
    await portal.close()

    paths = [item(1001), item(1007), item(2012), item(2030), f"/01/{MILK}/21/S-1", f"/01/{MILK}/10/M1"]
    paths += [
        f"/01/{MILK}/10/M2",
        f"/01/{MILK}/10/M2%2BB",
        f"/01/{CHEESE}/10/C%2F2",
        f"/01/{CHEESE}/10/C1",
    ]
    for path in paths:
        for snapshot in (followed.snapshot, followed.merged().snapshot):
            assert snapshot.find(parse_path(path)) == anew.find(parse_path(path)), path
    assert followed.snapshot.scopes.in_order() == anew.scopes.in_order()
    assert [case.title for case in anew.scopes.in_order()] == ["Shards"]
    assert (named.whole.thing.tolist(), named.parts.lo.tolist()) == ([], [2010])
    assert anew.runs.at(2012) == RunRow(2000, 20, 2, 1)


async def test_a_new_label_of_a_recalled_item_is_recalled_at_the_next_look(
    database: DatabaseAddress, conn: AsyncConnection
) -> None:
    await arrange(conn)
    await publish(conn, runs=[(1, 1010, 5)])
    portal = await database.connect(Role.PORTAL)
    revisions, recalled = [], []
    followed = await load(portal, SECRET)
    # An item that is not recalled; a recalled one; and the new label of that one, replaced in its turn.
    for number, by_number in ((1015, 1090), (1014, 1091), (1091, 1092)):
        sql = "INSERT INTO replaced_code (number, by_number, lot_id, at) VALUES (:number, :by_number, 1, now())"
        await conn.execute(text(sql), {"number": number, "by_number": by_number})
        await conn.commit()
        followed = await catch_up(portal, followed, SECRET)
        revisions.append(followed.snapshot.revision)
        recalled.append(bool(followed.snapshot.find(parse_path(item(by_number))).recalls))
    await portal.close()

    assert recalled == [False, True, True]
    assert [later - revisions[0] for later in revisions] == [0, 1, 2]
