-- Records of a type that is a tree: what each hangs below, and its place among its siblings.

CREATE TABLE node (
    id         TEXT PRIMARY KEY,
    type       TEXT NOT NULL,
    -- Empty at the top.
    parent_id  TEXT NOT NULL,
    -- As in `record`, so that the children somebody may see are found without it.
    visibility TEXT NOT NULL,
    -- By what siblings are put in order, byte by byte.
    place      BYTEA NOT NULL
);
CREATE INDEX node_children ON node (parent_id, type, place, id);
CREATE INDEX node_visible ON node (parent_id, visibility);
