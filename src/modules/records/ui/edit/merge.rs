//! Two people changed the same record: for each field in which their states differ one side is chosen, and nothing that
//! either has written is lost on the way.

use std::collections::HashMap;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::form::hidden;
use super::sent::Sent;
use super::{Draft, arrived, because, of_fields};
use crate::contract::records::{Field, RecordType};
use crate::kernel::error::{Code, Result};
use crate::kernel::http::{Form, Path};
use crate::kernel::i18n::Language;
use crate::kernel::ledger;
use crate::kernel::ui::{Crumb, Html, Page, actor, filters, label, plain, shorten, view};
use crate::modules::records::model::merge::{Side, States, Unit, merged, units};
use crate::modules::records::model::named::value_of;
use crate::modules::records::model::{entry, shape};
use crate::modules::records::service::Edit;
use crate::modules::records::ui::Pages;
use crate::modules::records::ui::names::{path_label, title};

/// Characters shown of one side.
const LONGEST: usize = 3_000;

#[derive(Template)]
#[template(path = "modules/records/templates/merge.html")]
pub struct MergePage {
    page: Page,
    trail: Vec<Crumb>,
    id: String,
    title: String,
    /// Where the record stands, and where both sides began.
    version: i64,
    base: i64,
    by: String,
    at: i64,
    choices: Vec<Choice>,
    /// Fields that both changed.
    both: usize,
    /// A field without a choice was sent.
    unchosen: bool,
    visibility: crate::kernel::ui::form::Field,
    reason: String,
    hidden: Vec<(String, String)>,
}
view!(MergePage);

/// A field with its sides.
struct Choice {
    path: String,
    label: String,
    /// Key of who changed it.
    who: &'static str,
    open: bool,
    sides: Vec<SideView>,
}

struct SideView {
    side: &'static str,
    label: &'static str,
    text: String,
    chosen: bool,
}

impl Pages {
    /// Shows both changes. `mine` is what the form asked for, based on the version `base`.
    pub(super) async fn merge_view(
        &self,
        page: Page,
        id: &str,
        sent: &Sent,
        base: i64,
        mine: &Map<String, Value>,
    ) -> Result<Response> {
        let seen = self.writable(&page, id).await?;
        let definition = shape::cut_definition(&seen.stored_type.definition, seen.level);
        let (was, before) = self.state_at(&page, &seen, base).await?;
        let theirs = &seen.record.document;
        let states = States {
            base: &before,
            mine,
            theirs,
        };
        let units = units(&definition.fields, states);
        let called = self
            .service
            .called(&page.caller, &definition, &[&before, mine, theirs])
            .await?;
        let choices = units
            .iter()
            .map(|unit| choice(&definition, unit, sent, (&called, page.language)));
        let choices: Vec<Choice> = choices.collect();
        let last = ledger::version(&self.db, id, seen.record.version).await?;
        let title = title(&seen);
        let asked = sent.visibility.unwrap_or(was);
        // Who did not touch it does not decide it.
        let visibility = if asked == was { seen.record.visibility } else { asked };
        let view = MergePage {
            trail: vec![
                Crumb::to(shorten(&title, 60), format!("/records/{id}")),
                Crumb::here(page.language.text("merge.title")),
            ],
            id: id.to_owned(),
            version: seen.record.version,
            base,
            by: last
                .as_ref()
                .map_or_else(String::new, |v| actor(page.language, &v.set.actor)),
            at: last.map_or(seen.record.updated_at, |v| v.set.created_at),
            both: units.iter().filter(|u| u.only.is_none()).count(),
            unchosen: !sent.picks.is_empty() && choices.iter().any(|c| c.open),
            visibility: super::form::visibility(visibility, page.language),
            reason: sent.reason.clone(),
            hidden: hidden(&sent.entered),
            choices,
            title,
            page,
        };
        Ok((StatusCode::PRECONDITION_FAILED, Html(view)).into_response())
    }
}

fn picked(sent: &Sent, unit: &Unit) -> Option<Side> {
    let path = unit.path();
    let pick = sent.picks.iter().find(|(of, _)| *of == path);
    pick.map(|(_, side)| *side).or(unit.only)
}

