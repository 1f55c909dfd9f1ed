-- Exports as jobs: who asked, and where the file is until its time is over.

CREATE TABLE export_file (
    job_id      TEXT PRIMARY KEY,
    -- Who asked for it; nobody else finds it.
    owner       TEXT NOT NULL,
    -- The file; none before it is made, and none any more after it was cleared.
    blob        TEXT,
    created_at  BIGINT NOT NULL,
    -- When its time is over; none before it is made.
    expires_at  BIGINT
);

CREATE INDEX export_file_owner ON export_file (owner);
CREATE INDEX export_file_expiry ON export_file (expires_at) WHERE blob IS NOT NULL;
CREATE INDEX export_file_blob ON export_file (blob) WHERE blob IS NOT NULL;
