//! A type that is a tree as a page: what hangs at the top or below a record, opened step by step; finding a record in it;
//! and hanging one elsewhere.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, json};

use super::Pages;
use super::edit::{because, of_fields};
use super::fields::level_key;
use super::names::title;
use crate::contract::records::{RECORDS_READ, RECORDS_WRITE, RecordType};
use crate::kernel::access::Object;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Form, Json, Path, Query};
use crate::kernel::ledger;
use crate::kernel::search::{Begun, Below};
use crate::kernel::ui::form::{self, Field, Name};
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, label, shorten, view};
use crate::modules::records::api::trees::{cursor_of, place_of};
use crate::modules::records::service::trees::{Branch, Step, Twig};
use crate::modules::records::service::{NewRecord, Seen};

/// Records of one page, and those on the page of the record they hang below.
const LIMIT: i64 = 50;
const FEW: i64 = 12;
/// Records that are found at once.
const FOUND: usize = 30;
/// Characters of a title on a line.
const TITLE: usize = 120;
/// Records below one are counted that far before it is moved.
const COUNTED: i64 = 1_000_000;

#[derive(Template)]
#[template(path = "modules/records/templates/tree.html")]
pub struct TreePage {
    page: Page,
    trail: Vec<Crumb>,
    name: String,
    heading: String,
    /// The record that the page is about, with how much hangs below it; none at the top.
    at: Option<At>,
    lines: Vec<Line>,
    more: Option<String>,
    find: String,
    found: Option<Vec<Hit>>,
    may_write: bool,
    may_move: bool,
}

#[derive(Template)]
#[template(path = "modules/records/templates/move.html")]
pub struct MovePage {
    page: Page,
    trail: Vec<Crumb>,
    id: String,
    heading: String,
    version: i64,
    /// How many records go along.
    below: i64,
    wrongs: Vec<form::Wrong>,
    to: Field,
    reason: Field,
}
view!(TreePage, MovePage);

pub struct At {
    pub id: String,
    pub title: String,
    pub below: u64,
}

/// A record on its line.
#[derive(Clone, Debug)]
pub struct Line {
    pub id: String,
    pub title: String,
    pub level: Option<&'static str>,
    /// Where what hangs below it is shown, if anything does.
    pub open: Option<String>,
    pub children: u64,
    pub below: u64,
}

