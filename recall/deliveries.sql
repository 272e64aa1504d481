-- The outbox of notices. Rows are made by sets in the transaction of a publication; a worker takes them in batches.

-- name: put_followup
INSERT INTO recall_followup (case_id, ladder, sightings_told_at)
VALUES (:case_id, CAST(:ladder AS jsonb), :at) ON CONFLICT ON CONSTRAINT recall_followup_pkey DO NOTHING;

-- name: put_owners
-- Owner 0 is "unknown": there is nobody to tell, and the notice list says so as a gap.
INSERT INTO recall_recipient (case_id, owner_id, name, gln, channel, address, language, contact_name, email, phone,
    alternate_name, alternate_email, alternate_phone, takes_part, added_by, added_at)
SELECT :case_id, p.party_id, p.name, p.gln, o.channel,
    concat_ws(', ', p.address, p.city, p.region, p.country), coalesce(r.language, a.language),
    coalesce(r.name, a.name, ''), coalesce(CASE WHEN r.party_id IS NULL THEN a.email ELSE r.email END, ''),
    coalesce(CASE WHEN r.party_id IS NULL THEN a.phone ELSE r.phone END, ''),
    coalesce(a.name, ''), coalesce(a.email, ''), coalesce(a.phone, ''),
    NOT :drill OR d.party_id IS NOT NULL, :by, :at
FROM (SELECT owner_id, min(channel) AS channel FROM notice_line
      WHERE affected_set_id = :set_id AND owner_id <> 0 GROUP BY owner_id) o
JOIN party p ON p.party_id = o.owner_id
LEFT JOIN contact r ON r.party_id = p.party_id AND r.kind = 'recall'
LEFT JOIN contact a ON a.party_id = p.party_id AND a.kind = 'alternate'
LEFT JOIN drill_participant d ON d.party_id = p.party_id
ON CONFLICT ON CONSTRAINT recall_recipient_owner_key DO UPDATE SET
    name = excluded.name, channel = excluded.channel, address = excluded.address, language = excluded.language,
    contact_name = excluded.contact_name, email = excluded.email, phone = excluded.phone,
    alternate_name = excluded.alternate_name, alternate_email = excluded.alternate_email,
    alternate_phone = excluded.alternate_phone;

-- name: put_notices
-- Whoever is new is told all; whoever was told is told what changed: lines that are new, have more, or other serials.
-- What is gone is told only when the case was narrowed: goods that merely moved on are no news about the case.
WITH now_lines AS (
    SELECT owner_id, place_id, lot_id, coalesce(row ->> 'uom', '') AS uom, line, row ->> 'serial_ranges' AS serials,
        coalesce(CAST(row ->> 'items' AS numeric), CAST(row ->> 'quantity' AS numeric), 0) AS n
    FROM notice_line WHERE affected_set_id = :set_id AND owner_id <> 0
), before_lines AS (
    SELECT owner_id, place_id, lot_id, coalesce(row ->> 'uom', '') AS uom, line, row ->> 'serial_ranges' AS serials,
        coalesce(CAST(row ->> 'items' AS numeric), CAST(row ->> 'quantity' AS numeric), 0) AS n
    FROM notice_line WHERE affected_set_id = :before_id AND owner_id <> 0
), told AS (
    SELECT w.owner_id, array_agg(w.line ORDER BY w.line) AS lines
    FROM now_lines w LEFT JOIN before_lines b USING (owner_id, place_id, lot_id, uom)
    WHERE :tell_all OR b.line IS NULL OR w.n > b.n OR w.serials <> b.serials GROUP BY w.owner_id
), gone AS (
    SELECT b.owner_id, array_agg(b.line ORDER BY b.line) AS lines
    FROM before_lines b LEFT JOIN now_lines w USING (owner_id, place_id, lot_id, uom)
    WHERE :narrowed AND (w.line IS NULL OR w.serials <> b.serials) GROUP BY b.owner_id
)
INSERT INTO recall_notice (case_id, version, change, recipient_id, affected_set_id, before_set_id, lines, removed_lines,
    is_delta, made_at)
