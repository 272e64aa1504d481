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

-- name: line_sums
-- A line is a lot, an owner, a place and a unit of measure; a shipment makes a line of nothing where nothing is held.
-- Once by owner and once by product.
WITH told AS (
    SELECT h.lot_id, h.place_id, h.owner_id, h.uom, coalesce(d.state, w.state) AS state, h.quantity
    FROM lot_holding h JOIN place p ON p.place_id = h.place_id JOIN party c ON c.party_id = p.party_id
    JOIN party o ON o.party_id = h.owner_id
    LEFT JOIN unnest(CAST(:words AS text[]), CAST(:word_states AS text[])) AS d (word, state) ON d.word = h.disposition
    LEFT JOIN unnest(CAST(:kinds AS text[]), CAST(:roles AS text[]), CAST(:place_states AS text[])) AS w (kind, role, state)
      ON w.kind = p.kind AND w.role = CASE WHEN p.party_id <> 0 THEN c.role ELSE o.role END
    WHERE h.lot_id = ANY (CAST(:lots AS bigint[])) AND h.quantity > 0
      AND h.disposition <> 'urn:tracemark:epcis:replaced'
    UNION ALL
    SELECT s.lot_id, s.to_place_id, s.to_owner_id, s.uom, 'unknown', 0 FROM lot_shipment s
    WHERE s.lot_id = ANY (CAST(:lots AS bigint[]))
      AND NOT EXISTS (SELECT FROM event_declared_wrong x WHERE x.event_id = s.event_id)
), line AS (
    SELECT lot_id, owner_id, CASE WHEN uom = ANY (CAST(:pieces AS text[])) THEN '' ELSE uom END AS uom,
           sum(quantity) FILTER (WHERE state = 'in_plant') AS in_plant,
           sum(quantity) FILTER (WHERE state = 'in_stock') AS in_stock,
           sum(quantity) FILTER (WHERE state = 'in_transit') AS in_transit,
           sum(quantity) FILTER (WHERE state = 'at_channel') AS at_channel,
           sum(quantity) FILTER (WHERE state = 'sold') AS sold,
           sum(quantity) FILTER (WHERE state = 'returned') AS returned,
           sum(quantity) FILTER (WHERE state = 'destroyed') AS destroyed,
           sum(quantity) FILTER (WHERE state = 'sampled') AS sampled,
           sum(quantity) FILTER (WHERE state = 'unknown') AS unknown,
           coalesce(sum(quantity) FILTER (WHERE state IN ('destroyed', 'sampled')), 0) AS gone,
           coalesce(sum(quantity) FILTER (WHERE state NOT IN ('sold', 'returned', 'destroyed', 'sampled')), 0) AS on_hand
    FROM told GROUP BY lot_id, place_id, owner_id, 3
)
SELECT owner_id, product_id, line.uom, count(*) AS lines,
       coalesce(sum(in_plant), 0) AS in_plant, coalesce(sum(in_stock), 0) AS in_stock,
       coalesce(sum(in_transit), 0) AS in_transit, coalesce(sum(at_channel), 0) AS at_channel,
       coalesce(sum(sold), 0) AS sold, coalesce(sum(returned), 0) AS returned,
       coalesce(sum(destroyed), 0) AS destroyed, coalesce(sum(sampled), 0) AS sampled,
       coalesce(sum(unknown), 0) AS unknown,
       sum(ceil(on_hand)) AS ceil_on_hand, coalesce(sum(ceil(sold)), 0) AS ceil_sold,
       coalesce(sum(ceil(returned)), 0) AS ceil_returned, sum(ceil(gone)) AS ceil_destroyed
FROM line JOIN lot USING (lot_id) GROUP BY GROUPING SETS ((owner_id, line.uom), (product_id, line.uom))
ORDER BY owner_id, product_id, line.uom;
