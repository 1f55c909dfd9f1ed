ALTER TABLE undo_left DROP COLUMN decided_set;
ALTER TABLE undo_left DROP COLUMN decision;
