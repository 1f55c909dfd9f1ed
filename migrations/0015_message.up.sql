-- Outgoing mail, passkeys, and addresses that count once they are confirmed.

CREATE TABLE message (
    id         TEXT PRIMARY KEY,
    -- Whom it goes to, and the form by which addresses are compared.
    address    TEXT NOT NULL,
    address_key TEXT NOT NULL,
    -- Which texts: invitation, new-password …
    template   TEXT NOT NULL,
    language   TEXT,
    -- What is filled into the texts, as JSON: a link with a secret may be in it. Gone once it is sent or may not be any more.
    content    TEXT,
    -- waiting, sent, failed or expired
    state      TEXT NOT NULL,
    -- What the mail server said last, where it did not take it.
    error      TEXT,
    attempts   BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    sent_at    BIGINT,
    -- After this it is of no use and is not sent.
    expires_at BIGINT NOT NULL
);
CREATE INDEX message_address ON message (address_key, created_at);
CREATE INDEX message_state ON message (state, id);
CREATE INDEX message_created ON message (created_at);

-- When the owner of the address showed that mail to it arrives.
ALTER TABLE account ADD COLUMN mail_confirmed_at BIGINT;
-- The address that a link was mailed to: whoever uses it shows that mail arrives there.
ALTER TABLE account_link ADD COLUMN mail TEXT;

CREATE TABLE account_passkey (
    id         TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    -- How its owner calls it.
    name       TEXT NOT NULL,
    -- The authenticator's own name for it and its public key, in hexadecimal digits.
    credential TEXT NOT NULL UNIQUE,
    public_key TEXT NOT NULL,
    -- The number of the signature's kind in COSE: -7, -8 or -257.
    algorithm  BIGINT NOT NULL,
    -- How often it signed, as far as it counts: a number that does not grow tells a copy.
    signs      BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at    BIGINT
);
CREATE INDEX account_passkey_account ON account_passkey (account_id);

-- What a passkey is to sign, once each.
CREATE TABLE account_challenge (
    digest     TEXT PRIMARY KEY,
    -- register, sign-in or step
    purpose    TEXT NOT NULL,
    -- For whom; none where the passkey tells.
    account_id TEXT,
    expires_at BIGINT NOT NULL
);
CREATE INDEX account_challenge_expires ON account_challenge (expires_at);
