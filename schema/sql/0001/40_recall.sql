-- Cases, their versions, frozen affected sets and the notices made from them.
CREATE TABLE recall_case (
    case_id      bigint GENERATED ALWAYS AS IDENTITY,
    number       text NOT NULL,                -- R-2026-0001; withdrawals W-…, drills D-…
    kind         text NOT NULL,
    state        text NOT NULL,
    version      integer NOT NULL DEFAULT 0,   -- of the last publication; 0 = never published
    title        text NOT NULL,
    hazard       text NOT NULL,
    hazard_class smallint NOT NULL,
    depth        text NOT NULL DEFAULT 'consumer',
    scope        jsonb NOT NULL DEFAULT '{}',  -- what the case names now; the scope of each version stands in its affected_set
    texts        jsonb NOT NULL DEFAULT '{}',  -- by language: title, hazard, actions[], remedies[]; authored, never machine-translated
    contact      jsonb NOT NULL DEFAULT '{}',  -- whom the public may call: name, phone, email, hours
    deadline_on  date,
    remedy       text NOT NULL DEFAULT 'return',
    opened_by text NOT NULL,  opened_at timestamptz NOT NULL,
    approved_by text,         approved_at timestamptz,
    published_by text,        published_at timestamptz,
    closed_by text,           closed_at timestamptz, closing_reason text,
    CONSTRAINT recall_case_pkey PRIMARY KEY (case_id),
    CONSTRAINT recall_case_number_key UNIQUE (number),
    CONSTRAINT recall_case_kind_check CHECK (kind IN ('recall', 'withdrawal', 'drill')),
    CONSTRAINT recall_case_state_check CHECK (state IN
        ('draft', 'in_review', 'approved', 'published', 'closing', 'closed', 'cancelled')),
    CONSTRAINT recall_case_class_check CHECK (hazard_class BETWEEN 1 AND 3),
    CONSTRAINT recall_case_depth_check CHECK (depth IN ('consumer', 'retail', 'wholesale')),
    CONSTRAINT recall_case_remedy_check CHECK (remedy IN ('return', 'destroy', 'repair', 'refund'))
);
CREATE TABLE recall_number (kind text NOT NULL, year integer NOT NULL, next integer NOT NULL,
    CONSTRAINT recall_number_pkey PRIMARY KEY (kind, year));

CREATE TABLE affected_set (                    -- immutable: the closure of a scope at a ledger revision
    affected_set_id bigint GENERATED ALWAYS AS IDENTITY,
    case_id      bigint NOT NULL,
    scope        jsonb NOT NULL,
    ledger_event bigint NOT NULL,              -- high-water mark: the last event that was seen
    hash         text NOT NULL,
    lots         integer NOT NULL, items numeric NOT NULL, owners integer NOT NULL,
    totals       jsonb NOT NULL,
    took_ms      integer NOT NULL,
    frozen_at    timestamptz NOT NULL,
    CONSTRAINT affected_set_pkey PRIMARY KEY (affected_set_id),
    CONSTRAINT affected_set_case_fkey FOREIGN KEY (case_id) REFERENCES recall_case
);
CREATE TABLE affected_lot (
    affected_set_id bigint NOT NULL, lot_id bigint NOT NULL,
    whole           boolean NOT NULL,          -- false: only the numbers in affected_run
    reached_at      timestamptz,               -- earliest instant from which it may be affected; NULL = named by the scope
    basis           text NOT NULL,
    via_operation_id bigint, from_lot_id bigint, -- the step that proves it
    CONSTRAINT affected_lot_pkey PRIMARY KEY (affected_set_id, lot_id),
    CONSTRAINT affected_lot_set_fkey FOREIGN KEY (affected_set_id) REFERENCES affected_set,
    CONSTRAINT affected_lot_lot_fkey FOREIGN KEY (lot_id) REFERENCES lot,
    CONSTRAINT affected_lot_basis_check CHECK (basis IN ('scope', 'proved', 'possible'))
);
CREATE INDEX affected_lot_lot ON affected_lot (lot_id);
CREATE TABLE affected_run (
    affected_set_id bigint NOT NULL, lot_id bigint NOT NULL, lo bigint NOT NULL, n bigint NOT NULL,
    CONSTRAINT affected_run_pkey PRIMARY KEY (affected_set_id, lo),
    CONSTRAINT affected_run_set_fkey FOREIGN KEY (affected_set_id) REFERENCES affected_set,
    CONSTRAINT affected_run_n_check CHECK (n > 0)
);
CREATE TABLE notice_line (                     -- one per owner x place x product x lot, frozen with its set
    affected_set_id bigint NOT NULL, line integer NOT NULL,
    channel text NOT NULL, owner_id bigint NOT NULL, place_id bigint NOT NULL, lot_id bigint NOT NULL,
    row jsonb NOT NULL,                        -- the columns of the contract, in their order
    CONSTRAINT notice_line_pkey PRIMARY KEY (affected_set_id, line),
    CONSTRAINT notice_line_set_fkey FOREIGN KEY (affected_set_id) REFERENCES affected_set
);
CREATE TABLE case_version (
    case_id bigint NOT NULL, version integer NOT NULL, affected_set_id bigint NOT NULL,
    change text NOT NULL, note text, texts jsonb NOT NULL, published_by text NOT NULL, published_at timestamptz NOT NULL,
    revision bigint,                           -- of the public record; NULL for a drill, which has none
    CONSTRAINT case_version_pkey PRIMARY KEY (case_id, version),
    CONSTRAINT case_version_case_fkey FOREIGN KEY (case_id) REFERENCES recall_case,
    CONSTRAINT case_version_set_fkey FOREIGN KEY (affected_set_id) REFERENCES affected_set,
    CONSTRAINT case_version_change_check CHECK (change IN ('initial', 'updated', 'widened', 'narrowed', 'closed', 'cancelled'))
);

