//! Activity: change sets by day, and on each day what one did of a kind together.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use serde::Deserialize;

use super::grants::first as first_of;
use super::{named, reason};
use crate::kernel::clock::rfc3339;
use crate::kernel::error::Result;
use crate::kernel::http::Query;
use crate::kernel::i18n::Language;
use crate::kernel::ledger::{self, Change, ChangeSet, Position, RECORD, SetFilter, TYPE};
use crate::kernel::ui::{Html, Page, filters, set_name, view, who};
use crate::modules::history::api::moment;
use crate::modules::history::service::Service;

/// Change sets of one page.
const SETS: i64 = 50;
/// Changes of a set that are looked at to know whether the caller may see any of it.
const PROBE: i64 = 10;
const DAY: i64 = 86_400_000;

#[derive(Template)]
#[template(path = "modules/history/templates/changes.html")]
pub struct ChangesPage {
    page: Page,
    days: Vec<Day>,
    asked: Asked,
    actors: Vec<Choice>,
    causes: Vec<Choice>,
    kinds: Vec<Choice>,
    /// Some filter is set.
    is_narrowed: bool,
    older: Option<String>,
    /// Where all of it can be had, for those who may.
    export: Option<String>,
}
view!(ChangesPage);

struct Choice {
    value: String,
    label: String,
    selected: bool,
}

struct Day {
    at: i64,
    groups: Vec<Group>,
}

/// What one person did of one kind, in a row.
struct Group {
    what: String,
    actor: String,
    rows: Vec<SetRow>,
}

