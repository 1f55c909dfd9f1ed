//! What each figure of `/metrics` is, in a line of help. A figure that is missing here is found by a test.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};

/// Names every figure.
pub(super) fn describe() {
    describe_counter!(
        "vitrine_http_requests_total",
        "Requests answered, by method, route and status."
    );
    describe_histogram!(
        "vitrine_http_request_seconds",
        Unit::Seconds,
        "Time to answer a request."
    );
    describe_counter!("vitrine_jobs_total", "Tries of jobs that ended, by kind and outcome.");
    describe_histogram!("vitrine_job_seconds", Unit::Seconds, "Time a try of a job took.");
    describe_gauge!("vitrine_jobs", "Jobs that wait and run, by queue.");
    describe_gauge!(
        "vitrine_queue_lag_seconds",
        Unit::Seconds,
        "How long the first of the jobs that are ready waits, by queue."
    );
    describe_gauge!("vitrine_processes", "Processes of this installation that live.");
    describe_gauge!("vitrine_database_bytes", Unit::Bytes, "Size of the database.");
    describe_gauge!(
        "vitrine_disk_free_bytes",
        Unit::Bytes,
        "Free space beside the data folder."
    );
    describe_gauge!(
        "vitrine_db_wal_bytes",
        Unit::Bytes,
        "Size of the write-ahead log of SQLite."
    );
    describe_histogram!("vitrine_db_group_size", "Writes that shared a commit.");
    describe_counter!("vitrine_db_retries_total", "Writes that PostgreSQL made run again.");
    describe_counter!("vitrine_access_refused_total", "Requests refused for want of a right.");
    describe_counter!(
        "vitrine_http_limited_total",
        "Requests refused because they came too fast."
    );
    describe_counter!(
        "vitrine_log_lines_lost_total",
        "Lines that the disk was too slow to keep."
    );
    describe_gauge!(
        "vitrine_search_reach",
        "Changes of names and places in trees whose reach the search index has still to read."
    );
    describe_gauge!(
        "vitrine_search_reach_lag_seconds",
        Unit::Seconds,
        "How long the first of them waits."
    );
    describe_gauge!("vitrine_build_info", "The program, by version and commit.");
    describe_gauge!("process_resident_memory_bytes", Unit::Bytes, "Memory of this process.");
}
