-- What owners answer, and what a case knows of its recipients.

-- name: opened_notice
SELECT n.notice_id, n.version, n.change, n.revoked_at IS NOT NULL AS is_revoked, r.recipient_id, r.parent_id, r.level,
    r.name, r.channel, r.owner_id, r.takes_part, c.case_id, c.number, c.kind, c.state, c.title, c.hazard, c.hazard_class,
    c.deadline_on, c.texts, c.contact, c.remedy, c.version AS case_version
FROM recall_notice n JOIN recall_recipient r USING (recipient_id) JOIN recall_case c ON c.case_id = n.case_id
WHERE n.notice_id = :notice_id AND n.recipient_id = :recipient_id;

-- name: last_notice_of
-- The newest notice of a recipient, named by its number or by the GLN or URI of the owner.
SELECT n.notice_id, n.recipient_id FROM recall_notice n JOIN recall_recipient r USING (recipient_id)
JOIN recall_case c ON c.case_id = n.case_id LEFT JOIN party p ON p.party_id = r.owner_id
WHERE c.number = :number AND (p.gln = :recipient OR p.uri = :recipient OR CAST(r.recipient_id AS text) = :recipient)
ORDER BY n.notice_id DESC LIMIT 1;

-- name: lock_recipient
SELECT recipient_id FROM recall_recipient WHERE recipient_id = :recipient_id FOR UPDATE;

-- name: goods_of
-- What a recipient is asked about: its own lines of the last set, by product and lot; an account, those of the owner above.
WITH RECURSIVE above AS (
    SELECT recipient_id, parent_id, owner_id FROM recall_recipient WHERE recipient_id = :recipient_id
    UNION ALL SELECT r.recipient_id, r.parent_id, r.owner_id FROM recall_recipient r JOIN above a ON r.recipient_id = a.parent_id
)
SELECT l.row ->> 'gtin' AS gtin, l.row ->> 'lot' AS lot, coalesce(l.row ->> 'uom', '') AS uom,
    min(l.row ->> 'product') AS product, string_agg(DISTINCT l.row ->> 'serial_ranges', '; ') AS serials,
    sum(coalesce(CAST(l.row ->> 'items_shipped' AS numeric), CAST(l.row ->> 'quantity_shipped' AS numeric))) AS shipped,
    sum(coalesce(CAST(l.row ->> 'items_expected_on_hand' AS numeric), CAST(l.row ->> 'quantity_expected_on_hand' AS numeric)))
        AS expected
FROM notice_line l
WHERE l.affected_set_id = (SELECT v.affected_set_id FROM case_version v WHERE v.case_id = :case_id ORDER BY v.version DESC LIMIT 1)
AND l.owner_id = (SELECT owner_id FROM above WHERE owner_id IS NOT NULL)
GROUP BY 1, 2, 3 ORDER BY 4, 1, 2, 3;

-- name: mark_opened
UPDATE recall_recipient SET opened_at = :at WHERE recipient_id = :recipient_id AND opened_at IS NULL;

-- name: put_answer
INSERT INTO acknowledgement (case_id, recipient_id, version, at, via, given_by, affected, complete, lines, comment, signature)
VALUES (:case_id, :recipient_id, :version, :at, :via, :given_by, :affected, :complete, CAST(:lines AS jsonb), :comment, :signature)
RETURNING acknowledgement_id;

-- name: last_answer
SELECT acknowledgement_id, version, at, via, given_by, affected, complete, lines, comment, signature,
    (SELECT count(*) FROM acknowledgement b WHERE b.recipient_id = a.recipient_id) AS answers
FROM acknowledgement a WHERE recipient_id = :recipient_id ORDER BY acknowledgement_id DESC LIMIT 1;

-- name: put_accounts
INSERT INTO recall_recipient (case_id, parent_id, level, name, channel, email, quantity, takes_part, added_by, added_at)
SELECT p.case_id, p.recipient_id, p.level + 1, t.name, p.channel, t.email, t.quantity, p.takes_part, :by, :at
FROM recall_recipient p
CROSS JOIN unnest(CAST(:names AS text[]), CAST(:emails AS text[]), CAST(:quantities AS numeric[])) AS t (name, email, quantity)
WHERE p.recipient_id = :recipient_id
ON CONFLICT ON CONSTRAINT recall_recipient_account_key DO UPDATE SET name = excluded.name, quantity = excluded.quantity;

-- name: accounts_of
SELECT recipient_id, name, email, quantity FROM recall_recipient WHERE parent_id = :recipient_id ORDER BY name, recipient_id;

-- name: revoke
UPDATE recall_notice SET revoked_at = :at, revoked_by = :by
WHERE recipient_id = :recipient_id AND case_id = :case_id AND revoked_at IS NULL;

