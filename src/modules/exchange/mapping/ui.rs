//! The page of a mapping, between the file and its preview: columns on one side, what the first rows become on the other.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::form::{self, ColumnLine, ConstantLine};
use super::model::Mapping;
use super::service::Tried;
use crate::contract::records::{FieldKind, RECORDS_WRITE, StoredType};
use crate::kernel::access::Caller;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{Form, Path, RouteSet, Routes};
use crate::kernel::i18n::Language;
use crate::kernel::ui::{Flash, Html, Page, filters, label, view};
use crate::modules::exchange::draft::form::Sent;
use crate::modules::exchange::draft::lines::{Choice, choice};
use crate::modules::exchange::draft::model::Choices;
use crate::modules::exchange::draft::pages::{DraftLine, Step, steps};
use crate::modules::exchange::draft::service::Draft;
use crate::modules::exchange::draft::ui::{go, line};
use crate::modules::exchange::service::Service;

/// The page waits so long for the whole file to be looked at.
const PATIENCE: std::time::Duration = std::time::Duration::from_millis(1_500);

pub fn routes(service: Service) -> Routes {
    RouteSet::new()
        .page(RECORDS_WRITE, Method::GET, "/import/{id}/mapping", get(mapping_page))
        .page(
            RECORDS_WRITE,
            Method::POST,
            "/import/{id}/mapping",
            axum::routing::post(take),
        )
        .page(RECORDS_WRITE, Method::GET, "/import/{id}/mapping.toml", get(text))
        .with_state(service)
}

#[derive(Template)]
#[template(path = "modules/exchange/templates/import-mapping.html")]
pub struct MappingPage {
    pub page: Page,
    pub steps: Vec<Step>,
    pub draft: DraftLine,
    /// What is wrong with it, by place.
    pub errors: Vec<(String, String)>,
    pub types: Vec<Choice>,
    pub keys: Vec<Choice>,
    pub decimals: Vec<Choice>,
    pub dates: Vec<Choice>,
    /// Mappings that are kept, those for all of these columns first.
    pub kept: Vec<Choice>,
    pub fits: Vec<String>,
    pub columns: Vec<ColumnLine>,
    pub constants: Vec<ConstantLine>,
    pub others: String,
    pub other_words: Vec<String>,
    /// Path and label of every field.
    pub fields: Vec<(String, String)>,
    pub rows: Vec<Tried>,
    /// All of it as text, to be written by hand.
    pub text: String,
}
view!(MappingPage);

/// The columns of a draft's file; none until it was looked at.
fn is_looked_at(draft: &Draft) -> bool {
    draft.found.is_some()
}

async fn mapping_page(
    State(service): State<Service>,
    caller: Caller,
    page: Page,
    Path(id): Path<String>,
) -> Result<Response> {
    let (draft, _) = service.found(&caller, &id, PATIENCE).await?;
    if draft.row.import_job.is_some() || !is_looked_at(&draft) {
        return Ok(go(&format!("/import/{id}/collection")));
    }
    shown(&service, &caller, page, &draft, Vec::new()).await
}

/// What the draft's mapping is, or is likely to be.
async fn current(service: &Service, caller: &Caller, draft: &Draft) -> Result<Mapping> {
    if let Some(mapping) = &draft.choices.mapping {
        return Ok(Mapping::clone(mapping));
    }
    let columns = draft
        .found
        .as_ref()
        .map(|found| found.columns.clone())
        .unwrap_or_default();
    let target = match service.target(draft).await? {
        Some(stored) => Some(stored),
        None => {
            let types = service.records.record_types().await?;
            let fits = |stored: &Arc<StoredType>| form::guess(&stored.definition, &columns).fields.len();
            // Of those that fit as well, the first.
            types.into_iter().rev().max_by_key(fits)
        }
    };
    // One that was made for these columns goes before a guess.
    let wanted = target.as_ref().map(|stored| stored.definition.name.clone());
    for kept in service.mappings(caller).await? {
        let fits = kept
            .mapping
            .columns()
            .iter()
            .all(|name| columns.iter().any(|column| column.name == *name));
        if fits && (draft.choices.into.is_none() || Some(&kept.mapping.type_name) == wanted.as_ref()) {
            return Ok(kept.mapping);
        }
    }
    Ok(target.map_or_else(Mapping::default, |stored| form::guess(&stored.definition, &columns)))
}

