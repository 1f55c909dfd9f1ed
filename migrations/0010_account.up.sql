-- Who people are: accounts, their sessions, their links and second factors, and failed tries at signing in.

CREATE TABLE account (
    id         TEXT PRIMARY KEY,
    version    BIGINT NOT NULL,
    -- person or service
    kind       TEXT NOT NULL,
    -- invited, active, disabled or deleted
    state      TEXT NOT NULL,
    -- The name to sign in with, and what it is compared by: folded, with look-alike letters made one.
    login      TEXT NOT NULL,
    login_key  TEXT NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    name_key   TEXT NOT NULL,
    mail       TEXT,
    mail_key   TEXT UNIQUE,
    language   TEXT,
    time_zone  TEXT,
    theme      TEXT,
    -- Argon2id with its parameters and salt; none before the first password is chosen.
    password   TEXT,
    password_at BIGINT,
    created_at BIGINT NOT NULL,
    seen_at    BIGINT
);
CREATE INDEX account_name ON account (name_key);

CREATE TABLE session (
    id         TEXT PRIMARY KEY,
    -- SHA-256 of the cookie's secret.
    digest     TEXT NOT NULL UNIQUE,
    -- None: the operator's, from a link of an earlier version.
    account_id TEXT REFERENCES account (id),
    -- False until the second factor was shown.
    whole      BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address    TEXT NOT NULL,
    agent      TEXT NOT NULL
);
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_expires ON session (expires_at);

-- One-time links to choose a password with: an invitation or a new start.
CREATE TABLE account_link (
    digest     TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    -- invite or reset
    kind       TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX account_link_account ON account_link (account_id);

CREATE TABLE account_totp (
    account_id TEXT PRIMARY KEY REFERENCES account (id),
    secret     TEXT NOT NULL,
    -- Set once a code was shown that is right; before that it asks nobody.
    confirmed_at BIGINT,
    -- The step of the last code that was used: none is taken twice.
    last_step  BIGINT NOT NULL
);

CREATE TABLE account_recovery (
    account_id TEXT NOT NULL REFERENCES account (id),
    digest     TEXT NOT NULL,
    PRIMARY KEY (account_id, digest)
);

CREATE TABLE sign_in_try (
    id         TEXT PRIMARY KEY,
    -- The network of who tried, and a digest of the name that was tried.
    address    TEXT NOT NULL,
    name       TEXT NOT NULL,
    at         BIGINT NOT NULL,
    -- False while it is being looked at.
    failed     BOOLEAN NOT NULL
);
CREATE INDEX sign_in_try_address ON sign_in_try (address, at);
CREATE INDEX sign_in_try_name ON sign_in_try (name, at);
CREATE INDEX sign_in_try_at ON sign_in_try (at);

-- Tokens may speak for an account.
ALTER TABLE token ADD COLUMN account_id TEXT;
CREATE INDEX token_account ON token (account_id);

-- Cookies of the operator become sessions.
INSERT INTO session (id, digest, account_id, whole, created_at, used_at, expires_at, address, agent)
SELECT id, digest, NULL, TRUE, created_at, COALESCE(used_at, created_at), COALESCE(expires_at, created_at), '', ''
FROM token WHERE kind = 'cookie' AND revoked_at IS NULL;