SELECT :case_id, :version, :change, r.recipient_id, :set_id, :before_id, coalesce(told.lines, '{}'),
    coalesce(gone.lines, '{}'),
    EXISTS (SELECT FROM recall_notice earlier WHERE earlier.recipient_id = r.recipient_id), :at
FROM recall_recipient r LEFT JOIN told ON told.owner_id = r.owner_id LEFT JOIN gone ON gone.owner_id = r.owner_id
WHERE r.case_id = :case_id AND (told.lines IS NOT NULL OR gone.lines IS NOT NULL)
ON CONFLICT ON CONSTRAINT recall_notice_once DO NOTHING;

-- name: put_notices_of_accounts
-- An account is told what its parent is told, whenever its parent is; one level of hands at a time.
INSERT INTO recall_notice (case_id, version, change, recipient_id, affected_set_id, before_set_id, lines, removed_lines,
    is_delta, made_at)
SELECT n.case_id, n.version, n.change, r.recipient_id, n.affected_set_id, n.before_set_id, n.lines, n.removed_lines,
    EXISTS (SELECT FROM recall_notice earlier WHERE earlier.recipient_id = r.recipient_id), :at
FROM recall_recipient r JOIN recall_notice n ON n.recipient_id = r.parent_id AND n.version = :version AND n.change = :change
WHERE r.case_id = :case_id AND r.level = :level
ON CONFLICT ON CONSTRAINT recall_notice_once DO NOTHING;

-- name: put_cancellations
-- To all who were told, or may have been: whoever has the notice still in the queue never gets it and needs no other.
INSERT INTO recall_notice (case_id, version, change, recipient_id, affected_set_id, lines, is_delta, made_at)
SELECT r.case_id, :version, 'cancelled', r.recipient_id, :set_id, '{}', true, :at
FROM recall_recipient r
WHERE r.case_id = :case_id AND EXISTS (
    SELECT FROM recall_notice n JOIN recall_delivery d USING (notice_id)
    WHERE n.recipient_id = r.recipient_id AND (d.attempts > 0 OR d.state IN ('claimed', 'sending', 'sent', 'bounced')))
ON CONFLICT ON CONSTRAINT recall_notice_once DO NOTHING;

-- name: stop_deliveries
UPDATE recall_delivery SET state = 'stopped', ended_at = :at, answer = :reason
WHERE case_id = :case_id AND state IN ('queued', 'by_hand');

-- name: put_deliveries
-- Mail when there is an address; else the list of those to call; else a letter. What a party asked for comes besides.
INSERT INTO recall_delivery (case_id, notice_id, medium, addressee, address, step, state, due_at, made_at)
SELECT n.case_id, n.notice_id, m.medium, 'recall', m.address, 0,
    CASE WHEN NOT r.takes_part THEN 'not_sent' WHEN m.medium IN ('phone', 'letter') THEN 'by_hand' ELSE 'queued' END,
    :at, :at
FROM recall_notice n JOIN recall_recipient r USING (recipient_id)
CROSS JOIN LATERAL (
    SELECT p.medium, p.address FROM recall_medium p WHERE p.party_id = r.owner_id
    UNION ALL SELECT 'email', r.email WHERE r.email <> ''
    UNION ALL SELECT 'phone', r.phone WHERE r.email = '' AND r.phone <> ''
    UNION ALL SELECT 'letter', r.address WHERE r.email = '' AND r.phone = ''
        AND NOT EXISTS (SELECT FROM recall_medium p WHERE p.party_id = r.owner_id)
) m
WHERE n.case_id = :case_id AND n.version = :version AND n.change = :change
ON CONFLICT ON CONSTRAINT recall_delivery_once DO NOTHING;

