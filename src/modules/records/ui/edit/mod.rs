//! Making and changing records by forms that are made from the type. What is refused comes back with every text as it was
//! entered; a save that is based on an old version leads to the page where both changes are put together.

mod begin;
mod cell;
mod form;
mod merge;
mod offer;
mod past;
mod remove;
mod sent;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

pub use begin::drop_template;
pub use cell::save_cell;
pub use merge::save_merged;
pub use past::{doubts, field_history};
pub use remove::{ask_removal, remove, restore};

use self::begin::{Beginning, Begun, Carried, carried, next};
use self::form::{Maker, left_out};
pub use self::form::{Offer, editor, value};
use self::sent::Sent;
use super::Pages;
use super::names::title;
use crate::contract::records::{RECORDS_WRITE, RecordType};
use crate::kernel::access::{Level, Object};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::http::{Form, Path, Query};
use crate::kernel::ui::form::{Field, Name, Section, Wrong, sections, wrongs};
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, label, shorten, view};
use crate::modules::records::model::{entry, shape, validate};
use crate::modules::records::service::{Because, Edit, NewRecord, Seen, shipped};

#[derive(Template)]
#[template(path = "modules/records/templates/edit.html")]
pub struct EditPage {
    page: Page,
    trail: Vec<Crumb>,
    heading: String,
    action: String,
    cancel: String,
    /// The version the form shows; none for a record to be made.
    version: Option<i64>,
    fields: Vec<Field>,
    /// The parts of a long form.
    sections: Vec<Section>,
    /// Labels of fields that a form cannot show.
    left: Vec<String>,
    wrongs: Vec<Wrong>,
    /// What is wrong with none of the fields: label and message.
    homeless: Vec<(String, String)>,
    visibility: Field,
    reason: Field,
    /// Key of what the form begins with, where that is not the record as it stands.
    notice: Option<&'static str>,
    type_name: String,
    /// Where it is asked what is worth another look.
    doubts: String,
    /// Where the history of its fields is told; none for a record to be made.
    history: Option<String>,
    /// What may be carried forward; none where no next one is made.
    carry: Vec<Carried>,
    /// Id and name.
    templates: Vec<(String, String)>,
}
view!(EditPage);

/// A form on its way to a page.
struct Draft<'a> {
    /// As the caller may see it.
    definition: &'a RecordType,
    /// The record; none for one to be made.
    seen: Option<&'a Seen>,
    version: Option<i64>,
    /// The document that the form is about.
    base: &'a Map<String, Value>,
    entered: &'a Map<String, Value>,
    visibility: Level,
    reason: &'a str,
    issues: &'a [FieldIssue],
    notice: Option<&'static str>,
    /// What is carried forward to the next one.
    carry: &'a [String],
}

/// `GET /types/{name}/new`
pub async fn new_page(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Query(begun): Query<Begun>,
) -> Result<Html<EditPage>> {
    let definition = pages.creatable(&page, &name).await?;
    let nothing = Map::new();
    let Beginning {
        entered,
        visibility,
        notice,
        carry,
    } = pages.beginning(&page, &definition, begun).await?;
    let draft = Draft {
        visibility,
        definition: &definition,
        seen: None,
        version: None,
        base: &nothing,
        entered: &entered,
        reason: "",
        issues: &[],
        notice,
        carry: &carry,
    };
    Ok(Html(pages.edit_view(page, draft).await))
}

/// `POST /types/{name}/new`
pub async fn create(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let mut sent = Sent::read(pairs)?;
    let definition = pages.creatable(&page, &name).await?;
    sent.tidy(&definition.fields);
    let nothing = Map::new();
    let visibility = sent.visibility.unwrap_or(definition.visibility);
    let (document, mut issues) = taken(&definition, &nothing, &sent.entered);
    if issues.is_empty() && sent.saves() {
        let new = NewRecord {
            type_name: name,
            visibility: Some(visibility),
            document,
        };
        match pages.service.create(&because(&page, &sent.reason), &new).await {
            Ok(done) if sent.action == "next" => return Ok(next(&new.type_name, &done.seen, &sent.carry)),
            Ok(done) => return Ok(arrived("toast.saved", &done.seen)),
            Err(error) => issues = of_fields(error)?,
        }
    }
    let (status, notice) = pages.unsaved(&page, &mut sent, &mut issues, &definition).await?;
    let draft = Draft {
        definition: &definition,
        seen: None,
        version: None,
        base: &nothing,
        entered: &sent.entered,
        visibility,
        reason: &sent.reason,
        issues: &issues,
        notice,
        carry: &sent.carry,
    };
    Ok((status, Html(pages.edit_view(page, draft).await)).into_response())
}

/// What the form begins with.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct From {
    /// An older version, to go back to it.
    from: Option<i64>,
}

