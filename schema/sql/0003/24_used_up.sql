-- Items that went into others: an inflator in a vehicle. They are nowhere by themselves any more, so they have no run, but
-- their codes are still on them, and whoever scans one has to be told of its lot. A row is a run of numbers that were used
-- up together; an item that is seen again afterwards has a run in code_run, which counts more.
CREATE TABLE used_up_run (
    lo         bigint NOT NULL,
    n          bigint NOT NULL,
    lot_id     bigint NOT NULL,
    changed_in bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    CONSTRAINT used_up_run_n_check CHECK (n > 0),
    CONSTRAINT used_up_run_lot_fkey FOREIGN KEY (lot_id) REFERENCES lot
);
CREATE INDEX used_up_run_lot ON used_up_run (lot_id);
CREATE INDEX used_up_run_changed_in ON used_up_run (changed_in);

-- What was used up before this step: numbers with a past and no present.
INSERT INTO used_up_run (lo, n, lot_id)
SELECT lower(gone), upper(gone) - lower(gone), lot_id
FROM (SELECT h.lot_id, range_agg(int8range(h.lo, h.lo + h.n)) AS numbers FROM code_run_history h
      JOIN lot l ON l.lot_id = h.lot_id AND l.code <> '' GROUP BY h.lot_id) AS past
CROSS JOIN LATERAL (SELECT coalesce(range_agg(int8range(c.lo, c.lo + c.n)), '{}') AS numbers FROM code_run c
                    WHERE c.lot_id = past.lot_id) AS present
CROSS JOIN LATERAL unnest(past.numbers - present.numbers) AS gone;

-- 1 active, 2 blocked (destroyed, disposed of, stolen), 3 out of service. An item in a vehicle is as active as the vehicle.
-- A piece of which any item has a run again is left out: the portal then says of the others that any lot may be theirs.
CREATE OR REPLACE VIEW public_code_run AS
    SELECT lo, n, lot_id, changed_in,
           CASE WHEN disposition IN ('destroyed', 'disposed', 'stolen') THEN 2
                WHEN disposition IN ('inactive', 'urn:tracemark:epcis:replaced') THEN 3 ELSE 1 END::smallint AS status
    FROM code_run
    UNION ALL
    SELECT u.lo, u.n, u.lot_id, u.changed_in, 1::smallint
    FROM used_up_run u
    WHERE NOT coalesce((SELECT r.lo + r.n > u.lo FROM code_run r WHERE r.lo < u.lo + u.n ORDER BY r.lo DESC LIMIT 1), false);
