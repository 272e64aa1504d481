-- What the recall room reads of the record: what scope lines mean, and who has to be told. All by sets, never row by row.

-- name: lots_by_code
SELECT t.gtin, t.code, l.lot_id
FROM unnest(CAST(:gtins AS text[]), CAST(:codes AS text[])) AS t (gtin, code)
JOIN product p ON p.gtin = t.gtin
JOIN lot l ON l.product_id = p.product_id AND l.code = t.code;

-- name: lots_of_products
SELECT p.gtin, l.lot_id FROM product p LEFT JOIN lot l USING (product_id) WHERE p.gtin = ANY(CAST(:gtins AS text[]));

-- name: lots_of_runs
-- Which lots the numbers lo..lo+n-1 belong to: by what is on things now, by what a label job reserved for a lot, and by
-- what was used up, which is on nothing any more.
-- Runs and blocks never overlap, so the last one that starts at or before lo is the first that can cover it.
SELECT x.lot_id, greatest(x.lo, r.lo) AS lo, least(x.lo + x.n, r.lo + r.n) - greatest(x.lo, r.lo) AS n
FROM unnest(CAST(:los AS bigint[]), CAST(:ns AS bigint[])) AS r (lo, n)
CROSS JOIN LATERAL (
    SELECT c.lot_id, c.lo, c.n FROM code_run c
    WHERE c.lo >= coalesce((SELECT max(f.lo) FROM code_run f WHERE f.lo <= r.lo), r.lo) AND c.lo < r.lo + r.n
  UNION ALL
    SELECT b.lot_id, b.lo, b.n FROM number_block b
    WHERE b.lo >= coalesce((SELECT max(f.lo) FROM number_block f WHERE f.lo <= r.lo), r.lo) AND b.lo < r.lo + r.n
      AND b.lot_id IS NOT NULL
  UNION ALL
    SELECT i.lot_id, i.lo, i.n FROM operation_input i
    WHERE i.lo IS NOT NULL AND int8range(i.lo, i.lo + i.n) && int8range(r.lo, r.lo + r.n)
      AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = i.event_id)
) AS x
WHERE x.lo + x.n > r.lo;

-- name: known_units
SELECT sscc FROM unit WHERE sscc = ANY(CAST(:ssccs AS text[]));

-- name: unit_contents
-- What is in a logistic unit now ('infinity') and what was in it at each moment at which it was shipped, alone or inside
-- another unit. lo IS NULL: a quantity told by class; the record cannot say which part of the lot it is.
WITH RECURSIVE started AS (
    SELECT unit_id, sscc FROM unit WHERE sscc = ANY(CAST(:ssccs AS text[]))
), above (sscc, unit_id, since, until) AS (
    SELECT sscc, unit_id, CAST('-infinity' AS timestamptz), CAST('infinity' AS timestamptz) FROM started
  UNION
    SELECT a.sscc, s.parent_id, greatest(a.since, s.since), least(a.until, s.until)
    FROM above a CROSS JOIN LATERAL (
        SELECT parent_id, since, CAST('infinity' AS timestamptz) AS until FROM unit WHERE unit_id = a.unit_id
      UNION ALL
        SELECT parent_id, since, until FROM unit_history WHERE unit_id = a.unit_id
    ) AS s
    WHERE s.parent_id IS NOT NULL AND s.since < a.until AND s.until > a.since
), shipped AS (
    SELECT DISTINCT a.sscc, s.since AS at, s.event_id
    FROM above a CROSS JOIN LATERAL (
        SELECT since, event_id FROM unit WHERE unit_id = a.unit_id
      UNION ALL
        SELECT since, event_id FROM unit_history WHERE unit_id = a.unit_id
    ) AS s
    JOIN event e ON e.event_id = s.event_id
    WHERE s.since >= a.since AND s.since < a.until AND e.biz_step ~ '(^|[:-])shipping$'
), inside (sscc, at, unit_id) AS (
    SELECT sscc, CAST('infinity' AS timestamptz), unit_id FROM started
  UNION
    SELECT m.sscc, m.at, st.unit_id FROM shipped m JOIN started st USING (sscc)
  UNION
    SELECT i.sscc, i.at, c.unit_id FROM inside i CROSS JOIN LATERAL (
        SELECT unit_id FROM unit WHERE parent_id = i.unit_id AND since <= i.at
      UNION ALL
        SELECT unit_id FROM unit_history WHERE parent_id = i.unit_id AND since <= i.at AND i.at < until
    ) AS c
)
SELECT i.sscc, r.lot_id, r.lo, r.n FROM inside i CROSS JOIN LATERAL (
    SELECT lot_id, lo, n FROM code_run WHERE unit_id = i.unit_id AND since <= i.at
  UNION ALL
    SELECT lot_id, lo, n FROM code_run_history WHERE unit_id = i.unit_id AND since <= i.at AND i.at < until
  UNION ALL
    SELECT lot_id, NULL, NULL FROM unit_quantity WHERE unit_id = i.unit_id
) AS r
UNION
-- Unpacked since: quantities by class have no history, so the lots of the shipment that have no serials stand for them.
SELECT m.sscc, s.lot_id, NULL, NULL FROM shipped m JOIN lot_shipment s USING (event_id)
WHERE NOT EXISTS (SELECT FROM code_run c WHERE c.lot_id = s.lot_id)
  AND NOT EXISTS (SELECT FROM inside i JOIN unit_quantity q USING (unit_id) WHERE i.sscc = m.sscc);