/// `GET /records/{id}/edit`
pub async fn edit_page(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Query(from): Query<From>,
) -> Result<Html<EditPage>> {
    let seen = pages.writable(&page, &id).await?;
    let definition = shape::cut_definition(&seen.stored_type.definition, seen.level);
    let (mut visibility, mut entered) = (
        seen.record.visibility,
        entry::enter(&definition.fields, &seen.record.document),
    );
    if let Some(version) = from.from {
        let state = pages.service.state_at(&page.caller, &id, version).await?;
        let (level, document) = state.ok_or_else(|| Error::not_found("version", &version.to_string()))?;
        (visibility, entered) = (level, entry::enter(&definition.fields, &document));
    }
    let draft = Draft {
        definition: &definition,
        version: Some(seen.record.version),
        base: &seen.record.document,
        entered: &entered,
        visibility,
        reason: "",
        issues: &[],
        notice: from.from.map(|_| "entry.from-version"),
        seen: Some(&seen),
        carry: &[],
    };
    Ok(Html(pages.edit_view(page, draft).await))
}

/// `POST /records/{id}/edit`
pub async fn save(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let mut sent = Sent::read(pairs)?;
    let version = sent.based_on()?;
    let seen = pages.writable(&page, &id).await?;
    let definition = shape::cut_definition(&seen.stored_type.definition, seen.level);
    sent.tidy(&definition.fields);
    let (_, base) = pages.state_at(&page, &seen, version).await?;
    let visibility = sent.visibility.unwrap_or(seen.record.visibility);
    let (document, mut issues) = taken(&definition, &base, &sent.entered);
    if issues.is_empty() && sent.saves() {
        let edit = Edit::Replace(document.clone());
        let why = because(&page, &sent.reason);
        match pages.service.edit(&why, &id, version, &edit, Some(visibility)).await {
            Ok(done) => return Ok(arrived("toast.saved", &done.seen)),
            Err(error) if error.code() == Code::Stale => {
                return pages.merge_view(page, &id, &sent, version, &document).await;
            }
            Err(error) => issues = of_fields(error)?,
        }
    }
    let (status, notice) = pages.unsaved(&page, &mut sent, &mut issues, &definition).await?;
    let draft = Draft {
        definition: &definition,
        seen: Some(&seen),
        version: Some(version),
        base: &base,
        entered: &sent.entered,
        visibility,
        reason: &sent.reason,
        issues: &issues,
        notice,
        carry: &[],
    };
    Ok((status, Html(pages.edit_view(page, draft).await)).into_response())
}

/// The document of a form with everything that is wrong with it.
fn taken(
    definition: &RecordType,
    base: &Map<String, Value>,
    entered: &Map<String, Value>,
) -> (Map<String, Value>, Vec<FieldIssue>) {
    let taken = entry::take(&definition.fields, base, entered);
    let mut issues = taken.issues;
    for issue in validate::validate(definition, &taken.document) {
        if !issues.iter().any(|known| known.path == issue.path) {
            issues.push(issue);
        }
    }
    (taken.document, issues)
}

/// The issues of a refusal; any other error is answered as it is.
pub(super) fn of_fields(error: Error) -> Result<Vec<FieldIssue>> {
    if error.code() == Code::Invalid && !error.fields().is_empty() {
        Ok(error.fields().to_vec())
    } else {
        Err(error)
    }
}

pub(super) fn because<'a>(page: &'a Page, reason: &'a str) -> Because<'a> {
    Because {
        caller: &page.caller,
        reason,
        channel: "ui",
    }
}

/// The record's page, with a sentence about what was done.
fn arrived(toast: &str, seen: &Seen) -> Response {
    let place = format!("/records/{}", seen.record.id);
    let flash = Flash::new(toast).about(&title(seen));
    (StatusCode::SEE_OTHER, flash, [(header::LOCATION, place)]).into_response()
}

impl Pages {
    /// What is answered where the form was not saved: refused, wider by an empty place in each list, or kept as a template.
    /// In the last two cases nothing is judged.
    async fn unsaved(
        &self,
        page: &Page,
        sent: &mut Sent,
        issues: &mut Vec<FieldIssue>,
        definition: &RecordType,
    ) -> Result<(StatusCode, Option<&'static str>)> {
        match sent.action.as_str() {
            "more" => entry::widen(&definition.fields, &mut sent.entered),
            "template" => match self.kept_as_template(page, definition, sent).await? {
                Ok(notice) => {
                    issues.clear();
                    return Ok((StatusCode::OK, Some(notice)));
                }
                Err(wrong) => {
                    *issues = wrong;
                    return Ok((StatusCode::UNPROCESSABLE_ENTITY, None));
                }
            },
            _ => return Ok((StatusCode::UNPROCESSABLE_ENTITY, None)),
        }
        issues.clear();
        Ok((StatusCode::OK, None))
    }

