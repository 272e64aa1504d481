-- How notices travel, what was answered, and what is left to do before a case may close.
-- The row of a delivery is the truth about it; a job only says that there is something to do.

CREATE INDEX notice_line_owner ON notice_line (affected_set_id, owner_id); -- an owner's own lines, by set

CREATE TABLE recall_medium (                   -- how a party wants its notices besides mail
    party_id bigint NOT NULL, medium text NOT NULL,
    address  text NOT NULL,                    -- webhook: the address; file: the name of a folder
    key_number integer NOT NULL DEFAULT 1,     -- which of the secrets that follow from the master secret signs its messages
    changed_by text NOT NULL, changed_at timestamptz NOT NULL,
    CONSTRAINT recall_medium_pkey PRIMARY KEY (party_id, medium),
    CONSTRAINT recall_medium_party_fkey FOREIGN KEY (party_id) REFERENCES party,
    CONSTRAINT recall_medium_check CHECK (medium IN ('webhook', 'file', 'letter'))
);
CREATE TABLE drill_participant (               -- parties that agreed to be really told in drills
    party_id bigint NOT NULL,
    CONSTRAINT drill_participant_pkey PRIMARY KEY (party_id),
    CONSTRAINT drill_participant_party_fkey FOREIGN KEY (party_id) REFERENCES party
);

CREATE TABLE recall_recipient (                -- whom a case tells: owners, and the accounts that they name (sub-recall)
    recipient_id bigint GENERATED ALWAYS AS IDENTITY,
    case_id      bigint NOT NULL,
    owner_id     bigint,                       -- NULL: an account that another recipient named
    parent_id    bigint,                       -- the recipient who named it
    level        integer NOT NULL DEFAULT 0,   -- how many hands lie between
    name         text NOT NULL, gln text, channel text NOT NULL, address text NOT NULL DEFAULT '', language text,
    contact_name text NOT NULL DEFAULT '', email text NOT NULL DEFAULT '', phone text NOT NULL DEFAULT '',
    alternate_name text NOT NULL DEFAULT '', alternate_email text NOT NULL DEFAULT '', alternate_phone text NOT NULL DEFAULT '',
    quantity     numeric,                      -- of an account: how many pieces its parent says went there
    takes_part   boolean NOT NULL,             -- false: of a drill, and nobody is really told
    opened_at    timestamptz,                  -- when the link was first opened; a mail scanner may have done it
    added_by text NOT NULL, added_at timestamptz NOT NULL,
    CONSTRAINT recall_recipient_pkey PRIMARY KEY (recipient_id),
    CONSTRAINT recall_recipient_owner_key UNIQUE (case_id, owner_id),
    CONSTRAINT recall_recipient_account_key UNIQUE (parent_id, email),
    CONSTRAINT recall_recipient_case_fkey FOREIGN KEY (case_id) REFERENCES recall_case,
    CONSTRAINT recall_recipient_owner_fkey FOREIGN KEY (owner_id) REFERENCES party,
    CONSTRAINT recall_recipient_parent_fkey FOREIGN KEY (parent_id) REFERENCES recall_recipient,
    CONSTRAINT recall_recipient_kind_check CHECK ((owner_id IS NULL) = (parent_id IS NOT NULL)),
    CONSTRAINT recall_recipient_quantity_check CHECK (quantity >= 0)
);
CREATE INDEX recall_recipient_case ON recall_recipient (case_id, recipient_id);

CREATE TABLE recall_notice (                   -- what one recipient is told under one version: line numbers of its set
    notice_id    bigint GENERATED ALWAYS AS IDENTITY,
    case_id      bigint NOT NULL, version integer NOT NULL, change text NOT NULL,
    recipient_id bigint NOT NULL,
    affected_set_id bigint NOT NULL,
    before_set_id   bigint,
    lines         integer[] NOT NULL,          -- of affected_set_id: told as affected
    removed_lines integer[] NOT NULL DEFAULT '{}', -- of before_set_id: told as not affected any more
    is_delta      boolean NOT NULL,            -- the recipient was told before: this is only what changed
    made_at       timestamptz NOT NULL,
    revoked_at timestamptz, revoked_by text,   -- the link of this notice opens nothing any more
    CONSTRAINT recall_notice_pkey PRIMARY KEY (notice_id),
    CONSTRAINT recall_notice_once UNIQUE (recipient_id, version, change),
    CONSTRAINT recall_notice_case_fkey FOREIGN KEY (case_id) REFERENCES recall_case,
    CONSTRAINT recall_notice_recipient_fkey FOREIGN KEY (recipient_id) REFERENCES recall_recipient
);
CREATE INDEX recall_notice_case ON recall_notice (case_id, version);

