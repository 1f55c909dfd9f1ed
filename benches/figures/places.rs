//! Maps and timelines of invented finds: groups on a map of the earth, in a box and under words, columns of a timeline and of
//! numbers, counted by the engine in the process itself.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use async_trait::async_trait;
use vitrine::kernel::access::{Level, Visibility};
use vitrine::kernel::geo::{Area, Frame};
use vitrine::kernel::ledger::RECORD;
use vitrine::kernel::search::{Document, FacetRequest, IndexSource, IndexedField, PlacesRequest, Query, Sort, Value};

use super::data::Dice;
use super::engine;
use super::report::{Report, ms, percentile};

/// Times each question is asked.
const TURNS: usize = 100;
const KINDS: [&str; 8] = ["moss", "lichen", "fern", "sedge", "orchid", "fungus", "alga", "grass"];

struct Finds(usize);

fn id(n: usize) -> String {
    format!("{n:08}")
}

fn field(name: &str, value: Value) -> IndexedField {
    IndexedField {
        name: name.to_owned(),
        level: Level::Public,
        column: !matches!(value, Value::Place { .. }),
        searchable: matches!(value, Value::Keyword(_)),
        tongue: None,
        values: vec![value],
    }
}

/// A find around one of some hundred sites, in the last three hundred years.
fn find(n: usize) -> Document {
    let mut dice = Dice::new(n as u64 + 1);
    let mut site = Dice::new(dice.below(400) as u64 + 7);
    let near = |dice: &mut Dice, size: usize| dice.below(size * 1_000) as f64 / 1_000.0;
    let latitude = near(&mut site, 130) - 60.0 + near(&mut dice, 3);
    let longitude = (near(&mut site, 350) - 175.0 + near(&mut dice, 3)).clamp(-180.0, 180.0);
    let first = -80_000 + dice.below(100_000) as i64;
    let term = || vec!["public".to_owned()];
    Document {
        id: id(n),
        version: 1,
        kind: RECORD,
        type_name: "find".to_owned(),
        title: String::new(),
        title_level: Level::Public,
        visible: [term(), term(), term()],
        inside: Vec::new(),
        fields: vec![
            field("kind", Value::Keyword(KINDS[dice.below(KINDS.len())].to_owned())),
            field("number", Value::Keyword(format!("{}-{n}", n % 1_000))),
            field("height", Value::Integer(dice.below(4_000) as i64)),
            field(
                "collected",
                Value::Days {
                    from: first,
                    to: first + dice.below(400) as i64,
                    verbatim: first.to_string(),
                },
            ),
            field("place", Value::Place { latitude, longitude }),
        ],
        shape: String::new(),
        created_at: n as i64,
        updated_at: n as i64,
    }
}

#[async_trait]
impl IndexSource for Finds {
    fn kind(&self) -> &'static str {
        RECORD
    }
    async fn load(&self, ids: &[String]) -> vitrine::kernel::error::Result<Vec<Document>> {
        Ok(ids.iter().filter_map(|id| id.parse().ok()).map(find).collect())
    }
    async fn page(&self, after: Option<&str>, limit: i64) -> vitrine::kernel::error::Result<Vec<String>> {
        let first = after.and_then(|id| id.parse::<usize>().ok()).map_or(0, |n| n + 1);
        let last = (first + usize::try_from(limit).unwrap_or_default()).min(self.0);
        Ok((first..last).map(id).collect())
    }
}

fn question(text: &str, area: Option<Area>, mapped: bool, facets: Vec<FacetRequest>) -> Query {
    let places = PlacesRequest {
        frame: area.map(|area| Frame::around(&area, 0.0)),
        columns: 12,
    };
    Query {
        kind: Some(RECORD.to_owned()),
        text: text.to_owned(),
        area,
        places: mapped.then_some(places),
        facets,
        sort: Sort::Created { descending: true },
        limit: 24,
        visibility: Visibility::up_to(Level::Public),
        ..Query::default()
    }
}

/// Asks the questions of maps and timelines over so many finds.
pub async fn measure(count: usize, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    let (search, stop) = engine::open(folder, Arc::new(Finds(count))).await?;
    let report = Report::new(&format!("Maps and timelines over {count} records"));
    let europe = Area::new(35.0, -10.0, 70.0, 40.0);
    let line = |shown| vec![FacetRequest::timeline("collected", shown, 100)];
    let typed = |letters| vec![FacetRequest::holding("number", letters, 25)];
    let bars = || {
        vec![
            FacetRequest::spread("height", 24),
            FacetRequest::spread("collected", 24),
        ]
    };
    let asks = [
        ("map of everything", question("", None, true, vec![])),
        ("map of a box", question("", europe, true, vec![])),
        ("map under a word", question("moss", None, true, vec![])),
        ("records in a box", question("", europe, false, vec![])),
        ("timeline of everything", question("", None, false, line(None))),
        (
            "timeline of a century, under a word",
            question("moss", None, false, line(Some((1800, 1899)))),
        ),
        ("two histograms, under a word", question("moss", None, false, bars())),
        (
            "letters in a facet of a value for each record",
            question("", None, false, typed("-99")),
        ),
        (
            "letters in such a facet, under a word",
            question("moss", None, false, typed("7-1")),
        ),
    ];
    for (name, ask) in asks {
        ensure!(search.search(ask.clone()).await?.total > 0, "{name} finds something");
        let mut times = Vec::with_capacity(TURNS);
        for _ in 0..TURNS {
            let began = Instant::now();
            search.search(ask.clone()).await?;
            times.push(began.elapsed());
        }
        times.sort_unstable();
        let text = format!(
            "p50 {}, p95 {}",
            ms(percentile(&times, 0.5)),
            ms(percentile(&times, 0.95))
        );
        report.line(name, &text, "p95 under 50 ms");
    }
    stop.cancel();
    Ok(())
}
