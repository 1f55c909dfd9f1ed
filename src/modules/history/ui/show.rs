//! One change: who, why, from where, what it did, whether it was undone, and what an undo left.

use askama::Template;
use axum::extract::State;
use serde::Deserialize;
use serde_json::Value;

use super::{TITLE, named, reason};
use crate::contract::records::RecordState;
use crate::contract::undo::WhyLeft;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Path, Query};
use crate::kernel::ledger::{self, Change, ChangeSet, Operation, Position, RECORD, TYPE};
use crate::kernel::ui::{Crumb, Html, Page, filters, operation, plain, readable, shorten, view, who};
use crate::modules::history::HISTORY_UNDO;
use crate::modules::history::service::Service;
use crate::modules::history::undo::Standing;

/// Changes of one page.
const CHANGES: i64 = 100;
/// Changes of a set that are looked at to know whether the caller may see any of it.
const PROBE: i64 = 20;
/// Things an undo left that the page names; the rest is in the machine's form.
const LEFT: i64 = 200;

#[derive(Template)]
#[template(path = "modules/history/templates/change.html")]
pub struct ChangePage {
    page: Page,
    trail: Vec<Crumb>,
    id: String,
    what: String,
    reason: String,
    actor: String,
    at: i64,
    facts: Vec<Fact>,
    /// How many were created, changed, deleted, restored: key and number.
    counts: Vec<(String, u64)>,
    /// Where it can be undone, for those who may.
    undo: Option<String>,
    /// Undos of it so far.
    undos: Vec<UndoRow>,
    /// What it undid, where it is an undo.
    undid: Option<Undid>,
    rows: Vec<ChangeRow>,
    next: Option<String>,
}
view!(ChangePage);

#[derive(Clone)]
struct Fact {
    name: String,
    value: String,
    href: Option<String>,
}

/// One undo of the change.
struct UndoRow {
    href: String,
    at: i64,
    is_done: bool,
    /// Whoever sees all is told how many things it was.
    is_counted: bool,
    put_back: i64,
    left: i64,
}

/// What this change, an undo, has to tell.
struct Undid {
    href: String,
    what: String,
    /// Whoever sees all is told how many things it was.
    is_counted: bool,
    put_back: i64,
    already: i64,
    kept: i64,
    left: Vec<LeftRow>,
    /// There is more than is named.
    is_cut: bool,
    /// Where those that are open are decided about, for those who may.
    decide: Option<String>,
}

struct LeftRow {
    title: String,
    href: Option<String>,
    why: String,
    /// Key of what was decided, and the change in which it was carried out.
    decided: Option<String>,
    decided_in: Option<String>,
}

struct ChangeRow {
    title: String,
    href: Option<String>,
    /// Key of what happened.
    what: &'static str,
    version: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    #[serde(default)]
    after: Option<String>,
}

pub async fn show_page(
    State(service): State<Service>,
    page: Page,
    Path(id): Path<String>,
    Query(asked): Query<After>,
) -> Result<Html<ChangePage>> {
    let nothing = || Error::not_found("change set", &shorten(&id, 60));
    let set = service.known(&page.caller, &id).await?;
    let after: Position = asked.after.as_deref().map(str::parse).transpose()?.unwrap_or_default();
    let changes = ledger::set_changes(&service.db, &id, after, CHANGES).await?;
    let all = service.sees_all(&page.caller).await?;
    let rows = rows(&service, &page, &changes, all).await?;
    if rows.is_empty() && !all {
        let first = ledger::set_changes(&service.db, &id, Position::default(), PROBE).await?;
        if self::rows(&service, &page, &first, false).await?.is_empty() {
            return Err(nothing());
        }
    }
    let last = changes
        .last()
        .filter(|_| changes.len() as i64 == CHANGES)
        .map(|change| change.at);
    // Counts of what somebody cannot see would betray it.
    let counts = if all { counts(&service, &id).await? } else { Vec::new() };
    let may_undo =
        !counts.is_empty() && !ledger::is_about_people(&set.kind) && page.may(&service.access, HISTORY_UNDO).await;
    let language = page.language;
    let what = named(&page, &set);
    let by = who(&page, &service.access, &set.actor).await;
    Ok(Html(ChangePage {
        trail: vec![
            Crumb::to(language.text("changes.title"), "/changes"),
            Crumb::here(what.clone()),
        ],
        what,
        reason: reason(&page.caller, &set),
        actor: by,
        at: set.created_at,
        facts: [facts(&page, &set), report(&service, &page, &set).await?].concat(),
        undo: may_undo.then(|| format!("/changes/{id}/undo")),
        undos: service
            .undos_of(&page.caller, &id)
            .await?
            .into_iter()
            .map(undo_row)
            .collect(),
        undid: undid(&service, &page, &id, all).await?,
        counts,
        next: last.map(|at| format!("/changes/{id}?after={at}")),
        id,
        rows,
        page,
    }))
}