async fn shown(
    service: &Service,
    caller: &Caller,
    page: Page,
    draft: &Draft,
    mut errors: Vec<(String, String)>,
) -> Result<Response> {
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    let mapping = current(service, caller, draft).await?;
    let columns = draft
        .found
        .as_ref()
        .map(|found| found.columns.clone())
        .unwrap_or_default();
    let language = page.language;
    let Fields { types, fields, keys } = fields_of(service, &mapping, language).await?;
    let tried = if mapping.fields.is_empty() {
        // Nothing was said yet: that is no mistake.
        Ok(Vec::new())
    } else {
        service.try_mapping(caller, draft, &mapping).await
    };
    let rows = match tried {
        Ok(rows) => rows,
        Err(error) if error.code().status() < 500 => {
            if errors.is_empty() {
                errors = told(&error);
            }
            Vec::new()
        }
        Err(error) => return Err(error),
    };
    let kept = service.mappings(caller).await?;
    let fitting = kept.iter().filter(|kept| {
        kept.mapping
            .columns()
            .iter()
            .all(|name| columns.iter().any(|column| column.name == *name))
    });
    let fits: Vec<String> = fitting.map(|kept| kept.row.name.clone()).collect();
    let lines = form::lines(&mapping, &columns, language)?;
    let one = |value: &str, key: &str, chosen: bool| choice(value, language.text(key), chosen);
    let decimal = mapping.decimal.and_then(|decimal| serde_json::to_value(decimal).ok());
    let decimal = decimal.as_ref().and_then(|value| value.as_str()).unwrap_or_default();
    let order = mapping.date_order.and_then(|order| serde_json::to_value(order).ok());
    let order = order.as_ref().and_then(|value| value.as_str()).unwrap_or_default();
    let view = MappingPage {
        steps: steps(Some(&draft.row.id), 2),
        draft: line(service, draft),
        errors,
        types,
        keys,
        decimals: vec![
            one("", "import.mapping.as-written", decimal.is_empty()),
            one(",", "import.decimal.comma", decimal == ","),
            one(".", "import.decimal.point", decimal == "."),
        ],
        dates: vec![
            one("", "import.mapping.as-written", order.is_empty()),
            one("dmy", "import.dates.dmy", order == "dmy"),
            one("mdy", "import.dates.mdy", order == "mdy"),
        ],
        kept: kept
            .iter()
            .map(|kept| choice(&kept.row.name, &kept.row.name, fits.first() == Some(&kept.row.name)))
            .collect(),
        fits,
        columns: lines.columns,
        constants: lines.constants,
        others: lines.others,
        other_words: lines.other_words,
        fields,
        rows,
        text: mapping.text()?,
        page,
    };
    let mut response = Html(view).into_response();
    *response.status_mut() = status;
    Ok(response)
}

/// The types there are, and what may be filled of the one that is meant.
struct Fields {
    types: Vec<Choice>,
    fields: Vec<(String, String)>,
    keys: Vec<Choice>,
}

