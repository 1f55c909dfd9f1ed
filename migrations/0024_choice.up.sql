-- What was changed since a change that was taken back: somebody decides about it.

-- fields, whole or keep; nothing while it is open
ALTER TABLE undo_left ADD COLUMN decision TEXT;
-- The change set in which the decision was carried out.
ALTER TABLE undo_left ADD COLUMN decided_set TEXT;
