-- What staff tell shoppers beside the record (links), and what shoppers tell staff: problems, wishes to be told of
-- recalls, and, by their scans, that a code may have been copied.

-- Changes of what the portal keeps beside its copy of the record; it reads the rows again when the number has grown.
CREATE TABLE shelf (single boolean NOT NULL DEFAULT true, version bigint NOT NULL,
    CONSTRAINT shelf_pkey PRIMARY KEY (single), CONSTRAINT shelf_only_check CHECK (single));
INSERT INTO shelf (version) VALUES (1);
CREATE FUNCTION next_shelf_version() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    UPDATE shelf SET version = version + 1;
    RETURN NULL;
END $$;

-- A host is asked for by one person and allowed by another (or by an administrator): a link leads shoppers away.
CREATE TABLE link_host (
    host text NOT NULL, asked_by text NOT NULL, asked_at timestamptz NOT NULL, allowed_by text, allowed_at timestamptz,
    CONSTRAINT link_host_pkey PRIMARY KEY (host),
    CONSTRAINT link_host_check CHECK (host ~ '^[a-z0-9.-]+(:[0-9]+)?$')
);
CREATE TABLE resolver_link (
    link_id    bigint GENERATED ALWAYS AS IDENTITY,
    gtin       text NOT NULL, cpv text NOT NULL DEFAULT '', lot text NOT NULL DEFAULT '',  -- '' = of the whole product
    type       text NOT NULL,                  -- of the GS1 Web Vocabulary, without its namespace: pip, epil, …
    target     text NOT NULL, host text NOT NULL,
    title      text NOT NULL,
    languages  text[] NOT NULL DEFAULT '{}', media_type text,
    valid_from timestamptz, valid_until timestamptz,
    added_by   text NOT NULL, added_at timestamptz NOT NULL, removed_by text, removed_at timestamptz,
    CONSTRAINT resolver_link_pkey PRIMARY KEY (link_id),
    CONSTRAINT resolver_link_product_fkey FOREIGN KEY (gtin) REFERENCES product (gtin),
    CONSTRAINT resolver_link_host_fkey FOREIGN KEY (host) REFERENCES link_host,
    CONSTRAINT resolver_link_target_check CHECK (target LIKE 'https://%'),
    CONSTRAINT resolver_link_validity_check CHECK (valid_until > valid_from)
);
CREATE UNIQUE INDEX resolver_link_once ON resolver_link (gtin, cpv, lot, type, target, languages) WHERE removed_at IS NULL;
CREATE TRIGGER resolver_link_changes AFTER INSERT OR UPDATE OR DELETE ON resolver_link
    FOR EACH STATEMENT EXECUTE FUNCTION next_shelf_version();
CREATE TRIGGER link_host_changes AFTER UPDATE OR DELETE ON link_host
    FOR EACH STATEMENT EXECUTE FUNCTION next_shelf_version();

-- Problems told by shoppers. What they say changes no verdict: a person reads it.
CREATE TABLE problem_report (
    report_id bigint GENERATED ALWAYS AS IDENTITY,
    reference text NOT NULL,                   -- unguessable; the shopper's receipt
    gtin text, lot text, serial text,
    kind text NOT NULL, words text NOT NULL, contact text, language text NOT NULL, photo bytea,
    state text NOT NULL DEFAULT 'new', taken_at timestamptz NOT NULL,
    closed_by text, closed_at timestamptz, closing_note text,
    CONSTRAINT problem_report_pkey PRIMARY KEY (report_id),
    CONSTRAINT problem_report_reference_key UNIQUE (reference),
    CONSTRAINT problem_report_kind_check CHECK (kind IN ('quality', 'foreign_body', 'illness', 'copy', 'label', 'other')),
    CONSTRAINT problem_report_state_check CHECK (state IN ('new', 'in_work', 'closed', 'spam')),
    CONSTRAINT problem_report_size_check CHECK (length(words) <= 2000 AND length(contact) <= 200
        AND length(photo) <= 600000)
);
CREATE INDEX problem_report_state ON problem_report (state, report_id);