-- name: recipients
-- Every recipient of a case with how far it has come: told, opened, answered, complete.
WITH answers AS (
    SELECT DISTINCT ON (recipient_id) recipient_id, version, at, affected, complete
    FROM acknowledgement WHERE case_id = :case_id ORDER BY recipient_id, acknowledgement_id DESC
), sends AS (
    SELECT n.recipient_id, bool_or(d.state = 'sent') AS told,
        bool_or(d.state IN ('refused', 'bounced', 'given_up')) AS dead, max(d.step) AS step,
        bool_or(d.state = 'by_hand') AS by_hand
    FROM recall_notice n JOIN recall_delivery d USING (notice_id) WHERE n.case_id = :case_id GROUP BY n.recipient_id
), notices AS (
    SELECT recipient_id, max(version) AS version, min(made_at) AS first_at, max(made_at) AS last_at
    FROM recall_notice WHERE case_id = :case_id AND change <> 'cancelled' GROUP BY recipient_id
)
SELECT r.recipient_id, r.parent_id, r.level, r.name, r.gln, r.channel, r.opened_at, r.quantity,
    coalesce(s.told, false) AS told, coalesce(s.dead, false) AS dead, coalesce(s.by_hand, false) AS by_hand,
    coalesce(s.step, 0) AS reminders, w.last_at AS told_at,
    CASE WHEN a.version >= w.version THEN a.at END AS answered_at, coalesce(a.complete AND a.version >= w.version, false) AS complete,
    a.affected
FROM recall_recipient r LEFT JOIN notices w USING (recipient_id) LEFT JOIN sends s USING (recipient_id)
LEFT JOIN answers a USING (recipient_id)
WHERE r.case_id = :case_id ORDER BY r.channel, r.name, r.recipient_id LIMIT :limit;

-- name: delivery_counts
SELECT medium, state, count(*) AS n FROM recall_delivery WHERE case_id = :case_id GROUP BY medium, state ORDER BY 1, 2;

-- name: account_of_goods
-- By channel, owner, product and unit: what the list says, and what the last answers say. Accounts count for their owner's
-- channel only where they are told apart: what an owner sold on is in its own answer already.
WITH answers AS (
    SELECT DISTINCT ON (a.recipient_id) a.recipient_id, a.lines FROM acknowledgement a
    WHERE a.case_id = :case_id ORDER BY a.recipient_id, a.acknowledgement_id DESC
), told AS (
    SELECT r.owner_id, l.gtin, coalesce(l.uom, '') AS uom, sum(l.on_hand) AS on_hand, sum(l.quarantined) AS quarantined,
        sum(l.returned) AS returned, sum(l.destroyed) AS destroyed, sum(l.corrected) AS corrected,
        sum(l.sold_on) AS sold_on, sum(l.not_found) AS not_found
    FROM answers a JOIN recall_recipient r USING (recipient_id)
    CROSS JOIN LATERAL jsonb_to_recordset(a.lines) AS l (gtin text, lot text, uom text, on_hand numeric,
        quarantined numeric, returned numeric, destroyed numeric, corrected numeric, sold_on numeric, not_found numeric)
    WHERE r.owner_id IS NOT NULL GROUP BY r.owner_id, l.gtin, coalesce(l.uom, '')
), listed AS (
    SELECT owner_id, min(channel) AS channel, row ->> 'gtin' AS gtin, coalesce(row ->> 'uom', '') AS uom,
        min(row ->> 'owner_name') AS owner_name, min(row ->> 'owner_gln') AS owner_gln, min(row ->> 'product') AS product,
        sum(coalesce(CAST(row ->> 'items' AS numeric), CAST(row ->> 'quantity' AS numeric), 0)) AS affected,
        sum(coalesce(CAST(row ->> 'items_shipped' AS numeric), CAST(row ->> 'quantity_shipped' AS numeric))) AS shipped,
        sum(coalesce(CAST(row ->> 'items_expected_on_hand' AS numeric), CAST(row ->> 'quantity_expected_on_hand' AS numeric), 0))
            AS expected,
        sum(coalesce(CAST(row ->> 'items_returned' AS numeric), CAST(row ->> 'quantity_returned' AS numeric), 0)) AS returned_on_record,
        sum(coalesce(CAST(row ->> 'items_destroyed' AS numeric), 0)) AS destroyed_on_record
    FROM notice_line WHERE affected_set_id = :set_id GROUP BY owner_id, row ->> 'gtin', coalesce(row ->> 'uom', '')
)
SELECT l.*, t.owner_id IS NOT NULL AS answered, coalesce(t.on_hand, 0) AS on_hand, coalesce(t.quarantined, 0) AS quarantined,
    coalesce(t.returned, 0) AS returned, coalesce(t.destroyed, 0) AS destroyed, coalesce(t.corrected, 0) AS corrected,
    coalesce(t.sold_on, 0) AS sold_on, coalesce(t.not_found, 0) AS not_found
FROM listed l LEFT JOIN told t USING (owner_id, gtin, uom) ORDER BY l.channel, l.owner_name, l.owner_id, l.product, l.uom;

-- name: put_reconciliation
INSERT INTO recall_reconciliation (case_id, version, figures, made_by, made_at)
VALUES (:case_id, :version, CAST(:figures AS jsonb), :by, :at);

