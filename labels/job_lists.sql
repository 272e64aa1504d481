-- Label jobs with what became of their labels. The sums go by the primary key of label_range: a job has few ranges.

-- name: jobs
SELECT j.job_id, p.gtin, p.name AS product_name, l.code AS lot, j.count, j.template, j.best_before_on, j.lot_in_link,
       CASE WHEN j.state = 'released' AND EXISTS (SELECT FROM label_delivery d WHERE d.job_id = j.job_id) THEN 'delivered'
            ELSE j.state END AS state,
       j.reprint_of, j.ordered_by, j.ordered_at,
       CAST(coalesce(r.commissioned, 0) AS bigint) AS commissioned, CAST(coalesce(r.void, 0) AS bigint) AS void
FROM label_job j
JOIN product p USING (product_id)
JOIN lot l USING (lot_id)
LEFT JOIN LATERAL (
    SELECT sum(label_last - label_first + 1) FILTER (WHERE state = 'commissioned') AS commissioned,
           sum(label_last - label_first + 1) FILTER (WHERE state = 'void') AS void
    FROM label_range WHERE job_id = j.job_id
) r ON true
WHERE (CAST(:job_id AS bigint) IS NULL OR j.job_id = :job_id) AND (CAST(:before AS bigint) IS NULL OR j.job_id < :before)
ORDER BY j.job_id DESC LIMIT CAST(:n AS bigint);

-- name: outputs
SELECT output_id, job_id, format, path, sha256, bytes, label_first, label_last, verified, made_by, made_at
FROM label_output WHERE job_id = CAST(:job_id AS bigint) ORDER BY output_id DESC LIMIT CAST(:n AS bigint);
