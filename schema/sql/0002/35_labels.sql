-- Labels: replaced codes, a brand's own templates, SSCC series, packs and deliveries, checks on the line.

-- An item got a new label: its old number stays in the chain, and whoever asks for the old one is led to the new one.
CREATE TABLE replaced_code (
    number    bigint NOT NULL,
    by_number bigint NOT NULL,
    lot_id    bigint NOT NULL,
    at        timestamptz NOT NULL,
    CONSTRAINT replaced_code_pkey PRIMARY KEY (number),
    CONSTRAINT replaced_code_by_key UNIQUE (by_number),
    CONSTRAINT replaced_code_lot_fkey FOREIGN KEY (lot_id) REFERENCES lot,
    CONSTRAINT replaced_code_other_check CHECK (number <> by_number)
);

-- 1 active, 2 blocked (destroyed, disposed of, stolen), 3 out of service
CREATE OR REPLACE VIEW public_code_run AS
    SELECT lo, n, lot_id, changed_in,
           CASE WHEN disposition IN ('destroyed', 'disposed', 'stolen') THEN 2
                WHEN disposition IN ('inactive', 'urn:tracemark:epcis:replaced') THEN 3 ELSE 1 END::smallint AS status
    FROM code_run;

-- A closed case still names what it named: the goods that nobody brought back are no better for it. A case that names an
-- item by an old label names it by its new one too: the goods are the same. (Each number has one successor: no circles,
-- because a new number is always a fresh one.)
CREATE OR REPLACE VIEW public_recall_scope AS
    SELECT p.case_id, a.lot_id, NULL::bigint AS lo, NULL::bigint AS n
    FROM publication p JOIN affected_lot a USING (affected_set_id) WHERE a.whole
    UNION ALL
    SELECT p.case_id, r.lot_id, r.lo, r.n FROM publication p JOIN affected_run r USING (affected_set_id)
    UNION ALL
    (WITH RECURSIVE renewed (case_id, lot_id, number) AS (
        SELECT p.case_id, r.lot_id, c.by_number
        FROM publication p JOIN affected_run r USING (affected_set_id)
        JOIN replaced_code c ON c.number >= r.lo AND c.number < r.lo + r.n
      UNION
        SELECT n.case_id, n.lot_id, c.by_number FROM renewed n JOIN replaced_code c ON c.number = n.number
    )
    SELECT case_id, lot_id, number, 1::bigint FROM renewed);

CREATE TABLE label_template (                  -- a brand's own; those that come with the program stand in its files
    name     text NOT NULL,
    measures jsonb NOT NULL,
    page     text NOT NULL,
    style    text NOT NULL,
    added_by text NOT NULL,
    added_at timestamptz NOT NULL,
    CONSTRAINT label_template_pkey PRIMARY KEY (name),
    CONSTRAINT label_template_name_check CHECK (name ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$')
);
CREATE TABLE product_label (                   -- on what the labels of a product are printed unless an order says otherwise
    product_id bigint NOT NULL,
    template   text NOT NULL,
    CONSTRAINT product_label_pkey PRIMARY KEY (product_id),
    CONSTRAINT product_label_product_fkey FOREIGN KEY (product_id) REFERENCES product
);

-- SSCCs are taken from a series and never given back: a number that was printed once is used up.
CREATE TABLE sscc_series (
    company_prefix text NOT NULL,
    extension      smallint NOT NULL,
    next           bigint NOT NULL DEFAULT 0,
    CONSTRAINT sscc_series_pkey PRIMARY KEY (company_prefix, extension),
    CONSTRAINT sscc_series_prefix_check CHECK (company_prefix ~ '^[0-9]{4,12}$'),
    CONSTRAINT sscc_series_extension_check CHECK (extension BETWEEN 0 AND 9)
);
CREATE TABLE logistics_job (
    logistics_job_id bigint GENERATED ALWAYS AS IDENTITY,
    kind            text NOT NULL,
    company_prefix  text NOT NULL,
    extension       smallint NOT NULL,
    serial_lo       bigint NOT NULL,           -- its references are serial_lo … serial_lo + count - 1
    count           integer NOT NULL,
    base_url        text NOT NULL,
    idempotency_key text,
    commissioned_event_id bigint,
    ordered_by      text NOT NULL,
    ordered_at      timestamptz NOT NULL,
    CONSTRAINT logistics_job_pkey PRIMARY KEY (logistics_job_id),
    CONSTRAINT logistics_job_series_key UNIQUE (company_prefix, extension, serial_lo),
    CONSTRAINT logistics_job_idempotency_key UNIQUE (idempotency_key),
    CONSTRAINT logistics_job_series_fkey FOREIGN KEY (company_prefix, extension) REFERENCES sscc_series,
    CONSTRAINT logistics_job_kind_check CHECK (kind IN ('case', 'pallet')),
    CONSTRAINT logistics_job_count_check CHECK (count > 0)
);

CREATE TABLE label_delivery (                  -- who has the codes of a job, by what receipt
    delivery_id bigint GENERATED ALWAYS AS IDENTITY,
    job_id      bigint NOT NULL,
    to_name     text NOT NULL,
    receipt     text NOT NULL,
    by_actor    text NOT NULL,
    at          timestamptz NOT NULL,
    CONSTRAINT label_delivery_pkey PRIMARY KEY (delivery_id),
    CONSTRAINT label_delivery_job_fkey FOREIGN KEY (job_id) REFERENCES label_job (job_id)
);
CREATE INDEX label_delivery_job ON label_delivery (job_id);

CREATE TABLE label_check (                     -- a label seen on a line in one session; the same one twice is an alarm
    session text NOT NULL,
    number  bigint NOT NULL,
    at      timestamptz NOT NULL,
    by_actor text NOT NULL,
    CONSTRAINT label_check_pkey PRIMARY KEY (session, number)
);
CREATE INDEX label_check_at ON label_check (at);

ALTER TABLE label_render                       -- how the sheets lie in the printer; only a PDF has sheets
    ADD COLUMN start_cell integer NOT NULL DEFAULT 1,
    ADD COLUMN right_mm double precision NOT NULL DEFAULT 0,
    ADD COLUMN down_mm double precision NOT NULL DEFAULT 0,
    ADD CONSTRAINT label_render_start_check CHECK (start_cell >= 1);
