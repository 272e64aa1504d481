-- Closure over lots. One walk over a graph of two kinds of nodes, lots and operations, so that an operation with 40
-- inputs and 500 outputs costs 540 rows and not 20,000. UNION (never UNION ALL) forgets a state that it has seen: rework
-- and other cycles end by themselves. Each step is pinned by LATERAL … OFFSET 0, so that it always goes by the index of
-- the operation tables, whatever the planner believes about the size of the answer.
--
-- A state is a lot from an instant on (lo, n: only these numbers of it; NULL = all of it), or an operation from the
-- instant at which the first affected input went in. certain = false: somewhere on the way a part of a lot was affected
-- and the operation told its input by quantity only, so that nobody can know whether it took that part.
-- Rows told by an event that was declared wrong do not count.

-- name: downstream
WITH RECURSIVE reach (lot_id, operation_id, via_operation_id, at, lo, n, certain) AS (
    SELECT s.lot_id, CAST(NULL AS bigint), CAST(NULL AS bigint), coalesce(s.at, '-infinity'), s.lo, s.n, s.certain
    FROM unnest(CAST(:lots AS bigint[]), CAST(:ats AS timestamptz[]), CAST(:los AS bigint[]), CAST(:ns AS bigint[]),
                CAST(:certain AS boolean[])) AS s (lot_id, at, lo, n, certain)
  UNION
    SELECT step.*
    FROM reach r CROSS JOIN LATERAL (
        SELECT CAST(NULL AS bigint), i.operation_id, CAST(NULL AS bigint),
               CASE WHEN CAST(:in_time AS boolean) THEN i.at ELSE '-infinity' END,
               CAST(NULL AS bigint), CAST(NULL AS bigint), r.certain AND (r.lo IS NULL OR i.lo IS NOT NULL)
        FROM (
            SELECT operation_id, at, event_id, lo FROM operation_input WHERE r.lo IS NULL AND lot_id = r.lot_id
            UNION ALL
            SELECT operation_id, at, event_id, lo FROM operation_input
            WHERE r.lo IS NOT NULL AND lot_id = r.lot_id AND lo IS NULL
            UNION ALL
            SELECT operation_id, at, event_id, lo FROM operation_input
            WHERE r.lo IS NOT NULL AND lot_id + 0 = r.lot_id  -- + 0: by the index of the numbers, never by the lot's
              AND lo IS NOT NULL AND int8range(lo, lo + n) && int8range(r.lo, r.lo + r.n)
        ) AS i
        WHERE i.at >= r.at AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = i.event_id)
      UNION ALL
        SELECT o.lot_id, NULL, o.operation_id, CASE WHEN CAST(:in_time AS boolean) THEN o.at ELSE '-infinity' END,
               o.lo, o.n, r.certain
        FROM operation_output o
        WHERE o.operation_id = r.operation_id AND o.at >= r.at
          AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = o.event_id)
        OFFSET 0
    ) AS step
), walked AS MATERIALIZED (
    SELECT * FROM reach LIMIT CAST(:states_max AS bigint) + 1
)
SELECT lot_id, certain, nullif(min(at), '-infinity') AS at, bool_or(lo IS NULL) AS whole,
       nullif(min(at) FILTER (WHERE lo IS NULL), '-infinity') AS whole_at,
       (array_agg(via_operation_id ORDER BY at, via_operation_id))[1] AS via,
       array_agg(lo) FILTER (WHERE lo IS NOT NULL) AS los, array_agg(n) FILTER (WHERE lo IS NOT NULL) AS ns,
       array_agg(nullif(at, '-infinity')) FILTER (WHERE lo IS NOT NULL) AS ats,
       array_agg(via_operation_id IS NOT NULL) FILTER (WHERE lo IS NOT NULL) AS made
FROM walked WHERE lot_id IS NOT NULL AND lot_id <> ALL (CAST(:known AS bigint[])) GROUP BY lot_id, certain
UNION ALL  -- one row of all operations and of the number of states
SELECT NULL, NULL, NULL, NULL, NULL, count(*), array_agg(DISTINCT operation_id), NULL, NULL, NULL FROM walked;

