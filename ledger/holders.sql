-- name: holdings_of_lots
SELECT lot_id, place_id, owner_id, disposition, uom, quantity FROM lot_holding
WHERE lot_id = ANY (CAST(:lots AS bigint[])) AND quantity <> 0;

-- name: runs_of_lots
-- The runs of these lots that meet the wanted numbers; clipping is arithmetic and is done by the caller.
SELECT DISTINCT r.lo, r.n, r.lot_id, r.unit_id, r.place_id, r.owner_id, coalesce(r.disposition, '') AS disposition
FROM unnest(CAST(:lots AS bigint[]), CAST(:los AS bigint[]), CAST(:ns AS bigint[])) AS w (lot_id, lo, n)
JOIN code_run r ON r.lot_id = w.lot_id AND r.lo < w.lo + w.n AND w.lo < r.lo + r.n
ORDER BY r.lo;

-- name: outermost_units
-- For each unit the one that nothing contains. UNION ends by itself if the data ever held a circle.
WITH RECURSIVE up (unit_id, ancestor_id) AS (
    SELECT u, u FROM unnest(CAST(:units AS bigint[])) AS u
  UNION
    SELECT up.unit_id, u.parent_id FROM up JOIN unit u ON u.unit_id = up.ancestor_id WHERE u.parent_id IS NOT NULL
)
SELECT up.unit_id, u.unit_id AS outermost_id, u.place_id, u.owner_id, u.disposition
FROM up JOIN unit u ON u.unit_id = up.ancestor_id WHERE u.parent_id IS NULL;

-- name: shipments_of_lots
SELECT s.event_id, s.lot_id, s.uom, s.quantity, s.from_owner_id, s.to_owner_id, s.from_place_id, s.to_place_id, s.at,
       s.documents
FROM lot_shipment s
WHERE s.lot_id = ANY (CAST(:lots AS bigint[]))
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = s.event_id)
ORDER BY s.at, s.event_id, s.lot_id, s.to_owner_id, s.to_place_id, s.uom;
