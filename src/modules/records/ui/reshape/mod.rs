//! Changes of a type that move values, as pages: what is to be done to which field, what that makes of real records, and the
//! report while and after its job runs. Works without scripts: what and which are chosen first, the rest comes with the next
//! page.

mod sent;

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::Value;

use self::sent::{Sent, controls};
use super::Pages;
use super::names::path_label;
use super::types::rows;
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::http::{Form, Path, Query};
use crate::kernel::i18n::Language;
use crate::kernel::jobs;
use crate::kernel::ui::form::{self, Field};
use crate::kernel::ui::{Crumb, Html, Page, filters, label, view};
use crate::modules::records::service::Because;
use crate::modules::records::service::reshape::{Prospect, RESHAPE, Refusal};

/// What can be done, in the order of the form.
const ACTIONS: [&str; 5] = ["rename", "kind", "split", "merge", "remove"];

#[derive(Template)]
#[template(path = "modules/records/templates/reshape.html")]
pub struct ReshapePage {
    page: Page,
    trail: Vec<Crumb>,
    name: String,
    version: i64,
    actions: Vec<Choice>,
    fields: Vec<Choice>,
    /// Fields that may be put together with the first, for a merge.
    more: Vec<Choice>,
    controls: Vec<Field>,
    sent: Sent,
    issues: Vec<FieldIssue>,
    prospect: Option<Prospect>,
}
view!(ReshapePage);

pub struct Choice {
    value: String,
    label: String,
    selected: bool,
}

/// Which change of which field is asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    #[serde(default, rename = "do")]
    action: String,
    #[serde(default)]
    field: String,
}

/// `GET /types/{name}/reshape`
pub async fn ask_page(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Html<ReshapePage>> {
    pages.service.require_whole(&page.caller, &name).await?;
    let sent = Sent {
        action: asked.action,
        field: asked.field,
        with: ", ".to_owned(),
        at: ",".to_owned(),
        ..Sent::default()
    };
    Ok(Html(pages.reshape_view(page, &name, sent, &[], None).await?))
}

/// `POST /types/{name}/reshape`
pub async fn reshape(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    pages.service.require_whole(&page.caller, &name).await?;
    match pages.reshaped(&page, &name, &sent).await {
        Ok(Outcome::Begun(job)) => {
            let place = [(header::LOCATION, format!("/types/{name}/reshape/{job}"))];
            Ok((StatusCode::SEE_OTHER, place).into_response())
        }
        Ok(Outcome::Looked(prospect)) => {
            let view = pages.reshape_view(page, &name, sent, &[], Some(*prospect)).await?;
            Ok(Html(view).into_response())
        }
        Err(error) if matches!(error.code(), Code::Invalid | Code::Conflict | Code::Stale) => {
            let mut issues = error.fields().to_vec();
            if issues.is_empty() {
                issues.push(FieldIssue {
                    path: String::new(),
                    message: error.detail().to_owned(),
                });
            }
            let view = pages.reshape_view(page, &name, sent, &issues, None).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(view)).into_response())
        }
        Err(error) => Err(error),
    }
}

enum Outcome {
    Begun(String),
    Looked(Box<Prospect>),
}

#[derive(Template)]
#[template(path = "modules/records/templates/reshaped.html")]
pub struct ReshapedPage {
    page: Page,
    trail: Vec<Crumb>,
    name: String,
    what: String,
    percent: i64,
    /// It has ended, well or badly.
    ended: bool,
    failed: Option<String>,
    /// The type became what it was to be.
    finished: bool,
    changed: i64,
    refused: i64,
    kept: bool,
    refusals: Vec<Refusal>,
    change: Option<String>,
}
view!(ReshapedPage);

