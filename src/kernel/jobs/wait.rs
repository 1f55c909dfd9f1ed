//! Why a job has not ended yet, and how far the parts of a job are.

use std::collections::{BTreeMap, HashMap};

use super::model::{Parts, Progress, State, Wait};
use super::queues::{Pause, pauses};
use super::store;
use super::view::Job;
use crate::kernel::db::{Db, Filter};
use crate::kernel::error::Result;
use crate::kernel::process::{self, Served};

/// What is the same for all jobs of a list.
struct House {
    served: Served,
    pauses: BTreeMap<String, Pause>,
}

/// Tells each job why it waits, and those with parts how far these are.
pub(super) async fn explain(db: &Db, jobs: &mut [Job]) -> Result<()> {
    tell_parts(db, jobs).await?;
    if jobs.iter().all(|job| job.state.is_final()) {
        return Ok(());
    }
    let house = House {
        served: process::served_queues(db).await?,
        pauses: pauses(db).await?,
    };
    for job in jobs.iter_mut().filter(|job| !job.state.is_final()) {
        job.wait = wait(db, job, &house).await?;
    }
    Ok(())
}

async fn tell_parts(db: &Db, jobs: &mut [Job]) -> Result<()> {
    let wholes: Vec<&str> = jobs
        .iter()
        .filter(|job| job.has_parts)
        .map(|job| job.id.as_str())
        .collect();
    if wholes.is_empty() {
        return Ok(());
    }
    let rows: Vec<(String, i64, i64, i64, i64)> = Filter::new(
        "SELECT parent_id, COUNT(*), COUNT(*) FILTER (WHERE state NOT IN ('waiting', 'running')), \
             COUNT(*) FILTER (WHERE state = 'failed'), \
             CAST(SUM(CASE WHEN state NOT IN ('waiting', 'running') THEN 1000 WHEN progress_total IS NULL OR progress_total <= 0 THEN 0 \
                 WHEN progress_done >= progress_total THEN 1000 ELSE progress_done * 1000 / progress_total END) AS BIGINT) FROM job",
    )
    .and_in("parent_id", wholes.iter().copied())
    .end("GROUP BY parent_id", wholes.len() as i64)
    .all(db)
    .await?;
    let mut found: HashMap<String, Parts> = rows
        .into_iter()
        .map(|(id, total, ended, failed, thousandths)| {
            let parts = Parts {
                total,
                ended,
                failed,
                percent: thousandths / (total.max(1) * 10),
            };
            (id, parts)
        })
        .collect();
    for job in jobs {
        job.parts = found.remove(&job.id);
        if let Some(parts) = job.parts.filter(|_| job.state == State::Waiting) {
            job.progress = Progress {
                done: parts.ended,
                total: Some(parts.total),
                note: String::new(),
            };
        }
    }
    Ok(())
}

async fn wait(db: &Db, job: &Job, house: &House) -> Result<Option<Wait>> {
    if job.state == State::Running {
        return Ok(job.cancel.then_some(Wait::CancelAsked));
    }
    if let Some(parts) = job.parts.filter(|parts| parts.ended < parts.total) {
        return Ok(Some(Wait::Parts {
            ended: parts.ended,
            of: parts.total,
        }));
    }
    let is_meant_for_later = job.attempts > 0 || job.run_at > job.created_at;
    if is_meant_for_later && job.run_at > db.clock().now() {
        return Ok(Some(if job.attempts > 0 {
            Wait::Retry {
                attempt: job.attempts + 1,
                of: job.max_attempts,
                at: job.run_at,
            }
        } else {
            Wait::Later { at: job.run_at }
        }));
    }
    if job.ordering_key.is_some()
        && let Some((other, _, kind)) = store::ahead(db, &job.id).await?
    {
        return Ok(Some(Wait::Behind { job: other, kind }));
    }
    let (queue, kind) = (job.queue.clone(), job.kind.clone());
    if let Some(pause) = house.pauses.get(&queue) {
        let (by, at) = (pause.by.clone(), pause.at);
        return Ok(Some(Wait::QueuePaused { queue, by, at }));
    }
    Ok(Some(if !house.served.queues.contains(&queue) {
        if house.served.paused.contains(&queue) {
            Wait::Paused { queue }
        } else {
            Wait::NoWorker { queue }
        }
    } else if house.served.knows(&queue, &kind) {
        Wait::Busy { queue }
    } else {
        Wait::UnknownKind { kind }
    }))
}
