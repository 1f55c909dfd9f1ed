//! The search engine without HTTP and records: the mix of `search` asked of the index itself, against bare tantivy doing
//! the same counts in the same process. Shows what of an answer's time is the engine's.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use async_trait::async_trait;
use serde_json::{Map, Value as Json};
use tokio_util::sync::CancellationToken;
use vitrine::kernel::access::{Level, Visibility};
use vitrine::kernel::clock::Clock;
use vitrine::kernel::config;
use vitrine::kernel::db::{Db, Options, Step};
use vitrine::kernel::ledger::RECORD;
use vitrine::kernel::module::Health;
use vitrine::kernel::search::{Document, FacetRequest, IndexSource, IndexedField, Query, Search, Sort, Tongue, Value};

use super::api::FACETS;
use super::bare_search::Index;
use super::report::{Report, ms, percentile};
use super::{data, search};

struct Objects(Arc<Vec<Map<String, Json>>>);

pub fn id(n: usize) -> String {
    format!("{n:08}")
}

fn collect<'v>(path: &str, value: &'v Json, into: &mut Vec<(String, &'v Json)>) {
    match value {
        Json::Object(map) => map
            .iter()
            .for_each(|(name, value)| collect(&format!("{path}.{name}"), value, into)),
        Json::Array(list) => list.iter().for_each(|value| collect(path, value, into)),
        Json::Null => {}
        other => into.push((path.to_owned(), other)),
    }
}

/// What the index is given of an object.
pub fn document(n: usize, object: &Map<String, Json>) -> Document {
    let mut fields: Vec<IndexedField> = Vec::new();
    for (name, value) in object {
        let mut found = Vec::new();
        collect(name, value, &mut found);
        for (path, value) in found {
            let facet = FACETS.contains(&path.as_str());
            let value = match value {
                Json::String(text) if facet => Value::Keyword(text.clone()),
                Json::String(text) => Value::Text(text.clone()),
                Json::Number(number) => Value::Real(number.as_f64().unwrap_or_default()),
                _ => continue,
            };
            match fields.iter_mut().find(|field| field.name == path) {
                Some(field) => field.values.push(value),
                None => fields.push(IndexedField {
                    name: path,
                    level: Level::Public,
                    column: facet || matches!(value, Value::Real(_)),
                    searchable: !matches!(value, Value::Real(_)),
                    tongue: matches!(value, Value::Text(_)).then_some(Tongue::English),
                    values: vec![value],
                }),
            }
        }
    }
    let term = || vec!["public".to_owned()];
    Document {
        id: id(n),
        version: 1,
        kind: RECORD,
        type_name: "object".to_owned(),
        title: object
            .get("title")
            .and_then(Json::as_str)
            .unwrap_or_default()
            .to_owned(),
        title_level: Level::Public,
        visible: [term(), term(), term()],
        fields,
        inside: Vec::new(),
        shape: String::new(),
        created_at: n as i64,
        updated_at: n as i64,
    }
}

#[async_trait]
impl IndexSource for Objects {
    fn kind(&self) -> &'static str {
        RECORD
    }
    async fn load(&self, ids: &[String]) -> vitrine::kernel::error::Result<Vec<Document>> {
        let numbers = ids.iter().filter_map(|id| id.parse::<usize>().ok());
        Ok(numbers
            .filter_map(|n| self.0.get(n).map(|object| document(n, object)))
            .collect())
    }
    async fn page(&self, after: Option<&str>, limit: i64) -> vitrine::kernel::error::Result<Vec<String>> {
        let first = after.and_then(|id| id.parse::<usize>().ok()).map_or(0, |n| n + 1);
        let last = (first + usize::try_from(limit).unwrap_or_default()).min(self.0.len());
        Ok((first..last).map(id).collect())
    }
}

fn question(words: &str, visibility: Visibility) -> Query {
    let facet = |name: &&str| FacetRequest {
        field: (*name).to_owned(),
        limit: 100,
    };
    Query {
        kind: Some(RECORD.to_owned()),
        types: vec!["object".to_owned()],
        text: words.replace('+', " "),
        filters: vec![],
        facets: FACETS.iter().map(facet).collect(),
        sort: Sort::Relevance,
        limit: 25,
        cursor: None,
        offset: 0,
        visibility,
        ..Query::default()
    }
}