-- name: count_queued
SELECT d.medium, count(*) AS n FROM recall_delivery d JOIN recall_notice n USING (notice_id)
WHERE n.case_id = :case_id AND n.version = :version AND n.change = :change AND d.state = 'queued' AND d.step = 0
GROUP BY d.medium;

-- name: next_claim
SELECT CAST(nextval('recall_claim') AS integer);

-- name: lock_claim
SELECT pg_try_advisory_lock(:space, :claim);

-- name: unlock_claim
SELECT pg_advisory_unlock(:space, :claim);

-- name: open_claims
SELECT DISTINCT claim FROM recall_delivery WHERE claim IS NOT NULL;

-- name: release_claim
-- What a dead worker had taken and not begun is as if it had never been taken; what it had begun may have arrived.
UPDATE recall_delivery SET state = 'queued', claim = NULL, perhaps_twice = perhaps_twice OR state = 'sending',
    answer = CASE WHEN state = 'sending' THEN 'the worker stopped while it was sending' ELSE answer END
WHERE claim = :claim AND state IN ('claimed', 'sending');

-- name: claim
UPDATE recall_delivery SET state = 'claimed', claim = :claim
WHERE delivery_id IN (
    SELECT delivery_id FROM recall_delivery WHERE state = 'queued' AND medium = :medium AND due_at <= :now
    ORDER BY due_at, delivery_id LIMIT :batch FOR UPDATE SKIP LOCKED)
RETURNING delivery_id;

-- name: claimed_deliveries
SELECT d.delivery_id, d.medium, d.addressee, d.address, d.step, d.attempts, d.notice_id, n.version, n.change, n.is_delta,
    n.lines, n.removed_lines, n.affected_set_id, n.before_set_id, n.made_at, r.recipient_id, r.parent_id, r.owner_id,
    r.name, r.language, r.contact_name, r.alternate_name, r.quantity, c.case_id, c.number, c.kind, c.remedy, c.title,
    c.hazard, c.hazard_class, c.deadline_on, c.texts, c.contact, m.key_number
FROM recall_delivery d JOIN recall_notice n USING (notice_id) JOIN recall_recipient r USING (recipient_id)
JOIN recall_case c ON c.case_id = d.case_id
LEFT JOIN recall_medium m ON m.party_id = r.owner_id AND m.medium = d.medium
WHERE d.delivery_id = ANY(CAST(:ids AS bigint[])) ORDER BY d.delivery_id;

-- name: lines_of_notices
SELECT n.notice_id, false AS removed, l.line, l.row
FROM recall_notice n JOIN notice_line l ON l.affected_set_id = n.affected_set_id AND l.line = ANY(n.lines)
WHERE n.notice_id = ANY(CAST(:notices AS bigint[]))
UNION ALL
SELECT n.notice_id, true, l.line, l.row
FROM recall_notice n JOIN notice_line l ON l.affected_set_id = n.before_set_id AND l.line = ANY(n.removed_lines)
WHERE n.notice_id = ANY(CAST(:notices AS bigint[]))
ORDER BY 1, 2, 3;

-- name: begin_attempt
-- Only a delivery that is still this worker's: a case that was cancelled meanwhile, or a claim that was taken over, is not.
UPDATE recall_delivery d SET state = 'sending', attempts = attempts + 1
WHERE delivery_id = :delivery_id AND claim = :claim AND state = 'claimed'
AND (EXISTS (SELECT FROM recall_case c WHERE c.case_id = d.case_id AND c.state IN ('published', 'closing'))
     OR EXISTS (SELECT FROM recall_notice n WHERE n.notice_id = d.notice_id AND n.change = 'cancelled'))
RETURNING delivery_id;

-- name: end_attempt
UPDATE recall_delivery SET state = :state, answer = :answer, claim = NULL, due_at = coalesce(CAST(:due_at AS timestamptz), due_at),
    perhaps_twice = perhaps_twice OR :perhaps_twice, ended_at = CASE WHEN CAST(:state AS text) = 'queued' THEN NULL ELSE CAST(:now AS timestamptz) END
