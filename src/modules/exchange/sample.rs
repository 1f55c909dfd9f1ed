//! The sample that comes with the program: loaded by `app serve --sample`, taken away again as a whole.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::routes;

use super::model::{Import, Options};
use super::service::Service;
use crate::contract::records::{RecordType, StoredType, TYPES_WRITE};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::error::{Error, Result};
use crate::kernel::http::{Json, RouteSet, Routes};
use crate::kernel::ledger;

#[derive(RustEmbed)]
#[folder = "assets/samples/collection"]
struct Samples;

/// File, type and key of each part of the sample.
const SAMPLES: [(&str, &str, Option<&str>); 2] = [
    ("carnegie-objects.jsonl", "carnegie-object", Some("id")),
    ("penguins.csv", "penguin", None),
];

pub fn routes(service: Service) -> Routes {
    RouteSet::new().route(TYPES_WRITE, routes!(remove)).with_state(service)
}

/// What is being taken away.
#[derive(Debug, Serialize, ToSchema)]
pub struct SampleRemoval {
    /// The jobs that do it, one for each collection of the sample that is there.
    pub jobs: Vec<String>,
}

/// Takes the sample away: its collections with their records, files and the content of their history. Collections of the
/// same names that the sample did not make stay.
#[utoipa::path(
    delete, path = "/api/sample", tag = "exchange",
    responses((status = 202, body = SampleRemoval, description = "The collections are gone; the jobs empty what is kept of them"))
)]
pub async fn remove(State(service): State<Service>, caller: Caller) -> Result<Response> {
    let jobs = service.remove_samples(&caller).await?;
    Ok((StatusCode::ACCEPTED, Json(SampleRemoval { jobs })).into_response())
}

/// The type of a part, as somebody has looked through it.
fn definition(type_name: &str) -> Result<RecordType> {
    let name = format!("{type_name}.toml");
    let file = Samples::get(&name).ok_or_else(|| Error::not_found("sample", &name))?;
    toml::from_slice(&file.data).map_err(Error::internal)
}

impl Service {
    /// Begins to load each part whose type is not there yet.
    pub async fn load(&self) -> Result<Vec<String>> {
        let mut made = Vec::new();
        for (name, type_name, key) in SAMPLES {
            if self.records.record_type(type_name).await?.is_some() {
                continue;
            }
            let file = Samples::get(name).ok_or_else(|| Error::not_found("sample", name))?;
            let blob = self.kernel.blobs.put_stream(&*file.data, u64::MAX).await?;
            let options = Options {
                type_name: type_name.to_owned(),
                key: key.map(str::to_owned),
                infer: true,
                definition: Some(Box::new(definition(type_name)?)),
                visibility: Some(Level::Public),
                missing: vec!["NA".to_owned()],
                ..Options::default()
            };
            let import = Import {
                blob: blob.id,
                bytes: blob.bytes,
                name: name.to_owned(),
                options,
            };
            made.push(self.begin(&Caller::system(), &import).await?);
        }
        Ok(made)
    }

    /// The collections of the sample that are there.
    async fn samples(&self) -> Result<Vec<&'static str>> {
        let mut there = Vec::new();
        for (_, type_name, _) in SAMPLES {
            if let Some(stored) = self.records.record_type(type_name).await?
                && self.is_sample(&stored).await?
            {
                there.push(type_name);
            }
        }
        Ok(there)
    }

    /// See [`crate::contract::exchange::Exchange::removable_samples`].
    pub async fn removable(&self, caller: &Caller) -> Result<bool> {
        let access = &self.kernel.access;
        Ok(access.check(caller, TYPES_WRITE, &Object::House).await? && !self.samples().await?.is_empty())
    }

    /// Takes the sample away; answers the jobs that empty what is kept of it.
    pub async fn remove_samples(&self, caller: &Caller) -> Result<Vec<String>> {
        let access = &self.kernel.access;
        access.require(caller, TYPES_WRITE, &Object::House).await?;
        let mut jobs = Vec::new();
        for type_name in self.samples().await? {
            jobs.push(self.records.remove_type(caller, type_name).await?);
        }
        Ok(jobs)
    }

    /// The house itself makes the types of the sample; people and programs make all others.
    async fn is_sample(&self, stored: &Arc<StoredType>) -> Result<bool> {
        let first = ledger::version(&self.kernel.db, &stored.id, 1).await?;
        Ok(first.is_some_and(|version| version.set.actor == Caller::system().actor()))
    }
}
