//! Labels as pages: what is to stand on them, how far the file is, and the file.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Pages;
use super::names::path_label;
use crate::contract::records::{FieldKind, RecordType};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::http::{Form, Path};
use crate::kernel::i18n::Language;
use crate::kernel::ui::{Crumb, Html, Page, filters, view};
use crate::modules::records::api::labels::answer;
use crate::modules::records::labels::Print;
use crate::modules::records::labels::sheet::Sheet;
use crate::modules::records::model::path;

#[derive(Template)]
#[template(path = "modules/records/templates/labels.html")]
pub struct LabelsPage {
    page: Page,
    trail: Vec<Crumb>,
    id: String,
    total: i64,
    /// Name, key of the label, whether it is chosen.
    sheets: Vec<(&'static str, String, bool)>,
    /// Path, label, whether it is chosen.
    fields: Vec<(String, String, bool)>,
    codes: Vec<(String, String, bool)>,
    sent: Sent,
    issues: Vec<FieldIssue>,
}

#[derive(Template)]
#[template(path = "modules/records/templates/labels-file.html")]
pub struct FilePage {
    page: Page,
    trail: Vec<Crumb>,
    job: String,
    batch: String,
    done: i64,
    total: i64,
    ended: bool,
    ready: bool,
    error: Option<String>,
}
view!(LabelsPage, FilePage);

/// What the form sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    #[serde(default)]
    sheet: String,
    #[serde(default)]
    width: String,
    #[serde(default)]
    height: String,
    #[serde(default)]
    field: Vec<String>,
    #[serde(default)]
    qr: bool,
    #[serde(default)]
    bars: String,
    #[serde(default)]
    skip: String,
}

impl Sent {
    fn print(&self) -> Result<Print> {
        let side = |text: &str| text.trim().replace(',', ".").parse().ok();
        let skip = self.skip.trim();
        let skip = if skip.is_empty() { Ok(0) } else { skip.parse() };
        Ok(Print {
            sheet: Sheet::parse(&self.sheet).ok_or_else(|| Error::invalid("sheet", "is none of the sheets."))?,
            width: side(&self.width),
            height: side(&self.height),
            fields: self.field.iter().filter(|name| !name.is_empty()).cloned().collect(),
            qr: self.qr,
            bars: Some(self.bars.clone()).filter(|name| !name.is_empty()),
            skip: skip.map_err(|_| Error::invalid("skip", "is a whole number."))?,
        })
    }
}

/// `GET /batches/{id}/labels`
pub async fn ask_page(State(pages): State<Pages>, page: Page, Path(id): Path<String>) -> Result<Html<LabelsPage>> {
    let sent = Sent {
        sheet: Sheet::A4Three.as_str().to_owned(),
        qr: true,
        ..Sent::default()
    };
    Ok(Html(pages.labels_view(page, &id, sent, Vec::new(), true).await?))
}

/// `POST /batches/{id}/labels`
pub async fn begin(
    State(pages): State<Pages>,
    page: Page,
    Path(id): Path<String>,
    Form(sent): Form<Sent>,
) -> Result<Response> {
    let begun = match sent.print() {
        Ok(print) => pages.labels.begin(&page.caller, &id, &print).await,
        Err(error) => Err(error),
    };
    match begun {
        Ok(job) => Ok((StatusCode::SEE_OTHER, [(header::LOCATION, format!("/labels/{job}"))]).into_response()),
        Err(error) if error.code() == Code::Invalid => {
            let view = pages
                .labels_view(page, &id, sent, error.fields().to_vec(), false)
                .await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(view)).into_response())
        }
        Err(error) => Err(error),
    }
}

/// `GET /labels/{job}`
pub async fn file_page(State(pages): State<Pages>, page: Page, Path(job): Path<String>) -> Result<Html<FilePage>> {
    let seen = pages.labels.look(&page.caller, &job).await?;
    let title = page.language.text("labels.title");
    Ok(Html(FilePage {
        trail: vec![
            Crumb::to(page.language.text("batch.title"), format!("/batches/{}", seen.batch)),
            Crumb::here(title),
        ],
        done: seen.job.progress.done,
        total: seen.job.progress.total.unwrap_or_default(),
        ended: seen.job.state.is_final(),
        error: seen.job.error.filter(|_| seen.job.state.is_final()),
        ready: seen.blob.is_some(),
        batch: seen.batch,
        job,
        page,
    }))
}

/// `GET /labels/{job}/file`
pub async fn file(State(pages): State<Pages>, page: Page, Path(job): Path<String>) -> Result<Response> {
    answer(&pages.labels, &page.caller, &job).await
}

impl Pages {
    async fn labels_view(
        &self,
        page: Page,
        id: &str,
        mut sent: Sent,
        issues: Vec<FieldIssue>,
        fresh: bool,
    ) -> Result<LabelsPage> {
        let language = page.language;
        let batch = self.batches.look(&page.caller, id).await?;
        let (_, definition) = self.batches.shown(&page.caller, &batch.type_name).await?;
        if fresh {
            sent.field.extend(definition.title.clone());
            let leaves = path::leaves(&definition.fields);
            let code = leaves
                .iter()
                .find(|leaf| leaf.field.kind == FieldKind::Identifier && !leaf.repeated);
            sent.bars = code.map(|leaf| leaf.path.clone()).unwrap_or_default();
        }
        let sheet = |sheet: Sheet| {
            let name = sheet.as_str();
            (name, language.text(&format!("labels.sheet.{name}")), name == sent.sheet)
        };
        Ok(LabelsPage {
            trail: vec![
                Crumb::to(language.text("batch.title"), format!("/batches/{id}")),
                Crumb::here(language.text("labels.title")),
            ],
            sheets: Sheet::ALL.into_iter().map(sheet).collect(),
            fields: fields(&definition, &sent.field, language, |_| true),
            codes: fields(&definition, std::slice::from_ref(&sent.bars), language, |kind| {
                matches!(kind, FieldKind::Identifier | FieldKind::Text | FieldKind::Integer)
            }),
            id: id.to_owned(),
            total: batch.total,
            sent,
            issues,
            page,
        })
    }
}

fn fields(
    definition: &RecordType,
    chosen: &[String],
    language: Language,
    fits: impl Fn(FieldKind) -> bool,
) -> Vec<(String, String, bool)> {
    let leaves = path::leaves(&definition.fields);
    let shown = leaves.iter().filter(|leaf| fits(leaf.field.kind)).map(|leaf| {
        let label = path_label(definition, &leaf.path, language);
        (leaf.path.clone(), label, chosen.contains(&leaf.path))
    });
    shown.collect()
}
