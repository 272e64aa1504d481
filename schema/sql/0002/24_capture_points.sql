-- Capture points: a step of the work described as data. A version is never changed; a reading says which one it was taken under.
CREATE TABLE capture_point (
    point_id   text COLLATE "C" NOT NULL,
    version    integer NOT NULL,
    definition jsonb NOT NULL,
    defined_at timestamptz NOT NULL,
    defined_by text NOT NULL,
    CONSTRAINT capture_point_pkey PRIMARY KEY (point_id, version),
    CONSTRAINT capture_point_version_check CHECK (version > 0)
);
CREATE TABLE capture_reading (                 -- what a point read, under the id that the reader gave it: sent again, it is the same
    point_id   text COLLATE "C" NOT NULL,
    reading_id text COLLATE "C" NOT NULL,
    version    integer NOT NULL,
    event_id   bigint NOT NULL,
    hash       bytea NOT NULL,                 -- of the content: another content under the same id is refused
    alarms     jsonb NOT NULL DEFAULT '[]',
    reviewed   bigint[] NOT NULL DEFAULT '{}', -- lots that were held for review by this reading
    taken_at   timestamptz NOT NULL,
    taken_by   text NOT NULL,
    CONSTRAINT capture_reading_pkey PRIMARY KEY (point_id, reading_id),
    CONSTRAINT capture_reading_point_fkey FOREIGN KEY (point_id, version) REFERENCES capture_point,
    CONSTRAINT capture_reading_event_fkey FOREIGN KEY (event_id) REFERENCES event
);
CREATE INDEX capture_reading_taken ON capture_reading (point_id, taken_at DESC);
ALTER TABLE account DROP CONSTRAINT account_role_check, ADD CONSTRAINT account_role_check
    CHECK (role IN ('viewer', 'printer', 'line_worker', 'recall_author', 'recall_approver', 'admin'));
