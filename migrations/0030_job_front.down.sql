DROP INDEX job_ordering;
CREATE INDEX job_ordering ON job (ordering_key, id) WHERE ordering_key IS NOT NULL AND state IN ('waiting', 'running');
DROP INDEX job_ended;
DROP INDEX job_later;
DROP INDEX job_ready;
CREATE INDEX job_ready ON job (queue, priority DESC, run_at, id) WHERE state = 'waiting';
ALTER TABLE job DROP COLUMN shelf;
