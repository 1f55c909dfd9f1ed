//! The page on which somebody decides about what an undo left: what the change did, what was done since, and three buttons.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Choice, Kept, Stages};
use crate::contract::records::{RecordState, RecordType, Sight};
use crate::contract::undo::WhyLeft;
use crate::kernel::access::Caller;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Form, Path, Query};
use crate::kernel::i18n::Language;
use crate::kernel::ledger;
use crate::kernel::ui::{Crumb, Difference, Flash, Html, Page, differences, filters, label, readable, view};
use crate::modules::history::service::Service;
use crate::modules::history::ui::named;

/// Things of one page.
const SHOWN: i64 = 25;

#[derive(Template)]
#[template(path = "modules/history/templates/decide.html")]
pub struct DecidePage {
    page: Page,
    trail: Vec<Crumb>,
    id: String,
    what: String,
    rows: Vec<Row>,
    /// Where more of it is.
    next: Option<String>,
    /// Everything that was changed since, for those who see all of it and where there is more than is shown.
    all: Option<i64>,
}
view!(DecidePage);

struct Row {
    id: String,
    title: String,
    href: Option<String>,
    why: String,
    /// The change had made it: putting it back deletes it.
    is_made: bool,
    /// It was deleted since.
    is_gone: bool,
    /// What the change did.
    did: Vec<Difference>,
    /// What was done since.
    since: Vec<Difference>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct After {
    #[serde(default)]
    after: String,
}

pub async fn page(
    State(service): State<Service>,
    page: Page,
    Path(id): Path<String>,
    Query(asked): Query<After>,
) -> Result<Html<DecidePage>> {
    let (standing, open, next) = service.open(&page.caller, &id, &asked.after, SHOWN).await?;
    let (_, changed) = service.undos.count_open(&id).await?;
    let sees_all = service.sees_all(&page.caller).await?;
    let ids: Vec<String> = open.iter().map(|kept| kept.entity.clone()).collect();
    let sights = service.records.sights(&page.caller, &ids).await?;
    let seen = service.seen(&page, ids, true).await?;
    let mut rows = Vec::with_capacity(open.len());
    for kept in &open {
        let (title, href) = seen
            .get(&kept.entity)
            .cloned()
            .unwrap_or_else(|| (kept.entity.clone(), None));
        let sight = sights.iter().find(|sight| sight.id == kept.entity);
        let stages = match sight {
            Some(sight) => told(&service, &page, &standing.of_set, kept, sight).await?,
            None => Told::default(),
        };
        rows.push(Row {
            id: kept.entity.clone(),
            title,
            href,
            why: format!(
                "undo-left.{}",
                WhyLeft::parse(&kept.reason).unwrap_or(WhyLeft::Unknown).as_str()
            ),
            is_made: stages.is_made,
            is_gone: sight.is_some_and(|sight| sight.deleted),
            did: stages.did,
            since: stages.since,
        });
    }
    let language = page.language;
    let of = ledger::set(&service.db, &standing.of_set).await?;
    let what = of.map_or_else(|| standing.of_set.clone(), |set| named(&page, &set));
    Ok(Html(DecidePage {
        trail: vec![
            Crumb::to(language.text("changes.title"), "/changes"),
            Crumb::to(language.text("undo.title"), format!("/changes/{id}")),
            Crumb::here(language.text("decide.title")),
        ],
        next: next.map(|after| format!("/changes/{id}/decide?after={after}")),
        all: (sees_all && changed > rows.len() as i64).then_some(changed),
        id,
        what,
        rows,
        page,
    }))
}

#[derive(Default)]
struct Told {
    is_made: bool,
    did: Vec<Difference>,
    since: Vec<Difference>,
}

async fn told(service: &Service, page: &Page, of: &str, kept: &Kept, sight: &Sight) -> Result<Told> {
    let Some(stages) = service.undos.stages(of, kept).await? else {
        return Ok(Told::default());
    };
    let definition = &sight.stored_type.definition;
    let cut = |state: Option<&RecordState>| -> Map<String, Value> {
        service.records.cut(definition, sight.level, Stages::document(state))
    };
    let (before, made, now) = (
        cut(stages.before.as_ref()),
        cut(stages.made.as_ref()),
        cut(stages.now.as_ref()),
    );
    let name = |path: &str| path_label(definition, path, page.language);
    Ok(Told {
        is_made: stages.before.is_none(),
        // What it made says all of it; that is the record itself.
        did: if stages.before.is_some() {
            differences(&before, &made, name)
        } else {
            Vec::new()
        },
        since: if stages.now.is_some() {
            differences(&made, &now, name)
        } else {
            Vec::new()
        },
    })
}

/// The labels of a dotted path, without positions in lists.
fn path_label(definition: &RecordType, path: &str, language: Language) -> String {
    let steps = path.split('.').filter(|step| !step.bytes().all(|b| b.is_ascii_digit()));
    let plain = steps.collect::<Vec<_>>().join(".");
    let leaves = definition.leaves();
    let Some(leaf) = leaves.iter().find(|leaf| leaf.path == plain) else {
        return readable(&plain);
    };
    let labels = leaf
        .fields
        .iter()
        .map(|field| label(&field.labels, &field.name, language));
    labels.collect::<Vec<_>>().join(" › ")
}

/// `POST /changes/{id}/decide`: `record` for each that is chosen, `all`, `do`, `reason`.
pub async fn decide(
    State(service): State<Service>,
    caller: Caller,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let mut records = Vec::new();
    let (mut all, mut choice, mut reason) = (false, None, String::new());
    for (name, value) in pairs {
        match name.as_str() {
            "record" => records.push(value),
            "all" => all = true,
            "reason" => reason = value,
            "do" => {
                choice = match value.as_str() {
                    "fields" => Some(Choice::Fields),
                    "whole" => Some(Choice::Whole),
                    "keep" => Some(Choice::Keep),
                    _ => None,
                }
            }
            // The token of the form; nothing else is asked for.
            _ => {}
        }
    }
    let choice = choice.ok_or_else(|| Error::new(Code::BadRequest, "do: fields, whole or keep."))?;
    let to = |place: String| [(header::LOCATION, place)];
    if records.is_empty() && !all {
        let place = to(format!("/changes/{id}/decide"));
        return Ok((StatusCode::SEE_OTHER, Flash::new("toast.nothing-chosen"), place).into_response());
    }
    let which = (!all).then_some(records.as_slice());
    let taken = service.decide(&caller, &id, choice, which, &reason).await?;
    let (said, place) = match taken.job {
        Some(job) => ("toast.undo-begun", format!("/jobs/{job}")),
        None => ("toast.kept", format!("/changes/{id}")),
    };
    Ok((StatusCode::SEE_OTHER, Flash::new(said), to(place)).into_response())
}
