-- Label jobs. No row per code: a job owns a block of numbers, and what happened to its labels stands in ranges.
CREATE TABLE label_job (
    job_id          bigint GENERATED ALWAYS AS IDENTITY,
    product_id      bigint NOT NULL,
    lot_id          bigint NOT NULL,
    count           bigint NOT NULL,
    number_lo       bigint NOT NULL,           -- its block in number_block; label k is the k-th number that is not skipped
    template        text NOT NULL,
    base_url        text NOT NULL,             -- as printed: a later change of the setting does not change codes in the world
    lot_in_link     boolean NOT NULL DEFAULT false,
    best_before_on  date,
    state           text NOT NULL DEFAULT 'ordered',
    idempotency_key text,
    reprint_of      bigint,
    ordered_by      text NOT NULL,
    ordered_at      timestamptz NOT NULL,
    CONSTRAINT label_job_pkey PRIMARY KEY (job_id),
    CONSTRAINT label_job_number_key UNIQUE (number_lo),
    CONSTRAINT label_job_idempotency_key UNIQUE (idempotency_key),
    CONSTRAINT label_job_product_fkey FOREIGN KEY (product_id) REFERENCES product,
    CONSTRAINT label_job_lot_fkey FOREIGN KEY (lot_id) REFERENCES lot,
    CONSTRAINT label_job_block_fkey FOREIGN KEY (number_lo) REFERENCES number_block (lo),
    CONSTRAINT label_job_reprint_fkey FOREIGN KEY (reprint_of) REFERENCES label_job (job_id),
    CONSTRAINT label_job_state_check CHECK (state IN ('ordered', 'released', 'cancelled')),
    CONSTRAINT label_job_count_check CHECK (count > 0)
);
CREATE TABLE label_output (                    -- one rendering that was read back and released
    output_id  bigint GENERATED ALWAYS AS IDENTITY,
    job_id     bigint NOT NULL, format text NOT NULL, path text NOT NULL, sha256 text NOT NULL, bytes bigint NOT NULL,
    label_first bigint NOT NULL, label_last bigint NOT NULL, verified bigint NOT NULL, report jsonb NOT NULL,
    made_by text NOT NULL, made_at timestamptz NOT NULL,
    CONSTRAINT label_output_pkey PRIMARY KEY (output_id),
    CONSTRAINT label_output_job_fkey FOREIGN KEY (job_id) REFERENCES label_job (job_id)
);
CREATE INDEX label_output_job ON label_output (job_id);
CREATE TABLE label_range (                     -- what became of the labels first..last of a job; ranges never overlap
    job_id bigint NOT NULL, label_first bigint NOT NULL, label_last bigint NOT NULL,
    state text NOT NULL, reason text, by_actor text NOT NULL, at timestamptz NOT NULL, event_id bigint,
    replaced_by_job_id bigint,
    CONSTRAINT label_range_pkey PRIMARY KEY (job_id, label_first),
    CONSTRAINT label_range_job_fkey FOREIGN KEY (job_id) REFERENCES label_job (job_id),
    CONSTRAINT label_range_order_check CHECK (label_first >= 1 AND label_last >= label_first),
    CONSTRAINT label_range_state_check CHECK (state IN ('commissioned', 'void'))
);
-- Numbers whose labels were voided: a scan of one is told so, also when the item had been commissioned before.
CREATE TABLE void_code (
    lo bigint NOT NULL, n bigint NOT NULL, at timestamptz NOT NULL,
    changed_in bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    CONSTRAINT void_code_pkey PRIMARY KEY (lo), CONSTRAINT void_code_n_check CHECK (n > 0)
);
CREATE INDEX void_code_changed_in ON void_code (changed_in);