/// A record that was found.
pub struct Hit {
    pub title: String,
    pub path: String,
    pub open: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Asked {
    under: String,
    from: String,
    find: String,
}

/// `GET /types/{name}/tree`
pub async fn tree_page(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Html<TreePage>> {
    let (_, definition) = pages.service.tree_of(&page.caller, &name).await?;
    let under = Some(asked.under.as_str()).filter(|id| !id.is_empty());
    let from = Some(asked.from.as_str()).filter(|text| !text.is_empty());
    let from = from.map(place_of).transpose()?;
    let branch = pages
        .service
        .branch(&page.caller, &name, under, from.as_ref(), LIMIT)
        .await?;
    let lines = pages.lines(&page, &branch).await;
    let find = asked.find.trim().to_owned();
    let found = match find.is_empty() {
        true => None,
        false => Some(pages.find_in(&page, &definition, &find).await?),
    };
    let language = page.language;
    let called = label(&definition.labels, &definition.name, language);
    let top = format!("/types/{name}/tree");
    let mut trail = vec![
        Crumb::to(language.text("nav.types"), "/types"),
        Crumb::to(called.clone(), format!("/types/{name}")),
    ];
    let at = match &branch.at {
        Some(seen) => {
            trail.push(Crumb::to(language.text("tree.title"), top.clone()));
            trail.extend(crumbs(&branch.path, |step| branch_address(&name, &step.id)));
            let title = title(seen);
            trail.push(Crumb::here(shorten(&title, 60)));
            let id = seen.record.id.clone();
            let counts = pages
                .service
                .count_inside(&page.caller, &pages.search, &definition, vec![id.clone()])
                .await;
            let below = counts.get(&id).map_or(0, |below| below.all);
            Some(At { id, title, below })
        }
        None => {
            trail.push(Crumb::here(language.text("tree.title")));
            None
        }
    };
    let more = branch.next.as_ref().map(|place| {
        let from = cursor_of(place);
        let pairs = [("under", under.unwrap_or_default()), ("from", from.as_str())];
        let query = serde_html_form::to_string(pairs).unwrap_or_default();
        format!("{top}?{query}")
    });
    let may_move = match &branch.at {
        Some(seen) => {
            let object = Object::Record {
                id: &seen.record.id,
                type_name: &name,
                visibility: seen.record.visibility,
            };
            pages.access.check(&page.caller, RECORDS_WRITE, &object).await?
        }
        None => false,
    };
    Ok(Html(TreePage {
        may_move,
        may_write: pages
            .access
            .check(&page.caller, RECORDS_WRITE, &Object::Type(&name))
            .await?,
        trail,
        heading: called,
        at,
        lines,
        more,
        find,
        found,
        name,
        page,
    }))
}

/// Where what hangs below a record is shown.
pub fn branch_address(type_name: &str, id: &str) -> String {
    format!("/types/{type_name}/tree?under={id}")
}

/// Steps of a way as crumbs.
pub fn crumbs(path: &[Step], address: impl Fn(&Step) -> String) -> Vec<Crumb> {
    path.iter()
        .map(|step| Crumb::to(shorten(&step.title, 60), address(step)))
        .collect()
}

impl Pages {
    async fn lines(&self, page: &Page, branch: &Branch) -> Vec<Line> {
        let counts = self.service.count_twigs(&page.caller, &self.search, branch).await;
        let type_name = &branch.stored_type.definition.name;
        branch
            .twigs
            .iter()
            .map(|twig| line(type_name, twig, counts.get(&twig.id)))
            .collect()
    }

    /// What hangs below a record, for its page: the first of them, whether there are more, and how much there is in all.
    pub(super) async fn below(&self, page: &Page, seen: &Seen) -> Result<Option<Hanging>> {
        let definition = &seen.stored_type.definition;
        if definition.parent.is_none() {
            return Ok(None);
        }
        if self.service.tree_of(&page.caller, &definition.name).await.is_err() {
            return Ok(None);
        }
        let id = &seen.record.id;
        let branch = self
            .service
            .branch(&page.caller, &definition.name, Some(id), None, FEW)
            .await?;
        let counts = self
            .service
            .count_inside(&page.caller, &self.search, definition, vec![id.clone()])
            .await;
        let lines = self.lines(page, &branch).await;
        Ok(Some(Hanging {
            all: counts.get(id).map_or(0, |below| below.all),
            children: counts.get(id).map_or(0, |below| below.children).max(lines.len() as u64),
            more: branch.next.is_some(),
            path: branch.path,
            lines,
        }))
    }

    /// Records of a tree whose title begins so or has these words, each with the way to it.
    async fn find_in(&self, page: &Page, definition: &RecordType, text: &str) -> Result<Vec<Hit>> {
        let begun = Begun {
            text: text.to_owned(),
            kind: Some(ledger::RECORD.to_owned()),
            types: vec![definition.name.clone()],
            fields: Vec::new(),
            limit: FOUND,
            visibility: self.access.filter(&page.caller, RECORDS_READ).await?,
        };
        let found = self.search.suggest(begun).await?;
        let mut paths = self.service.paths_of(&page.caller, &found.ids).await?;
        let mut hits = Vec::with_capacity(found.ids.len());
        for id in found.ids {
            // What was deleted meanwhile is found no more.
            let Ok(seen) = self.service.read(&page.caller, &id).await else {
                continue;
            };
            let path = paths.remove(&id).unwrap_or_default();
            hits.push(Hit {
                title: shorten(&title(&seen), TITLE),
                path: written(&path),
                open: branch_address(&definition.name, &id),
            });
        }
        Ok(hits)
    }
}

/// A way in one line.
pub fn written(path: &[Step]) -> String {
    let titles: Vec<String> = path.iter().map(|step| shorten(&step.title, 60)).collect();
    titles.join(" › ")
}

/// What hangs below a record, on its page.
#[derive(Clone, Debug, Default)]
pub struct Hanging {
    pub path: Vec<Step>,
    pub lines: Vec<Line>,
    pub more: bool,
    pub children: u64,
    /// With everything that leads to something below it.
    pub all: u64,
}

fn line(type_name: &str, twig: &Twig, below: Option<&Below>) -> Line {
    let below = below.copied().unwrap_or_default();
    Line {
        id: twig.id.clone(),
        title: shorten(&twig.title, TITLE),
        level: level_key(twig.visibility),
        open: twig.is_above.then(|| branch_address(type_name, &twig.id)),
        children: below.children,
        below: below.all,
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    version: i64,
    #[serde(default)]
    to: String,
    #[serde(default)]
    reason: String,
}

/// `GET /records/{id}/move`
pub async fn ask_move(State(pages): State<Pages>, page: Page, Path(id): Path<String>) -> Result<Html<MovePage>> {
    let seen = pages.writable(&page, &id).await?;
    let to = parent_of(&seen);
    let view = pages.move_view(page, &seen, &to, "", "").await?;
    Ok(Html(view))
}

/// `POST /records/{id}/move`
pub async fn save_move(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Form(form): Form<Moved>,
) -> Result<Response> {
    let seen = pages.writable(&page, &id).await?;
    let to = Some(form.to.trim()).filter(|to| !to.is_empty());
    let why = because(&page, form.reason.trim());
    match pages.service.move_to(&why, &id, form.version, to).await {
        Ok(done) => {
            let flash = Flash::new("toast.moved").about(&title(&done.seen));
            let place = format!("/records/{id}");
            Ok((StatusCode::SEE_OTHER, flash, [(header::LOCATION, place)]).into_response())
        }
        Err(error) => {
            let message = match error.code() {
                Code::Stale => page.language.text("tree.stale"),
                _ => of_fields(error)?
                    .into_iter()
                    .map(|issue| issue.message)
                    .collect::<Vec<_>>()
                    .join(" "),
            };
            let view = pages
                .move_view(page, &seen, to.unwrap_or_default(), &form.reason, &message)
                .await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(view)).into_response())
        }
    }
}

/// What a record hangs below now.
fn parent_of(seen: &Seen) -> String {
    let parent = seen.stored_type.definition.parent.as_ref();
    let value = parent.and_then(|name| seen.record.document.get(name));
    value.and_then(|value| value.as_str()).unwrap_or_default().to_owned()
}

impl Pages {
    async fn move_view(&self, page: Page, seen: &Seen, to: &str, reason: &str, error: &str) -> Result<MovePage> {
        let definition = &seen.stored_type.definition;
        self.service.tree_of(&page.caller, &definition.name).await?;
        let (id, language) = (seen.record.id.clone(), page.language);
        let called = match to.is_empty() {
            true => String::new(),
            false => match self.service.read(&page.caller, to).await {
                Ok(other) => title(&other),
                Err(error) if matches!(error.code(), Code::NotFound | Code::Gone) => String::new(),
                Err(error) => return Err(error),
            },
        };
        let suggest = serde_html_form::to_string([("type", &definition.name)]).unwrap_or_default();
        let field = Field::record(
            &Name::of("to"),
            language.text("tree.to"),
            to,
            called,
            format!("/api/suggest?{suggest}"),
        );
        let mut field = field.hint(language.text("tree.to-hint"));
        if !error.is_empty() {
            field = field.error(error);
        }
        let title = title(seen);
        let mut trail = vec![Crumb::to(shorten(&title, 60), format!("/records/{id}"))];
        trail.push(Crumb::here(language.text("tree.move")));
        let below = self.service.count_below(&page.caller, &id, COUNTED).await?;
        Ok(MovePage {
            trail,
            heading: language.with("tree.move-of", &[("title", &shorten(&title, 120))]),
            version: seen.record.version,
            below,
            wrongs: form::wrongs(std::slice::from_ref(&field)),
            to: field,
            reason: Field::text(&Name::of("reason"), language.text("entry.reason"), reason)
                .hint(language.text("entry.reason-hint")),
            id,
            page,
        })
    }
}

/// A record that is made by its title alone, while one writes another.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quick {
    title: String,
}

/// `POST /types/{name}/quick`: makes a record with nothing but a title, where its type needs no more. Answers JSON for
/// the picker.
pub async fn make_quickly(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Form(form): Form<Quick>,
) -> Result<Response> {
    let stored = pages.service.need_type(&name).await?;
    let field = stored.definition.title.clone();
    let field = field.filter(|name| stored.definition.fields.iter().any(|field| field.name == *name));
    let field =
        field.ok_or_else(|| Error::invalid("title", "is not a field of this type; make the record by its form."))?;
    let new = NewRecord {
        type_name: name.clone(),
        visibility: None,
        document: Map::from_iter([(field, form.title.trim().into())]),
    };
    let done = pages.service.create(&because(&page, ""), &new).await?;
    let body = json!({ "id": done.seen.record.id, "title": done.seen.title(), "type": name });
    Ok((StatusCode::CREATED, Json(body)).into_response())
}
