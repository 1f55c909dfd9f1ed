//! The pages of records and types: one record with its history and its machine forms, the types with their fields.

mod about;
mod batch;
mod begin;
mod cite;
mod collections;
mod define;
mod doors;
mod edit;
mod embargo;
mod fields;
mod forms;
mod labels;
mod names;
mod numbers;
mod place;
mod record;
mod reshape;
mod similar;
mod source;
mod table;
mod terms;
#[cfg(test)]
mod tests;
mod tree;
mod types;
mod unite;

use std::sync::Arc;

use axum::http::Method;
use axum::routing::{get, post};

use super::labels::Labels;
use super::service::Service;
use super::service::batch::Batches;
use crate::contract::records::{RECORDS_DELETE, RECORDS_READ, RECORDS_WRITE, TYPES_READ, TYPES_WRITE};
use crate::kernel::access::Access;
use crate::kernel::db::Db;
use crate::kernel::http::{RouteSet, Routes};
use crate::kernel::search::Search;

/// What the pages read from.
#[derive(Clone)]
pub struct Pages {
    pub service: Arc<Service>,
    pub batches: Batches,
    pub labels: Labels,
    pub db: Db,
    pub access: Access,
    pub search: Search,
    /// Hosts whose images the browser may load.
    pub image_hosts: Arc<[String]>,
}

/// The routes of the pages.
pub fn routes(pages: Pages) -> Routes {
    const NEW: &str = "/types/{name}/new";
    const EDIT: &str = "/records/{id}/edit";
    const MOVE: &str = "/records/{id}/move";
    const DELETE: &str = "/records/{id}/delete";
    const DEFINE: &str = "/types/{name}/edit";
    const RESHAPE: &str = "/types/{name}/reshape";
    const UNITE: &str = "/records/{id}/unite";
    const REMOVE: &str = "/types/{name}/delete";
    let (read, write, change) = (RECORDS_READ, RECORDS_WRITE, TYPES_WRITE);
    RouteSet::new()
        .page(read, Method::GET, "/records/{id}", get(record::show_page))
        .page(read, Method::GET, "/records/{id}/history", get(record::history_page))
        .page(
            read,
            Method::GET,
            "/records/{id}/versions/{version}",
            get(record::version_page),
        )
        .page(write, Method::GET, "/records/{id}/source", get(source::source_page))
        .page(write, Method::GET, EDIT, get(edit::edit_page))
        .page(write, Method::POST, EDIT, post(edit::save))
        .page(write, Method::POST, "/records/{id}/merge", post(edit::save_merged))
        .page(write, Method::POST, "/records/{id}/cell", post(edit::save_cell))
        .page(read, Method::GET, "/records/{id}/field", get(edit::field_history))
        .page(write, Method::POST, "/types/{name}/doubts", post(edit::doubts))
        .page(
            write,
            Method::POST,
            "/types/{name}/templates/{id}/delete",
            post(edit::drop_template),
        )
        .page(read, Method::GET, "/types/{name}/table", get(table::table_page))
        .page(read, Method::GET, "/types/{name}/table/rows", get(table::rows))
        .page(read, Method::POST, "/types/{name}/table/look", post(table::keep_look))
        .page(write, Method::POST, "/types/{name}/table/paste", post(table::paste))
        .page(RECORDS_DELETE, Method::GET, DELETE, get(edit::ask_removal))
        .page(RECORDS_DELETE, Method::POST, DELETE, post(edit::remove))
        .page(
            RECORDS_DELETE,
            Method::POST,
            "/records/{id}/restore",
            post(edit::restore),
        )
        .page(write, Method::GET, MOVE, get(tree::ask_move))
        .page(write, Method::POST, MOVE, post(tree::save_move))
        .page(read, Method::GET, "/types/{name}/tree", get(tree::tree_page))
        .page(write, Method::POST, "/types/{name}/quick", post(tree::make_quickly))
        .page(write, Method::GET, "/fields/map", get(place::map))
        .page(write, Method::GET, "/embargoes", get(embargo::embargoes_page))
        .page(write, Method::POST, "/embargoes", post(embargo::set))
        .page(write, Method::POST, "/embargoes/end", post(embargo::end))
        .page(write, Method::GET, NEW, get(edit::new_page))
        .page(write, Method::POST, NEW, post(edit::create))
        .page(change, Method::POST, "/types/{name}/visibility", post(doors::open))
        .page(change, Method::GET, DEFINE, get(define::define_page))
        .page(change, Method::POST, DEFINE, post(define::define))
        .page(change, Method::GET, RESHAPE, get(reshape::ask_page))
        .page(change, Method::POST, RESHAPE, post(reshape::reshape))
        .page(
            change,
            Method::GET,
            "/types/{name}/reshape/{job}",
            get(reshape::report_page),
        )
        .page(change, Method::GET, "/type-sets", get(begin::begin_page))
        .page(change, Method::POST, "/type-sets", post(begin::begin))
        .page(change, Method::POST, "/type-sets/own", post(begin::begin_own))
        .page(change, Method::GET, REMOVE, get(doors::ask_removal))
        .page(change, Method::POST, REMOVE, post(doors::remove))
        .page(write, Method::POST, "/batches", post(batch::choose))
        .page(write, Method::GET, "/batches/{id}", get(batch::show_page))
        .page(write, Method::POST, "/batches/{id}/action", post(batch::decide))
        .page(write, Method::POST, "/batches/{id}/run", post(batch::run))
        .page(write, Method::POST, "/batches/{id}/forget", post(batch::forget))
        .page(write, Method::GET, "/types/{name}/terms", get(terms::show_page))
        .page(change, Method::POST, "/types/{name}/terms", post(terms::say))
        .page(write, Method::POST, "/types/{name}/terms/merge", post(terms::merge))
        .page(write, Method::GET, "/types/{name}/numbers", get(numbers::show_page))
        .page(change, Method::POST, "/types/{name}/numbers", post(numbers::set))
        .page(
            write,
            Method::POST,
            "/types/{name}/numbers/block",
            post(numbers::reserve),
        )
        .page(write, Method::GET, "/batches/{id}/labels", get(labels::ask_page))
        .page(write, Method::POST, "/batches/{id}/labels", post(labels::begin))
        .page(write, Method::GET, "/labels/{job}", get(labels::file_page))
        .page(write, Method::GET, "/labels/{job}/file", get(labels::file))
        .page(write, Method::GET, "/types/{name}/duplicates", get(unite::twins_page))
        .page(RECORDS_DELETE, Method::GET, UNITE, get(unite::unite_page))
        .page(RECORDS_DELETE, Method::POST, UNITE, post(unite::unite))
        .page(TYPES_READ, Method::GET, "/types", get(collections::index_page))
        .page(TYPES_READ, Method::GET, "/types/{name}", get(types::show_page))
        .with_state(pages)
}
