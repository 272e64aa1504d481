-- Whether the public may read a party's name. Without the word of the brand it may not: who buys from whom is theirs.
ALTER TABLE party ADD COLUMN name_public boolean NOT NULL DEFAULT false;

-- The life of one item, or of a lot, as a shopper may know it: what was done, when, at what kind of place, in which region
-- and country, by whom in general (role), and by name only where ``party.name_public`` says so; a
-- consumer never is. Step words are
-- CBV's; ``ingredient`` stands for what came in one level up. Of a long life the beginning and the latest steps are given,
-- p_limit rows at most.
--
-- The item's spells (what code_run and its history say) lead to the units that it was in, and those to the units that they
-- were in, each only for the time inside: a pallet's journey before the item was packed is not the item's.
DROP FUNCTION public_history(bigint, bigint, int);
CREATE FUNCTION public_history(p_number bigint, p_lot bigint, p_limit int)
    RETURNS TABLE (at timestamptz, step text, place_kind text, region text, country text, role text, party text)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    WITH RECURSIVE own (event_id, lot_id, unit_id, since, until, place_id, owner_id) AS MATERIALIZED (
        (SELECT event_id, lot_id, unit_id, since, 'infinity'::timestamptz, place_id, owner_id
         FROM (SELECT * FROM code_run WHERE lo <= p_number ORDER BY lo DESC LIMIT 1) AS nearest
         WHERE p_number < lo + n)
        UNION ALL  -- one branch per size class, so that each goes by its own index
        SELECT event_id, lot_id, unit_id, since, until, place_id, owner_id FROM code_run_history
        WHERE n <= 32 AND lo > p_number - 32 AND lo <= p_number AND p_number < lo + n
        UNION ALL
        SELECT event_id, lot_id, unit_id, since, until, place_id, owner_id FROM code_run_history
        WHERE n > 32 AND n <= 1024 AND lo > p_number - 1024 AND lo <= p_number AND p_number < lo + n
        UNION ALL
        SELECT event_id, lot_id, unit_id, since, until, place_id, owner_id FROM code_run_history
        WHERE n > 1024 AND lo <= p_number AND p_number < lo + n
    ), inside (unit_id, since, until) AS (
        SELECT unit_id, since, until FROM own WHERE unit_id IS NOT NULL
        UNION
        SELECT c.parent_id, greatest(c.since, i.since), least(c.until, i.until)
        FROM inside i CROSS JOIN LATERAL (
            SELECT u.parent_id, u.since, 'infinity'::timestamptz AS until FROM unit u WHERE u.unit_id = i.unit_id
            UNION ALL
            SELECT h.parent_id, h.since, h.until FROM unit_history h WHERE h.unit_id = i.unit_id
            OFFSET 0
        ) AS c
        WHERE c.parent_id IS NOT NULL AND c.since <= i.until AND c.until >= i.since
    ), the_lot (lot_id) AS MATERIALIZED (
        SELECT coalesce((SELECT lot_id FROM own ORDER BY since DESC LIMIT 1), p_lot)
    ), made (event_id, operation_id, at, place_id) AS MATERIALIZED (
        SELECT o.event_id, o.operation_id, o.at, p.place_id
        FROM the_lot JOIN operation_output o USING (lot_id) JOIN operation p USING (operation_id)
        WHERE (p_number IS NULL OR o.lo IS NULL OR (o.lo <= p_number AND p_number < o.lo + o.n))
          AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = o.event_id)
    ), moved (event_id, place_id, owner_id) AS (
        SELECT event_id, place_id, owner_id FROM own
        UNION ALL
        SELECT s.event_id, s.place_id, s.owner_id FROM inside i CROSS JOIN LATERAL (
            SELECT u.event_id, u.since, u.place_id, u.owner_id FROM unit u WHERE u.unit_id = i.unit_id
            UNION ALL
            SELECT h.event_id, h.since, h.place_id, h.owner_id FROM unit_history h WHERE h.unit_id = i.unit_id
            OFFSET 0
        ) AS s
        WHERE s.since >= i.since AND s.since <= i.until
    ), steps (is_origin, at, step, place_id, owner_id) AS (
        SELECT true, m.at, coalesce(e.biz_step, 'transforming'), m.place_id, 0::bigint
        FROM (SELECT DISTINCT ON (event_id, operation_id) * FROM made) AS m LEFT JOIN event e USING (event_id)
        UNION ALL
        SELECT false, e.event_time,
               coalesce(e.biz_step, CASE WHEN e.type = 'AggregationEvent' AND e.action = 'DELETE' THEN 'unpacking'
                                         WHEN e.type = 'AggregationEvent' THEN 'packing'
                                         WHEN e.action = 'ADD' THEN 'commissioning' END),
               coalesce(e.biz_location_id, e.read_point_id, m.place_id), m.owner_id
        FROM (SELECT DISTINCT ON (event_id) event_id, place_id, owner_id FROM moved
              ORDER BY event_id, place_id DESC, owner_id DESC) AS m
        JOIN event e USING (event_id)
        WHERE NOT EXISTS (SELECT FROM made WHERE made.event_id = e.event_id)
          AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = e.event_id)
        UNION ALL  -- of a lot, without an item: where it went first, once for each kind of place, region, country and name
        SELECT false, min(s.at), 'shipping', min(s.to_place_id), min(s.to_owner_id)
        FROM the_lot JOIN lot_shipment s USING (lot_id) JOIN place p ON p.place_id = s.to_place_id
        JOIN party w ON w.party_id = CASE WHEN p.party_id <> 0 THEN p.party_id ELSE s.to_owner_id END
        WHERE p_number IS NULL
          AND NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = s.event_id)
        GROUP BY p.kind, p.region, p.country, CASE WHEN w.name_public AND w.role <> 'consumer' THEN w.party_id END
    ), shown (is_origin, at, step, place_kind, region, country, role, party) AS (
        SELECT s.is_origin, s.at, s.step, p.kind, p.region, p.country,
               CASE WHEN w.party_id <> 0 THEN w.role END, CASE WHEN w.name_public AND w.role <> 'consumer' THEN w.name END
        FROM steps s JOIN place p ON p.place_id = s.place_id
        JOIN party w ON w.party_id = CASE WHEN p.party_id <> 0 THEN p.party_id ELSE s.owner_id END
        WHERE s.step IS NOT NULL
        UNION ALL
        SELECT true, min(coalesce(l.made_on::timestamp AT TIME ZONE 'UTC', i.at)), 'ingredient',
               nullif(p.kind, 'other'), coalesce(p.region, f.region), coalesce(p.country, f.country), 'supplier',
               CASE WHEN f.name_public THEN f.name END
        FROM made m JOIN operation_input i USING (operation_id) JOIN lot l ON l.lot_id = i.lot_id
        JOIN place p ON p.place_id = l.made_at_place_id JOIN party f ON f.party_id = l.supplier_id
        WHERE NOT EXISTS (SELECT FROM event_declared_wrong w WHERE w.event_id = i.event_id)
        GROUP BY 4, 5, 6, 8
    ), numbered AS (
        SELECT shown.*, row_number() OVER (PARTITION BY is_origin ORDER BY CASE WHEN is_origin THEN at END, at DESC) AS nth,
               count(*) FILTER (WHERE is_origin) OVER () AS origins
        FROM shown
    )
    SELECT at, step, place_kind, region, country, role, party FROM numbered
    WHERE nth <= CASE WHEN is_origin THEN p_limit / 2 ELSE p_limit - least(origins, p_limit / 2) END
    ORDER BY at, is_origin DESC, step
$$;

GRANT EXECUTE ON FUNCTION public_history TO tracemark_portal;
