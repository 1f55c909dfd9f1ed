-- A claim of a repeated request says who works on it and whether anything was written, so that one whose process died can
-- be told from one that is at work: it runs again only if nothing was written.
ALTER TABLE idempotency ADD COLUMN claim TEXT;
ALTER TABLE idempotency ADD COLUMN process TEXT;
ALTER TABLE idempotency ADD COLUMN request_id TEXT;
ALTER TABLE idempotency ADD COLUMN took_effect BOOLEAN NOT NULL DEFAULT FALSE;
