-- Searches that people keep, what matched those they are told about, what is asked for, and what a curator shows first.

CREATE TABLE saved_search (
    id         TEXT PRIMARY KEY,
    -- Whose it is, as the ledger names them: account:ID, operator.
    owner      TEXT NOT NULL,
    name       TEXT NOT NULL,
    -- What stands after the question mark of the search page.
    query      TEXT NOT NULL,
    -- Whoever has its address may open it; what they find there follows from their own rights.
    shared     BOOLEAN NOT NULL,
    -- The owner is told when something new matches.
    watched    BOOLEAN NOT NULL,
    -- Up to here in the ledger it was looked for.
    seen_txid  BIGINT NOT NULL,
    seen_position BIGINT NOT NULL,
    -- More matches than are remembered one by one: only records made since count as new.
    wide       BOOLEAN NOT NULL,
    -- What is new since the owner last looked, and since when.
    news       BIGINT NOT NULL,
    news_since BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- Deleted, and can still be taken back.
    deleted_at BIGINT
);
CREATE INDEX saved_search_owner ON saved_search (owner, id);
CREATE INDEX saved_search_deleted ON saved_search (deleted_at);

-- Records that matched a watched search already: they are never told again.
CREATE TABLE saved_search_match (
    search_id TEXT NOT NULL REFERENCES saved_search (id) ON DELETE CASCADE,
    record_id TEXT NOT NULL,
    PRIMARY KEY (search_id, record_id)
);

-- What is asked for, by day: only the words, how often, and the most that was found.
CREATE TABLE asked_query (
    -- Days since 1970.
    day   BIGINT NOT NULL,
    words TEXT NOT NULL,
    times BIGINT NOT NULL,
    found BIGINT NOT NULL,
    PRIMARY KEY (day, words)
);

-- Records that are shown first where exactly these words are asked for.
CREATE TABLE promoted_result (
    id         TEXT PRIMARY KEY,
    words      TEXT NOT NULL,
    record_id  TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (words, record_id)
);
CREATE INDEX promoted_result_record ON promoted_result (record_id);
