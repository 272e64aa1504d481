-- Whether the items of a number's run have one history, so that the portal need not read it for each of them. They do
-- unless an earlier spell, or what was made of them, covers a part of the run only. By size class, as public_history.
CREATE FUNCTION public_history_is_shared(p_number bigint) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT NOT EXISTS (SELECT FROM code_run_history h WHERE h.n <= 32 AND h.lo > r.lo - 32 AND h.lo < r.lo + r.n
                       AND h.lo + h.n > r.lo AND (h.lo > r.lo OR h.lo + h.n < r.lo + r.n))
       AND NOT EXISTS (SELECT FROM code_run_history h WHERE h.n > 32 AND h.n <= 1024 AND h.lo > r.lo - 1024
                       AND h.lo < r.lo + r.n AND h.lo + h.n > r.lo AND (h.lo > r.lo OR h.lo + h.n < r.lo + r.n))
       AND NOT EXISTS (SELECT FROM code_run_history h WHERE h.n > 1024 AND h.lo < r.lo + r.n
                       AND h.lo + h.n > r.lo AND (h.lo > r.lo OR h.lo + h.n < r.lo + r.n))
       AND NOT EXISTS (SELECT FROM operation_output o WHERE o.lo IS NOT NULL
                       AND int8range(o.lo, o.lo + o.n) && int8range(r.lo, r.lo + r.n)
                       AND (o.lo > r.lo OR o.lo + o.n < r.lo + r.n))
    FROM (SELECT lo, n FROM code_run WHERE lo <= p_number ORDER BY lo DESC LIMIT 1) AS r
    WHERE p_number < r.lo + r.n
$$;

-- How the checks of a product's items are counted: exact (the page waits for its count), shown_later (the page shows what
-- was known before), off.
ALTER TABLE product ADD COLUMN checks text NOT NULL DEFAULT 'exact';
ALTER TABLE product ADD CONSTRAINT product_checks_check CHECK (checks IN ('exact', 'shown_later', 'off'));
CREATE VIEW public_check_policy AS SELECT product_id, checks FROM product;

-- As public_log_scans, with numbers only for each opening (gtins without their zeros), and what many share once, by place.
CREATE FUNCTION public_log_openings(numbers bigint[], lots bigint[], gtins bigint[], kinds int[], ats timestamptz[],
                                    verdicts text[], languages text[], clients text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$
    INSERT INTO scan_log (at, gtin, lot_id, number, verdict, language, client)
    SELECT ats[s.kind], lpad(s.gtin::text, 14, '0'), s.lot_id, s.number, verdicts[s.kind], languages[s.kind], clients[s.kind]
    FROM unnest(numbers, lots, gtins, kinds) AS s (number, lot_id, gtin, kind) $$;

GRANT SELECT ON public_check_policy TO tracemark_portal;
GRANT EXECUTE ON FUNCTION public_history_is_shared, public_log_openings TO tracemark_portal;
