-- Label jobs as the verbs need them.

-- name: job
SELECT j.job_id, j.product_id, j.lot_id, p.gtin, l.code AS lot, j.count, j.template, j.base_url, j.lot_in_link, j.best_before_on,
       j.state, j.reprint_of, j.ordered_by, j.ordered_at, b.key_epoch, b.lo, b.n, b.skipped
FROM label_job j
JOIN product p USING (product_id)
JOIN lot l USING (lot_id)
JOIN number_block b ON b.lo = j.number_lo
WHERE j.job_id = CAST(:job_id AS bigint);

-- name: job_of_number
-- Blocks never overlap: the last one that begins at or before the number is the only one that can hold it.
SELECT j.job_id FROM (
    SELECT lo, n FROM number_block WHERE lo <= CAST(:number AS bigint) ORDER BY lo DESC LIMIT 1
) b JOIN label_job j ON j.number_lo = b.lo WHERE CAST(:number AS bigint) < b.lo + b.n;

-- name: epochs
SELECT k.epoch, k.created_at, count(b.lo) AS blocks, CAST(coalesce(sum(b.n), 0) AS bigint) AS numbers
FROM code_key k LEFT JOIN number_block b ON b.key_epoch = k.epoch
GROUP BY k.epoch, k.created_at ORDER BY k.epoch DESC;

-- name: blocks
-- Few blocks per product: the size of the answer is the number of its label jobs under older keys.
SELECT key_epoch, lo, n FROM number_block
WHERE kind = 'label' AND gtin = :gtin AND key_epoch < CAST(:epoch AS integer) ORDER BY key_epoch, lo;

-- name: recalls
-- Why a lot gets no labels: a public case names all of it, or the ledger was told that all of it is recalled. A case that
-- names some of its items leaves the others as good as they were.
SELECT 'is named by ' || p.kind || ' ' || p.number AS reason
FROM publication p JOIN affected_lot a USING (affected_set_id)
WHERE a.lot_id = CAST(:lot_id AS bigint) AND a.whole
UNION ALL
SELECT 'is recalled' FROM persistent_disposition
WHERE lot_id = CAST(:lot_id AS bigint) AND lo IS NULL AND word = 'recalled' AND unset_by IS NULL
LIMIT 1;

-- name: recalled_among
-- Why labels get on no item: a public case names some of these numbers, or the ledger was told that they are recalled.
SELECT 'is named in part by ' || p.kind || ' ' || p.number AS reason
FROM publication p JOIN affected_run r USING (affected_set_id)
JOIN unnest(CAST(:los AS bigint[]), CAST(:ns AS bigint[])) AS w (lo, n) ON r.lo < w.lo + w.n AND w.lo < r.lo + r.n
WHERE r.lot_id = CAST(:lot_id AS bigint)
UNION ALL
SELECT 'is recalled in part' FROM persistent_disposition d
JOIN unnest(CAST(:los AS bigint[]), CAST(:ns AS bigint[])) AS w (lo, n) ON d.lo < w.lo + w.n AND w.lo < d.lo + d.n
WHERE d.lot_id = CAST(:lot_id AS bigint) AND d.word = 'recalled' AND d.unset_by IS NULL
LIMIT 1;

-- name: recalled_runs
-- The recalled numbers among lo .. lo + n - 1 of a lot, by what names them, and the new numbers of items that are named
-- by an old label. (Each number has one successor: no circles.)
WITH RECURSIVE named (lo, n) AS (
    SELECT r.lo, r.n FROM publication p JOIN affected_run r USING (affected_set_id) WHERE r.lot_id = CAST(:lot_id AS bigint)
    UNION
    SELECT lo, n FROM persistent_disposition
    WHERE lot_id = CAST(:lot_id AS bigint) AND lo IS NOT NULL AND word = 'recalled' AND unset_by IS NULL
), renewed (number) AS (
    SELECT c.by_number FROM named JOIN replaced_code c ON c.number >= named.lo AND c.number < named.lo + named.n
    UNION
    SELECT c.by_number FROM renewed r JOIN replaced_code c ON c.number = r.number
)
SELECT lo, n FROM named WHERE lo < CAST(:lo AS bigint) + CAST(:n AS bigint) AND CAST(:lo AS bigint) < named.lo + named.n
UNION
SELECT number, 1 FROM renewed WHERE number >= CAST(:lo AS bigint) AND number < CAST(:lo AS bigint) + CAST(:n AS bigint);

-- name: item
-- Where one item is: a packed one is where its outermost unit is (a unit is never inside itself).
WITH RECURSIVE run AS (
    SELECT * FROM (SELECT * FROM code_run WHERE lo <= CAST(:number AS bigint) ORDER BY lo DESC LIMIT 1) r
    WHERE CAST(:number AS bigint) < r.lo + r.n
), up (unit_id, parent_id, place_id, owner_id, disposition) AS (
    SELECT u.unit_id, u.parent_id, u.place_id, u.owner_id, u.disposition FROM run JOIN unit u USING (unit_id)
    UNION
    SELECT u.unit_id, u.parent_id, u.place_id, u.owner_id, u.disposition FROM up JOIN unit u ON u.unit_id = up.parent_id
)
SELECT coalesce(up.place_id, run.place_id) AS place_id, coalesce(up.owner_id, run.owner_id) AS owner_id,
       coalesce(up.disposition, run.disposition, '') AS disposition
FROM run LEFT JOIN up ON up.parent_id IS NULL;
