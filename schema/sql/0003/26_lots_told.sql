-- Of which lots something was told since a watermark (public_watermark), so that a portal reads only their histories anew.
ALTER TABLE event_arrival ADD COLUMN changed_in bigint NOT NULL DEFAULT 0;
ALTER TABLE event_arrival ALTER COLUMN changed_in SET DEFAULT (pg_current_xact_id()::text::bigint);
CREATE INDEX event_arrival_changed_in ON event_arrival (changed_in);
-- A declaration leads to the event that it declares wrong.
CREATE INDEX event_declared_wrong_by ON event_declared_wrong (by_event_id);

-- One row: the watermark for the next look, and the lots that the events since name, those in the units that they name and
-- in the units inside, at any time, and those whose runs or own data changed. NULL for the lots: more than p_limit. Nothing
-- of names or places: a change of a party or place is seen when a history is read anew for its age.
CREATE FUNCTION public_lots_told(p_since bigint, p_limit int, OUT watermark bigint, OUT lots bigint[])
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    WITH RECURSIVE told (event_id) AS MATERIALIZED (
        SELECT unnest(event_ids) FROM event_arrival WHERE changed_in >= p_since
    ), named (event_id) AS (
        SELECT event_id FROM told
        UNION
        SELECT w.event_id FROM told JOIN event_declared_wrong w ON w.by_event_id = told.event_id
    ), thing (lot_id, unit_id) AS MATERIALIZED (
        SELECT DISTINCT t.lot_id, t.unit_id FROM named JOIN event_thing t USING (event_id)
    ), inside (unit_id) AS (
        SELECT unit_id FROM thing WHERE unit_id IS NOT NULL
        UNION
        SELECT c.unit_id FROM inside i CROSS JOIN LATERAL (
            SELECT u.unit_id FROM unit u WHERE u.parent_id = i.unit_id
            UNION ALL
            SELECT h.unit_id FROM unit_history h WHERE h.parent_id = i.unit_id
            OFFSET 0
        ) AS c
    ), lot_told (lot_id) AS (
        SELECT lot_id FROM (
            SELECT lot_id FROM thing WHERE lot_id IS NOT NULL
            UNION ALL
            SELECT r.lot_id FROM inside JOIN code_run r USING (unit_id)
            UNION ALL
            SELECT r.lot_id FROM inside JOIN code_run_history r USING (unit_id)
            UNION ALL
            SELECT r.lot_id FROM code_run r WHERE r.changed_in >= p_since
            UNION ALL
            SELECT l.lot_id FROM lot l WHERE l.changed_in >= p_since
        ) AS every
        GROUP BY lot_id LIMIT p_limit + 1
    )
    SELECT public_watermark(), CASE WHEN count(*) <= p_limit THEN coalesce(array_agg(lot_id), '{}') END FROM lot_told
$$;

GRANT EXECUTE ON FUNCTION public_lots_told TO tracemark_portal;
