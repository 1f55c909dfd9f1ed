-- Drafts of imports: a file that waits, and what was found and chosen about it.

CREATE TABLE import_draft (
    id          TEXT PRIMARY KEY,
    -- Who began it; nobody else sees it.
    owner       TEXT NOT NULL,
    name        TEXT NOT NULL,
    blob        TEXT NOT NULL,
    bytes       BIGINT NOT NULL,
    -- JSON of what a person chose.
    choices     TEXT NOT NULL,
    -- JSON of what was found in the file; none until it has been looked at.
    found       TEXT,
    -- The jobs that look at it, rehearse it and import it.
    look_job    TEXT,
    preview_job TEXT,
    import_job  TEXT,
    version     BIGINT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);

CREATE INDEX import_draft_owner ON import_draft (owner, id);
CREATE INDEX import_draft_expiry ON import_draft (expires_at);
CREATE INDEX import_draft_blob ON import_draft (blob);
CREATE INDEX import_blob ON import (blob);
