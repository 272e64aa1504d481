-- What a case is governed by: the version of a jurisdiction profile that it took when it was opened, and what happened
-- that starts or ends the clocks of that profile.
CREATE TABLE recall_rules (                    -- append-only: a case keeps the profile it was opened under
    case_id bigint NOT NULL,
    profile text NOT NULL, version text NOT NULL, content jsonb NOT NULL,
    taken_by text NOT NULL, taken_at timestamptz NOT NULL,
    CONSTRAINT recall_rules_pkey PRIMARY KEY (case_id),
    CONSTRAINT recall_rules_case_fkey FOREIGN KEY (case_id) REFERENCES recall_case
);
CREATE TABLE recall_fact (                     -- append-only: events and duties of a case, as a person told them
    fact_id bigint GENERATED ALWAYS AS IDENTITY,
    case_id bigint NOT NULL, name text NOT NULL, at timestamptz NOT NULL, note text NOT NULL DEFAULT '',
    told_by text NOT NULL, told_at timestamptz NOT NULL,
    CONSTRAINT recall_fact_pkey PRIMARY KEY (fact_id),
    CONSTRAINT recall_fact_case_fkey FOREIGN KEY (case_id) REFERENCES recall_case
);
CREATE INDEX recall_fact_case ON recall_fact (case_id, at);
-- The archive of a case has the audit rows that name it.
CREATE INDEX audit_subject ON audit (subject, audit_id);
