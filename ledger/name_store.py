"""SQL that finds, or puts on record, what events name: parties, places, products, lots, units.

What is unknown is created from what the event and the document's header say; what is known is never overwritten, only a
name that was not told before is filled in. Rows are taken in key order, so two captures cannot deadlock here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

import asyncpg
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from gs1 import gln
from ledger.epcis.master_data import TitleTold
from ledger.naming import Made, NewUnit, UnitNamed
from ledger.runs import intervals_of
from runtime.database import raw

_NOTHING_TOLD: Final = TitleTold()

_PARTY: Final = """
    INSERT INTO party AS p (uri, gln, name, country, region, city, address)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
    ON CONFLICT ON CONSTRAINT party_uri_key DO UPDATE SET
        name = excluded.name, country = coalesce(p.country, excluded.country),
        region = coalesce(p.region, excluded.region), city = coalesce(p.city, excluded.city),
        address = coalesce(p.address, excluded.address)
    WHERE p.name IN (p.uri, p.gln) AND excluded.name NOT IN (p.uri, p.gln)
"""
_PLACE: Final = """
    INSERT INTO place AS p (uri, gln, name, kind, party_id, country, region, city, address)
    SELECT w.uri, w.gln, w.name, w.kind, coalesce(o.party_id, 0), w.country, w.region, w.city, w.address
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
                $9::text[]) AS w (uri, gln, name, kind, owner, country, region, city, address)
    LEFT JOIN party o ON o.uri = w.owner
    ON CONFLICT ON CONSTRAINT place_uri_key DO UPDATE SET
        name = excluded.name, party_id = CASE WHEN p.party_id = 0 THEN excluded.party_id ELSE p.party_id END,
        country = coalesce(p.country, excluded.country), region = coalesce(p.region, excluded.region),
        city = coalesce(p.city, excluded.city), address = coalesce(p.address, excluded.address)
    WHERE p.name IN (p.uri, p.gln) AND excluded.name NOT IN (p.uri, p.gln)
"""
_PRODUCT: Final = """
    INSERT INTO product AS p (gtin, name, brand) SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
    ON CONFLICT ON CONSTRAINT product_gtin_key DO UPDATE SET name = excluded.name
    WHERE p.name = p.gtin AND excluded.name <> p.gtin
"""


async def ensure_parties(conn: AsyncConnection, uris: Iterable[str], told: Mapping[str, TitleTold]) -> dict[str, int]:
    """The ids of parties by URI; unknown ones are put on record under their name, or under their URI."""
    driver, wanted = await raw(conn), sorted({*uris, *told})
    if not wanted:
        return {}
    known = await _ids(driver, "SELECT uri AS key, party_id AS id FROM party WHERE uri = ANY($1)", wanted)
    rows = []
    for uri in (u for u in wanted if u not in known or told.get(u, _NOTHING_TOLD).name):
        title = told.get(uri, _NOTHING_TOLD)
        number = _gln(uri)
        rows.append((uri, number, title.name or number or uri, title.country, title.region, title.city, title.address))
    if not rows:
        return known
    await _insert(driver, _PARTY, rows)
    return await _ids(driver, "SELECT uri AS key, party_id AS id FROM party WHERE uri = ANY($1)", wanted)


async def ensure_places(
    conn: AsyncConnection, kind_by_uri: Mapping[str, str], told: Mapping[str, TitleTold]
) -> tuple[dict[str, int], dict[int, int]]:
    """The ids of places by URI, and whose the places are (those of nobody that we know are left out); an unknown one
    gets the kind that the event lets one suppose."""
    driver, wanted = await raw(conn), sorted({*kind_by_uri, *told})
    known, owners = await _places(driver, wanted)
    rows = []
    for uri in (u for u in wanted if u not in known or told.get(u, _NOTHING_TOLD).name):
        title, number = told.get(uri, _NOTHING_TOLD), _gln(uri)
        name, kind = title.name or number or uri, kind_by_uri.get(uri, "other")
        address = (title.country, title.region, title.city, title.address)
        rows.append((uri, number, name, kind, title.owner_uri, *address))
    if not rows:
        return known, owners
    await _insert(driver, _PLACE, rows)
    return await _places(driver, wanted)


async def _places(driver: asyncpg.Connection, uris: Sequence[str]) -> tuple[dict[str, int], dict[int, int]]:
    rows = await driver.fetch("SELECT uri, place_id, party_id FROM place WHERE uri = ANY($1)", uris)
    owners = {row["place_id"]: row["party_id"] for row in rows if row["party_id"]}
    return {row["uri"]: row["place_id"] for row in rows}, owners


async def ensure_products(conn: AsyncConnection, gtins: Iterable[str], told: Mapping[str, TitleTold]) -> dict[str, int]:
    """The ids of products by GTIN; unknown ones are others' products."""
    driver, wanted = await raw(conn), sorted({*gtins, *told})
    known = await _ids(driver, "SELECT gtin AS key, product_id AS id FROM product WHERE gtin = ANY($1)", wanted)
    fresh = [gtin for gtin in wanted if gtin not in known or told.get(gtin, _NOTHING_TOLD).name]
    if not fresh:
        return known
    titles = [(gtin, told.get(gtin, _NOTHING_TOLD)) for gtin in fresh]
    await _insert(driver, _PRODUCT, [(gtin, title.name or gtin, title.brand or "") for gtin, title in titles])
    return await _ids(driver, "SELECT gtin AS key, product_id AS id FROM product WHERE gtin = ANY($1)", wanted)


