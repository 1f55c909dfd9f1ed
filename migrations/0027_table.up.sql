-- How somebody likes the table of a collection to look, and what somebody's new records begin with.

CREATE TABLE table_look (
    -- Whose it is, as the ledger names them: account:ID, operator.
    owner      TEXT NOT NULL,
    type       TEXT NOT NULL,
    -- Columns in their order, how wide they are, and what the rows are sorted by; JSON.
    look       TEXT NOT NULL,
    changed_at BIGINT NOT NULL,
    PRIMARY KEY (owner, type)
);
CREATE INDEX table_look_type ON table_look (type);

CREATE TABLE entry_template (
    id         TEXT PRIMARY KEY,
    owner      TEXT NOT NULL,
    type       TEXT NOT NULL,
    name       TEXT NOT NULL,
    -- What a form shows: texts by field; JSON.
    entered    TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (owner, type, name)
);
CREATE INDEX entry_template_type ON entry_template (type);