-- name: last_reconciliation
SELECT version, figures, made_by, made_at FROM recall_reconciliation WHERE case_id = :case_id
ORDER BY reconciliation_id DESC LIMIT 1;

-- name: followup
SELECT case_id, ladder, paused_at, paused_by, responsible_name, responsible_email, sightings_told_at, disposition,
    root_cause, corrective_action, override_reason
FROM recall_followup WHERE case_id = :case_id;

-- name: change_followup
UPDATE recall_followup SET ladder = coalesce(CAST(:ladder AS jsonb), ladder),
    responsible_name = coalesce(:responsible_name, responsible_name),
    responsible_email = coalesce(:responsible_email, responsible_email), disposition = coalesce(:disposition, disposition),
    root_cause = coalesce(:root_cause, root_cause), corrective_action = coalesce(:corrective_action, corrective_action),
    override_reason = coalesce(:override_reason, override_reason)
WHERE case_id = :case_id;

-- name: pause
UPDATE recall_followup SET paused_at = CAST(:at AS timestamptz), paused_by = :by WHERE case_id = :case_id;

-- name: sampled_from
SELECT recipient_id, channel, name FROM recall_recipient WHERE case_id = :case_id ORDER BY recipient_id;

-- name: put_check
INSERT INTO effectiveness_check (case_id, version, level, percent, seed, recipients, made_by, made_at)
VALUES (:case_id, :version, :level, :percent, :seed, :recipients, :by, :at) RETURNING check_id;

-- name: put_sample
INSERT INTO effectiveness_sample (check_id, recipient_id, channel)
SELECT :check_id, t.recipient_id, t.channel
FROM unnest(CAST(:recipients AS bigint[]), CAST(:channels AS text[])) AS t (recipient_id, channel);

-- name: checks
SELECT check_id, version, level, percent, seed, recipients, made_by, made_at FROM effectiveness_check
WHERE case_id = :case_id ORDER BY check_id;

-- name: sample
SELECT s.check_id, s.recipient_id, s.channel, r.name, r.gln, r.contact_name, r.phone, r.email, s.notified, s.followed, s.note,
    s.result_by, s.result_at
FROM effectiveness_sample s JOIN recall_recipient r USING (recipient_id) WHERE s.check_id = :check_id
ORDER BY s.channel, r.name, s.recipient_id;

-- name: put_result
UPDATE effectiveness_sample SET notified = :notified, followed = :followed, note = :note, result_by = :by, result_at = :at
WHERE check_id = :check_id AND recipient_id = :recipient_id RETURNING recipient_id;

-- name: sightings
-- Codes of this case's goods that somebody opened since it was published, by product, lot and day. What the log keeps of
-- a place is the language and the kind of program; nothing finer was ever written down.
SELECT p.gtin, p.name AS product, l.code AS lot, CAST(date_trunc('hour', s.at) AS timestamptz) AS seen_at,
    coalesce(s.language, '') AS language, count(*) AS scans, count(DISTINCT s.number) AS items, max(s.at) AS last_at
FROM case_version v JOIN affected_lot a USING (affected_set_id) JOIN scan_log s ON s.lot_id = a.lot_id
JOIN lot l ON l.lot_id = a.lot_id JOIN product p USING (product_id)
WHERE v.case_id = :case_id AND v.version = :version AND s.verdict = 'recalled' AND s.at >= :since AND s.at < :until
AND (a.whole OR EXISTS (SELECT FROM affected_run u WHERE u.affected_set_id = a.affected_set_id AND u.lot_id = a.lot_id
                        AND s.number >= u.lo AND s.number < u.lo + u.n))
GROUP BY 1, 2, 3, 4, 5 ORDER BY seen_at DESC, gtin, lot LIMIT :limit;

-- name: watched_cases
SELECT c.case_id, c.number, c.version, c.title, f.responsible_name, f.responsible_email, f.sightings_told_at
FROM recall_case c JOIN recall_followup f USING (case_id)
WHERE c.state IN ('published', 'closing') AND c.kind <> 'drill' AND f.responsible_email <> '';

-- name: sightings_told
UPDATE recall_followup SET sightings_told_at = :at WHERE case_id = :case_id;

-- name: late_units
-- Events about this case's lots that the record learnt after its last set was frozen: goods that turned up later.
SELECT e.event_id, e.event_time, e.record_time, e.biz_step, e.disposition, p.gtin, p.name AS product, l.code AS lot,
    coalesce(w.name, '') AS place
FROM case_version v JOIN affected_set t USING (affected_set_id) JOIN affected_lot a USING (affected_set_id)
JOIN event_thing g ON g.lot_id = a.lot_id AND g.event_id > t.ledger_event JOIN event e USING (event_id)
JOIN lot l ON l.lot_id = a.lot_id JOIN product p USING (product_id) LEFT JOIN place w ON w.place_id = e.biz_location_id
WHERE v.case_id = :case_id AND v.version = :version AND NOT (e.body ? 'persistentDisposition')
AND NOT EXISTS (SELECT FROM event_declared_wrong x WHERE x.event_id = e.event_id)
ORDER BY e.event_id DESC LIMIT :limit;