    /// The type of records to be made, as the caller may see it.
    async fn creatable(&self, page: &Page, name: &str) -> Result<RecordType> {
        let definition = match self.service.find_type(name).await? {
            Some(stored) => stored.definition.clone(),
            None => match shipped().iter().find(|t| t.name == name) {
                Some(shipped) => shipped.clone(),
                None => return Err(Error::not_found("type", &shorten(name, 60))),
            },
        };
        let object = Object::Type(name);
        self.access.require(&page.caller, RECORDS_WRITE, &object).await?;
        let level = self.access.level(&page.caller, &object).await?.unwrap_or_default();
        Ok(shape::cut_definition(&definition, level))
    }

    /// A record that the caller may change.
    pub(in super::super) async fn writable(&self, page: &Page, id: &str) -> Result<Seen> {
        let seen = self.service.read(&page.caller, id).await?;
        self.access.require(&page.caller, RECORDS_WRITE, &object(&seen)).await?;
        Ok(seen)
    }

    /// The state that a form showed.
    async fn state_at(&self, page: &Page, seen: &Seen, version: i64) -> Result<(Level, Map<String, Value>)> {
        if seen.record.version == version {
            return Ok((seen.record.visibility, seen.record.document.clone()));
        }
        let state = self.service.state_at(&page.caller, &seen.record.id, version).await?;
        state.ok_or_else(|| {
            let text = format!("The form shows version {version}, which cannot be read any more. Load the page again.");
            Error::new(Code::Conflict, text)
        })
    }

    /// Who sees it, with what is said about that already.
    async fn visibility(&self, page: &Page, draft: &Draft<'_>) -> Field {
        let control = form::visibility(draft.visibility, page.language);
        let closed = draft.seen.filter(|seen| seen.record.visibility > Level::Public);
        let opens = match closed {
            // A form without this line is better than none.
            Some(seen) => self.opens(page, &seen.record.id).await.ok().flatten(),
            None => None,
        };
        match opens {
            Some((at, to)) => {
                let (day, to) = (page.language.date(at), page.language.text(to));
                control.hint(page.language.with("entry.opens", &[("day", &day), ("to", &to)]))
            }
            None => control,
        }
    }

    async fn edit_view(&self, page: Page, draft: Draft<'_>) -> EditPage {
        let (definition, language) = (draft.definition, page.language);
        let offer = self.offer(&page, definition, draft.entered).await;
        let maker = Maker {
            definition,
            offer: &offer,
            language,
        };
        let mut fields = maker.fields(draft.base, draft.entered);
        let homeless = form::mark(&mut fields, draft.issues);
        if let Some(seen) = draft.seen {
            let found = self
                .warnings(&page, definition, draft.base, Some(&seen.record.id))
                .await;
            form::warn(&mut fields, &found);
        }
        let homeless = homeless.into_iter().map(|issue| {
            (
                super::names::path_label(definition, &issue.path, language),
                issue.message,
            )
        });
        let type_label = label(&definition.labels, &definition.name, language);
        let mut trail = vec![Crumb::to(language.text("nav.types"), "/types")];
        trail.push(Crumb::to(type_label.clone(), format!("/types/{}", definition.name)));
        let (heading, action, cancel) = match draft.seen {
            Some(seen) => {
                let (title, id) = (title(seen), &seen.record.id);
                trail.push(Crumb::to(shorten(&title, 60), format!("/records/{id}")));
                let heading = language.with("entry.edit-of", &[("title", &shorten(&title, 120))]);
                (heading, format!("/records/{id}/edit"), format!("/records/{id}"))
            }
            None => (
                language.with("entry.new-of", &[("type", &type_label)]),
                format!("/types/{}/new", definition.name),
                format!("/types/{}", definition.name),
            ),
        };
        trail.push(Crumb::here(language.text(if draft.seen.is_some() {
            "entry.edit"
        } else {
            "entry.new"
        })));
        let visibility = self.visibility(&page, &draft).await;
        let reason = Field::text(&Name::of("reason"), language.text("entry.reason"), draft.reason);
        EditPage {
            trail,
            heading,
            action,
            cancel,
            version: draft.version,
            wrongs: wrongs(&fields),
            sections: sections(&mut fields),
            homeless: homeless.collect(),
            left: left_out(definition, draft.base, language),
            visibility,
            reason: reason.hint(language.text("entry.reason-hint")),
            notice: draft.notice,
            templates: self.kept_templates(&page, &definition.name).await,
            carry: match draft.seen {
                Some(_) => Vec::new(),
                None => carried(definition, draft.carry, &page),
            },
            doubts: match draft.seen {
                Some(seen) => format!("/types/{}/doubts?id={}", definition.name, seen.record.id),
                None => format!("/types/{}/doubts", definition.name),
            },
            history: draft.seen.map(|seen| format!("/records/{}/field", seen.record.id)),
            type_name: definition.name.clone(),
            fields,
            page,
        }
    }
}

fn object(seen: &Seen) -> Object<'_> {
    Object::Record {
        id: &seen.record.id,
        type_name: &seen.record.type_name,
        visibility: seen.record.visibility,
    }
}
