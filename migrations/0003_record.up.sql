-- Records and their types: narrow heads over the ledger, and the look-ups kept with them.

CREATE TABLE record_type (
    name       TEXT PRIMARY KEY,
    -- The entity of the ledger that holds the type's text.
    id         TEXT NOT NULL UNIQUE,
    version    BIGINT NOT NULL,
    state      TEXT NOT NULL,
    updated_at BIGINT NOT NULL
);

CREATE TABLE record (
    id          TEXT PRIMARY KEY,
    type        TEXT NOT NULL,
    version     BIGINT NOT NULL,
    -- live or deleted
    state       TEXT NOT NULL,
    -- public, members or restricted
    visibility  TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    -- The imported file (a blob) and the row in it, from 1.
    source_blob TEXT,
    source_row  BIGINT
);
CREATE INDEX record_type_id ON record (type, id);
CREATE INDEX record_updated ON record (updated_at, id);
CREATE INDEX record_source ON record (source_blob, source_row) WHERE source_blob IS NOT NULL;

-- Unique values that lead to a record.
CREATE TABLE identifier (
    type      TEXT NOT NULL,
    field     TEXT NOT NULL,
    value     TEXT NOT NULL,
    record_id TEXT NOT NULL,
    PRIMARY KEY (type, field, value)
);
CREATE INDEX identifier_record ON identifier (record_id);

-- Which record points at which.
CREATE TABLE link (
    from_id TEXT NOT NULL,
    field   TEXT NOT NULL,
    to_id   TEXT NOT NULL,
    PRIMARY KEY (from_id, field, to_id)
);
CREATE INDEX link_to ON link (to_id, from_id);
