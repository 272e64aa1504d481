-- name: ledger_revision
SELECT coalesce(max(event_id), 0) FROM event;

-- name: lots_of_product
SELECT lot_id FROM lot WHERE product_id = :product_id ORDER BY lot_id LIMIT CAST(:lots_max AS bigint) + 1;

-- name: contents_of_unit
-- All that is in a unit, to any depth, or (ever) that was: what was on a pallet when it was shipped is still asked of it
-- after it was unpacked. A spell in a unit counts while that unit itself was inside; touching instants count, so that
-- things told for one and the same instant are not missed. Quantities by class have no numbers: their lots are named.
WITH RECURSIVE inside (unit_id, since, until) AS (
    SELECT CAST(:unit_id AS bigint), CASE WHEN CAST(:ever AS boolean) THEN '-infinity' ELSE now() END,
           CAST('infinity' AS timestamptz)
  UNION
    SELECT c.unit_id, greatest(c.since, i.since), least(c.until, i.until)
    FROM inside i CROSS JOIN LATERAL (
        SELECT u.unit_id, u.since, CAST('infinity' AS timestamptz) AS until FROM unit u WHERE u.parent_id = i.unit_id
        UNION ALL
        SELECT h.unit_id, h.since, h.until FROM unit_history h WHERE h.parent_id = i.unit_id
        OFFSET 0
    ) AS c
    WHERE c.since <= i.until AND c.until >= i.since
)
SELECT r.lot_id, r.lo, r.n FROM inside i JOIN code_run r USING (unit_id) WHERE r.since <= i.until
UNION
SELECT h.lot_id, h.lo, h.n FROM inside i JOIN code_run_history h USING (unit_id)
WHERE h.since <= i.until AND h.until >= i.since
UNION
SELECT q.lot_id, NULL, NULL FROM inside i JOIN unit_quantity q USING (unit_id) WHERE i.until = 'infinity'
ORDER BY 1, 2, 3
LIMIT CAST(:runs_max AS bigint) + 1;

-- name: lots
SELECT l.lot_id, p.gtin, l.code, p.name AS product, p.ours, l.status, l.made_on, l.best_before_on, l.supplier_id, l.product_id,
       l.quantity AS announced, coalesce(l.uom, '') AS announced_uom,
       l.made_at_place_id,
       EXISTS (SELECT FROM operation_output o WHERE o.lot_id = l.lot_id
               AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = o.event_id)) AS made_here,
       EXISTS (SELECT FROM lot_shipment s WHERE s.lot_id = l.lot_id) AS moved,
       EXISTS (SELECT FROM persistent_disposition d WHERE d.lot_id = l.lot_id AND d.word = 'recalled'
               AND d.unset_by IS NULL) AS recalled
FROM lot l JOIN product p USING (product_id)
WHERE l.lot_id = ANY (CAST(:lots AS bigint[]));

-- name: inspections_told
SELECT p.gtin, l.code, i.at, i.result, i.report, i.inspector
FROM inspection i JOIN lot l USING (lot_id) JOIN product p USING (product_id)
WHERE i.lot_id = ANY (CAST(:lots AS bigint[])) AND l.code <> '' ORDER BY p.gtin, l.code, i.at, i.inspection_id;

-- name: inspections
SELECT DISTINCT ON (lot_id) lot_id, at, result, report, inspector FROM inspection
WHERE lot_id = ANY (CAST(:lots AS bigint[])) ORDER BY lot_id, at DESC, inspection_id DESC;

-- name: operations
SELECT o.operation_id, o.event_id, o.transformation_id, o.place_id, o.line, o.team, o.operator, o.equipment, o.parameters,
       (SELECT min(x.at) FROM operation_output x WHERE x.operation_id = o.operation_id) AS at,
       EXISTS (SELECT FROM operation_input i WHERE i.operation_id = o.operation_id) AS has_inputs,
       EXISTS (SELECT FROM operation_output x WHERE x.operation_id = o.operation_id) AS has_outputs
FROM operation o WHERE o.operation_id = ANY (CAST(:operations AS bigint[])) ORDER BY o.operation_id;