/// `GET /types/{name}/reshape/{job}`
pub async fn report_page(
    State(pages): State<Pages>,
    page: Page,
    Path((name, id)): Path<(String, String)>,
) -> Result<Html<ReshapedPage>> {
    let stored = pages.service.need_type(&name).await?;
    pages.service.require_whole(&page.caller, &name).await?;
    let job = jobs::get(&pages.db, &id).await?;
    if job.kind != RESHAPE || job.payload["type"].as_str() != Some(name.as_str()) {
        return Err(Error::not_found("change of this type", &id));
    }
    let language = page.language;
    let called = label(&stored.definition.labels, &name, language);
    let result = job.result.clone().unwrap_or_default();
    let step = &job.payload["step"];
    let named = [step["field"].as_str().map(str::to_owned)];
    let many = step["fields"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str);
    let called_of = |path: String| path_label(&stored.definition, &path, language);
    let many = many.map(str::to_owned);
    let fields: Vec<String> = named.into_iter().flatten().chain(many).map(called_of).collect();
    let does = step["do"]
        .as_str()
        .filter(|does| ACTIONS.contains(does))
        .unwrap_or("rename");
    let number = |key: &str| result[key].as_i64().unwrap_or_default();
    Ok(Html(ReshapedPage {
        trail: trail(&name, &called, language),
        what: format!(
            "{}: {}",
            language.text(&format!("reshape.do.{does}")),
            fields.join(", ")
        ),
        percent: job
            .progress
            .total
            .filter(|total| *total > 0)
            .map_or(0, |total| job.progress.done * 100 / total),
        ended: job.state.is_final(),
        failed: job.error.filter(|_| job.state.is_final() && job.result.is_none()),
        finished: result["finished"] == true,
        changed: number("changed"),
        refused: number("refused"),
        kept: result["kept"] == true,
        refusals: serde_json::from_value(result["refusals"].clone()).unwrap_or_default(),
        change: job.payload["set_id"].as_str().map(str::to_owned),
        name,
        page,
    }))
}

fn trail(name: &str, called: &str, language: Language) -> Vec<Crumb> {
    vec![
        Crumb::to(language.text("nav.types"), "/types"),
        Crumb::to(called.to_owned(), format!("/types/{name}")),
        Crumb::to(language.text("entry.edit"), format!("/types/{name}/edit")),
        Crumb::here(language.text("reshape.title")),
    ]
}

impl Pages {
    async fn reshaped(&self, page: &Page, name: &str, sent: &Sent) -> Result<Outcome> {
        let step = sent.step()?;
        if sent.go == "run" {
            let why = Because {
                caller: &page.caller,
                reason: sent.reason.trim(),
                channel: "ui",
            };
            return self
                .service
                .reshape(&why, name, sent.version, &step)
                .await
                .map(Outcome::Begun);
        }
        let stored = self.service.need_type(name).await?;
        let label_of = |path: &str| path_label(&stored.definition, path, page.language);
        let prospect = self
            .service
            .look_at_reshape(&page.caller, name, &step, &label_of)
            .await?;
        Ok(Outcome::Looked(Box::new(prospect)))
    }

    async fn reshape_view(
        &self,
        page: Page,
        name: &str,
        mut sent: Sent,
        issues: &[FieldIssue],
        prospect: Option<Prospect>,
    ) -> Result<ReshapePage> {
        let stored = self.service.need_type(name).await?;
        let (definition, language) = (&stored.definition, page.language);
        if !ACTIONS.contains(&sent.action.as_str()) {
            ACTIONS[0].clone_into(&mut sent.action);
        }
        let all = rows(definition, language);
        if !all.iter().any(|row| row.path == sent.field) {
            sent.field = all.first().map(|row| row.path.clone()).unwrap_or_default();
        }
        let called = label(&definition.labels, &definition.name, language);
        let above = sent.field.rsplit_once('.').map(|(above, _)| above.to_owned());
        let beside = |path: &str| path.rsplit_once('.').map(|(above, _)| above.to_owned()) == above;
        let mut controls = controls(definition, &sent, language);
        let left = form::mark(&mut controls, issues);
        let choice = |row: &super::types::FieldRow, selected: bool| Choice {
            value: row.path.clone(),
            label: row.label.clone(),
            selected,
        };
        Ok(ReshapePage {
            trail: trail(name, &called, language),
            version: stored.version,
            actions: ACTIONS
                .map(|action| Choice {
                    value: action.to_owned(),
                    label: language.text(&format!("reshape.do.{action}")),
                    selected: action == sent.action,
                })
                .into(),
            fields: all.iter().map(|row| choice(row, row.path == sent.field)).collect(),
            more: if sent.action == "merge" {
                let others = all
                    .iter()
                    .filter(|row| row.path != sent.field && row.kind != "kind.group" && beside(&row.path));
                others.map(|row| choice(row, sent.also.contains(&row.path))).collect()
            } else {
                Vec::new()
            },
            controls,
            issues: left,
            prospect,
            name: name.to_owned(),
            sent,
            page,
        })
    }
}
