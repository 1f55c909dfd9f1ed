//! `GET /api/search/map`: where the records of a question are, as GeoJSON.

use std::collections::HashMap;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::kernel::access::Caller;
use crate::kernel::error::{Error, Result};
use crate::kernel::geo::Area;
use crate::kernel::http::{Json, ProblemDocument, Query};
use crate::kernel::search::Cluster;
use crate::modules::search::service::{Asked, Service};

/// Columns of the grid where no number is asked for, and at most.
const COLUMNS: u32 = 12;
const MOST: u32 = 60;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Params {
    /// The question, as `q` of `GET /api/search`.
    #[serde(default)]
    q: String,
    /// Only records of this type.
    #[serde(rename = "type", default)]
    #[param(example = "museum-object")]
    type_name: Option<String>,
    /// As in `GET /api/search`.
    #[serde(default)]
    filter: Vec<String>,
    /// `SOUTH,WEST,NORTH,EAST` in degrees: only what lies in this box. A west above the east goes across the line of the date. Without a box all that is found is on the map.
    #[serde(rename = "box", default)]
    #[param(example = "55.1,10.9,69.1,24.2")]
    area: Option<String>,
    /// Places that lie in the same of so many columns of the map become one: 12 by default, at most 60.
    #[serde(default)]
    #[param(example = 12)]
    columns: Option<u32>,
}

/// Where records are: a GeoJSON feature collection.
#[derive(Serialize, ToSchema)]
pub struct PlaceCollection {
    #[serde(rename = "type")]
    #[schema(example = "FeatureCollection")]
    kind: &'static str,
    /// West, south, east and north of the map.
    bbox: [f64; 4],
    /// Records found, with and without a place.
    total: u64,
    /// Records with a place on the map.
    placed: u64,
    /// The largest first.
    features: Vec<PlaceFeature>,
}

/// Records near each other.
#[derive(Serialize, ToSchema)]
pub struct PlaceFeature {
    #[serde(rename = "type")]
    #[schema(example = "Feature")]
    kind: &'static str,
    /// West, south, east and north of its places.
    bbox: [f64; 4],
    geometry: PlacePoint,
    properties: PlaceProperties,
}

/// The middle of places.
#[derive(Serialize, ToSchema)]
pub struct PlacePoint {
    #[serde(rename = "type")]
    #[schema(example = "Point")]
    kind: &'static str,
    /// Longitude and latitude.
    coordinates: [f64; 2],
}

/// What lies there.
#[derive(Serialize, ToSchema)]
pub struct PlaceProperties {
    /// Records, each once.
    records: u64,
    /// The record, where it is a single one.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    /// The box of its places as `box` takes it.
    #[serde(rename = "box")]
    #[schema(example = "59.3,17.9,59.9,18.1")]
    area: String,
}

fn bbox(area: &Area) -> [f64; 4] {
    [area.west, area.south, area.east, area.north].map(short)
}

/// Degrees to a tenth of a metre: what is finer comes from arithmetic.
fn short(degrees: f64) -> f64 {
    (degrees * 1e6).round() / 1e6
}

fn feature(cluster: Cluster, titles: &mut HashMap<String, String>) -> PlaceFeature {
    PlaceFeature {
        kind: "Feature",
        bbox: bbox(&cluster.area),
        geometry: PlacePoint {
            kind: "Point",
            coordinates: [cluster.longitude, cluster.latitude].map(short),
        },
        properties: PlaceProperties {
            records: cluster.records,
            title: cluster.id.as_ref().and_then(|id| titles.remove(id)),
            id: cluster.id,
            area: cluster.area.to_string(),
        },
    }
}

/// Finds where records are, put together where they lie near each other.
///
/// Ask again with the `box` of a group to take it apart. A place that the caller may not see is not on the map and moves
/// nothing.
#[utoipa::path(
    get,
    path = "/api/search/map",
    tag = "search",
    params(Params),
    responses(
        (status = 200, description = "Places as GeoJSON.", body = PlaceCollection, content_type = "application/geo+json"),
        (status = 404, description = "There is no such type.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "What is no box, an unknown field, or more than the limit.", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "The index is being opened, or this process keeps none.", body = ProblemDocument, content_type = "application/problem+json"),
    )
)]
pub async fn map(State(service): State<Service>, caller: Caller, Query(params): Query<Params>) -> Result<Response> {
    let columns = params.columns.unwrap_or(COLUMNS);
    if !(1..=MOST).contains(&columns) {
        return Err(Error::invalid("columns", format!("a map has from 1 to {MOST} columns")));
    }
    let area = params.area.filter(|text| !text.trim().is_empty());
    let area = area.map(|text| text.parse::<Area>().map_err(|rule| Error::invalid("box", rule)));
    let asked = Asked {
        type_name: params.type_name.filter(|name| !name.is_empty()),
        text: params.q,
        filters: params.filter,
        ..Asked::default()
    };
    let found = service.map(&caller, &asked, area.transpose()?, columns).await?;
    let mut titles = found.titles;
    let collection = PlaceCollection {
        kind: "FeatureCollection",
        bbox: bbox(&found.places.frame.area()),
        total: found.total,
        placed: found.places.records,
        features: found
            .places
            .clusters
            .into_iter()
            .map(|cluster| feature(cluster, &mut titles))
            .collect(),
    };
    Ok(([(header::CONTENT_TYPE, "application/geo+json")], Json(collection)).into_response())
}
