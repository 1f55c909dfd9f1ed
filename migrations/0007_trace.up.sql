-- One request leads to its jobs and changes.

ALTER TABLE job ADD COLUMN request_id TEXT;
CREATE INDEX job_request ON job (request_id) WHERE request_id IS NOT NULL;

ALTER TABLE change_set ADD COLUMN request_id TEXT;
ALTER TABLE change_set ADD COLUMN job_id TEXT;
CREATE INDEX change_set_request ON change_set (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX change_set_job ON change_set (job_id) WHERE job_id IS NOT NULL;