-- name: unfinished_journeys
-- What was sent and not received since (sent), and what is at a place of somebody who does not own it and to which nothing
-- of the lot was ever sent: one of the two events of a journey is not on record.
SELECT h.lot_id, h.place_id, h.owner_id, h.uom, h.quantity, h.since, h.disposition = 'in_transit' AS sent
FROM lot_holding h JOIN place p USING (place_id)
WHERE h.lot_id = ANY (CAST(:lots AS bigint[])) AND h.quantity > 0 AND h.disposition <> 'urn:tracemark:epcis:replaced'
  AND CASE WHEN h.disposition = 'in_transit' THEN h.since < :before
      ELSE h.owner_id <> 0 AND p.party_id NOT IN (0, h.owner_id) AND NOT EXISTS (
          SELECT FROM lot_shipment s WHERE s.lot_id = h.lot_id AND s.to_place_id = h.place_id
            AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = s.event_id)) END
ORDER BY h.lot_id, h.place_id, h.owner_id, h.uom;

-- name: runs
-- An old number whose item goes on under a new one is not another item.
SELECT coalesce(sum(n), 0) AS items, count(*) AS runs FROM code_run
WHERE lot_id = ANY (CAST(:lots AS bigint[])) AND disposition IS DISTINCT FROM 'urn:tracemark:epcis:replaced';

-- name: parties
SELECT party_id, gln, name, role, channel FROM party WHERE party_id = ANY (CAST(:parties AS bigint[]));

-- name: parties_and_contacts
SELECT p.party_id, p.gln, p.name, p.role, p.channel, c.kind, c.name AS contact, c.phone, c.email, c.language, c.hours
FROM party p LEFT JOIN contact c USING (party_id)
WHERE p.party_id = ANY (CAST(:parties AS bigint[])) ORDER BY p.party_id, c.kind;

-- name: places
SELECT l.place_id, l.gln, l.name, l.kind, l.country, l.region, l.party_id, p.role AS party_role
FROM place l JOIN party p USING (party_id) WHERE l.place_id = ANY (CAST(:places AS bigint[]));

-- Flows and what follows them come as columns, numbers as the bytes that PostgreSQL would send for each: a row each, or
-- a value each, would cost the client more than all the arithmetic. 0 and -1 stand for what was not told.

-- name: flows
-- What went into these operations, what came out, and which of them keep the order.
SELECT * FROM (
    SELECT string_agg(int8send(i.operation_id), '') AS in_operations,
           string_agg(int8send(i.lot_id), '') AS in_lots, string_agg(timestamptz_send(i.at), '') AS in_ats,
           string_agg(float8send(CAST(coalesce(i.n, i.quantity, 0) AS float8)), '') AS in_quantities,
           array_agg(i.uom) AS in_uoms, string_agg(int8send(coalesce(i.lo, -1)), '') AS in_los,
           string_agg(int8send(coalesce(i.n, -1)), '') AS in_ns,
           string_agg(int8send(l.product_id), '') AS in_products
    FROM operation_input i JOIN lot l USING (lot_id)
    WHERE i.operation_id = ANY (CAST(:operations AS bigint[]))
      AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = i.event_id)
) AS into_them, (
    SELECT string_agg(int8send(o.operation_id), '') AS out_operations,
           string_agg(int8send(o.lot_id), '') AS out_lots, string_agg(timestamptz_send(o.at), '') AS out_ats,
           string_agg(float8send(CAST(coalesce(o.n, o.quantity, 0) AS float8)), '') AS out_quantities,
           array_agg(o.uom) AS out_uoms, string_agg(int8send(coalesce(o.lo, -1)), '') AS out_los,
           string_agg(int8send(coalesce(o.n, -1)), '') AS out_ns,
           string_agg(int8send(l.product_id), '') AS out_products
    FROM operation_output o JOIN lot l USING (lot_id)
    WHERE o.operation_id = ANY (CAST(:operations AS bigint[]))
      AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = o.event_id)
) AS out_of_them, (
    SELECT string_agg(int8send(operation_id), '') AS plugs FROM operation
    WHERE operation_id = ANY (CAST(:operations AS bigint[])) AND parameters ->> 'flow' = 'plug'
) AS in_order;

-- name: accounts_of_lots
-- For each lot and unit of measure: what there is of it, of this what came from outside the record, what was used up, and
-- what operations told that they made. Three sums over indexes, each lot once.
SELECT lot_id, uom, sum(held) AS held, sum(outside) AS outside, sum(used) AS used, sum(made) AS made,
       bool_or(is_made) AS is_made
