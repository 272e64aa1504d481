-- Openings of codes. Coarse on purpose: no address, no place finer than a country, visitor only as a hash salted per day.
CREATE TABLE code_check (
    number bigint NOT NULL, n integer NOT NULL, first_at timestamptz NOT NULL, last_at timestamptz NOT NULL,
    last_visitor bytea,
    CONSTRAINT code_check_pkey PRIMARY KEY (number)
) WITH (fillfactor = 70);
CREATE TABLE scan_log (
    at timestamptz NOT NULL, gtin text, lot_id bigint, number bigint, verdict text NOT NULL, language text, client text
);
CREATE INDEX scan_log_at ON scan_log USING brin (at);
