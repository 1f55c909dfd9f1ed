//! Dead letters: jobs whose every try failed, with what they died of, to try again one, all of a kind, or all.

use askama::Template;
use axum::extract::State as With;
use serde::Deserialize;

use super::view::{job_view, name};
use super::{Pages, ROWS, given};
use crate::kernel::error::Result;
use crate::kernel::http::Query;
use crate::kernel::jobs::{self, JobFilter, State};
use crate::kernel::ui::{Crumb, Html, Page, filters, shorten, view};
use crate::modules::operations::JOBS_MANAGE;

/// Characters of an error that the list shows.
const LONGEST: usize = 300;

#[derive(Template)]
#[template(path = "modules/operations/templates/dead.html")]
pub struct DeadPage {
    page: Page,
    trail: Vec<Crumb>,
    kinds: Vec<Kind>,
    /// The kind that is asked for.
    kind: String,
    rows: Vec<Dead>,
    older: Option<String>,
    may_retry: bool,
    keep_days: String,
}
view!(DeadPage);

struct Kind {
    label: String,
    count: String,
    href: String,
    selected: bool,
}

struct Dead {
    id: String,
    name: String,
    error: String,
    attempts: i64,
    ended_at: Option<i64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    before: String,
}

fn href(kind: &str, before: &str) -> String {
    let pairs = [("kind", kind), ("before", before)];
    let pairs: Vec<(&str, &str)> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    match serde_html_form::to_string(pairs) {
        Ok(query) if !query.is_empty() => format!("/jobs/dead?{query}"),
        _ => "/jobs/dead".to_owned(),
    }
}

pub async fn page(With(pages): With<Pages>, page: Page, Query(asked): Query<Asked>) -> Result<Html<DeadPage>> {
    let language = page.language;
    let filter = JobFilter {
        state: Some(State::Failed),
        kind: given(&asked.kind),
        before: given(&asked.before),
        ..JobFilter::default()
    };
    let found = jobs::list(&pages.db, &filter, ROWS).await?;
    let kinds = jobs::failed_kinds(&pages.db)
        .await?
        .into_iter()
        .map(|(kind, count)| Kind {
            label: name(language, &kind),
            count: language.number(count),
            href: href(&kind, ""),
            selected: kind == asked.kind,
        });
    let now = pages.db.clock().now();
    let row = |job: &jobs::Job| {
        let shown = job_view(job, language, now, None);
        Dead {
            id: shown.id,
            name: shown.name,
            error: shorten(job.error.as_deref().unwrap_or_default(), LONGEST),
            attempts: job.attempts,
            ended_at: job.ended_at,
        }
    };
    let last = found.last().filter(|_| found.len() as i64 == ROWS);
    Ok(Html(DeadPage {
        trail: vec![
            Crumb::to(language.text("jobs.title"), "/jobs"),
            Crumb::here(language.text("dead.title")),
        ],
        kinds: kinds.collect(),
        older: last.map(|job| href(&asked.kind, &job.id)),
        rows: found.iter().map(row).collect(),
        may_retry: page.may(&pages.access, JOBS_MANAGE).await,
        keep_days: language.number(i64::from(pages.keep_failed_days)),
        kind: asked.kind,
        page,
    }))
}