-- name: place_by_uri
SELECT place_id, uri FROM place WHERE uri = :place OR gln = :place ORDER BY (uri = :place) DESC, place_id LIMIT 1;

-- name: made_in_window
-- What was put out (by a line, at a place) in the window; without a line also what was used up at the place.
SELECT o.lot_id, o.lo, o.n
FROM operation op JOIN operation_output o USING (operation_id)
WHERE o.at >= :from_at AND o.at < :until_at
  AND (CAST(:place_id AS bigint) IS NULL OR op.place_id = :place_id)
  AND (CAST(:line AS text) IS NULL OR op.line = :line)
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = o.event_id)
UNION
SELECT i.lot_id, i.lo, i.n
FROM operation op JOIN operation_input i USING (operation_id)
WHERE i.at >= :from_at AND i.at < :until_at AND CAST(:line AS text) IS NULL AND op.place_id = :place_id
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = i.event_id);

-- name: made_by_operations
-- What operations made of which all that is asked for was told. A parameter is found by the name behind its prefix, its
-- value as a number when both sides are numbers, else only by "=" as text.
SELECT o.lot_id, o.lo, o.n
FROM operation op JOIN operation_output o USING (operation_id)
WHERE (CAST(:line AS text) IS NULL OR op.line = :line) AND (CAST(:team AS text) IS NULL OR op.team = :team)
  AND (CAST(:operator AS text) IS NULL OR op.operator = :operator)
  AND (CAST(:equipment AS text) IS NULL OR op.equipment = :equipment)
  AND (CAST(:place_id AS bigint) IS NULL OR op.place_id = :place_id)
  AND (CAST(:from_at AS timestamptz) IS NULL OR o.at >= :from_at)
  AND (CAST(:until_at AS timestamptz) IS NULL OR o.at < :until_at)
  AND (CAST(:parameter AS text) IS NULL OR EXISTS (
    SELECT FROM jsonb_each_text(op.parameters) AS p (name, value)
    WHERE regexp_replace(p.name, '^.*[:#/]', '') = :parameter
      AND CASE WHEN p.value ~ '^-?[0-9]{1,30}([.][0-9]{1,30})?$' AND CAST(:number AS numeric) IS NOT NULL THEN
            CASE CAST(:comparison AS text)
                WHEN '<' THEN CAST(p.value AS numeric) < :number WHEN '<=' THEN CAST(p.value AS numeric) <= :number
                WHEN '=' THEN CAST(p.value AS numeric) = :number WHEN '>=' THEN CAST(p.value AS numeric) >= :number
                ELSE CAST(p.value AS numeric) > :number END
          ELSE :comparison = '=' AND p.value = CAST(:limit AS text) END))
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = o.event_id);

-- name: party_by_uri
SELECT uri FROM party WHERE uri = :party OR gln = :party ORDER BY (uri = :party) DESC, party_id LIMIT 1;

