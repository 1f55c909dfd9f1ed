-- What opens at a time: records and fields that more people see from then on. Until then their own level holds, as always.

CREATE TABLE embargo (
    -- record:ID or type:NAME#FIELD
    object     TEXT PRIMARY KEY,
    -- The collection it belongs to.
    type       TEXT NOT NULL,
    opens_at   BIGINT NOT NULL,
    -- public or members
    opens_to   TEXT NOT NULL,
    -- Who said so, as the ledger names them, and when.
    set_by     TEXT NOT NULL,
    set_at     BIGINT NOT NULL
);
CREATE INDEX embargo_due ON embargo (opens_at);
