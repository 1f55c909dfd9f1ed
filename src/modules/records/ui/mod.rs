//! The pages of records and types: one record with its history and its machine forms, the types with their fields.

mod collections;
mod fields;
mod forms;
mod record;
#[cfg(test)]
mod tests;
mod types;

use std::sync::Arc;

use axum::http::Method;
use axum::routing::get;

use super::service::Service;
use crate::contract::records::{RECORDS_READ, TYPES_READ};
use crate::kernel::access::Access;
use crate::kernel::db::Db;
use crate::kernel::http::{RouteSet, Routes};
use crate::kernel::search::Search;

/// What the pages read from.
#[derive(Clone)]
pub struct Pages {
    pub service: Arc<Service>,
    pub db: Db,
    pub access: Access,
    pub search: Search,
}

/// The routes of the pages.
pub fn routes(pages: Pages) -> Routes {
    RouteSet::new()
        .page(RECORDS_READ, Method::GET, "/records/{id}", get(record::show_page))
        .page(
            RECORDS_READ,
            Method::GET,
            "/records/{id}/history",
            get(record::history_page),
        )
        .page(TYPES_READ, Method::GET, "/types", get(collections::index_page))
        .page(TYPES_READ, Method::GET, "/types/{name}", get(types::show_page))
        .with_state(pages)
}
