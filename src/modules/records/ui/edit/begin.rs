//! What the form of a new record begins with: nothing, another record, some fields of the one that was just made, or a
//! template that its author keeps. And keeping what a form shows as such a template.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::of_fields;
use super::sent::Sent;
use crate::contract::records::RecordType;
use crate::kernel::access::Level;
use crate::kernel::error::{Error, FieldIssue, Result};
use crate::kernel::http::{Form, Path};
use crate::kernel::ui::{Flash, Page, label};
use crate::modules::records::model::{entry, path};
use crate::modules::records::service::Seen;
use crate::modules::records::ui::Pages;
use crate::modules::records::ui::names::title;

/// What a new record begins with.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Begun {
    /// In a tree: what it hangs below.
    under: Option<String>,
    /// Another record, for everything but what only one may have.
    like: Option<String>,
    /// One of the author's templates.
    template: Option<String>,
    /// The record made before, for the fields in `carry`.
    after: Option<String>,
    carry: Vec<String>,
}

/// The beginning of a form.
pub struct Beginning {
    pub entered: Map<String, Value>,
    pub visibility: Level,
    /// Key of what it begins with.
    pub notice: Option<&'static str>,
    pub carry: Vec<String>,
}

/// A field whose value may be kept for the next record.
pub struct Carried {
    pub name: String,
    pub label: String,
    pub chosen: bool,
}

impl Pages {
    /// What the form of a new record begins with.
    pub(super) async fn beginning(&self, page: &Page, definition: &RecordType, begun: Begun) -> Result<Beginning> {
        let mut beginning = Beginning {
            entered: Map::new(),
            visibility: definition.visibility,
            notice: None,
            carry: begun.carry,
        };
        if let Some(id) = &begun.like {
            let seen = self.of_type(page, definition, id).await?;
            beginning.entered = common(definition, &seen);
            beginning.visibility = seen.record.visibility;
            beginning.notice = Some("entry.like");
        } else if let Some(id) = &begun.template {
            let kept = self.service.templates(&page.caller, &definition.name).await?;
            let found = kept.into_iter().find(|(known, _, _)| known == id);
            let (_, _, entered) = found.ok_or_else(|| Error::not_found("template", id))?;
            beginning.entered = entered;
            beginning.notice = Some("entry.from-template");
        } else if let Some(id) = &begun.after {
            let seen = self.of_type(page, definition, id).await?;
            beginning.entered = common(definition, &seen);
            beginning.entered.retain(|name, _| beginning.carry.contains(name));
            beginning.visibility = seen.record.visibility;
        }
        if let (Some(field), Some(id)) = (&definition.parent, begun.under) {
            beginning.entered.insert(field.clone(), Value::String(id));
        }
        Ok(beginning)
    }

    async fn of_type(&self, page: &Page, definition: &RecordType, id: &str) -> Result<Seen> {
        let seen = self.service.read(&page.caller, id).await?;
        if seen.record.type_name == definition.name {
            Ok(seen)
        } else {
            Err(Error::not_found("record", id))
        }
    }

    /// The author's templates of a type: id and name.
    pub(super) async fn kept_templates(&self, page: &Page, name: &str) -> Vec<(String, String)> {
        // A form without its templates is better than none.
        let kept = self.service.templates(&page.caller, name).await.unwrap_or_default();
        kept.into_iter().map(|(id, name, _)| (id, name)).collect()
    }

    /// Keeps what a form shows, where that is what was asked for: answers the key of the notice, or what is wrong.
    pub(super) async fn kept_as_template(
        &self,
        page: &Page,
        definition: &RecordType,
        sent: &Sent,
    ) -> Result<Result<&'static str, Vec<FieldIssue>>> {
        let mut entered = sent.entered.clone();
        for steps in alone(definition) {
            cut(&mut entered, &steps);
        }
        let kept = self
            .service
            .keep_template(&page.caller, &definition.name, &sent.template, &entered)
            .await;
        match kept {
            Ok(_) => Ok(Ok("entry.template-kept")),
            Err(error) => of_fields(error).map(Err),
        }
    }
}

/// The names of the fields that only one record may have, or that the house gives.
fn alone(definition: &RecordType) -> Vec<Vec<String>> {
    let leaves = path::leaves(&definition.fields);
    let own = leaves.iter().filter(|leaf| {
        leaf.field.unique || leaf.field.number.is_some() || definition.key.as_deref() == Some(leaf.path.as_str())
    });
    own.map(|leaf| leaf.steps.iter().map(|step| (*step).to_owned()).collect())
        .collect()
}

/// What a form would show of a record, without what only one may have.
fn common(definition: &RecordType, seen: &Seen) -> Map<String, Value> {
    let mut entered = entry::enter(&definition.fields, &seen.record.document);
    for steps in alone(definition) {
        cut(&mut entered, &steps);
    }
    entered
}

fn cut(map: &mut Map<String, Value>, steps: &[String]) {
    let Some((first, rest)) = steps.split_first() else {
        return;
    };
    if rest.is_empty() {
        map.shift_remove(first);
        return;
    }
    match map.get_mut(first) {
        Some(Value::Object(inner)) => cut(inner, rest),
        Some(Value::Array(items)) => {
            for item in items.iter_mut().filter_map(Value::as_object_mut) {
                cut(item, rest);
            }
        }
        _ => {}
    }
}

/// The fields that may be carried forward, those that are first.
pub fn carried(definition: &RecordType, chosen: &[String], page: &Page) -> Vec<Carried> {
    let own: Vec<String> = alone(definition)
        .into_iter()
        .filter(|steps| steps.len() == 1)
        .flatten()
        .collect();
    let fields = definition.fields.iter().filter(|field| !own.contains(&field.name));
    let carried = fields.map(|field| Carried {
        label: label(&field.labels, &field.name, page.language),
        chosen: chosen.contains(&field.name),
        name: field.name.clone(),
    });
    carried.collect()
}

/// The form of the next record, with what is carried forward.
pub fn next(type_name: &str, seen: &Seen, carry: &[String]) -> Response {
    let mut pairs = vec![("after", seen.record.id.as_str())];
    pairs.extend(carry.iter().map(|name| ("carry", name.as_str())));
    let query = serde_html_form::to_string(pairs).unwrap_or_default();
    let flash = Flash::new("toast.saved").about(&title(seen));
    let place = [(header::LOCATION, format!("/types/{type_name}/new?{query}"))];
    (StatusCode::SEE_OTHER, flash, place).into_response()
}

/// A form without fields of its own.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

/// `POST /types/{name}/templates/{id}/delete`
pub async fn drop_template(
    State(pages): State<Pages>,
    page: Page,
    Path((name, id)): Path<(String, String)>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response> {
    pages.service.drop_template(&page.caller, &name, &id).await?;
    let place = [(header::LOCATION, format!("/types/{name}/new"))];
    Ok((StatusCode::SEE_OTHER, Flash::new("toast.template-dropped"), place).into_response())
}
