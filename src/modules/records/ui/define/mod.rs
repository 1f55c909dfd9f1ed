//! The type editor: words in every language, what fields are for, each field with its rules, fields that are added. Before a
//! stricter rule is saved it is said how many records do not keep it; what moves values has a page of its own.

mod controls;
mod roles;

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use self::controls::Known;
pub(super) use self::controls::{called, others};
use self::roles::{roles, words};
use super::Pages;
use super::types::{FieldRow, rows};
use crate::contract::records::{Field as TypeField, RecordType};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::http::{Form, Path, Query};
use crate::kernel::ui::form::{self, Field, Name, Wrong};
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, label, view};
use crate::modules::records::model::outline_added::added;
use crate::modules::records::model::outline_fields::by_name;
use crate::modules::records::model::{definition, outline};
use crate::modules::records::service::{Because, Misfits, pieces};

/// What all names of the definition begin with.
const ROOT: &str = "def";

#[derive(Template)]
#[template(path = "modules/records/templates/define.html")]
pub struct DefinePage {
    page: Page,
    trail: Vec<Crumb>,
    name: String,
    heading: String,
    version: i64,
    words: Vec<Field>,
    /// The words in other languages.
    elsewhere: Vec<Field>,
    roles: Vec<Field>,
    fields: Vec<FieldForm>,
    adding: Vec<Field>,
    /// Something of the new field is wrong, or one was just added.
    is_adding: bool,
    wrongs: Vec<Wrong>,
    homeless: Vec<FieldIssue>,
    /// No record has a value yet.
    is_empty: bool,
    /// What the records say to the new rules.
    misfits: Option<Misfits>,
    /// Somebody else changed it meanwhile.
    stale: bool,
}
view!(DefinePage);

/// A field with its controls, folded, and those in it.
#[derive(Template)]
#[template(path = "modules/records/templates/define-field.html")]
struct FieldForm {
    type_name: String,
    row: FieldRow,
    own_label: String,
    /// The name under which it is said that all rules of the field are sent.
    full: String,
    open: bool,
    /// The address leads here.
    is_target: bool,
    is_empty: bool,
    wrong: usize,
    controls: Vec<Field>,
    /// What it is called in other languages.
    elsewhere: Vec<Field>,
    children: Vec<FieldForm>,
}

impl askama::filters::HtmlSafe for FieldForm {}

/// Which field is opened.
#[derive(Debug, Default, Deserialize)]
pub struct Asked {
    #[serde(default)]
    open: String,
}

/// `GET /types/{name}/edit`
pub async fn define_page(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Html<DefinePage>> {
    let stored = pages.service.need_type(&name).await?;
    pages.service.require_whole(&page.caller, &name).await?;
    let shown = Shown {
        open: asked.open,
        ..Shown::of(stored.version, &stored.definition)
    };
    Ok(Html(pages.define_view(page, shown).await?))
}

/// A definition on its way to the page.
struct Shown<'a> {
    version: i64,
    definition: &'a RecordType,
    issues: &'a [FieldIssue],
    misfits: Option<Misfits>,
    stale: bool,
    /// The path of the field that is opened.
    open: String,
    /// What was entered for a new field.
    entered: Map<String, Value>,
}

impl<'a> Shown<'a> {
    fn of(version: i64, definition: &'a RecordType) -> Self {
        Self {
            version,
            definition,
            issues: &[],
            misfits: None,
            stale: false,
            open: String::new(),
            entered: Map::new(),
        }
    }
}

