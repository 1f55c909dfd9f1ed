-- Claims look at the front of a queue only.

-- 0: at the front, where claims look; 1: put aside until its time; 2: put aside behind another of its subject; 3: it has ended,
-- and what stood behind it has been told.
ALTER TABLE job ADD COLUMN shelf BIGINT NOT NULL DEFAULT 0;
UPDATE job SET shelf = 3 WHERE ordering_key IS NOT NULL AND state NOT IN ('waiting', 'running');

DROP INDEX job_ready;
CREATE INDEX job_ready ON job (queue, shelf, priority DESC, run_at, id) WHERE state = 'waiting';
CREATE INDEX job_later ON job (queue, run_at) WHERE shelf = 1 AND state || '' = 'waiting';
CREATE INDEX job_ended ON job (ordering_key, id) WHERE ordering_key IS NOT NULL AND state NOT IN ('waiting', 'running') AND shelf < 3;

DROP INDEX job_ordering;
-- only: sqlite
CREATE INDEX job_ordering ON job (ordering_key, state, id) WHERE ordering_key IS NOT NULL AND state IN ('waiting', 'running');
-- only: postgres
-- By expressions that no other index has: by statistics of a table that was empty a minute ago all indexes seem alike.
CREATE INDEX job_ordering ON job (ordering_key, (state || ''), (id || '')) WHERE ordering_key IS NOT NULL AND state IN ('waiting', 'running');
-- all:
