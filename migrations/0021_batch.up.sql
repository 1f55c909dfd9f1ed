-- Batches: records that were chosen, what is to be done to each, and what became of it.

CREATE TABLE batch (
    id         TEXT PRIMARY KEY,
    -- Who chose them; nobody else finds it.
    owner      TEXT NOT NULL,
    type       TEXT NOT NULL,
    -- How they were chosen, as JSON.
    chosen     TEXT NOT NULL,
    -- What is done to each, as JSON; none while that is being decided.
    action     TEXT,
    -- drawn, running, done
    state      TEXT NOT NULL,
    total      BIGINT NOT NULL,
    -- Items up to this place are dealt with; committed with what was written.
    cursor     BIGINT NOT NULL,
    -- Records changed since the cursor last stood at the start.
    progress   BIGINT NOT NULL,
    job_id     TEXT,
    set_id     TEXT,
    created_at BIGINT NOT NULL
);
CREATE INDEX batch_owner ON batch (owner, created_at);
CREATE INDEX batch_age ON batch (created_at);

CREATE TABLE batch_item (
    batch_id  TEXT NOT NULL,
    place     BIGINT NOT NULL,
    record_id TEXT NOT NULL,
    -- Where the record stood when it was chosen.
    version   BIGINT NOT NULL,
    -- changed, unchanged, refused, in-use; none before its turn
    outcome   TEXT,
    note      TEXT NOT NULL,
    PRIMARY KEY (batch_id, place)
);
CREATE INDEX batch_item_outcome ON batch_item (batch_id, outcome, place);

-- Records that were put into another one: their addresses lead there while they are deleted.
CREATE TABLE record_merged (
    id      TEXT PRIMARY KEY,
    into_id TEXT NOT NULL,
    -- The version that deleted it.
    version BIGINT NOT NULL
);
CREATE INDEX record_merged_into ON record_merged (into_id);
