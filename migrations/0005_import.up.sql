-- Imports: what a job has to know to go on where it stopped.

CREATE TABLE import (
    job_id       TEXT PRIMARY KEY,
    type         TEXT NOT NULL,
    blob         TEXT NOT NULL,
    -- JSON of the options it was started with.
    options      TEXT NOT NULL,
    set_id       TEXT,
    -- Rows of the file that are dealt with; committed with the rows themselves.
    cursor       BIGINT NOT NULL,
    created      BIGINT NOT NULL,
    updated      BIGINT NOT NULL,
    unchanged    BIGINT NOT NULL,
    deleted      BIGINT NOT NULL,
    refused      BIGINT NOT NULL,
    -- The report of refused rows, as a blob.
    report       TEXT,
    state        TEXT NOT NULL,
    created_at   BIGINT NOT NULL
);

CREATE TABLE import_refusal (
    job_id  TEXT NOT NULL,
    row     BIGINT NOT NULL,
    part    BIGINT NOT NULL,
    -- The line of the file it starts in.
    line    BIGINT NOT NULL,
    field   TEXT NOT NULL,
    message TEXT NOT NULL,
    -- The beginning of what stands there.
    value   TEXT NOT NULL,
    PRIMARY KEY (job_id, row, part)
);