WHERE delivery_id = :delivery_id AND claim = :claim AND state = 'sending';

-- name: stop_claimed
UPDATE recall_delivery SET state = 'stopped', claim = NULL, ended_at = :now, answer = 'the case has ended'
WHERE delivery_id = :delivery_id AND claim = :claim AND state = 'claimed';

-- name: next_due
SELECT medium, min(due_at) AS due_at FROM recall_delivery WHERE state = 'queued' GROUP BY medium;

-- name: escalate
-- The one who stands in is told when the first did not get it; nobody there, or the same address again: a call.
INSERT INTO recall_delivery (case_id, notice_id, medium, addressee, address, step, state, due_at, made_at)
SELECT d.case_id, d.notice_id, m.medium, m.addressee, m.address, d.step, m.state, :now, :now
FROM recall_delivery d JOIN recall_notice n USING (notice_id) JOIN recall_recipient r USING (recipient_id)
CROSS JOIN LATERAL (
    SELECT 'email' AS medium, 'alternate' AS addressee, r.alternate_email AS address, 'queued' AS state
    WHERE d.addressee = 'recall' AND r.alternate_email <> '' AND lower(r.alternate_email) <> lower(d.address)
    UNION ALL
    SELECT 'phone', 'recall', coalesce(nullif(r.phone, ''), r.alternate_phone), 'by_hand'
    WHERE d.addressee = 'alternate' OR r.alternate_email = '' OR lower(r.alternate_email) = lower(d.address)
) m
WHERE d.delivery_id = :delivery_id
ON CONFLICT ON CONSTRAINT recall_delivery_once DO NOTHING;

-- name: put_reminders
-- One step further for whoever has not answered the last notice; never two steps at once after a pause.
WITH latest AS (
    SELECT DISTINCT ON (n.recipient_id) n.notice_id, n.case_id, n.recipient_id, n.version, n.made_at
    FROM recall_notice n WHERE n.change <> 'cancelled' ORDER BY n.recipient_id, n.notice_id DESC
), asked AS (
    SELECT l.*, f.ladder, coalesce(max(d.step), 0) AS step, coalesce(max(d.made_at), l.made_at) AS last_at
    FROM latest l JOIN recall_case c USING (case_id) JOIN recall_followup f USING (case_id)
    JOIN recall_recipient r USING (recipient_id) LEFT JOIN recall_delivery d USING (notice_id)
    WHERE c.state = 'published' AND f.paused_at IS NULL AND r.takes_part
    AND NOT EXISTS (SELECT FROM acknowledgement a WHERE a.recipient_id = l.recipient_id AND a.version >= l.version)
    GROUP BY l.notice_id, l.case_id, l.recipient_id, l.version, l.made_at, f.ladder
), due AS (
    SELECT notice_id, case_id, recipient_id, step + 1 AS step, ladder -> step ->> 'to' AS addressee
    FROM asked WHERE step < jsonb_array_length(ladder)
    AND made_at + make_interval(hours => CAST(ladder -> step ->> 'hours' AS integer)) <= :now
    AND last_at + make_interval(hours => CAST(ladder -> step ->> 'hours' AS integer)
        - CASE WHEN step = 0 THEN 0 ELSE CAST(ladder -> (step - 1) ->> 'hours' AS integer) END) <= :now
)
INSERT INTO recall_delivery (case_id, notice_id, medium, addressee, address, step, state, due_at, made_at)
SELECT u.case_id, u.notice_id, m.medium, m.addressee, m.address, u.step, m.state, :now, :now
FROM due u JOIN recall_recipient r USING (recipient_id)
CROSS JOIN LATERAL (
    SELECT 'email' AS medium, 'recall' AS addressee, r.email AS address, 'queued' AS state
    WHERE u.addressee = 'recall' AND r.email <> ''
    UNION ALL SELECT 'email', 'alternate', r.alternate_email, 'queued'
    WHERE u.addressee = 'alternate' AND r.alternate_email <> ''
    UNION ALL SELECT 'email', 'recall', r.email, 'queued'
    WHERE u.addressee = 'alternate' AND r.alternate_email = '' AND r.email <> ''
    UNION ALL SELECT 'phone', 'recall', coalesce(nullif(r.phone, ''), r.alternate_phone), 'by_hand'
    WHERE u.addressee = 'phone' OR (r.email = '' AND (u.addressee = 'recall' OR r.alternate_email = ''))
) m
ON CONFLICT ON CONSTRAINT recall_delivery_once DO NOTHING;