async def lots_on_record(conn: AsyncConnection, classes: Iterable[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """As ``ensure_lots``, of those that are on record."""
    rows = await (await raw(conn)).fetch(
        """
        SELECT w.gtin, w.code, l.lot_id FROM unnest($1::text[], $2::text[]) AS w (gtin, code)
        JOIN product p ON p.gtin = w.gtin JOIN lot l ON l.product_id = p.product_id AND l.code = w.code
        """,
        *([*column] for column in zip(*sorted(classes), strict=True)),
    )
    return {(row["gtin"], row["code"]): row["lot_id"] for row in rows}


async def private_classes(conn: AsyncConnection, uris: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Key and lot code of the classes without a GTIN that are on record, by URI."""
    statement = text("SELECT uri, gtin, lot FROM private_class WHERE uri = ANY(CAST(:uris AS text[]))")
    rows = await conn.execute(statement, {"uris": sorted(set(uris))})
    return {row.uri: (row.gtin, row.lot) for row in rows}


async def add_private_class(conn: AsyncConnection, uri: str, keys: Sequence[str], lot: str) -> tuple[str, str]:
    """Put a class without a GTIN on record under the first of these keys that is free, as a product named by its URI.

    Whoever is the second to tell it waits, and gets what the first one put there.
    """
    driver = await raw(conn)
    for key in keys:
        await driver.execute("INSERT INTO private_class VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", uri, key, lot)
        if (known := await private_classes(conn, [uri])).get(uri) is not None:
            await _insert(driver, _PRODUCT, [(known[uri][0], uri, "")])
            return known[uri]
    raise RuntimeError(f"all of {len(keys)} keys for a class without a GTIN are taken")


async def ensure_lots(
    conn: AsyncConnection, classes: Iterable[tuple[str, str]], product_by_gtin: Mapping[str, int]
) -> dict[tuple[str, str], int]:
    """The ids of lots by GTIN and code ("" = the items whose lot nobody told)."""
    driver, wanted = await raw(conn), sorted(set(classes))
    columns = [product_by_gtin[gtin] for gtin, _ in wanted], [code for _, code in wanted]
    find = """
        SELECT l.lot_id, l.product_id, l.code FROM unnest($1::bigint[], $2::text[]) AS w (product_id, code)
        JOIN lot l ON l.product_id = w.product_id AND l.code = w.code
    """
    found = {(row["product_id"], row["code"]): row["lot_id"] for row in await driver.fetch(find, *columns)}
    missing = [(product, code) for product, code in zip(*columns, strict=True) if (product, code) not in found]
    if missing:
        await _insert(
            driver,
            "INSERT INTO lot (product_id, code) SELECT * FROM unnest($1::bigint[], $2::text[])"
            " ON CONFLICT ON CONSTRAINT lot_product_code_key DO NOTHING",
            missing,
        )
        found = {(row["product_id"], row["code"]): row["lot_id"] for row in await driver.fetch(find, *columns)}
    return {(gtin, code): found[product_by_gtin[gtin], code] for gtin, code in wanted}


async def nameless_lots(conn: AsyncConnection, lot_ids: Iterable[int]) -> frozenset[int]:
    """Which of these lots hold items whose lot nobody told."""
    rows = await (await raw(conn)).fetch(
        "SELECT lot_id FROM lot WHERE lot_id = ANY($1) AND code = ''", sorted(set(lot_ids))
    )
    return frozenset(row["lot_id"] for row in rows)


async def lots_of_numbers(conn: AsyncConnection, numbers: Sequence[int]) -> tuple[dict[int, int], dict[int, datetime]]:
    """The lot of each number, from its run, else from the history, else from its label job; unknown ones left out.

    Also when those that are on no thing any more were used up.
    """
    driver, lot_by_number = await raw(conn), dict[int, int]()
    if not numbers:
        return {}, {}
    for lo, n, lot_id in await _runs_meeting(driver, *intervals_of(numbers)):
        lot_by_number.update(dict.fromkeys(range(lo, lo + n), lot_id))
    rest = [number for number in numbers if number not in lot_by_number]
    if not rest:
        return lot_by_number, {}
    rows = await driver.fetch(
        """
        SELECT w.number, coalesce(r.lot_id, h.lot_id, b.lot_id) AS lot_id, h.until
        FROM unnest($1::bigint[]) AS w (number)
        LEFT JOIN LATERAL (SELECT lo, n, lot_id FROM code_run WHERE lo <= w.number ORDER BY lo DESC LIMIT 1) r
            ON w.number < r.lo + r.n
        LEFT JOIN LATERAL (
            (SELECT lot_id, until FROM code_run_history
             WHERE r.lot_id IS NULL AND n <= 32 AND lo <= w.number AND lo > w.number - 32 AND w.number < lo + n)
            UNION ALL
            (SELECT lot_id, until FROM code_run_history
             WHERE r.lot_id IS NULL AND n > 32 AND n <= 1024 AND lo <= w.number AND lo > w.number - 1024
               AND w.number < lo + n)
            UNION ALL
            (SELECT lot_id, until FROM code_run_history
             WHERE r.lot_id IS NULL AND n > 1024 AND lo <= w.number AND w.number < lo + n)
            ORDER BY until DESC LIMIT 1
        ) h ON true
        LEFT JOIN LATERAL (SELECT lo, n, lot_id FROM number_block WHERE lo <= w.number ORDER BY lo DESC LIMIT 1) b
            ON w.number < b.lo + b.n
        WHERE coalesce(r.lot_id, h.lot_id, b.lot_id) IS NOT NULL
        """,
        rest,
    )
    lot_by_number.update((row["number"], row["lot_id"]) for row in rows)
    return lot_by_number, {row["number"]: row["until"] for row in rows if row["until"] is not None}


async def _runs_meeting(
    driver: asyncpg.Connection, los: Sequence[int], ns: Sequence[int]
) -> list[tuple[int, int, int]]:
    """(lo, n, lot) of the parts of these runs of numbers that are on things now: one look-up a run, not a number."""
    rows = await driver.fetch(
        """
        SELECT greatest(r.lo, w.lo) AS lo, least(r.lo + r.n, w.lo + w.n) - greatest(r.lo, w.lo) AS n, r.lot_id
        FROM unnest($1::bigint[], $2::bigint[]) AS w (lo, n)
        CROSS JOIN LATERAL (
            SELECT lo, n, lot_id FROM code_run WHERE lo >= w.lo AND lo < w.lo + w.n
            UNION ALL
            SELECT lo, n, lot_id FROM (SELECT * FROM code_run WHERE lo < w.lo ORDER BY lo DESC LIMIT 1) before
            WHERE before.lo + before.n > w.lo
        ) r
        """,
        los,
        ns,
    )
    return [(row["lo"], row["n"], row["lot_id"]) for row in rows]


async def units_of_numbers(conn: AsyncConnection, numbers: Sequence[int]) -> dict[int, int]:
    """Which of these items are units themselves."""
    rows = await (await raw(conn)).fetch(
        "SELECT u.number, u.unit_id FROM unnest($1::bigint[], $2::bigint[]) AS w (lo, n)"
        " CROSS JOIN LATERAL (SELECT number, unit_id FROM unit WHERE number >= w.lo AND number < w.lo + w.n) u",
        *intervals_of(numbers),
    )
    return {row["number"]: row["unit_id"] for row in rows}


async def units_on_record(conn: AsyncConnection, uris: Iterable[str]) -> dict[str, int]:
    """The ids of the units that are known by these URIs."""
    return await _ids(
        await raw(conn), "SELECT uri AS key, unit_id AS id FROM unit WHERE uri = ANY($1)", sorted(set(uris))
    )


async def find_units(
    conn: AsyncConnection, units: Iterable[UnitNamed], at: datetime
) -> tuple[dict[str, int], list[NewUnit]]:
    """As ``units_on_record``, and ids for those that are not; whoever asks puts them there (``add_units``, or the book
    with them)."""
    by_uri = {unit[0]: unit for unit in units}
    rows = await (await raw(conn)).fetch(
        """
        SELECT uri, unit_id, CASE WHEN unit_id IS NULL THEN nextval(pg_get_serial_sequence('unit', 'unit_id')) END AS id
        FROM (SELECT w.uri, (SELECT unit_id FROM unit u WHERE u.uri = w.uri) AS unit_id
              FROM unnest($1::text[]) AS w (uri) OFFSET 0) AS named
        """,
        sorted(by_uri),
    )
    new = [NewUnit(row["id"], *by_uri[row["uri"]], at) for row in rows if row["unit_id"] is None]
    return {row["uri"]: row["unit_id"] for row in rows if row["unit_id"] is not None}, new


async def add_units(conn: AsyncConnection, units: Sequence[NewUnit]) -> None:
    """Put units on record by name only: their ``event_id`` is 0. Those that somebody else put there stay as they are,
    under another id."""
    if units:
        await _insert(
            await raw(conn),
            "INSERT INTO unit (unit_id, uri, sscc, number, since, event_id) OVERRIDING SYSTEM VALUE"
            " SELECT unit_id, uri, sscc, number, since, 0"
            " FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[])"
            " AS w (unit_id, uri, sscc, number, since) ON CONFLICT ON CONSTRAINT unit_uri_key DO NOTHING",
            units,
        )


async def fill_lots(
    conn: AsyncConnection,
    made: Sequence[Made],
    received: Sequence[Made],
    dates: Mapping[int, tuple[date | None, date | None]],
) -> None:
    """Add to lots what events tell: where made, from whom we have them, dates. Nothing is overwritten."""
    place: dict[int, int] = {}
    supplier: dict[int, int] = {}
    for each in (*made, *received):
        if each.place_id:
            place.setdefault(each.lot_id, each.place_id)
        if each.owner_id:
            supplier.setdefault(each.lot_id, each.owner_id)
    lots = sorted({*place, *supplier, *dates})
    if not lots:
        return
    none = (None, None)
    await (await raw(conn)).execute(
        """
        UPDATE lot l SET
            made_at_place_id = CASE WHEN l.made_at_place_id = 0 THEN w.place_id ELSE l.made_at_place_id END,
            supplier_id = CASE WHEN l.supplier_id = 0 AND NOT p.ours THEN w.supplier_id ELSE l.supplier_id END,
            made_on = coalesce(l.made_on, w.made_on), best_before_on = coalesce(l.best_before_on, w.best_before_on)
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::date[], $5::date[])
             AS w (lot_id, place_id, supplier_id, made_on, best_before_on), product p
        WHERE l.lot_id = w.lot_id AND l.code <> '' AND p.product_id = l.product_id AND (
            (l.made_at_place_id = 0 AND w.place_id <> 0) OR (l.supplier_id = 0 AND NOT p.ours AND w.supplier_id <> 0)
            OR (l.made_on IS NULL AND w.made_on IS NOT NULL)
            OR (l.best_before_on IS NULL AND w.best_before_on IS NOT NULL))
        """,
        lots,
        [place.get(lot, 0) for lot in lots],
        [supplier.get(lot, 0) for lot in lots],
        [dates.get(lot, none)[0] for lot in lots],
        [dates.get(lot, none)[1] for lot in lots],
    )


async def lock_lots(conn: AsyncConnection, lot_ids: Iterable[int]) -> None:
    """Until the transaction ends, nobody else writes the runs and counts of these lots. In order: no deadlocks.

    Lots share ``LOT_LOCKS_MAX`` locks: the server's table of locks holds some thousands, and a recall marks more lots.
    """
    await (await raw(conn)).execute(
        "SELECT pg_advisory_xact_lock($2 + number) FROM unnest($1::bigint[]) AS numbers (number)",
        sorted({lot_id % LOT_LOCKS_MAX for lot_id in lot_ids}),
        _LOT_LOCKS,
    )


LOT_LOCKS_MAX: Final = 1_024
_LOT_LOCKS: Final = 0x6C6F74 << 40  # "lot": a range of lock keys of its own


async def _ids(driver: asyncpg.Connection, sql: str, keys: Sequence[str]) -> dict[str, int]:
    return {row["key"]: row["id"] for row in await driver.fetch(sql, keys)}


async def _insert(driver: asyncpg.Connection, sql: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        await driver.execute(sql, *(list(column) for column in zip(*rows, strict=True)))


def _gln(uri: str) -> str | None:
    for key in ("/414/", "/417/"):
        _, found, rest = uri.partition("https://id.gs1.org" + key)
        if found:
            number = rest.partition("/")[0]
            return number if gln.is_valid(number) else None
    return None