/// `POST /types/{name}/edit`
pub async fn define(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let stored = pages.service.need_type(&name).await?;
    pages.service.require_whole(&page.caller, &name).await?;
    let (version, action, entered) = sent(pairs)?;
    let mut faults = Vec::new();
    let mut new = outline::apply(&stored.definition, &entered, page.language.tag(), &mut faults);
    let mut open = None;
    if action == "add"
        && let Some((grown, path)) = added(&new, &entered, (page.language.tag(), pieces()), &mut faults)
    {
        (new, open) = (grown, Some(path));
    }
    let (mut stale, mut misfits) = (stored.version != version, None);
    let mut issues: Vec<FieldIssue> = definition::check(&new)
        .iter()
        .map(|issue| by_name(&new, issue))
        .collect();
    issues.extend(faults);
    if issues.is_empty() && !stale {
        if outline::is_stricter(&stored.definition, &new) || action == "preview" {
            misfits = Some(pages.service.misfits(&stored.definition, &new).await?);
        }
        let held_back = misfits.as_ref().is_some_and(|m| m.count > 0) && action != "anyway";
        if action != "preview" && !held_back {
            let why = Because {
                caller: &page.caller,
                reason: "",
                channel: "ui",
            };
            match pages.service.replace_type(&why, &name, version, &new).await {
                Ok(_) => return Ok(saved(&new, &page, open.as_deref())),
                Err(error) if error.code() == Code::Stale => stale = true,
                Err(error) if error.code() == Code::Invalid => {
                    issues = error.fields().iter().map(|issue| by_name(&new, issue)).collect();
                }
                Err(error) => return Err(error),
            }
        }
    }
    let status = match (&misfits, stale, issues.is_empty()) {
        (_, true, _) => StatusCode::PRECONDITION_FAILED,
        (_, _, false) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    };
    if open.is_some() {
        // What was entered for a field that is not added yet stays in its own place, not among the fields.
        new = outline::apply(&stored.definition, &entered, page.language.tag(), &mut Vec::new());
    }
    let shown = Shown {
        issues: &issues,
        entered: if action == "add" { entered } else { Map::new() },
        misfits,
        stale,
        ..Shown::of(stored.version, &new)
    };
    Ok((status, Html(pages.define_view(page, shown).await?)).into_response())
}

/// Back to the collection; where a field was added, to that field.
fn saved(definition: &RecordType, page: &Page, added: Option<&str>) -> Response {
    let mut place = format!("/types/{}", definition.name);
    if let Some(path) = added {
        let query = serde_html_form::to_string([("open", path)]).unwrap_or_default();
        place.push_str(&format!("/edit?{query}#opened"));
    }
    let called = label(&definition.labels, &definition.name, page.language);
    let flash = Flash::new("toast.type-saved").about(&called);
    (StatusCode::SEE_OTHER, flash, [(header::LOCATION, place)]).into_response()
}

/// Version, button and definition of a form that arrived whole.
fn sent(pairs: Vec<(String, String)>) -> Result<(i64, String, Map<String, Value>)> {
    let value = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let version = value("version").and_then(|v| v.parse().ok());
    let (Some(version), Some(_)) = (version, value("whole")) else {
        let text = "The form did not arrive whole, so nothing was saved. Load the page again and send it once more.";
        return Err(Error::new(Code::BadRequest, text));
    };
    let action = value("do").unwrap_or_default();
    let prefix = format!("{ROOT}/");
    let mut read = form::read(pairs.into_iter().filter(|(name, _)| name.starts_with(&prefix)))?;
    let entered = match read.get_mut(ROOT).map(Value::take) {
        Some(Value::Object(entered)) => entered,
        _ => Map::new(),
    };
    Ok((version, action, entered))
}