-- name: find_delivery
SELECT d.delivery_id, d.case_id, c.number, d.medium, d.addressee, d.address, d.step, d.state, d.attempts,
    d.perhaps_twice, d.due_at, d.ended_at, d.answer, r.recipient_id, r.name, r.gln, r.channel, r.contact_name, r.phone
FROM recall_delivery d JOIN recall_case c USING (case_id) JOIN recall_notice n USING (notice_id)
JOIN recall_recipient r USING (recipient_id) WHERE d.delivery_id = :delivery_id;

-- name: list_deliveries
SELECT d.delivery_id, d.case_id, c.number, d.medium, d.addressee, d.address, d.step, d.state, d.attempts,
    d.perhaps_twice, d.due_at, d.ended_at, d.answer, r.recipient_id, r.name, r.gln, r.channel, r.contact_name, r.phone
FROM recall_delivery d JOIN recall_case c USING (case_id) JOIN recall_notice n USING (notice_id)
JOIN recall_recipient r USING (recipient_id)
WHERE d.case_id = :case_id AND d.delivery_id > :after
AND (CAST(:state AS text) IS NULL OR d.state = :state) AND (CAST(:medium AS text) IS NULL OR d.medium = :medium)
ORDER BY d.delivery_id LIMIT :limit;

-- name: settle
UPDATE recall_delivery SET state = :state, answer = :answer, ended_at = :now, attempts = attempts + :attempt,
    due_at = :now
WHERE delivery_id = :delivery_id AND state = ANY(CAST(:from_states AS text[])) RETURNING delivery_id;

-- name: sent_to
-- The last letter that went to an address: a bounce says whom, seldom which.
SELECT delivery_id FROM recall_delivery
WHERE medium = 'email' AND lower(address) = lower(:address) AND state = 'sent'
ORDER BY ended_at DESC, delivery_id DESC LIMIT 1;

-- name: set_medium
-- A new address gets a new secret: whoever had the old one has nothing to do with the new one.
INSERT INTO recall_medium (party_id, medium, address, changed_by, changed_at)
SELECT party_id, :medium, :address, :by, :at FROM party WHERE gln = :party OR uri = :party
ON CONFLICT ON CONSTRAINT recall_medium_pkey DO UPDATE SET address = excluded.address,
    key_number = recall_medium.key_number + 1, changed_by = excluded.changed_by, changed_at = excluded.changed_at
RETURNING party_id, key_number;

-- name: drop_medium
DELETE FROM recall_medium USING party p
WHERE p.party_id = recall_medium.party_id AND (p.gln = :party OR p.uri = :party) AND medium = :medium
RETURNING p.party_id;

-- name: take_part
INSERT INTO drill_participant (party_id) SELECT party_id FROM party WHERE gln = :party OR uri = :party
ON CONFLICT ON CONSTRAINT drill_participant_pkey DO UPDATE SET party_id = excluded.party_id RETURNING party_id;

-- name: leave_drills
DELETE FROM drill_participant USING party p
WHERE p.party_id = drill_participant.party_id AND (p.gln = :party OR p.uri = :party) RETURNING p.party_id;
