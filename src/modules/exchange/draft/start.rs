//! The first page of the way: bring files, into a collection that was named or into one that is found or made later.

use std::sync::Arc;

use axum::extract::State;
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use super::model::Choices;
use super::pages::{RecentLine, StartPage, steps};
use super::store;
use super::ui::{go, line};
use crate::contract::records::{RECORDS_WRITE, StoredType};
use crate::kernel::access::Caller;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::{FileForm, Part, Query, RouteSet, Routes};
use crate::kernel::ui::{Flash, Html, Page, label};
use crate::modules::exchange::api::broken;
use crate::modules::exchange::dina;
use crate::modules::exchange::service::Service;

/// Files of one form.
const MOST_FILES: usize = 20;
/// Imports that the page lists.
const RECENT: i64 = 8;

pub fn routes(service: Service) -> Routes {
    RouteSet::new()
        .page(RECORDS_WRITE, Method::GET, "/import", get(start_page))
        .upload_page(RECORDS_WRITE, Method::POST, "/import", post(bring))
        .with_state(service)
}

/// Into which collection the files are meant to come.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Aim {
    #[serde(default)]
    into: String,
}

impl Aim {
    /// The type that is named, if it is there.
    async fn stored(&self, service: &Service) -> Result<Option<Arc<StoredType>>> {
        match self.into.as_str() {
            "" => Ok(None),
            name => service.records.record_type(name).await,
        }
    }
}

async fn start_page(
    State(service): State<Service>,
    caller: Caller,
    page: Page,
    Query(aim): Query<Aim>,
) -> Result<Html<StartPage>> {
    let into = aim.stored(&service).await?;
    let into = into.map(|stored| {
        let definition = &stored.definition;
        (
            definition.name.clone(),
            label(&definition.labels, &definition.name, page.language),
        )
    });
    let drafts = service.drafts(&caller).await?;
    let recent = store::recent(&service.kernel.db, RECENT).await?;
    let types = service.records.record_types().await?;
    let called = |name: &str| {
        let stored = types.iter().find(|stored| stored.definition.name == name);
        stored.map_or_else(
            || name.to_owned(),
            |stored| label(&stored.definition.labels, name, page.language),
        )
    };
    let recent = recent.into_iter().map(|import| RecentLine {
        job: import.job_id,
        label: called(&import.type_name),
        created: import.created,
        updated: import.updated,
        refused: import.refused,
        at: import.created_at,
    });
    Ok(Html(StartPage {
        steps: steps(None, 0),
        into,
        drafts: drafts.iter().map(|draft| line(&service, draft)).collect(),
        sets: dina::ui::waiting(drafts).len(),
        recent: recent.collect(),
        limit: page.language.bytes(service.kernel.config.http.upload_limit),
        page,
    }))
}

/// Takes the files of the form, one draft each.
async fn bring(
    State(service): State<Service>,
    caller: Caller,
    Query(aim): Query<Aim>,
    mut form: FileForm,
) -> Result<Response> {
    let into = aim.stored(&service).await?;
    let mut ids = Vec::new();
    while let Some(part) = form.next().await? {
        let Part::File { name, content } = part else { continue };
        if name.is_empty() {
            continue;
        }
        if ids.len() >= MOST_FILES {
            return Err(Error::new(
                Code::Invalid,
                format!(
                    "At most {MOST_FILES} files come at once; the first {MOST_FILES} are there. Bring the others after them."
                ),
            ));
        }
        let draft = service.bring(&caller, &name, content.reader()).await.map_err(broken)?;
        if let Some(stored) = &into {
            let choices = Choices {
                into: Some(stored.definition.name.clone()),
                ..draft.choices
            };
            service.choose(&caller, &draft.row.id, &choices).await?;
        }
        ids.push(draft.row.id);
    }
    match ids.as_slice() {
        [] => Err(Error::invalid("file", "No file was chosen. Go back and choose one.")),
        [only] => Ok(go(&format!("/import/{only}"))),
        _ => Ok((Flash::new("toast.import-brought"), go("/import")).into_response()),
    }
}