-- name: lots_from_supplier
SELECT l.lot_id FROM lot l JOIN party s ON s.party_id = l.supplier_id JOIN product p USING (product_id)
WHERE s.uri = :party AND (CAST(:gtin AS text) IS NULL OR p.gtin = :gtin)
UNION
SELECT h.lot_id FROM party s JOIN lot_shipment h ON h.from_owner_id = s.party_id JOIN lot l USING (lot_id)
JOIN product p USING (product_id)
WHERE s.uri = :party AND (CAST(:gtin AS text) IS NULL OR p.gtin = :gtin)
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = h.event_id);

-- name: case_contents
-- What is or ever was in things that are items themselves and held others (a case with a serial), to any depth.
WITH RECURSIVE inside (number, unit_id) AS (
    SELECT number, unit_id FROM unit WHERE number = ANY(CAST(:numbers AS bigint[]))
  UNION
    SELECT i.number, c.unit_id FROM inside i CROSS JOIN LATERAL (
        SELECT unit_id FROM unit WHERE parent_id = i.unit_id
      UNION ALL
        SELECT unit_id FROM unit_history WHERE parent_id = i.unit_id
    ) AS c
)
SELECT i.number, r.lot_id, r.lo, r.n FROM inside i CROSS JOIN LATERAL (
    SELECT lot_id, lo, n FROM code_run WHERE unit_id = i.unit_id
  UNION ALL
    SELECT lot_id, lo, n FROM code_run_history WHERE unit_id = i.unit_id
  UNION ALL
    SELECT lot_id, NULL, NULL FROM unit_quantity WHERE unit_id = i.unit_id
) AS r;

-- name: kept_in_window
-- What was at a place at any time in the window: loose items, what units held while they were there, quantities by class.
WITH RECURSIVE there (unit_id, since, until) AS (
    SELECT unit_id, greatest(since, :from_at), CAST(:until_at AS timestamptz) FROM unit
    WHERE place_id = :place_id AND parent_id IS NULL AND since < :until_at
  UNION
    SELECT unit_id, greatest(since, :from_at), least(until, :until_at) FROM unit_history
    WHERE place_id = :place_id AND parent_id IS NULL AND since < :until_at AND until > :from_at
  UNION
    SELECT c.unit_id, greatest(c.since, t.since), least(c.until, t.until) FROM there t CROSS JOIN LATERAL (
        SELECT unit_id, since, CAST('infinity' AS timestamptz) AS until FROM unit WHERE parent_id = t.unit_id
      UNION ALL
        SELECT unit_id, since, until FROM unit_history WHERE parent_id = t.unit_id
    ) AS c
    WHERE c.since < t.until AND c.until > t.since
)
SELECT r.lot_id, r.lo, r.n FROM there t CROSS JOIN LATERAL (
    SELECT lot_id, lo, n FROM code_run WHERE unit_id = t.unit_id AND since < t.until
  UNION ALL
    SELECT lot_id, lo, n FROM code_run_history WHERE unit_id = t.unit_id AND since < t.until AND until > t.since
  UNION ALL
    SELECT lot_id, NULL, NULL FROM unit_quantity WHERE unit_id = t.unit_id
) AS r
UNION
SELECT lot_id, lo, n FROM code_run WHERE unit_id IS NULL AND place_id = :place_id AND since < :until_at
UNION
SELECT lot_id, lo, n FROM code_run_history
WHERE unit_id IS NULL AND place_id = :place_id AND since < :until_at AND until > :from_at
UNION
-- By class: there now, or known to have left after the window began; not if all that came is known to have come later.
SELECT x.lot_id, NULL, NULL FROM (
    SELECT lot_id FROM lot_holding WHERE place_id = :place_id AND quantity > 0
  UNION
    SELECT lot_id FROM lot_shipment WHERE from_place_id = :place_id AND at >= :from_at
) AS x
WHERE NOT EXISTS (SELECT FROM code_run c WHERE c.lot_id = x.lot_id)
  AND (EXISTS (SELECT FROM lot_shipment s WHERE s.lot_id = x.lot_id AND s.to_place_id = :place_id AND s.at < :until_at)
    OR NOT EXISTS (SELECT FROM lot_shipment s WHERE s.lot_id = x.lot_id AND s.to_place_id = :place_id));

