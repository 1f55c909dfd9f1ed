//! Records that may be one, and records put into one, over HTTP.

use std::collections::{BTreeMap, HashMap};

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Api, based_on, because};
use crate::kernel::access::Caller;
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{IfMatch, Json, Path, WithPosition};
use crate::modules::records::model::twins::Reason;
use crate::modules::records::model::unite::{ALL, Taken};
use crate::modules::records::service::unite::Union;

/// Records that may be one and the same.
#[derive(Debug, Serialize, ToSchema)]
pub struct TwinList {
    groups: Vec<TwinGroup>,
    /// There are more groups than the 200 that are told.
    more: bool,
    /// Records that were looked at: at most 50,000.
    looked_at: usize,
    /// There are more records.
    at_least: bool,
}

/// Some of them, with the reasons.
#[derive(Debug, Serialize, ToSchema)]
pub struct TwinGroup {
    records: Vec<TwinBody>,
    reasons: Vec<ReasonBody>,
}

/// A record that may be one with another.
#[derive(Debug, Serialize, ToSchema)]
pub struct TwinBody {
    id: String,
    title: String,
}

/// Why records may be one.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReasonBody {
    /// `identifier` or `title`
    kind: &'static str,
    /// Fields that say the same beside it.
    fields: Vec<String>,
    /// What an identifier says, without what is between its letters and digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
}

impl From<Reason> for ReasonBody {
    fn from(reason: Reason) -> Self {
        match reason {
            Reason::Identifier { field, value } => Self {
                kind: "identifier",
                fields: vec![field],
                value: Some(value),
            },
            Reason::Title { fields } => Self {
                kind: "title",
                fields,
                value: None,
            },
        }
    }
}

/// Records of a type that may be one and the same, with the reasons, the surest first.
#[utoipa::path(
    get, path = "/api/types/{name}/duplicates", tag = "types",
    params(("name" = String, Path, description = "The type's name")), responses((status = 200, body = TwinList))
)]
pub async fn twins(State(api): State<Api>, caller: Caller, Path(name): Path<String>) -> Result<Json<TwinList>> {
    let likely = api.service.likely_twins(&caller, &name).await?;
    let groups = likely.groups.into_iter().map(|alike| TwinGroup {
        records: alike
            .records
            .into_iter()
            .map(|(id, title)| TwinBody { id, title })
            .collect(),
        reasons: alike.reasons.into_iter().map(ReasonBody::from).collect(),
    });
    Ok(Json(TwinList {
        groups: groups.collect(),
        more: likely.more,
        looked_at: likely.looked,
        at_least: likely.is_cut,
    }))
}

/// Records to put into one.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UniteRequest {
    /// Ids of 1 to 10 records of the same type. They are deleted, and their addresses lead to the one that stays.
    from: Vec<String>,
    /// By the path of a field the id of the record whose value it gets, or `all` for the values of all lists. What is not
    /// named: all of a list, else the first value there is.
    #[serde(default)]
    take: BTreeMap<String, String>,
    /// Why, in your words; kept in the ledger.
    #[serde(default)]
    reason: Option<String>,
}

/// Records that were put into one.
#[derive(Debug, Serialize, ToSchema)]
pub struct UnitedBody {
    /// The record that stays.
    id: String,
    /// The change set; `POST /api/changes/{id}/undo` takes it back.
    change: String,
    /// Records that point at it now instead.
    relinked: i64,
}

/// Puts records into one: it gets what you choose of each, what pointed at the others points at it, and their addresses lead
/// to it. For who sees every field of all of them.
#[utoipa::path(
    post, path = "/api/records/{id}/unite", tag = "records", request_body = UniteRequest,
    params(
        ("id" = String, Path, description = "The record that stays"),
        ("If-Match" = String, Header, description = "Its version, such as \"3\""),
    ),
    responses((status = 200, body = UnitedBody), (status = 409, description = "More than 1,000 records point at them"))
)]
pub async fn unite(
    State(api): State<Api>,
    caller: Caller,
    Path(id): Path<String>,
    version: IfMatch,
    Json(asked): Json<UniteRequest>,
) -> Result<Response> {
    let why = because(&caller, asked.reason.as_deref())?;
    let mut taken = HashMap::new();
    for (path, whose) in asked.take {
        let of = if whose == ALL {
            Some(Taken::All)
        } else if whose == id {
            Some(Taken::From(0))
        } else {
            asked
                .from
                .iter()
                .position(|other| *other == whose)
                .map(|at| Taken::From(at + 1))
        };
        let of =
            of.ok_or_else(|| Error::invalid(format!("take.{path}"), "is the id of one of the records, or \"all\"."))?;
        taken.insert(path, of);
    }
    let union = Union {
        into: id.clone(),
        version: based_on(version)?,
        from: asked.from,
        taken,
    };
    let done = api.service.unite(&why, &union).await?;
    let body = UnitedBody {
        id,
        change: done.change,
        relinked: done.relinked,
    };
    Ok(WithPosition(done.position, Json(body)).into_response())
}