fn choice(
    definition: &RecordType,
    unit: &Unit,
    sent: &Sent,
    (called, language): (&HashMap<String, String>, Language),
) -> Choice {
    let chosen = picked(sent, unit);
    let field = field_at(&definition.fields, &unit.steps);
    let sides = [
        (Side::Mine, "merge.mine"),
        (Side::Theirs, "merge.theirs"),
        (Side::Base, "merge.base"),
    ];
    let sides = sides.into_iter().map(|(side, label)| SideView {
        side: side.as_str(),
        label,
        text: told(
            field,
            unit.value(side).map(|value| value_of(field, value, called)).as_ref(),
            language,
        ),
        chosen: chosen == Some(side),
    });
    Choice {
        label: path_label(definition, &unit.path(), language),
        path: unit.path(),
        who: match unit.only {
            Some(Side::Mine) => "merge.only-mine",
            Some(_) => "merge.only-theirs",
            None => "merge.both",
        },
        open: chosen.is_none(),
        sides: sides.collect(),
    }
}

fn field_at<'a>(fields: &'a [Field], steps: &[String]) -> Option<&'a Field> {
    let (first, rest) = steps.split_first()?;
    let field = fields.iter().find(|f| f.name == *first)?;
    if rest.is_empty() {
        Some(field)
    } else {
        field_at(&field.fields, rest)
    }
}

/// A value as a text: lists line by line, groups with the labels of their fields.
fn told(field: Option<&Field>, value: Option<&Value>, language: Language) -> String {
    fn lines(field: Option<&Field>, value: &Value, language: Language, out: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| lines(field, item, language, out)),
            Value::Object(map) => {
                let inner = |name: &str| field.and_then(|f| f.fields.iter().find(|f| f.name == name));
                let parts = map.iter().filter_map(|(name, value)| {
                    let field = inner(name);
                    let text = told(field, Some(value), language);
                    let label = field.map_or_else(|| name.clone(), |f| label(&f.labels, &f.name, language));
                    (!text.is_empty()).then(|| format!("{label}: {text}"))
                });
                out.push(parts.collect::<Vec<_>>().join(" · "));
            }
            value => out.extend(plain(value, language)),
        }
    }
    let mut out = Vec::new();
    if let Some(value) = value {
        lines(field, value, language, &mut out);
    }
    shorten(&out.join("\n"), LONGEST)
}

/// `POST /records/{id}/merge`
pub async fn save_merged(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let sent = Sent::read(pairs)?;
    let (version, base) = (sent.based_on()?, sent.base.unwrap_or_default());
    let seen = pages.writable(&page, &id).await?;
    let definition = shape::cut_definition(&seen.stored_type.definition, seen.level);
    let (_, before) = pages.state_at(&page, &seen, base).await?;
    let (_, theirs) = pages.state_at(&page, &seen, version).await?;
    let mine = entry::take(&definition.fields, &before, &sent.entered).document;
    let states = States {
        base: &before,
        mine: &mine,
        theirs: &theirs,
    };
    let units = units(&definition.fields, states);
    let picks: Option<Vec<(&Unit, Side)>> = units.iter().map(|u| Some((u, picked(&sent, u)?))).collect();
    let Some(picks) = picks else {
        return pages.merge_view(page, &id, &sent, base, &mine).await;
    };
    let document = merged(&theirs, picks.into_iter());
    let visibility = sent.visibility.unwrap_or(seen.record.visibility);
    let mut issues = Vec::new();
    if sent.action != "edit" {
        let edit = Edit::Replace(document.clone());
        let why = because(&page, &sent.reason);
        match pages.service.edit(&why, &id, version, &edit, Some(visibility)).await {
            Ok(done) => return Ok(arrived("toast.saved", &done.seen)),
            Err(error) if error.code() == Code::Stale => {
                return pages.merge_view(page, &id, &sent, base, &mine).await;
            }
            Err(error) => issues = of_fields(error)?,
        }
    }
    let entered = entry::enter(&definition.fields, &document);
    let draft = Draft {
        definition: &definition,
        seen: Some(&seen),
        version: Some(version),
        base: &theirs,
        entered: &entered,
        visibility,
        reason: &sent.reason,
        issues: &issues,
        notice: Some("entry.merged"),
        carry: &[],
    };
    let status = if issues.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok((status, Html(pages.edit_view(page, draft).await)).into_response())
}