-- name: numbers_of_lots
SELECT lot_id, lo, n FROM number_block WHERE lot_id = ANY(CAST(:lots AS bigint[]))
UNION ALL
SELECT lot_id, lo, n FROM code_run WHERE lot_id = ANY(CAST(:lots AS bigint[]))
UNION ALL  -- items that were used up are in no run any more
SELECT lot_id, lo, n FROM operation_input i WHERE lot_id = ANY(CAST(:lots AS bigint[])) AND lo IS NOT NULL
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = i.event_id);

-- name: lots_with_quantities_by_class
SELECT h.lot_id FROM (
    SELECT lot_id, sum(quantity) AS held FROM lot_holding
    WHERE lot_id = ANY(CAST(:lots AS bigint[])) AND quantity > 0 GROUP BY lot_id
) AS h
WHERE h.held > coalesce((SELECT sum(c.n) FROM code_run c WHERE c.lot_id = h.lot_id), 0);

-- name: lot_facts
SELECT l.lot_id, p.gtin, p.name, l.code, l.best_before_on
FROM lot l JOIN product p USING (product_id) WHERE l.lot_id = ANY(CAST(:lots AS bigint[]));

-- name: lots_in_order
-- In the order of code points, which is that in which a set is sealed.
SELECT array_agg(lot_id) AS lots, array_agg(gtin) AS gtins, array_agg(code) AS codes
FROM (
    SELECT l.lot_id, p.gtin, l.code FROM lot l JOIN product p USING (product_id)
    WHERE l.lot_id = ANY(CAST(:lots AS bigint[])) ORDER BY p.gtin COLLATE "C", l.code COLLATE "C", l.lot_id
) AS x;

-- name: are_shipped
SELECT EXISTS (SELECT FROM lot_shipment s WHERE s.lot_id = ANY(CAST(:lots AS bigint[]))
               AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = s.event_id));

-- name: below_zero
SELECT p.gtin, l.code, h.quantity, h.uom, count(*) OVER () AS holdings
FROM lot_holding h JOIN lot l USING (lot_id) JOIN product p USING (product_id)
WHERE h.lot_id = ANY(CAST(:lots AS bigint[])) AND h.quantity < 0 AND h.disposition <> 'urn:tracemark:epcis:replaced'
ORDER BY h.lot_id, h.place_id, h.owner_id, h.disposition, h.uom LIMIT CAST(:rows_max AS bigint);

-- name: products
SELECT product_id, gtin, name FROM product WHERE product_id = ANY(CAST(:products AS bigint[]));

-- name: parties
SELECT party_id, name, gln, role, channel FROM party WHERE party_id = ANY(CAST(:parties AS bigint[]));

-- name: contacts
SELECT party_id, kind, name, phone, email FROM contact WHERE party_id = ANY(CAST(:parties AS bigint[]));

-- name: places
SELECT l.place_id, l.name, l.gln, l.kind, CASE WHEN l.party_id <> 0 THEN p.role END AS party_role
FROM place l JOIN party p USING (party_id) WHERE l.place_id = ANY(CAST(:places AS bigint[]));