fn undo_row((standing, all): (Standing, bool)) -> UndoRow {
    UndoRow {
        href: format!("/changes/{}", standing.set_id),
        at: standing.created_at,
        is_done: standing.state == "done",
        is_counted: all,
        put_back: standing.removed + standing.reverted + standing.revived,
        left: standing.kept,
    }
}

async fn counts(service: &Service, id: &str) -> Result<Vec<(String, u64)>> {
    let counted = ledger::set_counts(&service.db, id).await?;
    let order = [
        Operation::Create,
        Operation::Update,
        Operation::Delete,
        Operation::Restore,
    ];
    let shown = order.into_iter().filter_map(|operation| {
        let found = counted.iter().find(|(name, _)| name == operation.as_str())?;
        Some((
            format!("change-did.{}", operation.as_str()),
            u64::try_from(found.1).ok()?,
        ))
    });
    Ok(shown.collect())
}

/// From where, for those who are known here; what it names can be opened.
fn facts(page: &Page, set: &ChangeSet) -> Vec<Fact> {
    if page.caller.is_anonymous() {
        return Vec::new();
    }
    let origin: Value = serde_json::from_str(&set.origin).unwrap_or_default();
    let pairs = origin.as_object().into_iter().flatten();
    pairs
        .filter_map(|(name, value)| {
            let value = plain(value, page.language)?;
            let href = match name.as_str() {
                "job" => Some(format!("/jobs/{value}")),
                "undoes" | "decides" => Some(format!("/changes/{value}")),
                _ => None,
            };
            let label = page.language.get(&format!("origin.{name}"));
            Some(Fact {
                name: label.map_or_else(|| readable(name), str::to_owned),
                value,
                href,
            })
        })
        .collect()
}

/// What the job that made it has to report: the rows that it refused, as a file.
async fn report(service: &Service, page: &Page, set: &ChangeSet) -> Result<Vec<Fact>> {
    if page.caller.is_anonymous() {
        return Ok(Vec::new());
    }
    let Some(job) = service.undos.job_of(set).await? else {
        return Ok(Vec::new());
    };
    let result = job.result.unwrap_or_default();
    let has_file = result.get("report").is_some_and(Value::is_string);
    let refused = result
        .get("refused")
        .and_then(Value::as_i64)
        .filter(|n| *n > 0 && has_file);
    let fact = refused.map(|n| Fact {
        name: page.language.text("origin.report"),
        value: page.language.with("origin.refused", &[("n", &page.language.number(n))]),
        href: Some(format!("/api/imports/{}/report", job.id)),
    });
    Ok(fact.into_iter().collect())
}

