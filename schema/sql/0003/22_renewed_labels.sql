-- A case that names an item by an old label names it by its new one too: the goods are the same. (Each number has one
-- successor: no circles, because a new number is always a fresh one.) For each publication apart, so that one case can be
-- asked for alone.
CREATE OR REPLACE VIEW public_recall_scope AS
    SELECT p.case_id, a.lot_id, NULL::bigint AS lo, NULL::bigint AS n
    FROM publication p JOIN affected_lot a USING (affected_set_id) WHERE a.whole
    UNION ALL
    SELECT p.case_id, r.lot_id, r.lo, r.n FROM publication p JOIN affected_run r USING (affected_set_id)
    UNION ALL
    SELECT p.case_id, h.lot_id, h.lo, h.n FROM publication p JOIN recall_hold h USING (case_id)
    UNION ALL
    SELECT p.case_id, renewed.lot_id, renewed.number, 1::bigint
    FROM publication p CROSS JOIN LATERAL (
        WITH RECURSIVE renewed (lot_id, number) AS (
            SELECT named.lot_id, c.by_number
            FROM (SELECT r.lot_id, r.lo, r.n FROM affected_run r WHERE r.affected_set_id = p.affected_set_id
                  UNION ALL
                  SELECT h.lot_id, h.lo, h.n FROM recall_hold h WHERE h.case_id = p.case_id AND h.lo IS NOT NULL) AS named
            JOIN replaced_code c ON c.number >= named.lo AND c.number < named.lo + named.n
            UNION
            SELECT renewed.lot_id, c.by_number FROM renewed JOIN replaced_code c ON c.number = renewed.number
        )
        SELECT lot_id, number FROM renewed) AS renewed;

-- Portals read of the cases only those whose revision changed, so such a label raises it. Which numbers led to the new one
-- is followed back through earlier labels; of the runs of a set, only the last that begins before a number can hold it.
CREATE FUNCTION renew_publications() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE publication p SET revision = next_public_revision()
    WHERE EXISTS (
        WITH RECURSIVE older (number) AS (
            SELECT number FROM added
            UNION
            SELECT c.number FROM older o JOIN replaced_code c ON c.by_number = o.number
        )
        SELECT FROM older o CROSS JOIN LATERAL (
            (SELECT r.lo, r.n FROM affected_run r
             WHERE r.affected_set_id = p.affected_set_id AND r.lo <= o.number ORDER BY r.lo DESC LIMIT 1)
            UNION ALL
            SELECT h.lo, h.n FROM recall_hold h WHERE h.case_id = p.case_id AND h.lo <= o.number
        ) AS run WHERE o.number < run.lo + run.n);
    RETURN NULL;
END $$;
CREATE TRIGGER replaced_code_renews_publications AFTER INSERT ON replaced_code REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION renew_publications();
