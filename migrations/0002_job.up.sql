-- Jobs: every long thing, every event delivery. And the schedules that make them.

CREATE TABLE job (
    id            TEXT PRIMARY KEY,
    queue         TEXT NOT NULL,
    kind          TEXT NOT NULL,
    payload       TEXT NOT NULL,
    -- waiting, running, done, failed, cancelled
    state         TEXT NOT NULL,
    -- Larger goes first.
    priority      BIGINT NOT NULL,
    -- At most one waiting or running job has this key.
    unique_key    TEXT,
    -- Jobs with the same key never run at the same time and run in the order of their ids.
    ordering_key  TEXT,
    attempts      BIGINT NOT NULL,
    max_attempts  BIGINT NOT NULL,
    run_at        BIGINT NOT NULL,
    lease_until   BIGINT,
    worker        TEXT,
    cancel        BOOLEAN NOT NULL,
    -- Progress: done of total (total NULL while unknown) and a note.
    progress_done  BIGINT NOT NULL,
    progress_total BIGINT,
    progress_note  TEXT NOT NULL,
    result        TEXT,
    error         TEXT,
    -- Who asked for it, as JSON; the job runs with these rights.
    caller        TEXT NOT NULL,
    created_at    BIGINT NOT NULL,
    started_at    BIGINT,
    ended_at      BIGINT
);
CREATE INDEX job_ready ON job (queue, priority DESC, run_at, id) WHERE state = 'waiting';
CREATE INDEX job_lease ON job (lease_until) WHERE state = 'running';
CREATE INDEX job_created ON job (created_at, id);
CREATE UNIQUE INDEX job_unique ON job (unique_key) WHERE unique_key IS NOT NULL AND state IN ('waiting', 'running');
CREATE INDEX job_ordering ON job (ordering_key, id) WHERE ordering_key IS NOT NULL AND state IN ('waiting', 'running');

CREATE TABLE job_log (
    job_id  TEXT NOT NULL,
    line    BIGINT NOT NULL,
    at      BIGINT NOT NULL,
    level   TEXT NOT NULL,
    message TEXT NOT NULL,
    PRIMARY KEY (job_id, line)
);

CREATE TABLE schedule (
    name     TEXT PRIMARY KEY,
    cron     TEXT NOT NULL,
    zone     TEXT NOT NULL,
    -- The last due time that was dealt with.
    last_due BIGINT,
    paused   BOOLEAN NOT NULL,
    -- The job it makes, as JSON, so that every process can make it by hand.
    job      TEXT NOT NULL
);

-- One line for each running process: what it does, when it last said so, how far it has followed.
CREATE TABLE process (
    id           TEXT PRIMARY KEY,
    roles        TEXT NOT NULL,
    queues       TEXT NOT NULL,
    host         TEXT NOT NULL,
    pid          BIGINT NOT NULL,
    started_at   BIGINT NOT NULL,
    beat_at      BIGINT NOT NULL,
    -- How far its search index has followed the ledger; NULL without one.
    index_txid     BIGINT,
    index_position BIGINT
);
