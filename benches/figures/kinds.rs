//! Ten kinds of questions over a collection of any size, one engine beside the other in one run: the program's engine, bare
//! tantivy, PostgreSQL full text, SQLite FTS5. Also what making the index takes: time, size, memory.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use async_trait::async_trait;
use vitrine::kernel::access::{Level, Visibility};
use vitrine::kernel::ledger::RECORD;
use vitrine::kernel::search::{
    Begun, Document, FacetRequest, IndexSource, IndexedField, Query, Search, Sort as Order, Value,
};

use super::api::FACETS;
use super::asks::{self, Ask, BARS, Collection, DEEP, NEAR_KM, PAGE, Sort, Times, made, questions};
use super::bare_index::Bare;
use super::report::{megabytes, ms, percentile};
use super::sql_search::{File, Server};
use super::{engine, files, postgres_search};

const CLIENTS: [usize; 2] = [1, 20];

struct Made(Arc<Collection>);

fn document(collection: &Collection, n: usize) -> Document {
    let (year, latitude, longitude) = made(n);
    let mut document = engine::document(n, &collection.object(n));
    let own = |name: &str, value: Value| IndexedField {
        name: name.to_owned(),
        level: Level::Public,
        column: matches!(value, Value::Integer(_)),
        searchable: false,
        tongue: None,
        values: vec![value],
    };
    document.fields.push(own("made", Value::Integer(year)));
    document.fields.push(own("place", Value::Place { latitude, longitude }));
    document
}

#[async_trait]
impl IndexSource for Made {
    fn kind(&self) -> &'static str {
        RECORD
    }
    async fn load(&self, ids: &[String]) -> vitrine::kernel::error::Result<Vec<Document>> {
        let numbers = ids.iter().filter_map(|id| id.parse::<usize>().ok());
        Ok(numbers
            .filter(|n| *n < self.0.count)
            .map(|n| document(&self.0, n))
            .collect())
    }
    async fn page(&self, after: Option<&str>, limit: i64) -> vitrine::kernel::error::Result<Vec<String>> {
        let first = after.and_then(|id| id.parse::<usize>().ok()).map_or(0, |n| n + 1);
        let last = (first + usize::try_from(limit).unwrap_or_default()).min(self.0.count);
        Ok((first..last).map(engine::id).collect())
    }
}

fn question(ask: &Ask) -> Query {
    let text = match ask.sort {
        Sort::Prefix => format!("{}*", ask.words),
        Sort::Phrase => format!("\"{}\"", ask.words),
        Sort::Fuzzy => format!("{}~", ask.words),
        Sort::Geo => format!("near:{:.3},{:.3}~{NEAR_KM}km", ask.place.0, ask.place.1),
        _ => ask.words.clone(),
    };
    let facet = |name: &&str| FacetRequest {
        field: (*name).to_owned(),
        limit: 100,
    };
    let deep = ask.sort == Sort::Deep;
    Query {
        kind: Some(RECORD.to_owned()),
        text,
        facets: match ask.sort {
            Sort::Facets => FACETS.iter().map(facet).collect(),
            Sort::Histogram => vec![FacetRequest::spread("made", BARS)],
            _ => Vec::new(),
        },
        sort: if deep {
            Order::Field {
                field: "made".to_owned(),
                descending: false,
            }
        } else {
            Order::Relevance
        },
        limit: PAGE,
        offset: if deep { DEEP } else { 0 },
        visibility: Visibility::up_to(Level::Public),
        ..Query::default()
    }
}

async fn ours(search: Search, ask: Ask) -> Result<()> {
    if ask.sort == Sort::Suggest {
        let begun = Begun {
            text: ask.words,
            kind: Some(RECORD.to_owned()),
            types: Vec::new(),
            fields: FACETS.iter().map(|name| (*name).to_owned()).collect(),
            limit: 8,
            visibility: Visibility::up_to(Level::Public),
        };
        search.suggest(begun).await?;
        return Ok(());
    }
    search.search(question(&ask)).await?;
    Ok(())
}

/// What an engine took for a kind of question, with 1 and with 20 clients; `None` where it knows no such question.
type Column = Vec<Option<Times>>;

fn shown(times: Option<&Times>) -> String {
    match times.map(|times| &times.0) {
        Some(times) if !times.is_empty() => {
            format!("{} / {}", ms(percentile(times, 0.5)), ms(percentile(times, 0.95)))
        }
        _ => "none".to_owned(),
    }
}

fn half(times: Option<&Times>) -> Option<f64> {
    let times = &times?.0;
    (!times.is_empty()).then(|| percentile(times, 0.5).as_secs_f64())
}

/// How many times as long one takes as the other, at the half.
fn ratio(of: Option<&Times>, to: Option<&Times>) -> String {
    match (half(of), half(to)) {
        (Some(of), Some(to)) if to > 0.0 => format!("{:.2} x", of / to),
        _ => String::new(),
    }
}

