-- The record of what happened. event is the only table that is never derived: everything below it can be rebuilt.

CREATE TABLE event (
    event_id      bigint GENERATED ALWAYS AS IDENTITY,
    type          text NOT NULL,
    action        text,
    event_time    timestamptz NOT NULL,
    event_offset  text NOT NULL,
    record_time   timestamptz NOT NULL,
    biz_step      text, disposition text,
    read_point_id bigint, biz_location_id bigint,
    source_id     text NOT NULL,               -- eventID, or the event hash (ni:///sha-256;…) when the document has none
    hash          text NOT NULL,               -- of the content: the same fact told twice is one fact
    body          jsonb NOT NULL,              -- the event whole, as it was told
    captured_by   text NOT NULL,
    capture_id    uuid,
    CONSTRAINT event_pkey PRIMARY KEY (event_id),
    CONSTRAINT event_type_check CHECK (type IN
        ('ObjectEvent', 'AggregationEvent', 'TransactionEvent', 'TransformationEvent', 'AssociationEvent'))
);
CREATE INDEX event_record_time ON event USING brin (record_time);
CREATE INDEX event_hash ON event (hash);
CREATE INDEX event_source_id ON event (source_id);
-- Questions about events (ledger/event_query_store.py): pages by event time, by step, disposition and place; the few events
-- that say a declaration of error or a persistent disposition, and the transformations that have a name.
CREATE INDEX event_event_time ON event (event_time, event_id);
CREATE INDEX event_biz_step ON event (biz_step, event_id) WHERE biz_step IS NOT NULL;
CREATE INDEX event_disposition ON event (disposition, event_id) WHERE disposition IS NOT NULL;
CREATE INDEX event_read_point ON event (read_point_id, event_id) WHERE read_point_id IS NOT NULL;
CREATE INDEX event_biz_location ON event (biz_location_id, event_id) WHERE biz_location_id IS NOT NULL;
CREATE INDEX event_declaration ON event (event_id) WHERE body ? 'errorDeclaration';
CREATE INDEX event_persistent ON event (event_id) WHERE body ? 'persistentDisposition';
CREATE INDEX event_transformation ON event ((body ->> 'transformationID'), event_id) WHERE body ->> 'transformationID' IS NOT NULL;

-- One row per fact. A declaration of error carries the eventID of the event that it declares wrong (EPCIS 2.0, 7.4.1.4),
-- so the key is the id together with whether it is a declaration.
CREATE TABLE event_key (
    source_id   text NOT NULL,
    declaration boolean NOT NULL,
    event_id    bigint NOT NULL,
    CONSTRAINT event_key_pkey PRIMARY KEY (source_id, declaration)
);

CREATE TABLE event_query (                     -- a question about events, kept under a name (EPCIS 2.0: named queries)
    name       text COLLATE "C" NOT NULL,
    query      jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    CONSTRAINT event_query_pkey PRIMARY KEY (name)
);

CREATE TABLE event_declared_wrong (            -- facts are appended: the wrong event stays, this row says it is wrong
    event_id    bigint NOT NULL,
    by_event_id bigint NOT NULL,
    reason      text,
    CONSTRAINT event_declared_wrong_pkey PRIMARY KEY (event_id),
    CONSTRAINT event_declared_wrong_event_fkey FOREIGN KEY (event_id) REFERENCES event,
    CONSTRAINT event_declared_wrong_by_fkey FOREIGN KEY (by_event_id) REFERENCES event
);

-- Which lots and units an event names: from here a late or a wrong event finds what has to be replayed.
CREATE TABLE event_thing (
    event_id bigint NOT NULL, lot_id bigint, unit_id bigint,
    CONSTRAINT event_thing_check CHECK ((lot_id IS NULL) <> (unit_id IS NULL))
);
CREATE INDEX event_thing_lot ON event_thing (lot_id, event_id) WHERE lot_id IS NOT NULL;
CREATE INDEX event_thing_unit ON event_thing (unit_id, event_id) WHERE unit_id IS NOT NULL;
CREATE INDEX event_thing_event ON event_thing (event_id);

CREATE TABLE capture (                         -- one document taken in: the job resource of EPCIS 2.0
    capture_id  uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    finished_at timestamptz,
    behaviour   text NOT NULL,
    running     boolean NOT NULL,
    success     boolean NOT NULL,
    events      integer NOT NULL DEFAULT 0,     -- newly recorded
    known       integer NOT NULL DEFAULT 0,     -- told before, unchanged
    errors      jsonb NOT NULL DEFAULT '[]',
    warnings    jsonb NOT NULL DEFAULT '[]',
    captured_by text NOT NULL,
    CONSTRAINT capture_pkey PRIMARY KEY (capture_id),
    CONSTRAINT capture_behaviour_check CHECK (behaviour IN ('rollback', 'proceed'))
);

-- Numbers: every serialized thing has one 8-byte number below 2^60. A label job owns [lo, lo + n) and its printed serials
-- are a keyed permutation of the numbers; serials from outside get numbers from blocks of kind 'foreign'.
CREATE TABLE number_block (
    lo        bigint NOT NULL,
    n         bigint NOT NULL,
    kind      text NOT NULL,
    gtin      text,                            -- of the label job; NULL for foreign blocks
    lot_id    bigint,
    key_epoch integer,
    skipped   bigint[] NOT NULL DEFAULT '{}',  -- numbers never issued (offensive words, clashes with an older key)
    changed_in bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    CONSTRAINT number_block_pkey PRIMARY KEY (lo),
    CONSTRAINT number_block_n_check CHECK (n > 0 AND lo >= 0 AND lo + n <= 1::bigint << 60),
    CONSTRAINT number_block_kind_check CHECK (kind IN ('label', 'foreign')),
    CONSTRAINT number_block_lot_fkey FOREIGN KEY (lot_id) REFERENCES lot
);
CREATE INDEX number_block_changed_in ON number_block (changed_in);
CREATE TABLE number_allocator (single boolean NOT NULL DEFAULT true, next bigint NOT NULL,
    CONSTRAINT number_allocator_pkey PRIMARY KEY (single), CONSTRAINT number_allocator_only_check CHECK (single));
INSERT INTO number_allocator (next) VALUES (1);

CREATE TABLE foreign_serial (
    gtin   text NOT NULL,
    serial text NOT NULL,
    number bigint NOT NULL,
    changed_in bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    CONSTRAINT foreign_serial_pkey PRIMARY KEY (gtin, serial),
    CONSTRAINT foreign_serial_number_key UNIQUE (number)
);
CREATE INDEX foreign_serial_changed_in ON foreign_serial (changed_in);

CREATE TABLE code_key (                        -- root key of an epoch, wrapped by the installation's master secret
    epoch      integer NOT NULL,
    wrapped    bytea NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT code_key_pkey PRIMARY KEY (epoch)
);

-- Logistic units and other parents (SSCC, a serialized case, a returnable crate …).
CREATE TABLE unit (
    unit_id     bigint GENERATED ALWAYS AS IDENTITY,
    uri         text NOT NULL,
    sscc        text,
    number      bigint,                        -- when the parent is itself a serialized item
    parent_id   bigint,
    since       timestamptz NOT NULL,
    event_id    bigint NOT NULL,
    place_id    bigint NOT NULL DEFAULT 0,
    owner_id    bigint NOT NULL DEFAULT 0,
    disposition text,
    CONSTRAINT unit_pkey PRIMARY KEY (unit_id),
    CONSTRAINT unit_uri_key UNIQUE (uri),
    CONSTRAINT unit_parent_fkey FOREIGN KEY (parent_id) REFERENCES unit (unit_id),
    CONSTRAINT unit_parent_check CHECK (parent_id <> unit_id)
);
CREATE INDEX unit_parent ON unit (parent_id) WHERE parent_id IS NOT NULL;
CREATE UNIQUE INDEX unit_sscc_key ON unit (sscc) WHERE sscc IS NOT NULL;
CREATE UNIQUE INDEX unit_number_key ON unit (number) WHERE number IS NOT NULL;

CREATE TABLE unit_history (                    -- the rows that a unit had before: who had it, and in what, when
    unit_id bigint NOT NULL, parent_id bigint, since timestamptz NOT NULL, until timestamptz NOT NULL,
    event_id bigint NOT NULL, place_id bigint NOT NULL, owner_id bigint NOT NULL, disposition text
);
CREATE INDEX unit_history_unit ON unit_history (unit_id, since);
CREATE INDEX unit_history_parent ON unit_history (parent_id, since) WHERE parent_id IS NOT NULL;
CREATE INDEX unit_history_place ON unit_history (place_id, since);

CREATE TABLE unit_quantity (                   -- what a unit holds of a lot by class (10,000 KGM of steaks), not by serial
    unit_id bigint NOT NULL, lot_id bigint NOT NULL, uom text NOT NULL DEFAULT '', quantity numeric NOT NULL,
    CONSTRAINT unit_quantity_pkey PRIMARY KEY (unit_id, lot_id, uom),
    CONSTRAINT unit_quantity_unit_fkey FOREIGN KEY (unit_id) REFERENCES unit,
    CONSTRAINT unit_quantity_lot_fkey FOREIGN KEY (lot_id) REFERENCES lot,
    CONSTRAINT unit_quantity_check CHECK (quantity > 0)
);
CREATE INDEX unit_quantity_lot ON unit_quantity (lot_id);

-- Current state of runs of consecutive numbers with the same fate. Runs never overlap: the writer holds an advisory lock
-- per lot (an exclusion constraint costs 17 times the insert speed), and `tracemark doctor` checks it.
CREATE TABLE code_run (
    lo          bigint NOT NULL,
    n           bigint NOT NULL,
    lot_id      bigint NOT NULL,
    unit_id     bigint,                        -- NULL = loose; a packed run's place and owner are its outermost unit's
    since       timestamptz NOT NULL,
    event_id    bigint NOT NULL,
    place_id    bigint NOT NULL DEFAULT 0,
    owner_id    bigint NOT NULL DEFAULT 0,
    disposition text,
    changed_in  bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    CONSTRAINT code_run_pkey PRIMARY KEY (lo),
    CONSTRAINT code_run_n_check CHECK (n > 0),
    CONSTRAINT code_run_lot_fkey FOREIGN KEY (lot_id) REFERENCES lot
);
CREATE INDEX code_run_lot ON code_run (lot_id);
CREATE INDEX code_run_unit ON code_run (unit_id) WHERE unit_id IS NOT NULL;
CREATE INDEX code_run_changed_in ON code_run (changed_in);

CREATE TABLE code_run_history (
    lo bigint NOT NULL, n bigint NOT NULL, lot_id bigint NOT NULL, unit_id bigint, since timestamptz NOT NULL,
    until timestamptz NOT NULL, event_id bigint NOT NULL, place_id bigint NOT NULL, owner_id bigint NOT NULL, disposition text
);
-- Look-ups by number go through size classes (n up to 32, up to 1024, …): a btree then answers "which rows cover x".
CREATE INDEX code_run_history_small ON code_run_history (lo) WHERE n <= 32;
CREATE INDEX code_run_history_medium ON code_run_history (lo) WHERE n > 32 AND n <= 1024;
CREATE INDEX code_run_history_large ON code_run_history (lo) WHERE n > 1024;
-- Emptying a lot before its events are written anew.
CREATE INDEX code_run_history_lot ON code_run_history (lot_id);
CREATE INDEX code_run_history_unit ON code_run_history (unit_id, since) WHERE unit_id IS NOT NULL;

-- Counts: what quantity of which lot is where, whose, in what state. Posted as debit and credit in the capture's own
-- transaction; serialized items count in uom '' (pieces). Rows are locked in key order, so postings cannot deadlock.
CREATE TABLE lot_holding (
    lot_id      bigint NOT NULL,
    place_id    bigint NOT NULL,
    owner_id    bigint NOT NULL,
    disposition text NOT NULL,
    uom         text NOT NULL DEFAULT '',
    quantity    numeric NOT NULL,
    since       timestamptz NOT NULL,
    CONSTRAINT lot_holding_pkey PRIMARY KEY (lot_id, place_id, owner_id, disposition, uom),
    CONSTRAINT lot_holding_lot_fkey FOREIGN KEY (lot_id) REFERENCES lot
) WITH (fillfactor = 70);

-- The part of lot_holding that was told by lot and quantity and is in no unit. lot_holding is always the sum of the runs
-- and the unit_quantity at their outermost units and of this; a row here is below zero where pieces that are known by
-- serial were moved by their count only, until somebody tells their serials. Rows of quantity 0 stay: their time says which
-- events would come too late to be written behind them (disposition 'taken' at the unknown place: the last count taken).
CREATE TABLE loose_quantity (
    lot_id      bigint NOT NULL,
    place_id    bigint NOT NULL,
    owner_id    bigint NOT NULL,
    disposition text NOT NULL,
    uom         text NOT NULL DEFAULT '',
    quantity    numeric NOT NULL,
    since       timestamptz NOT NULL,
    CONSTRAINT loose_quantity_pkey PRIMARY KEY (lot_id, place_id, owner_id, disposition, uom),
    CONSTRAINT loose_quantity_lot_fkey FOREIGN KEY (lot_id) REFERENCES lot
) WITH (fillfactor = 70);

-- What went out with which document, so that a notice can say what was shipped to whom and when.
CREATE TABLE lot_shipment (
    event_id    bigint NOT NULL,
    lot_id      bigint NOT NULL,
    uom         text NOT NULL DEFAULT '',
    quantity    numeric NOT NULL,
    from_owner_id bigint NOT NULL, to_owner_id bigint NOT NULL,
    from_place_id bigint NOT NULL, to_place_id bigint NOT NULL,
    at          timestamptz NOT NULL,
    documents   text[] NOT NULL DEFAULT '{}',
    CONSTRAINT lot_shipment_pkey PRIMARY KEY (event_id, lot_id, uom, to_owner_id, to_place_id),
    CONSTRAINT lot_shipment_lot_fkey FOREIGN KEY (lot_id) REFERENCES lot
);
CREATE INDEX lot_shipment_lot ON lot_shipment (lot_id);

-- Genealogy: an operation used up inputs and made outputs. Bipartite, so a premix of 40 inputs and 500 outputs is 540
-- rows, not 20,000; and a transformationID may tell its inputs and outputs in different events.
CREATE TABLE operation (
    operation_id      bigint GENERATED ALWAYS AS IDENTITY,
    transformation_id text,
    event_id          bigint NOT NULL,
    place_id          bigint NOT NULL DEFAULT 0,
    line text, team text, operator text, equipment text,
    parameters        jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT operation_pkey PRIMARY KEY (operation_id),
    CONSTRAINT operation_transformation_key UNIQUE (transformation_id)
);
CREATE TABLE operation_input (
    operation_id bigint NOT NULL, lot_id bigint NOT NULL, at timestamptz NOT NULL, event_id bigint NOT NULL,
    quantity numeric, uom text NOT NULL DEFAULT '', lo bigint, n bigint,   -- lo, n: the very items, when told by serial
    CONSTRAINT operation_input_operation_fkey FOREIGN KEY (operation_id) REFERENCES operation,
    CONSTRAINT operation_input_lot_fkey FOREIGN KEY (lot_id) REFERENCES lot
);
CREATE TABLE operation_output (
    operation_id bigint NOT NULL, lot_id bigint NOT NULL, at timestamptz NOT NULL, event_id bigint NOT NULL,
    quantity numeric, uom text NOT NULL DEFAULT '', lo bigint, n bigint,
    CONSTRAINT operation_output_operation_fkey FOREIGN KEY (operation_id) REFERENCES operation,
    CONSTRAINT operation_output_lot_fkey FOREIGN KEY (lot_id) REFERENCES lot
);
-- The closure walks lot -> operation -> lot in both directions on these four, index only; lo stands before at, so that
-- what was told by quantity (lo IS NULL) is found without reading what was told by serial.
CREATE INDEX operation_input_lot ON operation_input (lot_id, lo, at) INCLUDE (operation_id, event_id, n);
CREATE INDEX operation_input_operation ON operation_input (operation_id) INCLUDE (lot_id, at, event_id, lo, n);
CREATE INDEX operation_output_lot ON operation_output (lot_id, lo, at) INCLUDE (operation_id, event_id, n);
CREATE INDEX operation_output_operation ON operation_output (operation_id) INCLUDE (lot_id, at, event_id, lo, n);
-- Parts of lots: which operations used or made any of these numbers. Only rows that were told by serial pay for it.
CREATE INDEX operation_input_numbers ON operation_input USING gist (int8range(lo, lo + n)) WHERE lo IS NOT NULL;
CREATE INDEX operation_output_numbers ON operation_output USING gist (int8range(lo, lo + n)) WHERE lo IS NOT NULL;
CREATE INDEX operation_event ON operation (event_id);

-- Persistent dispositions (EPCIS 2.0): survive later events until unset. lo/n NULL = the whole lot.
CREATE TABLE persistent_disposition (
    lot_id bigint NOT NULL, lo bigint, n bigint, word text NOT NULL, set_by bigint NOT NULL, unset_by bigint,
    at timestamptz NOT NULL,
    CONSTRAINT persistent_disposition_lot_fkey FOREIGN KEY (lot_id) REFERENCES lot
);
CREATE INDEX persistent_disposition_lot ON persistent_disposition (lot_id);

CREATE TABLE inspection (                      -- the incoming gate: what was looked at, with what result
    inspection_id bigint GENERATED ALWAYS AS IDENTITY,
    lot_id bigint NOT NULL, at timestamptz NOT NULL, result text NOT NULL, report text, inspector text,
    measurements jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT inspection_pkey PRIMARY KEY (inspection_id),
    CONSTRAINT inspection_lot_fkey FOREIGN KEY (lot_id) REFERENCES lot,
    CONSTRAINT inspection_result_check CHECK (result IN ('passed', 'failed', 'pending'))
);
CREATE INDEX inspection_lot ON inspection (lot_id);
