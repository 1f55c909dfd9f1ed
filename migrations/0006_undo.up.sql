-- Undo: how far a change set is taken back, and what was left as it is. Lists of change sets by who and by what.

CREATE TABLE undo (
    job_id     TEXT PRIMARY KEY,
    -- The change set that is taken back, and the one this is itself.
    of_set     TEXT NOT NULL,
    set_id     TEXT NOT NULL UNIQUE,
    -- Versions of of_set from here on are dealt with; committed with what was put back.
    cursor     BIGINT NOT NULL,
    removed    BIGINT NOT NULL,
    reverted   BIGINT NOT NULL,
    revived    BIGINT NOT NULL,
    already    BIGINT NOT NULL,
    kept       BIGINT NOT NULL,
    -- running, done
    state      TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX undo_of ON undo (of_set);

CREATE TABLE undo_left (
    set_id TEXT NOT NULL,
    entity TEXT NOT NULL,
    -- record, type …
    kind   TEXT NOT NULL,
    -- changed-since, in-use, taken …
    reason TEXT NOT NULL,
    PRIMARY KEY (set_id, entity)
);

CREATE INDEX change_set_kind ON change_set (kind, id);
CREATE INDEX change_set_actor ON change_set (actor, id);