CREATE TABLE recall_delivery (                 -- the outbox: one row per notice, medium, person and reminder step
    delivery_id bigint GENERATED ALWAYS AS IDENTITY,
    case_id   bigint NOT NULL, notice_id bigint NOT NULL,
    medium    text NOT NULL,
    addressee text NOT NULL,                   -- recall: the recall contact; alternate: the one who stands in
    address   text NOT NULL,
    step      integer NOT NULL,                -- 0 = the notice itself, then the reminders
    state     text NOT NULL,
    attempts  integer NOT NULL DEFAULT 0,
    perhaps_twice boolean NOT NULL DEFAULT false, -- an attempt broke off where nobody can know whether it arrived
    due_at    timestamptz NOT NULL,
    claim     integer,                         -- whose batch it is in: an advisory lock that a dead worker has lost
    made_at   timestamptz NOT NULL, ended_at timestamptz,
    answer    text NOT NULL DEFAULT '',        -- the last thing that the other side said, or who did it by hand
    CONSTRAINT recall_delivery_pkey PRIMARY KEY (delivery_id),
    CONSTRAINT recall_delivery_once UNIQUE (notice_id, medium, addressee, step),
    CONSTRAINT recall_delivery_notice_fkey FOREIGN KEY (notice_id) REFERENCES recall_notice,
    CONSTRAINT recall_delivery_medium_check CHECK (medium IN ('email', 'webhook', 'file', 'phone', 'letter')),
    CONSTRAINT recall_delivery_addressee_check CHECK (addressee IN ('recall', 'alternate')),
    CONSTRAINT recall_delivery_state_check CHECK (state IN
        ('queued', 'claimed', 'sending', 'sent', 'by_hand', 'refused', 'bounced', 'given_up', 'stopped', 'not_sent'))
);
CREATE INDEX recall_delivery_due ON recall_delivery (medium, due_at, delivery_id) WHERE state = 'queued';
CREATE INDEX recall_delivery_claim ON recall_delivery (claim) WHERE claim IS NOT NULL;
CREATE INDEX recall_delivery_case ON recall_delivery (case_id, state);
CREATE INDEX recall_delivery_address ON recall_delivery (lower(address)) WHERE medium = 'email';
CREATE SEQUENCE recall_claim AS integer CYCLE;

CREATE TABLE acknowledgement (                 -- append-only: the last answer of a recipient holds, the others stay
    acknowledgement_id bigint GENERATED ALWAYS AS IDENTITY,
    case_id bigint NOT NULL, recipient_id bigint NOT NULL, version integer NOT NULL,
    at timestamptz NOT NULL, via text NOT NULL, given_by text NOT NULL,
    affected boolean, complete boolean NOT NULL,
    lines jsonb NOT NULL,                      -- [{gtin, lot, uom, on_hand, quarantined, returned, …}] as told, never cut
    comment text NOT NULL DEFAULT '', signature text NOT NULL DEFAULT '',
    CONSTRAINT acknowledgement_pkey PRIMARY KEY (acknowledgement_id),
    CONSTRAINT acknowledgement_recipient_fkey FOREIGN KEY (recipient_id) REFERENCES recall_recipient,
    CONSTRAINT acknowledgement_via_check CHECK (via IN ('link', 'api', 'webhook', 'phone'))
);
CREATE INDEX acknowledgement_recipient ON acknowledgement (recipient_id, acknowledgement_id DESC);
CREATE INDEX acknowledgement_case ON acknowledgement (case_id);

CREATE TABLE effectiveness_check (             -- levels A to E: whom we ask ourselves whether the notice worked
    check_id bigint GENERATED ALWAYS AS IDENTITY,
    case_id bigint NOT NULL, version integer NOT NULL, level text NOT NULL, percent numeric NOT NULL, seed text NOT NULL,
    recipients integer NOT NULL, made_by text NOT NULL, made_at timestamptz NOT NULL,
    CONSTRAINT effectiveness_check_pkey PRIMARY KEY (check_id),
    CONSTRAINT effectiveness_check_case_fkey FOREIGN KEY (case_id) REFERENCES recall_case,
    CONSTRAINT effectiveness_check_level_check CHECK (level IN ('A', 'B', 'C', 'D', 'E')),
    CONSTRAINT effectiveness_check_percent_check CHECK (percent BETWEEN 0 AND 100)
);
CREATE TABLE effectiveness_sample (
    check_id bigint NOT NULL, recipient_id bigint NOT NULL, channel text NOT NULL,
    notified boolean, followed boolean,        -- was the notice received; were its instructions followed; NULL = not asked yet
    note text NOT NULL DEFAULT '', result_by text, result_at timestamptz,
    CONSTRAINT effectiveness_sample_pkey PRIMARY KEY (check_id, recipient_id),
    CONSTRAINT effectiveness_sample_check_fkey FOREIGN KEY (check_id) REFERENCES effectiveness_check,
    CONSTRAINT effectiveness_sample_recipient_fkey FOREIGN KEY (recipient_id) REFERENCES recall_recipient
);

CREATE TABLE recall_followup (                 -- one row per case that was published: what its work is governed by
    case_id bigint NOT NULL,
    ladder  jsonb NOT NULL,                    -- reminders as they stood at publication: [{"hours": 24, "to": "recall"}, …]
    paused_at timestamptz, paused_by text,
    responsible_name text NOT NULL DEFAULT '', responsible_email text NOT NULL DEFAULT '',
    sightings_told_at timestamptz NOT NULL,    -- sightings up to here were told to the responsible person
    disposition text NOT NULL DEFAULT '', root_cause text NOT NULL DEFAULT '', corrective_action text NOT NULL DEFAULT '',
    override_reason text NOT NULL DEFAULT '',  -- why it was closed without one of these
    CONSTRAINT recall_followup_pkey PRIMARY KEY (case_id),
    CONSTRAINT recall_followup_case_fkey FOREIGN KEY (case_id) REFERENCES recall_case
);
CREATE TABLE recall_reconciliation (           -- append-only: the account of a version's goods at an instant
    reconciliation_id bigint GENERATED ALWAYS AS IDENTITY,
    case_id bigint NOT NULL, version integer NOT NULL, figures jsonb NOT NULL,
    made_by text NOT NULL, made_at timestamptz NOT NULL,
    CONSTRAINT recall_reconciliation_pkey PRIMARY KEY (reconciliation_id),
    CONSTRAINT recall_reconciliation_case_fkey FOREIGN KEY (case_id) REFERENCES recall_case
);
-- Who opened a code of a recalled lot, and when: by lot, for the sightings of a case.
CREATE INDEX scan_log_lot ON scan_log (lot_id, at) WHERE lot_id IS NOT NULL AND verdict = 'recalled';
