ALTER TABLE process DROP COLUMN log_level;
ALTER TABLE process DROP COLUMN paused;
