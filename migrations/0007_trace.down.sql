DROP INDEX change_set_job;
DROP INDEX change_set_request;
ALTER TABLE change_set DROP COLUMN job_id;
ALTER TABLE change_set DROP COLUMN request_id;
DROP INDEX job_request;
ALTER TABLE job DROP COLUMN request_id;
