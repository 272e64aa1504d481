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

-- name: inspections
SELECT DISTINCT ON (lot_id) lot_id, at, result, report, inspector FROM inspection
WHERE lot_id = ANY (CAST(:lots AS bigint[])) ORDER BY lot_id, at DESC, inspection_id DESC;

-- name: operations
SELECT o.operation_id, o.event_id, o.transformation_id, o.place_id, o.line, o.team, o.operator, o.equipment, o.parameters,
       (SELECT min(x.at) FROM operation_output x WHERE x.operation_id = o.operation_id) AS at,
       EXISTS (SELECT FROM operation_input i WHERE i.operation_id = o.operation_id) AS has_inputs,
       EXISTS (SELECT FROM operation_output x WHERE x.operation_id = o.operation_id) AS has_outputs
FROM operation o WHERE o.operation_id = ANY (CAST(:operations AS bigint[])) ORDER BY o.operation_id;

-- name: runs
SELECT coalesce(sum(n), 0) AS items, count(*) AS runs FROM code_run WHERE lot_id = ANY (CAST(:lots AS bigint[]));

-- name: parties
SELECT party_id, gln, name, role, channel FROM party WHERE party_id = ANY (CAST(:parties AS bigint[]));

-- name: contacts
SELECT party_id, kind, name, phone, email, language, hours FROM contact
WHERE party_id = ANY (CAST(:parties AS bigint[])) ORDER BY party_id, kind;

-- name: places
SELECT l.place_id, l.gln, l.name, l.kind, l.country, l.region, l.party_id, p.role AS party_role
FROM place l JOIN party p USING (party_id) WHERE l.place_id = ANY (CAST(:places AS bigint[]));

-- name: flows_in
SELECT i.operation_id, i.lot_id, i.at, coalesce(i.n, i.quantity) AS quantity, i.uom, i.lo, i.n, l.product_id
FROM operation_input i JOIN lot l USING (lot_id)
WHERE i.operation_id = ANY (CAST(:operations AS bigint[]))
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = i.event_id);

-- name: flows_out
SELECT o.operation_id, o.lot_id, o.at, coalesce(o.n, o.quantity) AS quantity, o.uom, o.lo, o.n, l.product_id
FROM operation_output o JOIN lot l USING (lot_id)
WHERE o.operation_id = ANY (CAST(:operations AS bigint[]))
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = o.event_id);

-- name: plugs
SELECT operation_id FROM operation
WHERE operation_id = ANY (CAST(:operations AS bigint[])) AND parameters ->> 'flow' = 'plug';

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
