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

GRANT SELECT ON public_check_policy TO tracemark_portal;
GRANT EXECUTE ON FUNCTION public_history_is_shared TO tracemark_portal;
