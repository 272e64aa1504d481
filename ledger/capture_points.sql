-- name: lock
SELECT pg_advisory_xact_lock(hashtextextended('capture point ' || CAST(:point_id AS text), 0));

-- name: newest
SELECT point_id, version, definition, defined_at, defined_by FROM capture_point
WHERE point_id = CAST(:point_id AS text) ORDER BY version DESC LIMIT 1;

-- name: version
SELECT point_id, version, definition, defined_at, defined_by FROM capture_point
WHERE point_id = CAST(:point_id AS text) AND version = CAST(:version AS integer);

-- name: page
SELECT DISTINCT ON (point_id) point_id, version, definition, defined_at, defined_by FROM capture_point
WHERE point_id > CAST(:after AS text) ORDER BY point_id, version DESC LIMIT CAST(:n AS bigint);

-- name: reading
SELECT r.point_id, r.reading_id, r.version, r.event_id, r.hash, r.alarms, r.reviewed, r.taken_at, r.taken_by, e.source_id, e.body,
       EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = r.event_id) AS undone
FROM capture_reading r JOIN event e USING (event_id)
WHERE r.point_id = CAST(:point_id AS text) AND r.reading_id = CAST(:reading_id AS text);

-- name: last_reading
SELECT r.reading_id FROM capture_reading r
WHERE r.point_id = CAST(:point_id AS text) AND r.taken_by = CAST(:by AS text)
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = r.event_id)
ORDER BY r.taken_at DESC, r.event_id DESC LIMIT 1;

-- name: items
-- What is known of numbers: the run that holds each, and the unit that the run is in.
SELECT w.number, r.lot_id, u.uri AS unit_uri, CASE WHEN r.unit_id IS NULL THEN r.disposition END AS disposition
FROM unnest(CAST(:numbers AS bigint[])) AS w (number)
JOIN LATERAL (SELECT lo, n, lot_id, unit_id, disposition FROM code_run WHERE lo <= w.number
              ORDER BY lo DESC LIMIT 1) r ON w.number < r.lo + r.n
LEFT JOIN unit u USING (unit_id);

-- name: units
SELECT u.unit_id, u.uri, p.uri AS parent_uri, u.disposition
FROM unit u LEFT JOIN unit p ON p.unit_id = u.parent_id WHERE u.uri = ANY(CAST(:uris AS text[]));

-- name: lots_inside
-- Every lot that is in one of these units, at any depth.
WITH RECURSIVE inside AS (
    SELECT unit_id AS top_id, unit_id FROM unnest(CAST(:unit_ids AS bigint[])) AS named (unit_id)
    UNION
    SELECT i.top_id, u.unit_id FROM inside i JOIN unit u ON u.parent_id = i.unit_id
)
SELECT DISTINCT i.top_id, r.lot_id FROM inside i JOIN code_run r USING (unit_id)
UNION
SELECT DISTINCT i.top_id, q.lot_id FROM inside i JOIN unit_quantity q USING (unit_id);