FROM (
    SELECT lot_id, uom, CASE WHEN place_id = 0 AND owner_id = 0 AND quantity < 0 THEN 0 ELSE quantity END AS held,
           CASE WHEN place_id = 0 AND owner_id = 0 AND quantity < 0 THEN -quantity ELSE 0 END AS outside,
           0 AS used, 0 AS made, false AS is_made
    FROM lot_holding WHERE lot_id = ANY (CAST(:lots AS bigint[]))
    UNION ALL
    SELECT lot_id, uom, 0, 0, coalesce(n, quantity), 0, false
    FROM operation_input i WHERE lot_id = ANY (CAST(:lots AS bigint[])) AND (n IS NOT NULL OR quantity IS NOT NULL)
      AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = i.event_id)
    UNION ALL
    SELECT lot_id, uom, 0, 0, 0, coalesce(n, quantity), true
    FROM operation_output o WHERE lot_id = ANY (CAST(:lots AS bigint[])) AND (n IS NOT NULL OR quantity IS NOT NULL)
      AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = o.event_id)
) AS x
GROUP BY lot_id, uom;

-- name: made_of_lots
-- All there ever was of each lot and unit of measure: what is somewhere, and what was used up.
SELECT string_agg(int8send(lot_id), '') AS lots, array_agg(uom) AS uoms,
       string_agg(float8send(CAST(made AS float8)), '') AS made
FROM (
    SELECT lot_id, uom, sum(quantity) AS made
    FROM (
        SELECT lot_id, uom, CASE WHEN place_id = 0 AND owner_id = 0 AND quantity < 0 THEN 0 ELSE quantity END AS quantity
        FROM lot_holding WHERE lot_id = ANY (CAST(:lots AS bigint[]))
        UNION ALL
        SELECT lot_id, uom, coalesce(n, quantity)
        FROM operation_input i WHERE lot_id = ANY (CAST(:lots AS bigint[])) AND (n IS NOT NULL OR quantity IS NOT NULL)
          AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = i.event_id)
    ) AS x GROUP BY lot_id, uom
) AS y;

-- name: held_by_owner
-- What each owner has of each lot, wherever it is; what is below zero apart.
SELECT string_agg(int8send(lot_id), '') AS lots, string_agg(int8send(owner_id), '') AS owners, array_agg(uom) AS uoms,
       string_agg(float8send(quantity), '') AS quantities
FROM (
    SELECT lot_id, owner_id, uom, CAST(sum(quantity) AS float8) AS quantity FROM lot_holding
    WHERE lot_id = ANY (CAST(:lots AS bigint[])) AND quantity <> 0 GROUP BY lot_id, owner_id, uom, quantity > 0
) AS x;

-- name: events
SELECT event_id, event_time, record_time, source_id, body FROM event e
WHERE event_id = ANY (CAST(:events AS bigint[])) AND NOT body ? 'errorDeclaration'
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = e.event_id)
ORDER BY event_time, event_id;

-- name: titles
SELECT 'Party' AS kind, uri, name, country, region, city, address, NULL AS owner, NULL AS brand
FROM party WHERE uri = ANY (CAST(:uris AS text[])) AND party_id > 0
UNION ALL
SELECT 'Location', l.uri, l.name, l.country, l.region, l.city, l.address,
       CASE WHEN l.party_id > 0 THEN p.uri END, NULL
FROM place l JOIN party p USING (party_id) WHERE l.uri = ANY (CAST(:uris AS text[])) AND l.place_id > 0
UNION ALL
SELECT 'EPCClass', 'https://id.gs1.org/01/' || gtin, name, NULL, NULL, NULL, NULL, NULL, nullif(brand, '')
FROM product WHERE gtin = ANY (CAST(:gtins AS text[]))
ORDER BY 1, 2;

-- name: lots_named
SELECT l.lot_id FROM unnest(CAST(:gtins AS text[]), CAST(:codes AS text[])) AS w (gtin, code)
JOIN product p USING (gtin) JOIN lot l ON l.product_id = p.product_id AND l.code = w.code ORDER BY l.lot_id;

-- name: lots_to_sell
SELECT l.lot_id, p.gtin, l.code, p.name AS product, l.made_at_place_id, l.supplier_id
FROM lot l JOIN product p USING (product_id) WHERE l.lot_id = ANY (CAST(:lots AS bigint[])) AND l.code <> '';

-- name: transfers
-- Each shipment of these lots, with the first receipt of it at its destination: of the lot itself, or of a unit that the
-- shipping event named.
SELECT s.event_id, s.lot_id, s.uom, s.quantity, s.from_place_id, s.to_place_id, s.at, s.documents,
       r.event_id AS received_by, r.event_time AS received_at
