//! The raw limits that answer over HTTP: a bare axum handler with sqlx, and one with tantivy. Each runs in a process of
//! its own, as the program does.
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this is what the house is compared with"
)]

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use sqlx::{PgPool, SqlitePool};

use super::bare_search::Index;

async fn serve(port: &str, router: Router) -> Result<()> {
    let router = router.route("/ready", get(|| async { "ready" }));
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    axum::serve(listener, router).await?;
    Ok(())
}

fn json(body: String) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], body).into_response()
}

fn failed(error: &dyn std::fmt::Display) -> Response {
    (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response()
}

macro_rules! record_handler {
    ($name:ident, $pool:ty) => {
        async fn $name(State(pool): State<$pool>, Path(id): Path<String>) -> Response {
            match sqlx::query_as::<_, (String,)>("SELECT document FROM bare WHERE id = $1")
                .bind(id)
                .fetch_optional(&pool)
                .await
            {
                Ok(Some((document,))) => json(document),
                Ok(None) => StatusCode::NOT_FOUND.into_response(),
                Err(error) => failed(&error),
            }
        }
    };
}
record_handler!(sqlite_record, SqlitePool);
record_handler!(postgres_record, PgPool);

/// `PORT URL`: answers documents of the table `bare`.
pub async fn serve_records(arguments: &[String]) -> Result<()> {
    let [port, url] = arguments else {
        anyhow::bail!("usage: bare-record PORT URL")
    };
    let router = if url.starts_with("postgres") {
        let pool = sqlx::postgres::PgPoolOptions::new()
            .max_connections(10)
            .connect(url)
            .await?;
        Router::new()
            .route("/records/{id}", get(postgres_record))
            .with_state(pool)
    } else {
        let pool = sqlx::sqlite::SqlitePoolOptions::new()
            .max_connections(10)
            .connect(url)
            .await?;
        Router::new()
            .route("/records/{id}", get(sqlite_record))
            .with_state(pool)
    };
    serve(port, router).await
}

async fn search(State(index): State<Arc<Index>>, Query(query): Query<HashMap<String, String>>) -> Response {
    let words = query.get("q").cloned().unwrap_or_default().replace(' ', "+");
    let answer = tokio::task::spawn_blocking(move || index.ask(&words)).await;
    match answer.context("the search ends").and_then(|a| a) {
        Ok(answer) => json(answer.json().to_string()),
        Err(error) => failed(&error),
    }
}

/// `PORT FOLDER`: answers searches of the bare index in the folder.
pub async fn serve_search(arguments: &[String]) -> Result<()> {
    let [port, folder] = arguments else {
        anyhow::bail!("usage: bare-search PORT FOLDER")
    };
    let index = Arc::new(Index::open(std::path::Path::new(folder))?);
    serve(port, Router::new().route("/search", get(search)).with_state(index)).await
}