async fn undid(service: &Service, page: &Page, id: &str, all: bool) -> Result<Option<Undid>> {
    let Some(standing) = service.undos.which_is(id).await? else {
        return Ok(None);
    };
    let kept = service.undos.left(id, None, LEFT).await?;
    let is_cut = kept.len() as i64 == LEFT;
    let is_open = kept.iter().any(|one| one.decision.is_none());
    let may_decide = is_open && standing.state == "done" && page.may(&service.access, HISTORY_UNDO).await;
    let records = kept
        .iter()
        .filter(|k| k.kind == RECORD)
        .map(|k| k.entity.clone())
        .collect();
    let seen = service.seen(page, records, kept.iter().any(|k| k.kind == TYPE)).await?;
    let left = kept.into_iter().filter_map(|kept| {
        let known = seen.get(&kept.entity).cloned();
        let (title, href) = known.or_else(|| all.then(|| (kept.entity.clone(), None)))?;
        let why = WhyLeft::parse(&kept.reason).unwrap_or(WhyLeft::Unknown);
        Some(LeftRow {
            title,
            href,
            why: format!("undo-left.{}", why.as_str()),
            decided: kept.decision.as_ref().map(|choice| match kept.decided_set {
                None if choice != "keep" => "decided.waits".to_owned(),
                _ => format!("decided.{choice}"),
            }),
            decided_in: kept.decided_set.map(|set| format!("/changes/{set}")),
        })
    });
    let of = ledger::set(&service.db, &standing.of_set).await?;
    Ok(Some(Undid {
        href: format!("/changes/{}", standing.of_set),
        what: of.map_or_else(|| standing.of_set.clone(), |set| named(page, &set)),
        is_counted: all,
        put_back: standing.removed + standing.reverted + standing.revived,
        already: standing.already,
        kept: standing.kept,
        left: left.collect(),
        is_cut,
        decide: may_decide.then(|| format!("/changes/{id}/decide")),
    }))
}

/// The changes as far as the caller may see what they touch. Who sees all sees what is gone, too.
async fn rows(service: &Service, page: &Page, changes: &[Change], all: bool) -> Result<Vec<ChangeRow>> {
    let records = changes
        .iter()
        .filter(|c| c.kind == RECORD)
        .map(|c| c.entity.clone())
        .collect();
    let seen = service
        .seen(page, records, changes.iter().any(|c| c.kind == TYPE))
        .await?;
    let mut rows = Vec::with_capacity(changes.len());
    for change in changes {
        let known = seen.get(&change.entity).cloned();
        let (mut title, href) = match known {
            Some(known) => known,
            None if all => (change.entity.clone(), None),
            None => continue,
        };
        let version = ledger::version(&service.db, &change.entity, change.version).await?;
        if let Some(words) = super::grants::title(service, page, change).await? {
            title = words;
        } else if all && title == change.entity {
            title = last_title(service, change).await?.unwrap_or(title);
        }
        rows.push(ChangeRow {
            title,
            href,
            what: version.map_or("operation.update", |v| operation(v.operation)),
            version: change.version,
        });
    }
    Ok(rows)
}

/// What a thing that is gone was called: by its type where that is left, else by its first words.
async fn last_title(service: &Service, change: &Change) -> Result<Option<String>> {
    for number in [change.version, change.version - 1] {
        let state = ledger::version(&service.db, &change.entity, number).await?;
        let Some(text) = state.and_then(|state| state.document) else {
            continue;
        };
        if change.kind != RECORD {
            let name: Value = serde_json::from_str(&text)?;
            return Ok(name.get("name").and_then(Value::as_str).map(str::to_owned));
        }
        let state: RecordState = serde_json::from_str(&text)?;
        let title = match service.records.record_type(&state.type_name).await? {
            Some(stored) => service.records.title(&stored.definition, &state.document),
            None => {
                let mut words = state.document.values().filter_map(Value::as_str);
                words.next().unwrap_or_default().to_owned()
            }
        };
        return Ok((!title.trim().is_empty()).then(|| shorten(&title, TITLE)));
    }
    Ok(None)
}