/// An index of what a source has, in a folder of its own.
pub async fn open(folder: &Path, source: Arc<dyn IndexSource>) -> Result<(Search, CancellationToken)> {
    let url = format!("sqlite:{}", folder.join("figures.db").display());
    let options = Options {
        readers: 4,
        ..Options::default()
    };
    let db = Db::open(&url, folder, Clock::system(), options).await?;
    db.migrate(Step::Latest).await?;
    let settings = config::load(&config::Sources::default())?.config.search;
    let search = Search::open(folder, &settings, Clock::system())?;
    let stop = CancellationToken::new();
    // The follower goes on by itself until it is told to stop; its end tells nothing here.
    let _following = search.start(vec![source], &db, stop.clone());
    let mut positions = search.positions().context("an index is kept")?;
    loop {
        match search.health() {
            // Whether it moved or not, its health is looked at again.
            Health::Starting { .. } => drop(tokio::time::timeout(Duration::from_millis(50), positions.changed()).await),
            Health::Ok => return Ok((search, stop)),
            other => bail!("the index is not well: {other:?}"),
        }
    }
}

/// Every time, sorted, and how many a second.
async fn run<F, A>(clients: usize, mix: &Arc<Vec<String>>, ask: F) -> Result<(Vec<Duration>, f64)>
where
    F: Fn(String) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<()>> + Send,
{
    let (next, started) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (mix, next, ask) = (mix.clone(), next.clone(), ask.clone());
        tasks.spawn(async move {
            let mut times = Vec::new();
            while let Some(words) = mix.get(next.fetch_add(1, Ordering::Relaxed)) {
                let began = Instant::now();
                ask(words.clone()).await?;
                times.push(began.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(part) = tasks.join_next().await {
        times.extend(part??);
    }
    let rate = times.len() as f64 / started.elapsed().as_secs_f64();
    times.sort_unstable();
    Ok((times, rate))
}

fn show(report: &Report, who: &str, clients: usize, times: &[Duration], rate: f64) {
    let (half, most) = (ms(percentile(times, 0.5)), ms(percentile(times, 0.95)));
    report.line(
        &format!("{who}, {clients} clients"),
        &format!("{rate:.0}/s, p50 {half}, p95 {most}"),
        "",
    );
}

pub async fn measure(count: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let base = data::base()?;
    let objects: Arc<Vec<Map<String, Json>>> = Arc::new((0..count).map(|n| data::object(&base, n)).collect());
    let mix = Arc::new(search::mix(&objects));
    let bare_folder = folder.path().join("bare");
    Index::build(&bare_folder, &objects)?;
    let bare = Arc::new(Index::open(&bare_folder)?);
    let (search, stop) = open(folder.path(), Arc::new(Objects(objects.clone()))).await?;
    for words in mix.iter().take(100) {
        let ours = search
            .search(question(words, Visibility::up_to(Level::Restricted)))
            .await?
            .total;
        let theirs = bare.ask(words)?.total as u64;
        // Words are cut a little differently, so rare ones may differ; everything must not.
        ensure!(!words.is_empty() || ours == theirs, "{ours} found instead of {theirs}");
    }
    let report = Report::new(&format!("The engine over {count} records with 5 facets"));
    for clients in [1, 20] {
        let index = bare.clone();
        let (times, raw) = run(clients, &mix, move |words| {
            let index = index.clone();
            async move { tokio::task::spawn_blocking(move || index.ask(&words).map(drop)).await? }
        })
        .await?;
        show(&report, "bare tantivy", clients, &times, raw);
        for (who, reach) in [
            ("everybody", Level::Public),
            ("a member", Level::Members),
            ("the operator", Level::Restricted),
        ] {
            let search = search.clone();
            let (times, rate) = run(clients, &mix, move |words| {
                let search = search.clone();
                async move {
                    Ok(search
                        .search(question(&words, Visibility::up_to(reach)))
                        .await
                        .map(drop)?)
                }
            })
            .await?;
            show(&report, who, clients, &times, rate);
            report.rate(
                &format!("{who}, {clients} clients"),
                rate,
                raw,
                if clients == 20 { "0.75" } else { "" },
            );
        }
    }
    stop.cancel();
    Ok(())
}
