DROP TABLE process;
DROP TABLE schedule;
DROP TABLE job_log;
DROP TABLE job;