-- name: past_holders
-- Who had the very items of partial lots, at any time: by the items' own rows, and by the outermost unit they were in.
-- An item that was labelled anew is the same item: whoever had it under an older or a newer number had it.
-- History rows are found by size class (n up to 32, up to 1024, longer): a btree then answers "which rows cover x".
WITH RECURSIVE named AS (
    SELECT * FROM unnest(CAST(:lots AS bigint[]), CAST(:los AS bigint[]), CAST(:ns AS bigint[])) AS p (lot_id, lo, n)
), newer (lot_id, number) AS (
    SELECT c.lot_id, c.by_number
    FROM named p JOIN replaced_code c ON c.lot_id = p.lot_id AND c.number >= p.lo AND c.number < p.lo + p.n
  UNION
    SELECT c.lot_id, c.by_number FROM newer x JOIN replaced_code c ON c.number = x.number
), older (lot_id, number) AS (
    SELECT c.lot_id, c.number
    FROM named p JOIN replaced_code c ON c.lot_id = p.lot_id AND c.by_number >= p.lo AND c.by_number < p.lo + p.n
  UNION
    SELECT c.lot_id, c.number FROM older x JOIN replaced_code c ON c.by_number = x.number
), part (lot_id, lo, n) AS (
    SELECT lot_id, lo, n FROM named
    UNION SELECT lot_id, number, 1 FROM newer
    UNION SELECT lot_id, number, 1 FROM older
), up (lot_id, unit_id, since, until, owner_id, place_id) AS (
    SELECT p.lot_id, h.unit_id, h.since, h.until, h.owner_id, h.place_id
    FROM part p CROSS JOIN LATERAL (
        SELECT * FROM code_run_history WHERE n <= 32 AND lo > p.lo - 32 AND lo < p.lo + p.n
      UNION ALL
        SELECT * FROM code_run_history WHERE n > 32 AND n <= 1024 AND lo > p.lo - 1024 AND lo < p.lo + p.n
      UNION ALL
        SELECT * FROM code_run_history WHERE n > 1024 AND lo < p.lo + p.n
    ) AS h
    WHERE h.lot_id = p.lot_id AND h.lo + h.n > p.lo
  UNION
    SELECT p.lot_id, c.unit_id, c.since, CAST('infinity' AS timestamptz), c.owner_id, c.place_id
    FROM part p JOIN code_run c ON c.lot_id = p.lot_id AND c.lo < p.lo + p.n AND c.lo + c.n > p.lo
  UNION
    SELECT u.lot_id, s.parent_id, greatest(u.since, s.since), least(u.until, s.until), s.owner_id, s.place_id
    FROM up u CROSS JOIN LATERAL (
        SELECT parent_id, since, CAST('infinity' AS timestamptz) AS until, owner_id, place_id
        FROM unit WHERE unit_id = u.unit_id
      UNION ALL
        SELECT parent_id, since, until, owner_id, place_id FROM unit_history WHERE unit_id = u.unit_id
    ) AS s
    WHERE u.unit_id IS NOT NULL AND s.since < u.until AND s.until > u.since
)
SELECT DISTINCT lot_id, owner_id FROM up WHERE unit_id IS NULL;

-- name: blocks_of_numbers
SELECT b.lo, b.n, b.kind, b.gtin, b.key_epoch, b.skipped
FROM unnest(CAST(:los AS bigint[]), CAST(:ns AS bigint[])) AS r (lo, n)
CROSS JOIN LATERAL (
    SELECT * FROM number_block b
    WHERE b.lo >= coalesce((SELECT max(f.lo) FROM number_block f WHERE f.lo <= r.lo), r.lo) AND b.lo < r.lo + r.n
) AS b
WHERE b.lo + b.n > r.lo
GROUP BY b.lo, b.n, b.kind, b.gtin, b.key_epoch, b.skipped ORDER BY b.lo;

-- name: foreign_serials
SELECT f.number, f.gtin, f.serial
FROM unnest(CAST(:los AS bigint[]), CAST(:ns AS bigint[])) AS r (lo, n)
JOIN foreign_serial f ON f.number >= r.lo AND f.number < r.lo + r.n;

-- name: covered_by_others
-- What other recalls that are public also name, so that ending one of them does not release the goods of another.
SELECT a.lot_id, NULL AS lo, NULL AS n
FROM publication p JOIN affected_lot a USING (affected_set_id)
WHERE p.case_id <> :case_id AND p.kind = 'recall' AND a.whole AND a.lot_id = ANY(CAST(:lots AS bigint[]))
UNION ALL
SELECT r.lot_id, r.lo, r.n
FROM publication p JOIN affected_run r USING (affected_set_id)
WHERE p.case_id <> :case_id AND p.kind = 'recall' AND r.lot_id = ANY(CAST(:lots AS bigint[]));

-- name: inputs_of_lot
-- What a lot was made of, one step up.
SELECT DISTINCT i.lot_id
FROM operation_output o JOIN operation_input i USING (operation_id)
WHERE o.lot_id = :lot AND i.lot_id <> o.lot_id
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id IN (o.event_id, i.event_id));

-- name: operations
SELECT o.operation_id, o.event_id, e.event_time AS at, p.name AS place, o.line
FROM operation o JOIN event e USING (event_id) JOIN place p USING (place_id)
WHERE o.operation_id = ANY(CAST(:operations AS bigint[]));
