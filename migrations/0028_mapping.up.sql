-- Mappings of columns to fields, kept under a name for the next file with the same columns.

CREATE TABLE import_mapping (
    name       TEXT PRIMARY KEY,
    type       TEXT NOT NULL,
    -- JSON of its rules.
    document   TEXT NOT NULL,
    -- Who wrote it last.
    owner      TEXT NOT NULL,
    version    BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX import_mapping_type ON import_mapping (type);
