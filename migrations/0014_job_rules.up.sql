-- What came of each due time of a schedule, and the rule for those that were missed.

ALTER TABLE schedule ADD COLUMN missed TEXT NOT NULL DEFAULT 'run-once';

CREATE TABLE schedule_run (
    name    TEXT NOT NULL,
    due_at  BIGINT NOT NULL,
    -- made, joined, missed, skipped, paused, by-hand
    outcome TEXT NOT NULL,
    job_id  TEXT,
    PRIMARY KEY (name, due_at)
);

-- Jobs made of parts, of which a newer one takes the place, with a limit of time; queues that pause; what each process
-- can run.

-- The job this one is a part of.
ALTER TABLE job ADD COLUMN parent_id TEXT;
-- It begins when all its parts have ended.
ALTER TABLE job ADD COLUMN awaits BOOLEAN NOT NULL DEFAULT FALSE;
-- Milliseconds one try may take.
ALTER TABLE job ADD COLUMN time_limit BIGINT;
-- The newer job of the same purpose that took its place; its state is then superseded.
ALTER TABLE job ADD COLUMN superseded_by TEXT;
CREATE INDEX job_parent ON job (parent_id) WHERE parent_id IS NOT NULL;

-- Dead letters.
CREATE INDEX job_failed ON job (kind, id) WHERE state = 'failed';

CREATE TABLE queue_pause (
    name      TEXT PRIMARY KEY,
    paused_at BIGINT NOT NULL,
    paused_by TEXT NOT NULL
);

-- Kinds of jobs its worker can run; empty where it does not say.
ALTER TABLE process ADD COLUMN kinds TEXT NOT NULL DEFAULT '';
