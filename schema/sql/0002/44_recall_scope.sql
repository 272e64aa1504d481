-- What happens to a case after it was published: late facts, holds on what they add, steps that two people take, and the
-- look back on a case that one person published alone.

CREATE TABLE recall_comparison (               -- how far a published case was compared with the ledger
    case_id bigint NOT NULL, version integer NOT NULL, ledger_event bigint NOT NULL, compared_at timestamptz NOT NULL,
    CONSTRAINT recall_comparison_pkey PRIMARY KEY (case_id),
    CONSTRAINT recall_comparison_case_fkey FOREIGN KEY (case_id) REFERENCES recall_case
);
CREATE TABLE recall_proposal (                 -- a step that waits for a person: from late facts, or from a first person
    proposal_id  bigint GENERATED ALWAYS AS IDENTITY,
    case_id      bigint NOT NULL, version integer NOT NULL, -- the version that it would follow
    kind         text NOT NULL,
    ledger_event bigint NOT NULL,              -- the last event that was seen
    content      jsonb NOT NULL,               -- late_facts: lots_added, lots_removed, items; narrow: lines; cancel: public_reason
    reason       text NOT NULL,
    made_by text NOT NULL, made_at timestamptz NOT NULL,
    state   text NOT NULL DEFAULT 'open',
    decided_by text, decided_at timestamptz, decision text,
    CONSTRAINT recall_proposal_pkey PRIMARY KEY (proposal_id),
    CONSTRAINT recall_proposal_case_fkey FOREIGN KEY (case_id) REFERENCES recall_case,
    CONSTRAINT recall_proposal_kind_check CHECK (kind IN ('late_facts', 'narrow', 'cancel')),
    CONSTRAINT recall_proposal_state_check CHECK (state IN ('open', 'accepted', 'dismissed', 'superseded'))
);
CREATE INDEX recall_proposal_case ON recall_proposal (case_id, proposal_id);
CREATE UNIQUE INDEX recall_proposal_open ON recall_proposal (case_id, kind) WHERE state = 'open';

CREATE TABLE recall_hold (                     -- what late facts add to a published case: recalled at once, listed by a person
    case_id bigint NOT NULL, lot_id bigint NOT NULL,
    lo bigint, n bigint,                       -- NULL = the whole lot
    held_at timestamptz NOT NULL,
    CONSTRAINT recall_hold_case_fkey FOREIGN KEY (case_id) REFERENCES recall_case,
    CONSTRAINT recall_hold_lot_fkey FOREIGN KEY (lot_id) REFERENCES lot,
    CONSTRAINT recall_hold_part_check CHECK ((lo IS NULL) = (n IS NULL) AND n > 0)
);
CREATE INDEX recall_hold_case ON recall_hold (case_id);

CREATE TABLE recall_after_review (             -- one person published it: a second one looks at it afterwards
    case_id bigint NOT NULL, reason text NOT NULL,
    published_by text NOT NULL, published_at timestamptz NOT NULL, due_at timestamptz NOT NULL,
    reviewed_by text, reviewed_at timestamptz, finding text,
    CONSTRAINT recall_after_review_pkey PRIMARY KEY (case_id),
    CONSTRAINT recall_after_review_case_fkey FOREIGN KEY (case_id) REFERENCES recall_case
);

-- What is held is shown as recalled like what was frozen; its notice lines follow when a person accepts it.
CREATE OR REPLACE VIEW public_recall_scope AS
    SELECT p.case_id, a.lot_id, NULL::bigint AS lo, NULL::bigint AS n
    FROM publication p JOIN affected_lot a USING (affected_set_id) WHERE a.whole
    UNION ALL
    SELECT p.case_id, r.lot_id, r.lo, r.n FROM publication p JOIN affected_run r USING (affected_set_id)
    UNION ALL
    SELECT p.case_id, h.lot_id, h.lo, h.n FROM publication p JOIN recall_hold h USING (case_id);
