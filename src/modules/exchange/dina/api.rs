//! JSON: sets of DINA Collections that wait as drafts are imported together.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::Set;
use super::begin::{Wanted, steps};
use crate::contract::records::RECORDS_WRITE;
use crate::kernel::access::Caller;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Json, ProblemDocument, RouteSet, Routes};
use crate::modules::exchange::service::Service;

/// Files that come together.
const MOST: usize = 50;

pub fn routes(service: Service) -> Routes {
    RouteSet::new().route(RECORDS_WRITE, routes!(begin)).with_state(service)
}

/// Which files, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SetsWanted {
    /// Drafts of files that are sets, or archives of such, in any order; `POST /api/uploads` makes them.
    drafts: Vec<String>,
    /// Say what would be, and write nothing.
    #[serde(default)]
    dry_run: bool,
    /// Why, in words; kept with the change sets.
    #[serde(default)]
    reason: String,
}

/// Imports that follow each other.
#[derive(Serialize, ToSchema)]
struct SetsBegun {
    /// The job of the first; `GET /api/imports/{job}` answers how it is, and when it is done the `next` one.
    job: String,
    /// Where a person looks at all of them.
    page: String,
    /// In the order in which they come in.
    sets: Vec<SetBegun>,
}

#[derive(Serialize, ToSchema)]
struct SetBegun {
    set: Set,
    #[serde(rename = "type")]
    type_name: String,
}

/// Imports sets of DINA Collections: each becomes records of a type that ships, in the order that links need. The drafts stay.
#[utoipa::path(
    post, path = "/api/dina-imports", tag = "exchange", request_body = SetsWanted,
    responses(
        (status = 202, description = "The first set is on its way.", body = SetsBegun),
        (status = 404, description = "There is no such draft.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "A file is no set, or two are the same.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
async fn begin(
    State(service): State<Service>,
    caller: Caller,
    Json(wanted): Json<SetsWanted>,
) -> Result<impl IntoResponse> {
    if wanted.drafts.len() > MOST {
        return Err(Error::invalid("drafts", format!("At most {MOST} files come together.")));
    }
    let mut drafts = Vec::new();
    for id in &wanted.drafts {
        drafts.push(service.draft(&caller, id).await?);
    }
    let how = Wanted {
        dry_run: wanted.dry_run,
        reason: wanted.reason,
    };
    let begun = service.begin_sets(&caller, &drafts, &how).await?;
    let sets = steps(&begun.files).into_iter().map(|set| SetBegun {
        set,
        type_name: set.type_name().to_owned(),
    });
    let answer = SetsBegun {
        page: format!("/import-sets/{}", begun.job),
        sets: sets.collect(),
        job: begun.job,
    };
    Ok((StatusCode::ACCEPTED, Json(answer)))
}