struct SetRow {
    id: String,
    what: String,
    /// The first thing it touched, and whether there is more.
    first: Option<String>,
    others: bool,
    reason: String,
    /// Hours and minutes.
    clock: String,
    datetime: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    #[serde(default)]
    before: String,
    #[serde(default)]
    actor: String,
    #[serde(default)]
    cause: String,
    /// What is touched.
    #[serde(default)]
    kind: String,
    /// Days, both included.
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

fn given(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

impl Asked {
    fn filter(&self) -> Result<SetFilter> {
        let day = |name: &str, text: &str| given(text).map(|text| moment(name, &text)).transpose();
        Ok(SetFilter {
            actor: given(&self.actor),
            cause: given(&self.cause),
            kind: given(&self.kind),
            since: day("from", &self.from)?,
            until: day("to", &self.to)?.map(|at| at + DAY),
            request: None,
            before: given(&self.before),
        })
    }
    /// The question without its page.
    fn query(&self) -> String {
        let pairs = [
            ("actor", &self.actor),
            ("cause", &self.cause),
            ("kind", &self.kind),
            ("from", &self.from),
            ("to", &self.to),
        ];
        let pairs: Vec<(&str, String)> = pairs
            .into_iter()
            .filter_map(|(name, v)| Some((name, given(v)?)))
            .collect();
        serde_html_form::to_string(pairs).unwrap_or_default()
    }
}

pub async fn index_page(
    State(service): State<Service>,
    page: Page,
    Query(asked): Query<Asked>,
) -> Result<Html<ChangesPage>> {
    let filter = asked.filter()?;
    let (sets, last) = service.all_sets(&page.caller, &filter, SETS).await?;
    let all = service.sees_all(&page.caller).await?;
    let days = days(&service, &page, &sets, all).await?;
    let query = asked.query();
    let (actors, causes) = choices(&service, &page, &asked, all).await?;
    let may_export = page.may(&service.access, crate::modules::history::HISTORY_AUDIT).await;
    let mark = if query.is_empty() { "" } else { "&" };
    Ok(Html(ChangesPage {
        days,
        actors,
        causes,
        kinds: kinds(&service, &page, &asked).await?,
        is_narrowed: !query.is_empty(),
        older: last.map(|id| format!("/changes?{query}{mark}before={id}")),
        export: may_export.then(|| export_address(&filter)),
        asked,
        page,
    }))
}

fn export_address(filter: &SetFilter) -> String {
    let pairs = [
        ("actor", filter.actor.clone()),
        ("cause", filter.cause.clone()),
        ("kind", filter.kind.clone()),
        ("since", filter.since.map(rfc3339)),
        ("until", filter.until.map(rfc3339)),
    ];
    let pairs: Vec<(&str, String)> = pairs.into_iter().filter_map(|(name, v)| Some((name, v?))).collect();
    format!(
        "/api/changes/export?{}",
        serde_html_form::to_string(pairs).unwrap_or_default()
    )
}

/// Who and what can be chosen. Only who sees everything learns who there is.
async fn choices(service: &Service, page: &Page, asked: &Asked, all: bool) -> Result<(Vec<Choice>, Vec<Choice>)> {
    let language = page.language;
    let about_people = service.sees_people(&page.caller).await?;
    let causes = ledger::causes(&service.db).await?.into_iter();
    let causes = causes.filter(|cause| about_people || !ledger::is_about_people(cause));
    let causes = causes.map(|cause| Choice {
        label: set_name(language, &cause),
        selected: cause == asked.cause,
        value: cause,
    });
    let actors = if all {
        ledger::actors(&service.db).await?
    } else {
        Vec::new()
    };
    let mut people = Vec::with_capacity(actors.len());
    for by in actors {
        people.push(Choice {
            label: who(page, &service.access, &by).await,
            selected: by == asked.actor,
            value: by,
        });
    }
    Ok((people, causes.collect()))
}

/// What changes can be about, for this caller.
async fn kinds(service: &Service, page: &Page, asked: &Asked) -> Result<Vec<Choice>> {
    let mut known = vec![RECORD, TYPE];
    if service.sees_people(&page.caller).await? {
        known.extend(ledger::ABOUT_PEOPLE);
    }
    let choice = |kind: &str| Choice {
        label: page.language.text(&format!("change-of.{kind}")),
        selected: kind == asked.kind,
        value: kind.to_owned(),
    };
    Ok(known.into_iter().map(choice).collect())
}

async fn days(service: &Service, page: &Page, sets: &[ChangeSet], all: bool) -> Result<Vec<Day>> {
    let mut probes: Vec<Vec<Change>> = Vec::with_capacity(sets.len());
    for set in sets {
        let most = if all { 2 } else { PROBE };
        probes.push(ledger::set_changes(&service.db, &set.id, Position::default(), most).await?);
    }
    let touched = || probes.iter().flatten();
    let records = touched()
        .filter(|c| c.kind == RECORD)
        .map(|c| c.entity.clone())
        .collect();
    let seen = service.seen(page, records, touched().any(|c| c.kind == TYPE)).await?;
    let mut names: HashMap<&str, String> = HashMap::new();
    for set in sets {
        if !names.contains_key(set.actor.as_str()) {
            names.insert(&set.actor, who(page, &service.access, &set.actor).await);
        }
    }
    let mut days: Vec<Day> = Vec::new();
    for (set, changes) in sets.iter().zip(&probes) {
        let mut titles = changes.iter().filter_map(|change| seen.get(&change.entity));
        let first = match titles.next() {
            Some((title, _)) => Some(title.clone()),
            None if all => first_of(service, page, changes).await?,
            None => None,
        };
        // What touches nothing that the caller may see is not there.
        if !all && first.is_none() {
            continue;
        }
        let row = row(page, set, first, titles.next().is_some());
        let by = names.get(set.actor.as_str()).cloned().unwrap_or_default();
        put(&mut days, page.language, set, by, row);
    }
    Ok(days)
}

fn row(page: &Page, set: &ChangeSet, first: Option<String>, others: bool) -> SetRow {
    let datetime = rfc3339(set.created_at);
    SetRow {
        id: set.id.clone(),
        what: named(page, set),
        first,
        others,
        reason: reason(&page.caller, set),
        clock: page.language.clock(set.created_at),
        datetime,
    }
}

/// Puts a change into its day and group; changes come the newest first.
fn put(days: &mut Vec<Day>, language: Language, set: &ChangeSet, who: String, row: SetRow) {
    let day = language.day_of(set.created_at);
    if days.last().is_none_or(|last| last.at != day) {
        days.push(Day {
            at: day,
            groups: Vec::new(),
        });
    }
    let Some(day) = days.last_mut() else { return };
    let what = set_name(language, &set.kind);
    match day.groups.last_mut() {
        Some(group) if group.what == what && group.actor == who => group.rows.push(row),
        _ => day.groups.push(Group {
            what,
            actor: who,
            rows: vec![row],
        }),
    }
}