FROM lot_shipment s
LEFT JOIN LATERAL (
    SELECT e.event_id, e.event_time FROM event e
    WHERE e.event_id IN (
            SELECT t.event_id FROM event_thing t WHERE t.lot_id = s.lot_id
            UNION
            SELECT t.event_id FROM event_thing x JOIN event_thing t ON t.unit_id = x.unit_id
            WHERE x.event_id = s.event_id AND x.unit_id IS NOT NULL)
      AND e.biz_step IN ('receiving', 'accepting') AND e.event_time >= s.at
      AND coalesce(e.biz_location_id, e.read_point_id) = s.to_place_id
      AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = e.event_id)
    ORDER BY e.event_time, e.event_id LIMIT 1
) AS r ON true
WHERE s.lot_id = ANY (CAST(:lots AS bigint[]))
ORDER BY s.at, s.event_id, s.lot_id, s.uom LIMIT CAST(:rows_max AS bigint) + 1;

-- name: receipts
-- Receipts that name a lot itself.
SELECT e.event_id, t.lot_id, e.event_time AS at, coalesce(e.biz_location_id, e.read_point_id, 0) AS place_id, e.body
FROM event_thing t JOIN event e USING (event_id)
WHERE t.lot_id = ANY (CAST(:lots AS bigint[])) AND e.biz_step IN ('receiving', 'accepting')
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = e.event_id)
ORDER BY e.event_time, e.event_id, t.lot_id LIMIT CAST(:rows_max AS bigint) + 1;

-- name: makings
SELECT x.operation_id, x.side, x.lot_id, x.at, x.uom, x.quantity, o.place_id, o.event_id
FROM (
    SELECT operation_id, 'in' AS side, lot_id, max(at) AS at, uom, sum(coalesce(n, quantity)) AS quantity
    FROM operation_input i WHERE operation_id = ANY (CAST(:operations AS bigint[]))
      AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = i.event_id)
    GROUP BY operation_id, lot_id, uom
    UNION ALL
    SELECT operation_id, 'out', lot_id, max(at), uom, sum(coalesce(n, quantity))
    FROM operation_output p WHERE operation_id = ANY (CAST(:operations AS bigint[]))
      AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = p.event_id)
    GROUP BY operation_id, lot_id, uom
) AS x JOIN operation o USING (operation_id)
ORDER BY x.at, x.operation_id, x.side, x.lot_id, x.uom LIMIT CAST(:rows_max AS bigint) + 1;

-- name: operations_of_lots
SELECT operation_id FROM operation_input WHERE lot_id = ANY (CAST(:lots AS bigint[]))
UNION SELECT operation_id FROM operation_output WHERE lot_id = ANY (CAST(:lots AS bigint[])) ORDER BY 1;

-- name: locations
SELECT l.place_id, l.uri, l.gln, l.name, l.country, l.region, l.city, l.address, p.name AS business,
       (SELECT c.phone FROM contact c WHERE c.party_id = l.party_id AND c.phone IS NOT NULL ORDER BY c.kind LIMIT 1) AS phone
FROM place l JOIN party p USING (party_id) WHERE l.place_id = ANY (CAST(:places AS bigint[]));

-- name: links
-- From lot to lot among these lots, each pair once.
SELECT DISTINCT i.lot_id AS source, o.lot_id AS target FROM operation_input i JOIN operation_output o USING (operation_id)
WHERE i.lot_id = ANY (CAST(:lots AS bigint[])) AND o.lot_id = ANY (CAST(:lots AS bigint[])) AND i.lot_id <> o.lot_id
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id IN (i.event_id, o.event_id))
ORDER BY 1, 2 LIMIT CAST(:rows_max AS bigint) + 1;

-- name: holder_links
SELECT DISTINCT h.lot_id AS source, o.name AS owner, l.name AS place
FROM lot_holding h JOIN party o ON o.party_id = h.owner_id JOIN place l ON l.place_id = h.place_id
WHERE h.lot_id = ANY (CAST(:lots AS bigint[])) AND h.quantity <> 0
ORDER BY 1, 2, 3 LIMIT CAST(:rows_max AS bigint) + 1;

-- name: lot_names
SELECT l.lot_id, p.gtin, l.code FROM lot l JOIN product p USING (product_id)
WHERE l.lot_id = ANY (CAST(:lots AS bigint[]));