-- name: upstream
-- The same walk against the time: a lot up to an instant, an operation up to the instant of its last output that counts.
-- An output told by quantity is of the whole lot, so that every item of the lot comes from it: that is certain.
WITH RECURSIVE reach (lot_id, operation_id, via_operation_id, at, lo, n, certain) AS (
    SELECT s.lot_id, CAST(NULL AS bigint), CAST(NULL AS bigint), coalesce(s.at, 'infinity'), s.lo, s.n, s.certain
    FROM unnest(CAST(:lots AS bigint[]), CAST(:ats AS timestamptz[]), CAST(:los AS bigint[]), CAST(:ns AS bigint[]),
                CAST(:certain AS boolean[])) AS s (lot_id, at, lo, n, certain)
  UNION
    SELECT step.*
    FROM reach r CROSS JOIN LATERAL (
        SELECT CAST(NULL AS bigint), o.operation_id, CAST(NULL AS bigint),
               CASE WHEN CAST(:in_time AS boolean) THEN o.at ELSE 'infinity' END,
               CAST(NULL AS bigint), CAST(NULL AS bigint), r.certain
        FROM (
            SELECT operation_id, at, event_id FROM operation_output WHERE r.lo IS NULL AND lot_id = r.lot_id
            UNION ALL
            SELECT operation_id, at, event_id FROM operation_output
            WHERE r.lo IS NOT NULL AND lot_id = r.lot_id AND lo IS NULL
            UNION ALL
            SELECT operation_id, at, event_id FROM operation_output
            WHERE r.lo IS NOT NULL AND lot_id + 0 = r.lot_id  -- + 0: by the index of the numbers, never by the lot's
              AND lo IS NOT NULL AND int8range(lo, lo + n) && int8range(r.lo, r.lo + r.n)
        ) AS o
        WHERE o.at <= r.at AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = o.event_id)
      UNION ALL
        SELECT i.lot_id, NULL, i.operation_id, CASE WHEN CAST(:in_time AS boolean) THEN i.at ELSE 'infinity' END,
               i.lo, i.n, r.certain
        FROM operation_input i
        WHERE i.operation_id = r.operation_id AND i.at <= r.at
          AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = i.event_id)
        OFFSET 0
    ) AS step
), walked AS MATERIALIZED (
    SELECT * FROM reach LIMIT CAST(:states_max AS bigint) + 1
)
SELECT lot_id, certain, nullif(max(at), 'infinity') AS at, bool_or(lo IS NULL) AS whole,
       nullif(max(at) FILTER (WHERE lo IS NULL), 'infinity') AS whole_at,
       (array_agg(via_operation_id ORDER BY at DESC, via_operation_id))[1] AS via,
       array_agg(lo) FILTER (WHERE lo IS NOT NULL) AS los, array_agg(n) FILTER (WHERE lo IS NOT NULL) AS ns,
       array_agg(nullif(at, 'infinity')) FILTER (WHERE lo IS NOT NULL) AS ats,
       array_agg(via_operation_id IS NOT NULL) FILTER (WHERE lo IS NOT NULL) AS made
FROM walked WHERE lot_id IS NOT NULL AND lot_id <> ALL (CAST(:known AS bigint[])) GROUP BY lot_id, certain
UNION ALL  -- one row of all operations and of the number of states
SELECT NULL, NULL, NULL, NULL, NULL, count(*), array_agg(DISTINCT operation_id), NULL, NULL, NULL FROM walked;

-- name: extent
-- The walk downstream from whole lots, as columns and without what shows how each lot was reached. in_part: some
-- operation told what it made by serial, so that parts of lots are reached; then the walk above is needed.
WITH RECURSIVE reach (lot_id, operation_id, at, in_part) AS (
    SELECT s, CAST(NULL AS bigint), CAST('-infinity' AS timestamptz), false FROM unnest(CAST(:lots AS bigint[])) AS s
  UNION
    SELECT step.*
    FROM reach r CROSS JOIN LATERAL (
        SELECT CAST(NULL AS bigint), i.operation_id, i.at, false FROM operation_input i
        WHERE i.lot_id = r.lot_id AND i.at >= r.at
          AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = i.event_id)
      UNION ALL
        SELECT o.lot_id, NULL, o.at, o.lo IS NOT NULL FROM operation_output o
        WHERE o.operation_id = r.operation_id AND o.at >= r.at
          AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = o.event_id)
        OFFSET 0
    ) AS step
), walked AS MATERIALIZED (
    SELECT * FROM reach LIMIT CAST(:states_max AS bigint) + 1
)
SELECT count(*) AS states, bool_or(in_part) AS in_part, string_agg(int8send(lot_id), '') AS lots,
       string_agg(int8send(operation_id), '') AS operations
FROM walked;

