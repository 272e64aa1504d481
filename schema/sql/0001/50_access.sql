-- Who may do what, and who did it.
CREATE TABLE account (
    account_id bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL, display_name text NOT NULL, role text NOT NULL, password_hash text NOT NULL,
    created_at timestamptz NOT NULL, disabled_at timestamptz,
    failures integer NOT NULL DEFAULT 0, locked_until timestamptz,
    CONSTRAINT account_pkey PRIMARY KEY (account_id),
    CONSTRAINT account_name_key UNIQUE (name),
    CONSTRAINT account_role_check CHECK (role IN ('viewer', 'printer', 'recall_author', 'recall_approver', 'admin'))
);
CREATE TABLE session (
    token_hash bytea NOT NULL, account_id bigint NOT NULL, created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL,
    last_seen_at timestamptz NOT NULL,
    CONSTRAINT session_pkey PRIMARY KEY (token_hash),
    CONSTRAINT session_account_fkey FOREIGN KEY (account_id) REFERENCES account
);
CREATE TABLE api_key (
    key_id bigint GENERATED ALWAYS AS IDENTITY,
    name text NOT NULL, prefix text NOT NULL, key_hash bytea NOT NULL, acts text[] NOT NULL,
    created_by text NOT NULL, created_at timestamptz NOT NULL, revoked_at timestamptz, last_used_on date,
    CONSTRAINT api_key_pkey PRIMARY KEY (key_id),
    CONSTRAINT api_key_hash_key UNIQUE (key_hash)
);
CREATE TABLE audit (                           -- append-only, each row's hash covers the one before
    audit_id bigint GENERATED ALWAYS AS IDENTITY,
    at timestamptz NOT NULL, actor text NOT NULL, act text NOT NULL, subject text NOT NULL, details jsonb NOT NULL,
    previous_hash bytea NOT NULL, hash bytea NOT NULL,
    CONSTRAINT audit_pkey PRIMARY KEY (audit_id)
);
CREATE TABLE idempotency (                     -- a repeated request is answered as the first one was
    key text NOT NULL, actor text NOT NULL, route text NOT NULL, request_hash bytea NOT NULL,
    status integer NOT NULL, body jsonb NOT NULL, at timestamptz NOT NULL,
    CONSTRAINT idempotency_pkey PRIMARY KEY (actor, key)
);
