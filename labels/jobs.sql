-- Label jobs as the verbs need them.

-- name: job
SELECT j.job_id, j.product_id, j.lot_id, p.gtin, l.code AS lot, j.count, j.template, j.base_url, j.lot_in_link, j.best_before_on,
       j.state, j.reprint_of, j.ordered_by, j.ordered_at, b.key_epoch, b.lo, b.n, b.skipped
FROM label_job j
JOIN product p USING (product_id)
JOIN lot l USING (lot_id)
JOIN number_block b ON b.lo = j.number_lo
WHERE j.job_id = CAST(:job_id AS bigint);

-- name: blocks
-- Few blocks per product: the size of the answer is the number of its label jobs under older keys.
SELECT key_epoch, lo, n FROM number_block
WHERE kind = 'label' AND gtin = :gtin AND key_epoch < CAST(:epoch AS integer) ORDER BY key_epoch, lo;

-- name: recalls
-- Why a lot gets no labels: a public case names it or a part of it, or the ledger was told that it is recalled.
SELECT 'is named by ' || p.kind || ' ' || p.number AS reason
FROM publication p
WHERE EXISTS (SELECT FROM affected_lot a WHERE a.affected_set_id = p.affected_set_id AND a.lot_id = CAST(:lot_id AS bigint))
   OR EXISTS (SELECT FROM affected_run r WHERE r.affected_set_id = p.affected_set_id AND r.lot_id = CAST(:lot_id AS bigint))
UNION ALL
SELECT 'is recalled' FROM persistent_disposition
WHERE lot_id = CAST(:lot_id AS bigint) AND word = 'recalled' AND unset_by IS NULL
LIMIT 1;

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
