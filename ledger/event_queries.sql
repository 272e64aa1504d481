-- Questions about events: what names stand for, and which words and places stand in events.

-- name: lots_of_classes
SELECT l.lot_id FROM unnest(CAST(:gtins AS text[]), CAST(:codes AS text[])) AS w (gtin, code)
JOIN product p ON p.gtin = w.gtin JOIN lot l ON l.product_id = p.product_id AND l.code = w.code;

-- name: lots_of_products
SELECT l.lot_id FROM lot l JOIN product p USING (product_id) WHERE p.gtin = ANY(CAST(:gtins AS text[]));

-- name: units_named
SELECT unit_id FROM unit WHERE uri = ANY(CAST(:uris AS text[]));

-- name: units_of_products
-- Items that are units are few (crates, cases): the index on their numbers is gone through.
SELECT u.unit_id FROM unit u
WHERE u.number IS NOT NULL AND substr(u.uri, 1, 37) = ANY(
    SELECT 'https://id.gs1.org/01/' || gtin || '/' FROM unnest(CAST(:gtins AS text[])) AS w (gtin));

-- name: words_of_biz_step
-- A step from each word to the next one on the index (word, event_id): costs as many look-ups as there are words.
WITH RECURSIVE w (word) AS (
    (SELECT biz_step FROM event WHERE biz_step > :after ORDER BY biz_step LIMIT 1)
    UNION ALL
    SELECT (SELECT e.biz_step FROM event e WHERE e.biz_step > w.word ORDER BY e.biz_step LIMIT 1)
    FROM w WHERE w.word IS NOT NULL
)
SELECT word FROM w WHERE word IS NOT NULL LIMIT CAST(:n AS bigint);

-- name: words_of_disposition
WITH RECURSIVE w (word) AS (
    (SELECT disposition FROM event WHERE disposition > :after ORDER BY disposition LIMIT 1)
    UNION ALL
    SELECT (SELECT e.disposition FROM event e WHERE e.disposition > w.word ORDER BY e.disposition LIMIT 1)
    FROM w WHERE w.word IS NOT NULL
)
SELECT word FROM w WHERE word IS NOT NULL LIMIT CAST(:n AS bigint);

-- name: places_of_read_point_id
SELECT p.uri FROM place p
WHERE p.uri > :after AND EXISTS (SELECT FROM event e WHERE e.read_point_id = p.place_id)
ORDER BY p.uri LIMIT CAST(:n AS bigint);

-- name: places_of_biz_location_id
SELECT p.uri FROM place p
WHERE p.uri > :after AND EXISTS (SELECT FROM event e WHERE e.biz_location_id = p.place_id)
ORDER BY p.uri LIMIT CAST(:n AS bigint);

-- name: units_after
-- Units that are items themselves stand among the items.
SELECT uri FROM unit WHERE unit_id > :after AND number IS NULL ORDER BY unit_id LIMIT CAST(:n AS bigint);

-- name: item_runs
-- A step from each run of numbers that are or were on things to the next one, until there are enough numbers: on code_run
-- by its key, on its history by size class (n up to 32, up to 1024, more), of which only the last has no bound below. It is
-- asked only where nothing is now.
WITH RECURSIVE w (lo, hi, found) AS (
    SELECT first, first, CAST(0 AS bigint) FROM (SELECT CAST(:first AS bigint) AS first) f
    UNION ALL
    SELECT s.lo, s.hi, w.found + s.hi - s.lo
    FROM w CROSS JOIN LATERAL (
        SELECT greatest(c.lo, w.hi) AS lo, c.lo + c.n AS hi FROM (
            (SELECT lo, n FROM code_run WHERE lo <= w.hi ORDER BY lo DESC LIMIT 1)
            UNION ALL
            (SELECT lo, n FROM code_run WHERE lo > w.hi ORDER BY lo LIMIT 1)
            UNION ALL
            (SELECT lo, n FROM code_run_history WHERE n <= 32 AND lo > w.hi - 32 AND lo <= w.hi)
            UNION ALL
            (SELECT lo, n FROM code_run_history WHERE n <= 32 AND lo > w.hi ORDER BY lo LIMIT 1)
            UNION ALL
            (SELECT lo, n FROM code_run_history WHERE n > 32 AND n <= 1024 AND lo > w.hi - 1024 AND lo <= w.hi)
            UNION ALL
            (SELECT lo, n FROM code_run_history WHERE n > 32 AND n <= 1024 AND lo > w.hi ORDER BY lo LIMIT 1)
            UNION ALL
            (SELECT lo, n FROM code_run_history WHERE n > 1024 AND lo <= w.hi AND lo + n > w.hi AND NOT EXISTS (
                SELECT FROM (SELECT lo, n FROM code_run WHERE lo <= w.hi ORDER BY lo DESC LIMIT 1) now
                WHERE now.lo + now.n > w.hi) ORDER BY lo DESC LIMIT 1)
            UNION ALL
            (SELECT lo, n FROM code_run_history WHERE n > 1024 AND lo > w.hi ORDER BY lo LIMIT 1)
        ) c WHERE c.lo + c.n > w.hi ORDER BY 1, 2 DESC LIMIT 1
    ) s
    WHERE w.found < :n
)
SELECT lo, hi - lo AS n FROM w WHERE hi > lo ORDER BY lo;
