-- name: inspection_is_known
SELECT EXISTS (SELECT FROM inspection
    WHERE lot_id = :lot_id AND at = :at AND result = :result AND report IS NOT DISTINCT FROM CAST(:report AS text));

-- name: add_inspection
INSERT INTO inspection (lot_id, at, result, report, inspector) VALUES (:lot_id, :at, :result, :report, :inspector);

-- name: later_inspection_exists
SELECT EXISTS (SELECT FROM inspection WHERE lot_id = :lot_id AND at > :at);
