-- name: fates_of_number
-- Every spell of one number. A run that covers it begins at most its length before it: one look-up a size class.
SELECT lot_id, unit_id, since, CAST('infinity' AS timestamptz) AS until, event_id, place_id, owner_id, disposition
FROM code_run WHERE lo = (SELECT max(lo) FROM code_run WHERE lo <= :number) AND lo + n > :number
UNION ALL
SELECT lot_id, unit_id, since, until, event_id, place_id, owner_id, disposition FROM code_run_history
WHERE n <= 32 AND lo > :number - 32 AND lo <= :number AND lo + n > :number
UNION ALL
SELECT lot_id, unit_id, since, until, event_id, place_id, owner_id, disposition FROM code_run_history
WHERE n > 32 AND n <= 1024 AND lo > :number - 1024 AND lo <= :number AND lo + n > :number
UNION ALL
SELECT lot_id, unit_id, since, until, event_id, place_id, owner_id, disposition FROM code_run_history
WHERE n > 1024 AND lo <= :number AND lo + n > :number
ORDER BY since, until LIMIT CAST(:rows_max AS bigint) + 1;

-- name: fates_of_units
SELECT unit_id, parent_id, since, CAST('infinity' AS timestamptz) AS until, event_id, place_id, owner_id, disposition
FROM unit WHERE unit_id = ANY (CAST(:units AS bigint[]))
UNION ALL
SELECT unit_id, parent_id, since, until, event_id, place_id, owner_id, disposition
FROM unit_history WHERE unit_id = ANY (CAST(:units AS bigint[]))
ORDER BY unit_id, since, until LIMIT CAST(:rows_max AS bigint) + 1;

-- name: runs_of_lot_at
-- The numbers of a lot at an instant, summed by where they were, or in which unit.
SELECT unit_id, place_id, owner_id, coalesce(disposition, '') AS disposition, sum(n) AS items
FROM (SELECT n, unit_id, place_id, owner_id, disposition FROM code_run
      WHERE lot_id = :lot_id AND since <= CAST(:at AS timestamptz)
      UNION ALL
      SELECT n, unit_id, place_id, owner_id, disposition FROM code_run_history
      WHERE lot_id = :lot_id AND since <= CAST(:at AS timestamptz) AND until > CAST(:at AS timestamptz)) AS run
GROUP BY unit_id, place_id, owner_id, coalesce(disposition, '') LIMIT CAST(:rows_max AS bigint) + 1;

-- name: quantities_of_lot
-- What was told by quantity and is in no unit, with the instant from which it stands so.
SELECT place_id, owner_id, disposition, uom, quantity, since FROM loose_quantity
WHERE lot_id = :lot_id AND (quantity <> 0 OR since > CAST(:at AS timestamptz)) AND disposition <> 'taken'
ORDER BY place_id, owner_id, disposition, uom;

-- name: packed_quantities_of_lot
SELECT q.unit_id, q.uom, q.quantity FROM unit_quantity q WHERE q.lot_id = :lot_id ORDER BY q.unit_id, q.uom;

-- name: units_in
-- The units inside a unit at an instant, to any depth, itself included. UNION ends by itself on a circle.
WITH RECURSIVE inside (unit_id) AS (
    SELECT CAST(:unit_id AS bigint)
  UNION
    SELECT c.unit_id FROM inside i CROSS JOIN LATERAL (
        SELECT u.unit_id FROM unit u WHERE u.parent_id = i.unit_id AND u.since <= CAST(:at AS timestamptz)
        UNION ALL
        SELECT h.unit_id FROM unit_history h
        WHERE h.parent_id = i.unit_id AND h.since <= CAST(:at AS timestamptz) AND h.until > CAST(:at AS timestamptz)
        OFFSET 0
    ) AS c
)
SELECT unit_id FROM inside ORDER BY unit_id LIMIT CAST(:rows_max AS bigint) + 1;

-- name: runs_in_units_at
-- A serialized case is a unit and an item at once: as a thing that holds others it is told of among the units.
SELECT p.gtin, l.code AS lot, p.name AS product,
       sum(n - (SELECT count(*) FROM unit u WHERE u.number >= lo AND u.number < lo + n)) AS items
FROM (SELECT lot_id, lo, n FROM code_run
      WHERE unit_id = ANY (CAST(:units AS bigint[])) AND since <= CAST(:at AS timestamptz)
      UNION ALL
      SELECT lot_id, lo, n FROM code_run_history
      WHERE unit_id = ANY (CAST(:units AS bigint[])) AND since <= CAST(:at AS timestamptz)
        AND until > CAST(:at AS timestamptz)) AS run
JOIN lot l USING (lot_id) JOIN product p USING (product_id)
GROUP BY p.gtin, l.code, p.name ORDER BY p.gtin, l.code;

-- name: quantities_in_units
SELECT p.gtin, l.code AS lot, p.name AS product, q.uom, sum(q.quantity) AS quantity
FROM unit_quantity q JOIN lot l USING (lot_id) JOIN product p USING (product_id)
WHERE q.unit_id = ANY (CAST(:units AS bigint[])) GROUP BY p.gtin, l.code, p.name, q.uom ORDER BY p.gtin, l.code, q.uom;

-- name: unit_names
SELECT unit_id, uri, sscc FROM unit WHERE unit_id = ANY (CAST(:units AS bigint[]));