impl Pages {
    async fn define_view(&self, page: Page, shown: Shown<'_>) -> Result<DefinePage> {
        let (definition, language) = (shown.definition, page.language);
        let mut targets = Vec::new();
        for stored in self.service.all_types().await? {
            if let Some(seen) = self.service.shown_type(&page.caller, &stored).await? {
                targets.push((seen.name.clone(), label(&seen.labels, &seen.name, language)));
            }
        }
        let others = others(definition, language);
        let known = Known {
            language,
            others: &others,
            is_empty: self.service.is_bare(&definition.name).await?,
            targets: &targets,
        };
        let called = label(&definition.labels, &definition.name, language);
        let root = Name::of(ROOT);
        let fields_root = root.field("fields");
        let mut rows: HashMap<String, FieldRow> = rows(definition, language)
            .into_iter()
            .map(|row| (row.path.clone(), row))
            .collect();
        let maker = Maker {
            known: &known,
            definition,
            root: &fields_root,
            open: &shown.open,
        };
        let mut fields = maker.list(&definition.fields, "", &mut rows);
        let mut parts = [
            words(definition, &root, language),
            known.words(definition, &root),
            roles(definition, &root, language),
            known.adding(definition, &root, &shown.entered),
        ];
        let mut homeless = Vec::new();
        for issue in shown.issues {
            let rooted = FieldIssue {
                path: format!("{ROOT}.{}", role_of(definition, &issue.path)),
                message: issue.message.clone(),
            };
            let mut left = vec![rooted];
            for part in &mut parts {
                left = form::mark(part, &left);
            }
            if !left.is_empty() && !place(&mut fields, &left[0]) {
                homeless.push(issue.clone());
            }
        }
        let mut wrongs: Vec<Wrong> = parts.iter().flat_map(|part| form::wrongs(part)).collect();
        fields.iter().for_each(|field| gather(field, &mut wrongs));
        let [words, elsewhere, roles, adding] = parts;
        Ok(DefinePage {
            trail: vec![
                Crumb::to(language.text("nav.types"), "/types"),
                Crumb::to(called.clone(), format!("/types/{}", definition.name)),
                Crumb::here(language.text("entry.edit")),
            ],
            heading: language.with("entry.edit-of", &[("title", &called)]),
            name: definition.name.clone(),
            version: shown.version,
            is_empty: known.is_empty,
            // What was only just begun is given its fields.
            is_adding: !shown.entered.is_empty()
                || !shown.open.is_empty()
                || (known.is_empty && definition.fields.len() == 1),
            fields,
            words,
            elsewhere,
            roles,
            adding,
            wrongs,
            homeless,
            misfits: shown.misfits,
            stale: shown.stale,
            page,
        })
    }
}

/// Makes the forms of fields.
struct Maker<'a> {
    known: &'a Known<'a>,
    definition: &'a RecordType,
    root: &'a Name,
    open: &'a str,
}

impl Maker<'_> {
    fn list(&self, fields: &[TypeField], above: &str, rows: &mut HashMap<String, FieldRow>) -> Vec<FieldForm> {
        let mut made = Vec::with_capacity(fields.len());
        for (at, field) in fields.iter().enumerate() {
            let path = format!("{above}{}", field.name);
            let Some(row) = rows.remove(&path) else { continue };
            let name = self.root.field(&path);
            let inside = self
                .open
                .strip_prefix(&path)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
            made.push(FieldForm {
                type_name: self.definition.name.clone(),
                own_label: label(&field.labels, &field.name, self.known.language),
                full: name.field("full").wire().to_owned(),
                is_target: self.open == path,
                open: inside && !self.open.is_empty(),
                is_empty: self.known.is_empty,
                wrong: 0,
                controls: self.known.controls(field, &name, at + 1, above.is_empty()),
                elsewhere: self.known.elsewhere(field, &name, above.is_empty()),
                children: self.list(&field.fields, &format!("{path}."), rows),
                row,
            });
        }
        made
    }
}

/// Puts a message at its field, and opens what is around it.
fn place(fields: &mut [FieldForm], issue: &FieldIssue) -> bool {
    fields.iter_mut().any(|field| {
        let own = format!("{ROOT}.fields.{}", field.row.path);
        let Some(rest) = issue.path.strip_prefix(&own) else {
            return false;
        };
        if !(rest.is_empty() || rest.starts_with('.')) {
            return false;
        }
        let found = form::mark(&mut field.controls, std::slice::from_ref(issue)).is_empty()
            || form::mark(&mut field.elsewhere, std::slice::from_ref(issue)).is_empty()
            || place(&mut field.children, issue)
            || field.controls.first_mut().is_some_and(|first| {
                first.error.clone_from(&issue.message);
                true
            });
        field.open |= found;
        field.wrong += usize::from(found);
        found
    })
}

fn gather(field: &FieldForm, wrongs: &mut Vec<Wrong>) {
    wrongs.extend(form::wrongs(&field.controls));
    wrongs.extend(form::wrongs(&field.elsewhere));
    field.children.iter().for_each(|child| gather(child, wrongs));
}

/// A refusal of a field as key is shown at the control of the key.
fn role_of<'a>(definition: &RecordType, path: &'a str) -> &'a str {
    if definition.key.as_deref() == Some(path) {
        "key"
    } else {
        path
    }
}
