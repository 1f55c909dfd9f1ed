-- The ledger: every change of everything that people curate, as versions in named change sets.

CREATE TABLE change_set (
    id         TEXT PRIMARY KEY,
    -- What made it: record.edit, record.delete, import, type.edit, undo …
    kind       TEXT NOT NULL,
    -- Who: operator, token:ID, system …
    actor      TEXT NOT NULL,
    -- Why, in the words of who did it; may be empty.
    reason     TEXT NOT NULL,
    -- From where: JSON with the channel and, for imports, the file.
    origin     TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

-- only: postgres
CREATE SEQUENCE ledger_position;
-- all:

CREATE TABLE version (
    -- The id of what changed, and the how-manieth state of it this is, from 1.
    entity    TEXT NOT NULL,
    version   BIGINT NOT NULL,
    -- record, type, setting …
    kind      TEXT NOT NULL,
    set_id    TEXT NOT NULL,
    -- Where followers stand: (txid, position). On SQLite txid is 0 and the one writer counts positions.
    -- only: sqlite
    txid      BIGINT NOT NULL,
    position  BIGINT NOT NULL,
    -- only: postgres
    txid      BIGINT NOT NULL DEFAULT CAST(CAST(pg_current_xact_id() AS TEXT) AS BIGINT),
    position  BIGINT NOT NULL DEFAULT nextval('ledger_position'),
    -- all:
    -- create, update, delete, restore
    operation TEXT NOT NULL,
    -- The whole state after the change, as JSON; NULL for a deletion and for a redacted state.
    document  TEXT,
    PRIMARY KEY (entity, version)
);
CREATE UNIQUE INDEX version_follow ON version (txid, position);
CREATE INDEX version_set ON version (set_id, position);
CREATE INDEX change_set_created ON change_set (created_at, id);

-- Facts about this database itself: which cluster it is in, the oldest program that may use it.
CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