async fn fields_of(service: &Service, mapping: &Mapping, language: Language) -> Result<Fields> {
    let mut types = Vec::new();
    let mut fields = Vec::new();
    let mut keys = vec![choice(
        "",
        language.text("import.mapping.own-key"),
        mapping.key.is_none(),
    )];
    for stored in service.records.record_types().await? {
        let definition = &stored.definition;
        let chosen = definition.name == mapping.type_name;
        types.push(choice(
            &definition.name,
            label(&definition.labels, &definition.name, language),
            chosen,
        ));
        if !chosen {
            continue;
        }
        for leaf in definition.leaves() {
            let names = leaf
                .fields
                .iter()
                .map(|field| label(&field.labels, &field.name, language));
            let words: Vec<String> = names.collect();
            fields.push((leaf.path.clone(), words.join(" · ")));
        }
        for field in definition
            .fields
            .iter()
            .filter(|field| field.unique && field.kind != FieldKind::Group)
        {
            let chosen = mapping.key.as_ref() == Some(&field.name);
            keys.push(choice(&field.name, label(&field.labels, &field.name, language), chosen));
        }
    }
    Ok(Fields { types, fields, keys })
}

/// An error by its places.
fn told(error: &Error) -> Vec<(String, String)> {
    let fields: Vec<(String, String)> = error
        .fields()
        .iter()
        .map(|issue| (issue.path.clone(), issue.message.clone()))
        .collect();
    if fields.is_empty() {
        vec![(String::new(), error.detail().to_owned())]
    } else {
        fields
    }
}

/// Takes what the form says, then shows it again, keeps it, or goes on.
async fn take(
    State(service): State<Service>,
    caller: Caller,
    page: Page,
    Path(id): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let sent = Sent(pairs);
    let draft = service.draft(&caller, &id).await?;
    let here = format!("/import/{id}/mapping");
    if !is_looked_at(&draft) {
        return Ok(go(&here));
    }
    let wanted = sent.get("go").unwrap_or("look");
    if wanted == "stop" {
        choose(&service, &caller, &draft, None).await?;
        return Ok(go(&format!("/import/{id}/collection")));
    }
    let mapping = match wanted {
        "text" => Mapping::read(sent.get("text").unwrap_or_default()),
        "use" => service
            .mapping(&caller, sent.get("use").unwrap_or_default())
            .await
            .map(|kept| kept.mapping),
        _ => form::mapping(&sent, &current(&service, &caller, &draft).await?),
    };
    let mapping = match mapping {
        Ok(mapping) => mapping,
        Err(error) if error.code().status() < 500 => return shown(&service, &caller, page, &draft, told(&error)).await,
        Err(error) => return Err(error),
    };
    let draft = choose(&service, &caller, &draft, Some(mapping.clone())).await?;
    match wanted {
        "save" => {
            let name = sent.get("save_as").map(str::trim).unwrap_or_default();
            match service.keep_mapping(&caller, name, &mapping).await {
                Ok(_) => Ok((Flash::new("toast.mapping-kept").about(name), go(&here)).into_response()),
                Err(error) if error.code().status() < 500 => shown(&service, &caller, page, &draft, told(&error)).await,
                Err(error) => Err(error),
            }
        }
        "next" => match service.rehearse(&caller, &id).await {
            Ok(_) => Ok(go(&format!("/import/{id}/preview"))),
            Err(error) if error.code() == Code::Invalid => shown(&service, &caller, page, &draft, told(&error)).await,
            Err(error) => Err(error),
        },
        _ => Ok(go(&here)),
    }
}

async fn choose(service: &Service, caller: &Caller, draft: &Draft, mapping: Option<Mapping>) -> Result<Draft> {
    let choices = Choices {
        mapping: mapping.map(Box::new),
        ..draft.choices.clone()
    };
    service.choose(caller, &draft.row.id, &choices).await
}

/// The mapping as a file.
async fn text(State(service): State<Service>, caller: Caller, Path(id): Path<String>) -> Result<Response> {
    let draft = service.draft(&caller, &id).await?;
    let mapping = current(&service, &caller, &draft).await?;
    let head = [
        (header::CONTENT_TYPE, "application/toml; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"mapping.toml\""),
    ];
    Ok((head, mapping.text()?).into_response())
}
