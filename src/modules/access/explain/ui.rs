//! The page "Why can they see this?": for a person or everybody, and the house, a collection or a record.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::{Reason, Why};
use crate::contract::access::{GRANTS, HOUSE, MANAGE};
use crate::kernel::access::{Level, OPEN, Object, VIEW_AS};
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Form, Query, RouteSet, Routes, Shared, view_as_cookie, view_as_end};
use crate::kernel::ui::{Crumb, Html, Page, filters, view};
use crate::modules::access::grants::ui::giver;
use crate::modules::access::grants::{GrantService, Holder};
use crate::modules::access::relations::engine::Step;

pub fn routes(service: Arc<GrantService>) -> Routes {
    RouteSet::new()
        .page(GRANTS, Method::GET, "/access/why", get(why_page))
        .page(VIEW_AS, Method::POST, "/access/view-as", post(view_as))
        .page(OPEN, Method::POST, "/access/view-as/end", post(end))
        .with_state(service)
}

/// What lets somebody change a record.
const CHANGE: &str = "records.write";

/// As whom to look.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct As {
    subject: String,
}

async fn view_as(
    State(service): State<Arc<GrantService>>,
    Shared(context): Shared,
    page: Page,
    Form(wanted): Form<As>,
) -> Result<Response> {
    let known = wanted.subject == "anonymous" || {
        let names = service.names([wanted.subject.as_str()]).await?;
        wanted.subject.starts_with("account:") && names.holder(&wanted.subject).active
    };
    if !known {
        return Err(Error::invalid("subject", "names nobody who can sign in."));
    }
    tracing::info!(
        actor = page.caller.actor(),
        subject = wanted.subject,
        "looks as somebody else"
    );
    let cookie = view_as_cookie(&context, &wanted.subject)?;
    let headers = [
        (header::LOCATION, HeaderValue::from_static("/")),
        (header::SET_COOKIE, cookie),
    ];
    Ok((StatusCode::SEE_OTHER, headers).into_response())
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

async fn end(page: Page, Form(Nothing {}): Form<Nothing>) -> Response {
    tracing::info!(actor = page.caller.actor(), "looks as themselves again");
    let headers = [
        (header::LOCATION, HeaderValue::from_static("/")),
        (header::SET_COOKIE, view_as_end()),
    ];
    (StatusCode::SEE_OTHER, headers).into_response()
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// `house`, `type:NAME`, `record:ID`, or the address of a record.
    #[serde(default)]
    object: String,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    who: String,
}

/// A sentence of the way, and who made it so, when.
struct Sentence {
    text: String,
    given: String,
}

#[derive(Template)]
#[template(path = "modules/access/templates/why.html")]
struct WhyPage {
    page: Page,
    trail: Vec<Crumb>,
    object: String,
    who: String,
    /// What is asked about, in words.
    label: String,
    record: Option<String>,
    level: Option<Level>,
    /// `account:ID` of the person who is asked about.
    subject: String,
    /// Keys of the record's visibility and of what the person reads there.
    badge: String,
    reads: String,
    /// For everybody who is not signed in.
    nobody: Option<Why>,
    answer: Option<(String, Why, Vec<Sentence>)>,
    /// Whether they change the record, and why.
    changes: Option<(bool, Vec<Sentence>)>,
    candidates: Vec<Holder>,
    none_found: bool,
    /// Those who see what is restricted there, by a role.
    holders: Vec<Holder>,
    collections: Vec<(String, String)>,
    may_manage: bool,
}
view!(WhyPage);

/// `record:ID` of a record's address; anything else as it is.
fn object_of(text: &str) -> String {
    let text = text.trim();
    let path = text.split(['?', '#']).next().unwrap_or_default();
    match path.rsplit_once("/records/") {
        Some((_, id)) => format!("record:{}", id.split('/').next().unwrap_or_default()),
        None if crate::kernel::id::is_id(path) => format!("record:{path}"),
        None => text.to_owned(),
    }
}

fn sentences(page: &Page, why: &Why) -> Vec<Sentence> {
    let holder = |reason: &Reason| {
        let found = reason.holder.as_ref().and_then(|h| h.name.clone());
        found.unwrap_or_else(|| page.language.text("grants.unknown").to_owned())
    };
    let language = page.language;
    let plain = |key: &str| Sentence {
        text: language.text(key).to_owned(),
        given: String::new(),
    };
    let mut found = Vec::new();
    for reason in &why.way {
        match &reason.step {
            Step::Anyone => found.push(plain("why.anyone")),
            Step::Members => found.push(plain("why.members")),
            Step::Name { .. } => {}
            Step::Tuple { object, relation, .. } => {
                let writes = why.permission == CHANGE;
                let key = match object.as_str() {
                    HOUSE if writes => format!("why.house-writes.{relation}"),
                    HOUSE => format!("why.house.{relation}"),
                    group if group.starts_with("group:") => "why.member".to_owned(),
                    record if record.starts_with("record:") => "why.made".to_owned(),
                    _ if writes => format!("why.collection-writes.{relation}"),
                    _ => format!("why.collection.{relation}"),
                };
                let place = reason.object_name.as_deref().unwrap_or_default();
                let at = reason
                    .given_at
                    .as_deref()
                    .and_then(|at| at.get(..10))
                    .unwrap_or_default();
                let given = reason.given_by.as_deref();
                let given = given.map(|by| giver(language, &reason.giver, by));
                found.push(Sentence {
                    text: language.with(&key, &[("name", &holder(reason)), ("place", &place)]),
                    given: given.map_or_else(String::new, |by| {
                        language.with("why.given", &[("by", &by), ("at", &at)])
                    }),
                });
            }
        }
    }
    found
}

async fn why_page(
    State(service): State<Arc<GrantService>>,
    page: Page,
    Query(asked): Query<Asked>,
) -> Result<Html<WhyPage>> {
    let collections = service.access.collections().await?;
    let mut own = Vec::new();
    for collection in &collections {
        if service
            .access
            .check(&page.caller, GRANTS, &Object::Type(&collection.name))
            .await?
        {
            own.push((format!("type:{}", collection.name), collection.called(page.language)));
        }
    }
    let language = page.language;
    let mut shown = WhyPage {
        trail: vec![
            Crumb::to(language.text("grants.title"), "/access"),
            Crumb::here(language.text("why.title")),
        ],
        object: object_of(&asked.object),
        who: asked.who.clone(),
        label: String::new(),
        record: None,
        level: None,
        subject: String::new(),
        badge: String::new(),
        reads: String::new(),
        nobody: None,
        answer: None,
        changes: None,
        candidates: Vec::new(),
        none_found: false,
        holders: Vec::new(),
        collections: own,
        may_manage: service.access.check(&page.caller, MANAGE, &Object::House).await?,
        page,
    };
    if shown.object.is_empty() {
        return Ok(Html(shown));
    }
    let target = service.target(&shown.page.caller, &shown.object).await?;
    let label = collections.iter().find(|c| format!("type:{}", c.name) == target.place);
    shown.label = label.map_or_else(|| language.text("grants.house").to_owned(), |c| c.label.clone());
    shown.record = target.record.as_ref().map(|(id, _)| id.clone());
    shown.level = target.record.as_ref().map(|(_, level)| *level);
    if let Some(level) = shown.level {
        shown.badge = format!("why.level.{}", level.as_str());
    }
    shown.nobody = Some(service.why(&target, None, None).await?);
    shown.holders = service.everybody_with(&target.place, "see.restricted").await?;
    let mut subject = asked.subject.clone();
    if subject.is_empty() && !asked.who.trim().is_empty() {
        let meant: Vec<Holder> = service
            .meant(&asked.who)
            .await?
            .into_iter()
            .filter(|h| !h.is_group)
            .collect();
        match meant.as_slice() {
            [one] => subject.clone_from(&one.subject),
            [] => shown.none_found = true,
            _ => shown.candidates = meant,
        }
    }
    if !subject.is_empty() {
        let why = service.why(&target, None, Some(&subject)).await?;
        let name = why.who.as_ref().and_then(|who| who.name.clone());
        let name = name.unwrap_or_else(|| language.text("grants.unknown").to_owned());
        if let Some(level) = why.level {
            shown.reads = format!("why.reads.{}", level.as_str());
        }
        if target.record.is_some() {
            let change = service.why(&target, Some(CHANGE), Some(&subject)).await?;
            shown.changes = Some((change.allowed, sentences(&shown.page, &change)));
        }
        let lines = sentences(&shown.page, &why);
        shown.subject = subject;
        shown.answer = Some((name, why, lines));
    }
    Ok(Html(shown))
}
