-- Who may act: tokens for programs and the operator's cookie, one-time links, remembered answers of repeated requests.

CREATE TABLE token (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    -- SHA-256 of the secret; the secret itself is shown once and never kept.
    digest     TEXT NOT NULL UNIQUE,
    -- token or cookie
    kind       TEXT NOT NULL,
    -- JSON list of permissions; ["*"] for all.
    scope      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    used_at    BIGINT,
    revoked_at BIGINT
);

CREATE TABLE setup_link (
    digest     TEXT PRIMARY KEY,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT
);

CREATE TABLE idempotency (
    caller     TEXT NOT NULL,
    key        TEXT NOT NULL,
    -- Digest of method, path and body: the same key with another request is refused.
    request    TEXT NOT NULL,
    status     BIGINT,
    headers    TEXT,
    body       BYTEA,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (caller, key)
);
CREATE INDEX idempotency_created ON idempotency (created_at);
