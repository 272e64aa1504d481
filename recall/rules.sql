-- The rules that a case is under, and what happened that its clocks run by.

-- name: put_rules
INSERT INTO recall_rules (case_id, profile, version, content, taken_by, taken_at)
VALUES (:case_id, :profile, :version, CAST(:content AS jsonb), :by, :at);

-- name: rules_of
SELECT content FROM recall_rules WHERE case_id = :case_id;

-- name: put_fact
INSERT INTO recall_fact (case_id, name, at, note, told_by, told_at) VALUES (:case_id, :name, :at, :note, :by, :told_at);

-- name: facts_of
SELECT name, at, told_by, note FROM recall_fact WHERE case_id = :case_id ORDER BY at, fact_id;

-- name: first_published
SELECT published_at, published_by FROM case_version WHERE case_id = :case_id ORDER BY version LIMIT 1;

-- name: overrides_of
SELECT version, note, published_by, published_at FROM case_version
WHERE case_id = :case_id AND change IN ('initial', 'updated') AND note IS NOT NULL ORDER BY version;

-- name: are_dates_missing
-- Goods that went out, and of none of them does anybody know when.
SELECT EXISTS (SELECT FROM notice_line WHERE affected_set_id = :set_id AND channel <> 'own')
   AND NOT EXISTS (SELECT FROM notice_line WHERE affected_set_id = :set_id AND coalesce(row ->> 'ship_dates', '') <> '');

-- name: letters_of
-- One delivery for each notice of a version: those that wait to be posted, or of all recipients, or of one.
SELECT DISTINCT ON (n.notice_id) d.delivery_id, r.address
FROM recall_delivery d JOIN recall_notice n USING (notice_id) JOIN recall_recipient r USING (recipient_id)
WHERE n.case_id = :case_id AND n.version = :version
  AND (:every OR CAST(:recipient AS text) IS NOT NULL OR (d.medium = 'letter' AND d.state = 'by_hand'))
  AND (CAST(:recipient AS text) IS NULL OR r.recipient_id::text = :recipient OR r.gln = :recipient OR r.name = :recipient)
ORDER BY n.notice_id, d.medium = 'letter' DESC, d.delivery_id LIMIT :limit;

-- name: brands_of
SELECT gtin, brand FROM product WHERE gtin = ANY(CAST(:gtins AS text[])) AND brand IS NOT NULL;

-- name: firm
-- Whose recall it is: the brand, else the manufacturer, that was entered first.
SELECT name, gln FROM party WHERE role IN ('brand', 'manufacturer') ORDER BY role <> 'brand', party_id LIMIT 1;

-- name: audit_of
SELECT audit_id, at, actor, act, details FROM audit WHERE subject = :number ORDER BY audit_id LIMIT :limit;

-- name: versions_of
SELECT version, change, note, texts, published_by, published_at FROM case_version WHERE case_id = :case_id ORDER BY version;

-- name: answers_of
SELECT a.recipient_id, r.name, a.version, a.at, a.via, a.given_by, a.affected, a.complete, a.lines, a.comment, a.signature
FROM acknowledgement a JOIN recall_recipient r USING (recipient_id)
WHERE a.case_id = :case_id ORDER BY a.acknowledgement_id LIMIT :limit;

-- name: rehearsed
SELECT details FROM audit WHERE subject = :number AND act = 'recall.rehearse' ORDER BY audit_id DESC LIMIT 1;
