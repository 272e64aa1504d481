-- Large documents that were put aside to be captured by a worker: a row as long as the file is needed.
CREATE TABLE capture_file (
    capture_id uuid NOT NULL,
    file       text NOT NULL,                  -- its name in the folder captures of the data directory
    attempts   integer NOT NULL DEFAULT 0,     -- begun so far: a worker that dies ends one without a word
    CONSTRAINT capture_file_pkey PRIMARY KEY (capture_id),
    CONSTRAINT capture_file_file_key UNIQUE (file),
    CONSTRAINT capture_file_capture_fkey FOREIGN KEY (capture_id) REFERENCES capture
);