-- name: lots_not_told_by_serial
-- Of these lots, those in which items, or quantities, are known that no operation told by serial: there the items that
-- an operation told are not all that it may have made, and the lot is taken whole. The lot '' is not a quantity made
-- alike, it is where items without a lot stand: it is never taken whole.
SELECT l.lot_id FROM lot l
CROSS JOIN LATERAL (
    SELECT coalesce(range_agg(int8range(o.lo, o.lo + o.n)), '{}') AS runs FROM operation_output o
    WHERE o.lot_id = l.lot_id AND o.lo IS NOT NULL
      AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = o.event_id)
) AS made
CROSS JOIN LATERAL (
    SELECT coalesce(range_agg(int8range(k.lo, k.lo + k.n)), '{}') AS runs
    FROM (SELECT lo, n FROM code_run WHERE lot_id = l.lot_id
          UNION ALL
          SELECT lo, n FROM operation_input WHERE lot_id = l.lot_id AND lo IS NOT NULL) AS k
) AS known
WHERE l.lot_id = ANY (CAST(:lots AS bigint[])) AND l.code <> ''
  AND (NOT made.runs @> known.runs
       OR EXISTS (SELECT FROM lot_holding h WHERE h.lot_id = l.lot_id AND h.uom <> '' AND h.quantity > 0)
       OR EXISTS (SELECT FROM unit_quantity q WHERE q.lot_id = l.lot_id));

-- name: lots_with_untold_numbers
-- Of these parts of lots, the lots of those whose making was not told by serial although that of others of the lot was:
-- they may come from any operation that made the lot.
-- Of several instants the last counts.
SELECT s.lot_id, nullif(max(coalesce(s.at, 'infinity')), 'infinity') AS at
FROM unnest(CAST(:lots AS bigint[]), CAST(:los AS bigint[]), CAST(:ns AS bigint[]), CAST(:ats AS timestamptz[]))
     AS s (lot_id, lo, n, at)
CROSS JOIN LATERAL (
    SELECT range_agg(int8range(o.lo, o.lo + o.n)) AS runs FROM operation_output o
    WHERE o.lot_id = s.lot_id AND o.lo IS NOT NULL
      AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = o.event_id)
) AS made
JOIN lot l ON l.lot_id = s.lot_id
WHERE l.code <> '' AND made.runs IS NOT NULL AND NOT made.runs @> int8range(s.lo, s.lo + s.n)
GROUP BY s.lot_id;

-- name: beyond_downstream
SELECT EXISTS (
    SELECT FROM operation_input x WHERE x.lot_id = ANY (CAST(:lots AS bigint[]))
      AND NOT EXISTS (SELECT FROM unnest(CAST(:operations AS bigint[])) AS k (operation_id)
                      WHERE k.operation_id = x.operation_id)
      AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = x.event_id)
) OR EXISTS (
    SELECT FROM operation_output x WHERE x.operation_id = ANY (CAST(:operations AS bigint[]))
      AND NOT EXISTS (SELECT FROM unnest(CAST(:lots AS bigint[])) AS k (lot_id) WHERE k.lot_id = x.lot_id)
      AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = x.event_id)
);

-- name: beyond_upstream
SELECT EXISTS (
    SELECT FROM operation_output x WHERE x.lot_id = ANY (CAST(:lots AS bigint[]))
      AND NOT EXISTS (SELECT FROM unnest(CAST(:operations AS bigint[])) AS k (operation_id)
                      WHERE k.operation_id = x.operation_id)
      AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = x.event_id)
) OR EXISTS (
    SELECT FROM operation_input x WHERE x.operation_id = ANY (CAST(:operations AS bigint[]))
      AND NOT EXISTS (SELECT FROM unnest(CAST(:lots AS bigint[])) AS k (lot_id) WHERE k.lot_id = x.lot_id)
      AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = x.event_id)
);

-- name: inputs_of
SELECT i.operation_id, i.lot_id, i.at, i.lo, i.n FROM operation_input i
WHERE i.operation_id = ANY (CAST(:operations AS bigint[]))
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = i.event_id);

-- name: outputs_of
SELECT o.operation_id, o.lot_id, o.at, o.lo, o.n FROM operation_output o
WHERE o.operation_id = ANY (CAST(:operations AS bigint[]))
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = o.event_id);

-- name: edges_into
SELECT o.lot_id, o.operation_id, i.lot_id AS from_lot_id, o.at, i.at AS from_at, i.lo, i.n
FROM operation_output o JOIN operation_input i USING (operation_id)
WHERE o.lot_id = ANY (CAST(:lots AS bigint[]))
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id IN (o.event_id, i.event_id))
ORDER BY o.at, o.operation_id, i.lot_id;

-- name: edges_out_of
SELECT i.lot_id, o.operation_id, o.lot_id AS from_lot_id, i.at, o.at AS from_at, o.lo, o.n
FROM operation_input i JOIN operation_output o USING (operation_id)
WHERE i.lot_id = ANY (CAST(:lots AS bigint[]))
  AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id IN (o.event_id, i.event_id))
ORDER BY i.at DESC, o.operation_id, o.lot_id;

-- name: operation_events
SELECT operation_id, event_id FROM operation WHERE operation_id = ANY (CAST(:operations AS bigint[]));