-- An affected set is exact for a revision of the ledger only if no event is on its way in: this waits for the captures
-- that are running and lets the next ones wait until the case is published. Readers are not held up. (Staff may not
-- change events, and PostgreSQL gives such a lock only to those who may; hence the owner's rights.)
CREATE FUNCTION hold_ledger() RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    LOCK TABLE event IN SHARE ROW EXCLUSIVE MODE;
END $$;

-- The public record: what the portal shows. A drill can never enter (the check refuses it), by construction.
CREATE TABLE publication (
    case_id bigint NOT NULL, number text NOT NULL, version integer NOT NULL, kind text NOT NULL, state text NOT NULL,
    title text NOT NULL, hazard text NOT NULL, hazard_class smallint NOT NULL, texts jsonb NOT NULL, contact jsonb NOT NULL,
    published_at timestamptz NOT NULL, updated_at timestamptz NOT NULL, affected_set_id bigint NOT NULL, revision bigint NOT NULL,
    CONSTRAINT publication_pkey PRIMARY KEY (case_id),
    CONSTRAINT publication_case_fkey FOREIGN KEY (case_id) REFERENCES recall_case,
    CONSTRAINT publication_set_fkey FOREIGN KEY (affected_set_id) REFERENCES affected_set,
    CONSTRAINT publication_kind_check CHECK (kind IN ('recall', 'withdrawal')),
    CONSTRAINT publication_state_check CHECK (state IN ('published', 'closing', 'closed'))
);
CREATE TABLE public_record (single boolean NOT NULL DEFAULT true, revision bigint NOT NULL, changed_at timestamptz NOT NULL,
    CONSTRAINT public_record_pkey PRIMARY KEY (single), CONSTRAINT public_record_only_check CHECK (single));
INSERT INTO public_record (revision, changed_at) VALUES (1, now());
-- A number that leaves code_run leaves no row to be read as news: how often that happened tells a portal to load anew.
-- A row of its own, so that a long capture never makes the publishing of a recall wait.
CREATE TABLE code_run_loss (single boolean NOT NULL DEFAULT true, losses bigint NOT NULL,
    CONSTRAINT code_run_loss_pkey PRIMARY KEY (single), CONSTRAINT code_run_loss_only_check CHECK (single));
INSERT INTO code_run_loss (losses) VALUES (0);

-- The one way to change the public record: next revision, and a hint to every portal worker.
CREATE FUNCTION next_public_revision() RETURNS bigint LANGUAGE sql AS $$
    WITH bumped AS (UPDATE public_record SET revision = revision + 1, changed_at = now() RETURNING revision)
    SELECT revision FROM bumped, pg_notify('tracemark_revision', (SELECT revision::text FROM bumped))
$$;
