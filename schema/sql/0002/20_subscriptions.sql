-- Tokens of pages that were given back before their time (EPCIS 2.0: DELETE /nextPageToken).
CREATE TABLE ended_page_token (
    token_hash bytea NOT NULL,                 -- SHA-256
    until      timestamptz NOT NULL,           -- when it would have ended by itself
    CONSTRAINT ended_page_token_pkey PRIMARY KEY (token_hash)
);

-- Which events were recorded together. Ids of events are taken before their transaction commits, so "all beyond id N" would
-- pass over what commits late. An arrival gets its number when somebody sees it (under a lock), so numbers go by commit.
CREATE TABLE event_arrival (
    arrival_id bigint GENERATED ALWAYS AS IDENTITY,
    event_ids  bigint[] NOT NULL,
    number     bigint,                         -- NULL = nobody has looked yet
    CONSTRAINT event_arrival_pkey PRIMARY KEY (arrival_id)
);
CREATE UNIQUE INDEX event_arrival_number ON event_arrival (number);
CREATE INDEX event_arrival_new ON event_arrival (arrival_id) WHERE number IS NULL;
CREATE SEQUENCE event_arrival_numbers;

CREATE FUNCTION note_arrival() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO event_arrival (event_ids) SELECT array_agg(event_id ORDER BY event_id) FROM added HAVING count(*) > 0;
    RETURN NULL;
END
$$;
CREATE TRIGGER event_arrives AFTER INSERT ON event REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION note_arrival();

CREATE TABLE event_subscription (              -- a kept question whose new answers are sent to an address
    subscription_id uuid NOT NULL,
    query_name      text COLLATE "C" NOT NULL,
    dest            text NOT NULL,
    sealed_token    bytea,                     -- the receiver's signatureToken, under the master secret
    schedule        jsonb,                     -- NULL = stream: whenever something fits
    report_if_empty boolean NOT NULL,
    initial_record_time timestamptz,           -- only what was recorded from then on
    created_at      timestamptz NOT NULL,
    created_by      text NOT NULL,
    next_at         timestamptz,               -- of a schedule
    after_number    bigint NOT NULL,           -- arrivals up to here were looked at
    first_number    bigint NOT NULL,           -- arrivals up to here were there when it began
    past_after      bigint NOT NULL,           -- events that were there when it began: looked at up to this id …
    past_until      bigint NOT NULL,           -- … of those up to this one
    looked_at       timestamptz,
    reports         bigint NOT NULL DEFAULT 0,
    ended_reason    text,                      -- the receiver said 410: nothing is sent any more
    CONSTRAINT event_subscription_pkey PRIMARY KEY (subscription_id),
    CONSTRAINT event_subscription_query_fkey FOREIGN KEY (query_name) REFERENCES event_query ON DELETE CASCADE
);
CREATE INDEX event_subscription_query ON event_subscription (query_name);

CREATE TABLE event_report (                    -- the outbox: one message to one receiver
    report_id       uuid NOT NULL,
    subscription_id uuid NOT NULL,
    number          bigint NOT NULL,
    event_ids       bigint[] NOT NULL,
    made_at         timestamptz NOT NULL,
    state           text NOT NULL DEFAULT 'waiting',
    attempts        integer NOT NULL DEFAULT 0,
    last_at         timestamptz,
    last_reason     text,
    CONSTRAINT event_report_pkey PRIMARY KEY (report_id),
    CONSTRAINT event_report_number_key UNIQUE (subscription_id, number),
    CONSTRAINT event_report_subscription_fkey FOREIGN KEY (subscription_id) REFERENCES event_subscription ON DELETE CASCADE,
    CONSTRAINT event_report_state_check CHECK (state IN ('waiting', 'delivered', 'refused'))
);
