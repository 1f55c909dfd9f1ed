DROP INDEX change_set_actor;
DROP INDEX change_set_kind;
DROP TABLE undo_left;
DROP TABLE undo;
