-- Who people are to others who say so: identities, sign-ins that are under way, what a session came from, and the roles
-- that came from groups.

CREATE TABLE account_identity (
    id         TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    -- Who says so and what they call the person: the identity itself.
    issuer     TEXT NOT NULL,
    subject    TEXT NOT NULL,
    -- A name or an address to know it by; never for a decision.
    label      TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL,
    UNIQUE (issuer, subject)
);
CREATE INDEX account_identity_account ON account_identity (account_id);

-- A sign-in that somebody has begun and that the provider has not answered yet.
CREATE TABLE provider_flow (
    -- SHA-256 of the state that the provider sends back.
    digest     TEXT PRIMARY KEY,
    -- SHA-256 of the secret in the browser that began it.
    browser    TEXT NOT NULL,
    -- The network of who began it.
    address    TEXT NOT NULL,
    provider   TEXT NOT NULL,
    nonce      TEXT NOT NULL,
    verifier   TEXT NOT NULL,
    -- Where to go afterwards.
    target     TEXT NOT NULL,
    -- The account to link; none: sign in.
    account_id TEXT REFERENCES account (id),
    expires_at BIGINT NOT NULL
);
CREATE INDEX provider_flow_expires ON provider_flow (expires_at);
CREATE INDEX provider_flow_address ON provider_flow (address);

-- A role that an account has because of a group at a provider. Others are never taken away by a provider.
CREATE TABLE provider_role (
    account_id TEXT NOT NULL REFERENCES account (id),
    provider   TEXT NOT NULL,
    role       TEXT NOT NULL,
    place      TEXT NOT NULL,
    PRIMARY KEY (account_id, provider, role, place)
);

-- Which identity opened it, as what session the provider knows it, and its token: for signing out there, too.
ALTER TABLE session ADD COLUMN identity_id TEXT;
ALTER TABLE session ADD COLUMN provider_session TEXT;
ALTER TABLE session ADD COLUMN id_token TEXT;
CREATE INDEX session_identity ON session (identity_id);
