-- Numbers given to records: what comes next in each row, and blocks that were set aside. Files of labels.

CREATE TABLE number_counter (
    type   TEXT NOT NULL,
    field  TEXT NOT NULL,
    -- The year, where the row begins again with each; else empty.
    period TEXT NOT NULL,
    next   BIGINT NOT NULL,
    PRIMARY KEY (type, field, period)
);

CREATE TABLE number_block (
    id           TEXT PRIMARY KEY,
    type         TEXT NOT NULL,
    field        TEXT NOT NULL,
    period       TEXT NOT NULL,
    first        BIGINT NOT NULL,
    last         BIGINT NOT NULL,
    first_number TEXT NOT NULL,
    last_number  TEXT NOT NULL,
    owner        TEXT NOT NULL,
    reason       TEXT NOT NULL,
    created_at   BIGINT NOT NULL
);
CREATE INDEX number_block_field ON number_block (type, field, first);

-- Labels that were made, until their time is over.
CREATE TABLE label_file (
    job_id     TEXT PRIMARY KEY,
    blob       TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX label_file_blob ON label_file (blob);
