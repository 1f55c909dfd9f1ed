-- What a running process was told to do: roles that pause, and how much it logs. Gone with the process.

ALTER TABLE process ADD COLUMN paused TEXT NOT NULL DEFAULT '';
ALTER TABLE process ADD COLUMN log_level TEXT NOT NULL DEFAULT '';
