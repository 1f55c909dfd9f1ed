//! Search: a fixed mix of 1,000 queries with five facets (a tenth match everything, three tenths have over a tenth of all
//! records, the rest under a hundredth), with one client and with twenty, against bare tantivy and PostgreSQL full text.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use anyhow::Result;
use serde_json::{Map, Value};

use super::bare_search::Index;
use super::data::Dice;
use super::load::{self, Ask, Outcome};
use super::report::{Report, ms, percentile};
use super::server::Server;
use super::{api, data, places, postgres_search, server};

fn words_of(value: &Value, into: &mut HashSet<String>) {
    match value {
        Value::String(text) => {
            let words = text.split(|c: char| !c.is_alphanumeric());
            into.extend(
                words
                    .filter(|w| w.len() > 2 && w.bytes().all(|b| b.is_ascii_alphabetic()))
                    .map(str::to_lowercase),
            );
        }
        Value::Array(list) => list.iter().for_each(|v| words_of(v, into)),
        Value::Object(map) => map.values().for_each(|v| words_of(v, into)),
        _ => {}
    }
}

/// The mix for these objects, the same every time. Words are joined by `+`.
pub fn mix(objects: &[Map<String, Value>]) -> Vec<String> {
    let mut frequency: BTreeMap<String, usize> = BTreeMap::new();
    for object in objects {
        let mut words = HashSet::new();
        // What a person types: words of a title or a maker, not of an address.
        for key in [
            "title",
            "medium",
            "credit_line",
            "classification",
            "creator",
            "department",
        ] {
            if let Some(value) = object.get(key) {
                words_of(value, &mut words);
            }
        }
        words.into_iter().for_each(|w| *frequency.entry(w).or_default() += 1);
    }
    let often: Vec<&String> = frequency
        .iter()
        .filter(|(_, n)| **n > objects.len() / 10)
        .map(|(w, _)| w)
        .collect();
    let rare: Vec<&String> = frequency
        .iter()
        .filter(|(_, n)| **n > 4 && **n < objects.len() / 100)
        .map(|(w, _)| w)
        .collect();
    let mut dice = Dice::new(2);
    (0..1_000)
        .map(|n| match n % 10 {
            0 => String::new(),
            1..=3 if !often.is_empty() => often[dice.below(often.len())].clone(),
            _ if rare.is_empty() => String::new(),
            // A third of the rare ones have two words.
            4 | 5 if !often.is_empty() => {
                format!("{}+{}", rare[dice.below(rare.len())], often[dice.below(often.len())])
            }
            _ => rare[dice.below(rare.len())].clone(),
        })
        .collect()
}

fn show(report: &Report, who: &str, clients: usize, outcome: &Outcome) {
    let times = &outcome.times;
    let text = format!(
        "{:.0}/s, p50 {}, p95 {}, p99 {}",
        outcome.per_second(),
        ms(percentile(times, 0.5)),
        ms(percentile(times, 0.95)),
        ms(percentile(times, 0.99))
    );
    let goal = if who == "program" && clients == 1 {
        "p50 under 5 ms, p95 under 20 ms"
    } else {
        ""
    };
    report.line(&format!("{who}, {clients} clients"), &text, goal);
}

pub async fn measure(count: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let file = server::museum(folder.path(), count)?;
    let house = folder.path().join("house");
    server::import(&house, None, &file)?;
    let base = data::base()?;
    let objects: Vec<Map<String, Value>> = (0..count).map(|n| data::object(&base, n)).collect();
    let mix = Arc::new(mix(&objects));
    let bare_folder = folder.path().join("bare");
    Index::build(&bare_folder, &objects)?;
    let report = Report::new(&format!("Search over {count} records with 5 facets"));

    let bare_path = bare_folder.to_string_lossy().into_owned();
    let bare = Server::bare(&["bare-search", &bare_path]).await?;
    let bare_asks: Vec<Ask> = mix
        .iter()
        .map(|q| Ask {
            url: format!("{}/search?q={q}", bare.address),
            body: None,
        })
        .collect();
    let bare_asks = Arc::new(bare_asks);
    load::run(4, bare_asks.clone(), None).await?;
    let raw = [
        load::run(1, bare_asks.clone(), None).await?,
        load::run(20, bare_asks, None).await?,
    ];
    drop(bare);

    let app = Server::app(&house, None).await?;
    let token = api::token(&house, None)?;
    let asks: Arc<Vec<Ask>> = Arc::new(mix.iter().map(|q| api::search(&app.address, q)).collect());
    load::run(4, asks.clone(), Some(&token)).await?;
    let ours = [
        load::run(1, asks.clone(), Some(&token)).await?,
        load::run(20, asks.clone(), Some(&token)).await?,
    ];
    drop(app);

    for (at, clients) in [1, 20].into_iter().enumerate() {
        show(&report, "program", clients, &ours[at]);
        show(&report, "bare tantivy behind bare axum", clients, &raw[at]);
        let goal = if clients == 20 { "0.75" } else { "" };
        report.rate(
            &format!("queries per second, {clients} clients"),
            ours[at].per_second(),
            raw[at].per_second(),
            goal,
        );
    }
    if let Some(url) = postgres_search::database("search").await? {
        postgres_search::fill(&url, &objects).await?;
        // A tenth of the mix is enough: it is far slower.
        let part: Arc<Vec<String>> = Arc::new(mix.iter().take(200).cloned().collect());
        for (at, clients) in [1, 20].into_iter().enumerate() {
            let theirs = postgres_search::run(&url, clients, &part).await?;
            show(&report, "PostgreSQL full text", clients, &theirs);
            let figure = format!("against PostgreSQL full text, {clients} clients");
            report.rate(&figure, ours[at].per_second(), theirs.per_second(), "over 1");
        }
        postgres_search::remove(&url).await?;
    }
    places::measure(count, &folder.path().join("places")).await
}
