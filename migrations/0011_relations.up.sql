-- What accounts may do: relations between objects and subjects, groups of accounts, and the count of changes of both.

CREATE TABLE relation_tuple (
    -- house, type:NAME or group:ID
    object     TEXT NOT NULL,
    -- viewer, editor, member …: a relation of the schema in assets/models/access.schema
    relation   TEXT NOT NULL,
    -- account:ID or group:ID#member
    subject    TEXT NOT NULL,
    -- Who gave it, as the ledger names them, and when.
    given_by   TEXT NOT NULL,
    given_at   BIGINT NOT NULL,
    PRIMARY KEY (object, relation, subject)
);
CREATE INDEX relation_tuple_subject ON relation_tuple (subject);

CREATE TABLE access_group (
    id          TEXT PRIMARY KEY,
    name        TEXT NOT NULL,
    -- The name in small letters: two groups are never called alike.
    key         TEXT NOT NULL UNIQUE,
    description TEXT NOT NULL,
    created_at  BIGINT NOT NULL
);

-- Counted up with every change of tuples, in its transaction: whoever remembers tuples knows by it whether they are today's.
CREATE TABLE access_epoch (
    id    BIGINT PRIMARY KEY,
    epoch BIGINT NOT NULL
);
INSERT INTO access_epoch (id, epoch) VALUES (1, 1);
