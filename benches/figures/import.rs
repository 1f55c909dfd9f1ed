//! Import: `app import` into an empty house, against the raw limit: parse the file, insert it into bare SQLite with the
//! same durability, index the same fields with bare tantivy, one after the other.

use std::io::BufRead;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Map, Value};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, QueryBuilder, Sqlite};

use super::bare_search::Index;
use super::report::{Report, megabytes};
use super::{data, files, server};

pub async fn measure(file: Option<&str>) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = match file.map(PathBuf::from).or_else(data::museum_file) {
        Some(file) => file,
        None => server::museum(folder.path(), 28_258)?,
    };
    let rows = data::open(&file)?.lines().count();
    let report = Report::new(&format!("Import of {rows} objects"));

    let raw = raw_limit(&file, folder.path()).await?;
    let house = folder.path().join("house");
    let ours = app_import(&house, &file)?;
    let raw_total = raw.parse + raw.sqlite + raw.tantivy;
    report.seconds(
        "import, committed and searchable",
        ours.took,
        raw_total,
        "under 6 s for 28,258; ratio 0.5",
    );
    for (part, time) in [
        ("parse", raw.parse),
        ("bare SQLite", raw.sqlite),
        ("bare tantivy", raw.tantivy),
    ] {
        report.line(
            &format!("of the raw limit: {part}"),
            &format!("{:.2} s", time.as_secs_f64()),
            "",
        );
    }
    report.line("peak memory of its own", &megabytes(ours.own * 1024), "under 250 MB");
    report.line(
        "peak memory with mapped pages of the index",
        &megabytes(ours.peak * 1024),
        "",
    );
    let plain = std::fs::metadata(&file)?.len();
    let per_record = |bytes: u64| format!("{} B", bytes / rows.max(1) as u64);
    report.line("database, bytes per record", &per_record(database_size(&house)), "");
    report.line(
        "whole data folder, bytes per record",
        &per_record(files::size(&house)),
        "",
    );
    report.line("the file itself, bytes per record", &per_record(plain), "");

    let again = app_import(&house, &file)?;
    report.line(
        "the same file again (0 new, 0 changed)",
        &format!("{:.2} s", again.took.as_secs_f64()),
        "",
    );

    let long = server::museum(folder.path(), rows * 10)?;
    let ten = app_import(&folder.path().join("ten"), &long)?;
    let ratio = ten.own as f64 / ours.own as f64;
    report.line(
        "peak memory of its own, ten times the file",
        &format!("{} ({ratio:.2} x)", megabytes(ten.own * 1024)),
        "1.1 x",
    );
    report.line("the same with mapped pages", &megabytes(ten.peak * 1024), "");
    report.line(
        "seconds of ten times the file",
        &format!("{:.1} s", ten.took.as_secs_f64()),
        "",
    );
    Ok(())
}

fn database_size(house: &Path) -> u64 {
    ["vitrine.db", "vitrine.db-wal"]
        .iter()
        .map(|name| files::size(&house.join(name)))
        .sum()
}

struct Ours {
    took: Duration,
    /// Kilobytes that belong to it alone (RssAnon), at the highest look.
    own: u64,
    /// Kilobytes with the pages of the index that are mapped, which the system takes back when it needs them.
    peak: u64,
}

fn app_import(house: &Path, file: &Path) -> Result<Ours> {
    let mut command = server::app(house, None);
    command
        .arg("import")
        .arg(file)
        .args(["--type", "object", "--infer", "--key", "id"]);
    let started = Instant::now();
    let mut child = command
        .stdout(std::process::Stdio::null())
        .spawn()
        .context("the program starts")?;
    let (mut own, mut peak) = (0, 0);
    loop {
        // The highest mark only grows, so the last look before the end is enough.
        if let Ok(now) = files::memory(child.id(), "VmHWM") {
            peak = peak.max(now);
        }
        if let Ok(now) = files::memory(child.id(), "RssAnon") {
            own = own.max(now);
        }
        if let Some(status) = child.try_wait()? {
            anyhow::ensure!(status.success(), "the import ended with {status}");
            return Ok(Ours {
                took: started.elapsed(),
                own,
                peak,
            });
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

struct Raw {
    parse: Duration,
    sqlite: Duration,
    tantivy: Duration,
}

async fn raw_limit(file: &Path, folder: &Path) -> Result<Raw> {
    let started = Instant::now();
    let mut objects: Vec<Map<String, Value>> = Vec::new();
    for line in data::open(file)?.lines() {
        objects.push(serde_json::from_str(&line?)?);
    }
    let parse = started.elapsed();

    let started = Instant::now();
    let mut connection = bare_sqlite(&folder.join("bare.db")).await?;
    sqlx::query("CREATE TABLE record (id TEXT PRIMARY KEY, document TEXT NOT NULL)")
        .execute(&mut connection)
        .await?;
    for (at, batch) in objects.chunks(1_000).enumerate() {
        let mut tx = connection.begin().await?;
        for (part, rows) in batch.chunks(250).enumerate() {
            let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO record (id, document) ");
            insert.push_values(rows.iter().enumerate(), |mut row, (n, object)| {
                let document = serde_json::to_string(object).unwrap_or_default();
                row.push_bind(format!("{:036}", at * 1_000 + part * 250 + n))
                    .push_bind(document);
            });
            insert.build().execute(&mut *tx).await?;
        }
        tx.commit().await?;
    }
    connection.close().await?;
    let sqlite = started.elapsed();

    let started = Instant::now();
    Index::build(&folder.join("bare-index"), &objects)?;
    Ok(Raw {
        parse,
        sqlite,
        tantivy: started.elapsed(),
    })
}

/// A connection with the durability the program promises.
pub async fn bare_sqlite(path: &Path) -> Result<SqliteConnection> {
    Ok(SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .connect()
        .await?)
}
