-- Pictures of accounts; and what was asked for at the door, until a job has looked at it.

CREATE TABLE account_picture (
    account_id TEXT PRIMARY KEY REFERENCES account (id),
    -- image/png or image/jpeg
    kind       TEXT NOT NULL,
    content    BYTEA NOT NULL,
    created_at BIGINT NOT NULL
);
-- Which picture it is, as it stands in its address; none: there is none.
ALTER TABLE account ADD COLUMN picture TEXT;

CREATE TABLE account_ask (
    id         TEXT PRIMARY KEY,
    -- lost or sign-up
    kind       TEXT NOT NULL,
    -- What was typed: a name, an address, and in which language. Gone once it is done.
    name       TEXT NOT NULL,
    mail       TEXT,
    language   TEXT,
    -- SHA-256 of the secret of the link that was mailed; none before.
    digest     TEXT UNIQUE,
    expires_at BIGINT NOT NULL
);
CREATE INDEX account_ask_expires ON account_ask (expires_at);