fn table(all: &[(&'static str, Column)]) {
    println!(
        "\n| question | clients | {} | program to bare |",
        all.iter().map(|(who, _)| *who).collect::<Vec<_>>().join(" | ")
    );
    println!("|---|--:|{}--:|", "--:|".repeat(all.len()));
    for (at, sort) in Sort::ALL.into_iter().enumerate() {
        for (turn, clients) in CLIENTS.into_iter().enumerate() {
            let place = at * CLIENTS.len() + turn;
            let of = |who: usize| all.get(who).and_then(|(_, column)| column.get(place)?.as_ref());
            let cells: Vec<String> = (0..all.len()).map(|who| shown(of(who))).collect();
            println!(
                "| {} | {clients} | {} | {} |",
                sort.name(),
                cells.join(" | "),
                ratio(of(0), of(1))
            );
        }
    }
}

/// Says what an index took to make.
fn built(who: &str, took: Duration, bytes: u64, size: u64) {
    println!(
        "| {who} | {:.1} s | {:.1} MB/s | {} |",
        took.as_secs_f64(),
        bytes as f64 / 1_000_000.0 / took.as_secs_f64(),
        megabytes(size)
    );
}

/// All kinds of questions with 1 and with 20 clients. Each question is asked once before, so that what is measured is warm.
async fn all<F, A>(base: &Collection, ask: F) -> Result<Column>
where
    F: Fn(Ask) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<()>> + Send,
{
    let mut column = Vec::new();
    for sort in Sort::ALL {
        let asks = Arc::new(questions(&base.base, sort));
        asks::run(2, &asks, ask.clone()).await?;
        for clients in CLIENTS {
            column.push(Some(asks::run(clients, &asks, ask.clone()).await?));
        }
    }
    Ok(column)
}

/// Of databases, which do not know all kinds.
fn without_typos(mut column: Column) -> Column {
    for (at, sort) in Sort::ALL.into_iter().enumerate() {
        if sort == Sort::Fuzzy {
            for turn in 0..CLIENTS.len() {
                column[at * CLIENTS.len() + turn] = None;
            }
        }
    }
    column
}

async fn program(folder: &Path, collection: &Arc<Collection>, bytes: u64) -> Result<Column> {
    std::fs::create_dir_all(folder)?;
    let before = files::memory(std::process::id(), "RssAnon")?;
    let began = Instant::now();
    let (search, stop) = engine::open(folder, Arc::new(Made(collection.clone()))).await?;
    built("program", began.elapsed(), bytes, files::size(&folder.join("index")));
    let asked = search.clone();
    let column = all(collection, move |ask| ours(asked.clone(), ask)).await?;
    let after = files::memory(std::process::id(), "RssAnon")?;
    println!(
        "| memory of its own that the program's index took, all kinds asked | {} | | |",
        megabytes(after.saturating_sub(before) * 1024)
    );
    stop.cancel();
    Ok(column)
}

pub async fn measure(count: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let collection = Arc::new(Collection::new(count)?);
    let bytes = collection.bytes();
    println!("## Ten kinds of questions over {count} records, {}\n", megabytes(bytes));
    println!("| index | seconds | of the file | on the disk |\n|---|--:|--:|--:|");
    let mut columns = vec![(
        "program",
        program(&folder.path().join("ours"), &collection, bytes).await?,
    )];

    let path = folder.path().join("bare");
    let began = Instant::now();
    let bare = Arc::new(Bare::build(&path, &collection)?);
    built("bare tantivy", began.elapsed(), bytes, files::size(&path));
    let asked = bare.clone();
    let ask = move |ask: Ask| {
        let bare = asked.clone();
        async move { tokio::task::spawn_blocking(move || bare.ask(&ask)).await? }
    };
    columns.push(("bare tantivy", all(&collection, ask).await?));

    let path = folder.path().join("bare.db");
    let began = Instant::now();
    let file = File::fill(&path, &collection).await?;
    built("SQLite FTS5", began.elapsed(), bytes, files::size(&path));
    let ask = move |ask: Ask| {
        let file = file.clone();
        async move { file.ask(&ask).await.map(drop) }
    };
    columns.push(("SQLite FTS5", without_typos(all(&collection, ask).await?)));

    if let Some(url) = postgres_search::database("kinds").await? {
        let began = Instant::now();
        let server = Server::fill(&url, &collection).await?;
        built("PostgreSQL full text", began.elapsed(), bytes, server.size().await?);
        let asked = server.clone();
        let ask = move |ask: Ask| {
            let server = asked.clone();
            async move { server.ask(&ask).await.map(drop) }
        };
        columns.push(("PostgreSQL full text", without_typos(all(&collection, ask).await?)));
        postgres_search::remove(&url).await?;
    }
    table(&columns);
    Ok(())
}
