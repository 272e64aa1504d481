-- What the public portal may see: these views and functions, and nothing else. Column lists are explicit, so that a new
-- column of a table is private until somebody publishes it here.

CREATE VIEW public_revision AS SELECT revision, changed_at, losses FROM public_record CROSS JOIN code_run_loss;

-- Rows changed by transactions that a reader may not have seen yet have changed_in >= the watermark it took before its
-- last read: every transaction below it had ended by then. Reading a row twice is harmless; missing one is not.
-- (A database restored elsewhere starts with lower transaction numbers: restoring sets changed_in to 0.)
CREATE FUNCTION public_watermark() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint $$;

CREATE VIEW public_product AS
    SELECT p.product_id, p.gtin, p.name, p.texts, p.brand, p.profile, p.ours, p.date_kind, p.allergens, p.image, p.changed_in
    FROM product p;

CREATE VIEW public_lot AS
    SELECT l.lot_id, l.product_id, l.code, l.made_on, l.best_before_on, l.status, l.made_at_place_id, l.changed_in FROM lot l;

-- A place is public by its kind, region and country only; a partner's name is not.
CREATE VIEW public_place AS SELECT place_id, kind, region, country, changed_in FROM place;

-- Who answers to a GLN is not published; that it exists, and roughly where, is what a scan of /414/ or /417/ is told.
CREATE VIEW public_location AS
    SELECT '414'::text AS key, gln, kind, region, country, changed_in FROM place WHERE gln IS NOT NULL
    UNION ALL
    SELECT '417'::text, gln, 'party'::text, region, country, changed_in FROM party WHERE gln IS NOT NULL;

CREATE VIEW public_number_block AS
    SELECT lo, n, kind, gtin, lot_id, key_epoch, skipped, changed_in FROM number_block;

CREATE VIEW public_code_key AS SELECT epoch, wrapped FROM code_key;

CREATE VIEW public_foreign_serial AS SELECT gtin, serial, number, changed_in FROM foreign_serial;

-- 1 active, 2 blocked (destroyed, disposed of, stolen), 3 out of service
CREATE VIEW public_code_run AS
    SELECT lo, n, lot_id, changed_in,
           CASE WHEN disposition IN ('destroyed', 'disposed', 'stolen') THEN 2
                WHEN disposition = 'inactive' THEN 3 ELSE 1 END::smallint AS status
    FROM code_run;

CREATE VIEW public_void_code AS SELECT lo, n, changed_in FROM void_code;

CREATE VIEW public_recall AS
    SELECT case_id, number, version, kind, state, title, hazard, hazard_class, texts, contact, published_at, updated_at, revision
    FROM publication;

-- A closed case still names what it named: the goods that nobody brought back are no better for it.
CREATE VIEW public_recall_scope AS
    SELECT p.case_id, a.lot_id, NULL::bigint AS lo, NULL::bigint AS n
    FROM publication p JOIN affected_lot a USING (affected_set_id) WHERE a.whole
    UNION ALL
    SELECT p.case_id, r.lot_id, r.lo, r.n FROM publication p JOIN affected_run r USING (affected_set_id);

-- What is inside a case or pallet now: runs of numbers and quantities by class, to any depth (a unit is never inside itself,
-- UNION stops at a unit seen before).
CREATE FUNCTION public_unit_contents(wanted_sscc text)
    RETURNS TABLE (lot_id bigint, lo bigint, n bigint, quantity numeric, uom text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    WITH RECURSIVE inside (unit_id) AS (
        SELECT unit_id FROM unit WHERE sscc = wanted_sscc
        UNION
        SELECT u.unit_id FROM inside i JOIN unit u ON u.parent_id = i.unit_id
    )
    SELECT r.lot_id, r.lo, r.n, r.n::numeric, ''::text FROM inside JOIN code_run r USING (unit_id)
    UNION ALL
    SELECT q.lot_id, NULL, NULL, q.quantity, q.uom FROM inside JOIN unit_quantity q USING (unit_id)
$$;
CREATE FUNCTION public_unit_exists(wanted_sscc text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT EXISTS (SELECT FROM unit WHERE sscc = wanted_sscc) $$;

-- Count checks of items, many at once. Keys are taken in order, so two workers cannot deadlock; exactly one caller is told
-- n = 1 for a number. The same visitor within ten minutes is one check.
CREATE FUNCTION public_count_checks(numbers bigint[], visitors bytea[], seen_at timestamptz)
    RETURNS TABLE (number bigint, n integer, first_at timestamptz)
    LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$
    INSERT INTO code_check AS c (number, n, first_at, last_at, last_visitor)
    SELECT t.number, 1, seen_at, seen_at, (array_agg(t.visitor))[1]
    FROM unnest(numbers, visitors) AS t (number, visitor) GROUP BY t.number ORDER BY t.number
    ON CONFLICT ON CONSTRAINT code_check_pkey DO UPDATE SET
        n = c.n + CASE WHEN c.last_visitor = excluded.last_visitor
                        AND excluded.last_at < c.last_at + interval '10 minutes' THEN 0 ELSE 1 END,
        last_at = greatest(c.last_at, excluded.last_at), last_visitor = excluded.last_visitor
    RETURNING c.number, c.n, c.first_at
$$;

-- Looking without counting: for machines, whose questions are not checks of an item.
CREATE FUNCTION public_read_checks(numbers bigint[])
    RETURNS TABLE (number bigint, n integer, first_at timestamptz)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT c.number, c.n, c.first_at FROM code_check c WHERE c.number = ANY (numbers) $$;

CREATE FUNCTION public_log_scans(ats timestamptz[], gtins text[], lots bigint[], numbers bigint[], verdicts text[],
                                 languages text[], clients text[]) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$
    INSERT INTO scan_log (at, gtin, lot_id, number, verdict, language, client)
    SELECT * FROM unnest(ats, gtins, lots, numbers, verdicts, languages, clients) $$;