-- Who wants to be told of recalls. The letters' links carry a code made from the number and the master secret, so that
-- nothing here confirms or ends an alert. An ended alert keeps no address.
CREATE TABLE recall_alert (
    alert_id bigint GENERATED ALWAYS AS IDENTITY,
    email text, gtin text NOT NULL, lot text NOT NULL DEFAULT '', language text NOT NULL,
    asked_at timestamptz NOT NULL, confirmed_at timestamptz, ended_at timestamptz,
    CONSTRAINT recall_alert_pkey PRIMARY KEY (alert_id),
    CONSTRAINT recall_alert_email_check CHECK (length(email) <= 254 AND (email IS NULL) = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX recall_alert_once ON recall_alert (lower(email), gtin, lot) WHERE ended_at IS NULL;
CREATE INDEX recall_alert_of_product ON recall_alert (gtin) WHERE confirmed_at IS NOT NULL AND ended_at IS NULL;
CREATE TABLE recall_alert_letter (
    alert_id bigint NOT NULL, case_id bigint NOT NULL, version integer NOT NULL, sent_at timestamptz NOT NULL,
    CONSTRAINT recall_alert_letter_pkey PRIMARY KEY (alert_id, case_id, version),
    CONSTRAINT recall_alert_letter_alert_fkey FOREIGN KEY (alert_id) REFERENCES recall_alert
);

-- A job is asked for inside the transaction of what makes it necessary, whoever that is.
CREATE FUNCTION ask_for_job(kind text, payload jsonb, job_key text) RETURNS void LANGUAGE sql AS $$
    INSERT INTO pgqueuer (priority, entrypoint, payload, status, dedupe_key)
    VALUES (0, kind, convert_to(payload::text, 'UTF8'), 'queued', kind || ':' || job_key)
    ON CONFLICT (dedupe_key) WHERE status IN ('queued', 'picked') AND dedupe_key IS NOT NULL DO NOTHING $$;
CREATE FUNCTION publication_tells_alerts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.kind = 'recall' AND NEW.state = 'published' THEN
        PERFORM ask_for_job('shoppers.tell_of_recall', jsonb_build_object('case_id', NEW.case_id),
                            NEW.case_id || '/' || NEW.version);
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER publication_tells_alerts AFTER INSERT OR UPDATE ON publication
    FOR EACH ROW EXECUTE FUNCTION publication_tells_alerts();

-- Where an item was checked: a country or region as the edge tells it, and a visitor as a hash salted per day.
CREATE TABLE code_sighting (
    number bigint NOT NULL, on_day date NOT NULL, region text NOT NULL, visitor bytea NOT NULL,
    gtin text, state smallint, n integer NOT NULL, first_at timestamptz NOT NULL,
    CONSTRAINT code_sighting_pkey PRIMARY KEY (number, on_day, region, visitor)
);
CREATE INDEX code_sighting_on_day ON code_sighting USING brin (on_day);
CREATE TABLE unusual_rule (                    -- what is unusual, as data: counted within days, from threshold on
    rule text NOT NULL, threshold integer NOT NULL, within_days integer NOT NULL, effect text NOT NULL,
    enabled boolean NOT NULL DEFAULT true, changed_by text, changed_at timestamptz,
    CONSTRAINT unusual_rule_pkey PRIMARY KEY (rule),
    CONSTRAINT unusual_rule_check CHECK (rule IN
        ('many_places', 'many_visitors', 'off_market', 'after_sale', 'not_for_sale', 'not_released')),
    CONSTRAINT unusual_rule_effect_check CHECK (effect IN ('verdict', 'alert')),
    CONSTRAINT unusual_rule_threshold_check CHECK (threshold BETWEEN 1 AND 10000 AND within_days BETWEEN 1 AND 400)
);
INSERT INTO unusual_rule (rule, threshold, within_days, effect) VALUES
    ('many_places', 3, 7, 'verdict'), ('many_visitors', 20, 30, 'verdict'), ('off_market', 1, 30, 'alert'),
    ('after_sale', 10, 30, 'alert'), ('not_for_sale', 1, 30, 'alert'), ('not_released', 3, 7, 'alert');
CREATE TABLE product_market (                  -- countries in which a product is sold; none told = anywhere
    gtin text NOT NULL, country text NOT NULL,
    CONSTRAINT product_market_pkey PRIMARY KEY (gtin, country),
    CONSTRAINT product_market_country_check CHECK (country ~ '^[A-Z]{2}$')
);
CREATE TABLE unusual_finding (
    finding_id bigint GENERATED ALWAYS AS IDENTITY,
    number bigint NOT NULL, gtin text, rule text NOT NULL, effect text NOT NULL,
    counted integer NOT NULL, within_days integer NOT NULL, found_at timestamptz NOT NULL, told_at timestamptz,
    cleared_by text, cleared_at timestamptz, clearing_reason text,
    CONSTRAINT unusual_finding_pkey PRIMARY KEY (finding_id),
    CONSTRAINT unusual_finding_rule_fkey FOREIGN KEY (rule) REFERENCES unusual_rule
);
CREATE UNIQUE INDEX unusual_finding_open ON unusual_finding (number, rule) WHERE cleared_at IS NULL;
CREATE TRIGGER unusual_finding_changes AFTER INSERT OR UPDATE OR DELETE ON unusual_finding
    FOR EACH STATEMENT EXECUTE FUNCTION next_shelf_version();

-- What each rule counts for these numbers. What was seen before somebody cleared a finding of the rule counts no more.
CREATE FUNCTION unusual_counts(numbers bigint[], seen_at timestamptz)
    RETURNS TABLE (number bigint, gtin text, rule text, effect text, within_days integer, counted bigint)
    LANGUAGE sql STABLE AS $$
    SELECT s.number, max(s.gtin), r.rule, r.effect, r.within_days,
           CASE r.rule
               WHEN 'many_places' THEN count(DISTINCT s.region) FILTER (WHERE s.region <> '')
               WHEN 'many_visitors' THEN count(DISTINCT (s.on_day, s.visitor))
               WHEN 'off_market' THEN count(DISTINCT left(s.region, 2)) FILTER (WHERE s.region <> ''
                    AND EXISTS (SELECT FROM product_market m WHERE m.gtin = s.gtin)
                    AND NOT EXISTS (SELECT FROM product_market m WHERE m.gtin = s.gtin AND m.country = left(s.region, 2)))
               WHEN 'after_sale' THEN count(DISTINCT (s.on_day, s.visitor)) FILTER (WHERE s.first_at > sold.since)
               WHEN 'not_for_sale' THEN count(*) FILTER (WHERE s.state IN (2, 3, 4))
               WHEN 'not_released' THEN count(DISTINCT (s.on_day, s.visitor)) FILTER (WHERE s.state = 0)
           END
    FROM code_sighting s CROSS JOIN unusual_rule r
    LEFT JOIN LATERAL (
        SELECT c.since FROM (SELECT * FROM code_run WHERE lo <= s.number ORDER BY lo DESC LIMIT 1) AS c
        WHERE s.number < c.lo + c.n AND c.disposition = 'retail_sold'
    ) AS sold ON true
    WHERE s.number = ANY (numbers) AND r.enabled AND s.on_day > seen_at::date - r.within_days
      AND s.first_at > coalesce((SELECT max(f.cleared_at) FROM unusual_finding f
                                 WHERE f.number = s.number AND f.rule = r.rule), '-infinity')
    GROUP BY s.number, r.rule, r.effect, r.within_days, r.threshold
$$;

-- Note where items were checked, and what is unusual about them since. Visitors beyond 500 of one item, day and region
-- add nothing that the rules could use: a code that a crowd passes around does not fill the table.
CREATE FUNCTION public_note_sightings(numbers bigint[], gtins text[], regions text[], visitors bytea[], states smallint[],
                                      seen_at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE found integer;
BEGIN
    INSERT INTO code_sighting AS c (number, on_day, region, visitor, gtin, state, n, first_at)
    SELECT t.number, seen_at::date, t.region, t.visitor, max(t.gtin), max(t.state), count(*), seen_at
    FROM unnest(numbers, gtins, regions, visitors, states) AS t (number, gtin, region, visitor, state)
    WHERE (SELECT count(*) FROM (SELECT FROM code_sighting k WHERE k.number = t.number AND k.on_day = seen_at::date
                                   AND k.region = t.region LIMIT 500) AS kept) < 500
    GROUP BY t.number, t.region, t.visitor ORDER BY t.number, t.region, t.visitor
    ON CONFLICT ON CONSTRAINT code_sighting_pkey DO UPDATE SET n = c.n + excluded.n, state = excluded.state;
    INSERT INTO unusual_finding (number, gtin, rule, effect, counted, within_days, found_at)
    SELECT u.number, u.gtin, u.rule, u.effect, u.counted, u.within_days, seen_at
    FROM unusual_counts(numbers, seen_at) AS u JOIN unusual_rule r USING (rule)
    WHERE u.counted >= r.threshold
      AND NOT EXISTS (SELECT FROM unusual_finding f WHERE f.number = u.number AND f.rule = u.rule AND f.cleared_at IS NULL)
    ORDER BY u.number, u.rule
    ON CONFLICT (number, rule) WHERE cleared_at IS NULL DO NOTHING;
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found > 0 THEN
        PERFORM ask_for_job('shoppers.tell_of_unusual', '{}', 'all');
    END IF;
END $$;

CREATE FUNCTION public_take_report(p_reference text, p_gtin text, p_lot text, p_serial text, p_kind text, p_words text,
                                   p_contact text, p_language text, p_photo bytea, p_at timestamptz, p_open_max integer)
    RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF (SELECT count(*) FROM (SELECT FROM problem_report WHERE state = 'new' LIMIT p_open_max) AS o) >= p_open_max THEN
        RETURN false;
    END IF;
    INSERT INTO problem_report (reference, gtin, lot, serial, kind, words, contact, language, photo, taken_at)
    VALUES (p_reference, p_gtin, p_lot, p_serial, p_kind, p_words, p_contact, p_language, p_photo, p_at);
    RETURN true;
END $$;

-- The same answer whether the address asked before or not: nobody learns by it who is told of what.
CREATE FUNCTION public_ask_alert(p_email text, p_gtin text, p_lot text, p_language text, p_at timestamptz,
                                 p_per_email_max integer, p_open_max integer)
    RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE asked bigint;
BEGIN
    IF (SELECT count(*) FROM recall_alert WHERE lower(email) = lower(p_email) AND ended_at IS NULL) >= p_per_email_max
       OR (SELECT count(*) FROM (SELECT FROM recall_alert WHERE confirmed_at IS NULL AND ended_at IS NULL
                                 LIMIT p_open_max) AS o) >= p_open_max THEN
        RETURN false;
    END IF;
    INSERT INTO recall_alert AS a (email, gtin, lot, language, asked_at) VALUES (p_email, p_gtin, p_lot, p_language, p_at)
    ON CONFLICT (lower(email), gtin, lot) WHERE ended_at IS NULL
        DO UPDATE SET asked_at = excluded.asked_at
        WHERE a.confirmed_at IS NULL AND a.asked_at < excluded.asked_at - interval '1 hour'
    RETURNING alert_id INTO asked;
    IF asked IS NOT NULL THEN
        PERFORM ask_for_job('shoppers.confirm_alert', jsonb_build_object('alert_id', asked), asked::text);
    END IF;
    RETURN true;
END $$;
CREATE FUNCTION public_confirm_alert(p_alert bigint, p_at timestamptz) RETURNS TABLE (gtin text, lot text)
    LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$
    UPDATE recall_alert a SET confirmed_at = coalesce(a.confirmed_at, p_at)
    WHERE a.alert_id = p_alert AND a.ended_at IS NULL RETURNING a.gtin, a.lot $$;
CREATE FUNCTION public_end_alert(p_alert bigint, p_at timestamptz) RETURNS TABLE (gtin text, lot text)
    LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$
    UPDATE recall_alert a SET email = NULL, ended_at = coalesce(a.ended_at, p_at)
    WHERE a.alert_id = p_alert RETURNING a.gtin, a.lot $$;

CREATE VIEW public_shelf AS SELECT version FROM shelf;
CREATE VIEW public_link AS
    SELECT l.link_id, l.gtin, l.cpv, l.lot, l.type, l.target, l.title, l.languages, l.media_type, l.valid_from, l.valid_until
    FROM resolver_link l JOIN link_host h USING (host) WHERE l.removed_at IS NULL AND h.allowed_by IS NOT NULL;
CREATE VIEW public_unusual AS
    SELECT finding_id, number, rule, counted, within_days FROM unusual_finding
    WHERE cleared_at IS NULL AND effect = 'verdict';
-- A case that was taken back is remembered. The closing reason is for staff; what the public may read is written for it.
ALTER TABLE recall_case ADD COLUMN public_reason text;
CREATE VIEW public_cancelled_case AS
    SELECT number, kind, title, texts, closed_at AS cancelled_at, public_reason AS reason FROM recall_case
    WHERE state = 'cancelled' AND version > 0 AND kind <> 'drill';

GRANT SELECT ON public_shelf, public_link, public_unusual, public_cancelled_case TO tracemark_portal;
GRANT EXECUTE ON FUNCTION public_note_sightings, public_take_report, public_ask_alert, public_confirm_alert,
    public_end_alert TO tracemark_portal;
