//! One record by API, against a bare axum + sqlx handler that answers the same document from a table of its own, on
//! SQLite and on PostgreSQL.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use sqlx::{Connection, PgConnection, Postgres, QueryBuilder, Sqlite};

use super::data::Dice;
use super::load::{self, Ask};
use super::report::{Report, ms, percentile};
use super::server::Server;
use super::{api, import, postgres_search, server};

const RECORDS: usize = 5_000;
const REQUESTS: usize = 20_000;

pub async fn measure() -> Result<()> {
    let report = Report::new("One record by API");
    let folder = tempfile::tempdir()?;
    let file = server::museum(folder.path(), RECORDS)?;
    engine(&report, "SQLite", &folder.path().join("sqlite"), None, &file).await?;
    if let Some(url) = postgres_search::database("record").await? {
        engine(
            &report,
            "PostgreSQL",
            &folder.path().join("postgres"),
            Some(&url),
            &file,
        )
        .await?;
        postgres_search::remove(&url).await?;
    }
    Ok(())
}

async fn engine(report: &Report, name: &str, house: &Path, database: Option<&str>, file: &Path) -> Result<()> {
    if database.is_some() {
        server::finish(server::app(house, database).args(["migrate", "latest"]))?;
    }
    server::import(house, database, file)?;
    let app = Server::app(house, database).await?;
    let token = api::token(house, database)?;
    let ids = api::ids(&app.address, &token, RECORDS).await?;
    anyhow::ensure!(!ids.is_empty(), "the house is empty");
    let documents = documents(&app, &token, &ids).await?;
    let url = match database {
        Some(url) => url.to_owned(),
        None => format!("sqlite:{}?mode=rwc", house.with_extension("bare.db").display()),
    };
    fill(&url, &documents).await?;
    let bare = Server::bare(&["bare-record", &url]).await?;

    let order: Vec<usize> = {
        let mut dice = Dice::new(3);
        (0..REQUESTS).map(|_| dice.below(ids.len())).collect()
    };
    let ours: Arc<Vec<Ask>> = Arc::new(order.iter().map(|at| api::record(&app.address, &ids[*at])).collect());
    let raw = order.iter().map(|at| Ask {
        url: format!("{}/records/{}", bare.address, ids[*at]),
        body: None,
    });
    let raw: Arc<Vec<Ask>> = Arc::new(raw.collect());
    for clients in [1, 16] {
        // The first round warms both.
        let mut measured = Vec::new();
        for asks in [&ours, &raw] {
            let token = Arc::ptr_eq(asks, &ours).then_some(token.as_str());
            load::run(clients, Arc::new(asks[..2_000].to_vec()), token).await?;
            measured.push(load::run(clients, asks.clone(), token).await?);
        }
        let figure = format!("{name}, {clients} clients");
        report.rate(&figure, measured[0].per_second(), measured[1].per_second(), "0.5");
        report.line(&format!("{figure}: p99"), &ms(percentile(&measured[0].times, 0.99)), "");
    }
    Ok(())
}

/// The bodies the program answers, so that both sides send the same bytes.
async fn documents(app: &Server, token: &str, ids: &[String]) -> Result<Vec<(String, String)>> {
    let http = reqwest::Client::new();
    let mut all = Vec::with_capacity(ids.len());
    for id in ids {
        let url = api::record(&app.address, id).url;
        let body = http
            .get(&url)
            .bearer_auth(token)
            .send()
            .await?
            .error_for_status()?
            .text()
            .await?;
        all.push((id.clone(), body));
    }
    Ok(all)
}

async fn fill(url: &str, documents: &[(String, String)]) -> Result<()> {
    const TABLE: &str = "CREATE TABLE bare (id TEXT PRIMARY KEY, document TEXT NOT NULL)";
    if url.starts_with("postgres") {
        let mut connection = PgConnection::connect(url).await?;
        sqlx::query(TABLE).execute(&mut connection).await?;
        for batch in documents.chunks(500) {
            let mut insert = QueryBuilder::<Postgres>::new("INSERT INTO bare (id, document) ");
            insert.push_values(batch, |mut row, (id, document)| {
                row.push_bind(id).push_bind(document);
            });
            insert.build().execute(&mut connection).await?;
        }
        return Ok(());
    }
    let path = url.trim_start_matches("sqlite:").split('?').next().context("a path")?;
    let mut connection = import::bare_sqlite(Path::new(path)).await?;
    sqlx::query(TABLE).execute(&mut connection).await?;
    for batch in documents.chunks(500) {
        let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO bare (id, document) ");
        insert.push_values(batch, |mut row, (id, document)| {
            row.push_bind(id).push_bind(document);
        });
        insert.build().execute(&mut connection).await?;
    }
    connection.close().await?;
    Ok(())
}
