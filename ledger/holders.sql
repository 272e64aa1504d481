-- name: holdings_of_lots
SELECT lot_id, place_id, owner_id, disposition, uom, quantity FROM lot_holding
WHERE lot_id = ANY (CAST(:lots AS bigint[])) AND quantity <> 0 AND disposition <> 'urn:tracemark:epcis:replaced';

-- name: replacements
-- Under which numbers the items of these numbers go on, to any depth; a successor is always a fresh number.
WITH RECURSIVE renewed (lot_id, number) AS (
    SELECT c.lot_id, c.by_number
    FROM unnest(CAST(:lots AS bigint[]), CAST(:los AS bigint[]), CAST(:ns AS bigint[])) AS w (lot_id, lo, n)
    JOIN replaced_code c ON c.lot_id = w.lot_id AND c.number >= w.lo AND c.number < w.lo + w.n
  UNION
    SELECT c.lot_id, c.by_number FROM renewed r JOIN replaced_code c ON c.number = r.number
)
SELECT lot_id, number FROM renewed ORDER BY number;

-- name: runs_of_lots
-- The runs of these lots that meet the wanted numbers; clipping is arithmetic and is done by the caller.
SELECT DISTINCT r.lo, r.n, r.lot_id, r.unit_id, r.place_id, r.owner_id, coalesce(r.disposition, '') AS disposition
FROM unnest(CAST(:lots AS bigint[]), CAST(:los AS bigint[]), CAST(:ns AS bigint[])) AS w (lot_id, lo, n)
JOIN code_run r ON r.lot_id = w.lot_id AND r.lo < w.lo + w.n AND w.lo < r.lo + r.n
WHERE r.disposition IS DISTINCT FROM 'urn:tracemark:epcis:replaced'
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

-- name: totals
-- Grouped by what :by names; the rest is NULL. Groups of disposition, kind and role are as many as there are words.
WITH held AS (
    SELECT h.lot_id, h.place_id, h.owner_id, h.disposition, h.uom, h.quantity
    FROM lot_holding h WHERE h.lot_id = ANY (CAST(:lots AS bigint[])) AND h.quantity <> 0
    UNION ALL
    SELECT p.lot_id, p.place_id, p.owner_id, p.disposition, '', p.quantity
    FROM unnest(CAST(:part_lots AS bigint[]), CAST(:part_places AS bigint[]), CAST(:part_owners AS bigint[]),
                CAST(:part_dispositions AS text[]), CAST(:part_quantities AS numeric[]))
         AS p (lot_id, place_id, owner_id, disposition, quantity)
), named AS (
    SELECT CASE WHEN 'product' = ANY (CAST(:by AS text[])) THEN l.product_id END AS product_id,
           CASE WHEN 'lot' = ANY (CAST(:by AS text[])) THEN h.lot_id END AS lot_id,
           CASE WHEN 'channel' = ANY (CAST(:by AS text[])) THEN coalesce(o.channel, '') END AS channel,
           CASE WHEN 'owner' = ANY (CAST(:by AS text[])) THEN h.owner_id END AS owner_id,
           CASE WHEN 'custodian' = ANY (CAST(:by AS text[])) THEN p.party_id END AS custodian_id,
           CASE WHEN 'state' = ANY (CAST(:by AS text[])) THEN h.disposition END AS disposition,
           CASE WHEN 'state' = ANY (CAST(:by AS text[])) THEN p.kind END AS place_kind,
           CASE WHEN 'state' = ANY (CAST(:by AS text[]))
                THEN CASE WHEN p.party_id > 0 THEN c.role ELSE o.role END END AS role,
           h.uom, h.quantity
    FROM held h JOIN lot l USING (lot_id) JOIN party o ON o.party_id = h.owner_id
    JOIN place p ON p.place_id = h.place_id JOIN party c ON c.party_id = p.party_id
)
SELECT product_id, lot_id, channel, owner_id, custodian_id, disposition, place_kind, role, uom,
       coalesce(sum(quantity) FILTER (WHERE quantity > 0), 0) AS held,
       coalesce(-sum(quantity) FILTER (WHERE quantity < 0), 0) AS below_zero
FROM named GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9;
