//! What is asked of every engine: ten kinds of questions made from the words of the collection, the same every time, and the
//! clock around them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Map, Value};

use super::data::{self, Dice};

/// Questions of a kind; an engine that is slow answers as many as it can within [`BUDGET`].
const QUESTIONS: usize = 200;
const BUDGET: Duration = Duration::from_secs(12);
/// Rows before the page that is asked for as a deep one.
pub const DEEP: usize = 9_975;
pub const PAGE: usize = 25;
/// The years of the invented dates.
pub const YEARS: (i64, i64) = (1_600, 2_020);
pub const BARS: usize = 24;
/// Kilometres around a place.
pub const NEAR_KM: f64 = 50.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    Term,
    TwoTerms,
    Prefix,
    Phrase,
    Fuzzy,
    Facets,
    Histogram,
    Geo,
    Suggest,
    Deep,
}

impl Sort {
    pub const ALL: [Self; 10] = [
        Self::Term,
        Self::TwoTerms,
        Self::Prefix,
        Self::Phrase,
        Self::Fuzzy,
        Self::Facets,
        Self::Histogram,
        Self::Geo,
        Self::Suggest,
        Self::Deep,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Term => "a word",
            Self::TwoTerms => "two words",
            Self::Prefix => "a beginning",
            Self::Phrase => "a phrase",
            Self::Fuzzy => "a word with a typo",
            Self::Facets => "a word with five facets",
            Self::Histogram => "a word with a histogram",
            Self::Geo => "within 50 km",
            Self::Suggest => "suggestions",
            Self::Deep => "page 400 by a field",
        }
    }
}

/// A question: words in small letters with spaces between, or a place.
#[derive(Clone, Debug)]
pub struct Ask {
    pub sort: Sort,
    pub words: String,
    pub place: (f64, f64),
}

/// What the museum's objects lack: a year and a place, by their number.
pub fn made(n: usize) -> (i64, f64, f64) {
    let mut dice = Dice::new(n as u64 + 11);
    let mut site = Dice::new(dice.below(2_000) as u64 + 7);
    let near = |dice: &mut Dice, size: usize| dice.below(size * 1_000) as f64 / 1_000.0;
    let (first, last) = YEARS;
    let year = first + dice.below(usize::try_from(last - first).unwrap_or(1)) as i64;
    let latitude = near(&mut site, 130) - 60.0 + near(&mut dice, 1);
    let longitude = near(&mut site, 350) - 175.0 + near(&mut dice, 1);
    (year, latitude, longitude)
}

/// All words of an object, as the bare engines index them.
pub fn text(object: &Map<String, Value>) -> String {
    fn gather(value: &Value, into: &mut String) {
        match value {
            Value::String(text) => {
                into.push_str(text);
                into.push(' ');
            }
            Value::Array(list) => list.iter().for_each(|value| gather(value, into)),
            Value::Object(map) => map.values().for_each(|value| gather(value, into)),
            _ => {}
        }
    }
    let mut out = String::new();
    object.values().for_each(|value| gather(value, &mut out));
    out
}

/// The words of one field.
fn words(object: &Map<String, Value>, key: &str) -> Vec<String> {
    let text = object.get(key).and_then(Value::as_str).unwrap_or_default();
    let parts = text.split(|c: char| !c.is_alphanumeric());
    let plain = parts.filter(|w| w.len() > 2 && w.bytes().all(|b| b.is_ascii_alphabetic()));
    plain.map(str::to_lowercase).collect()
}

/// Questions of one kind.
pub fn questions(base: &[Map<String, Value>], sort: Sort) -> Vec<Ask> {
    let mut frequency: BTreeMap<String, usize> = BTreeMap::new();
    for object in base {
        let mut own: Vec<String> = ["title", "medium", "classification", "department"]
            .iter()
            .flat_map(|key| words(object, key))
            .collect();
        own.sort();
        own.dedup();
        own.into_iter()
            .for_each(|word| *frequency.entry(word).or_default() += 1);
    }
    let some = |least: usize, most: usize| -> Vec<&String> {
        let fits = frequency.iter().filter(|(_, n)| (least..most).contains(*n));
        fits.map(|(word, _)| word).collect()
    };
    let (often, rare) = (some(base.len() / 10, usize::MAX), some(4, base.len() / 100));
    let mut dice = Dice::new(sort as u64 + 3);
    let pick = |dice: &mut Dice, words: &[&String]| -> String {
        words
            .get(dice.below(words.len()))
            .map_or_else(String::new, |word| (*word).clone())
    };
    let mut asks = Vec::with_capacity(QUESTIONS);
    while asks.len() < QUESTIONS {
        // A third of what is asked for is in every tenth record.
        let word = if asks.len() % 3 == 0 && !often.is_empty() {
            pick(&mut dice, &often)
        } else {
            pick(&mut dice, &rare)
        };
        let cut = |word: &str, letters: usize| -> String { word.chars().take(letters).collect() };
        let words = match sort {
            Sort::Term | Sort::Facets | Sort::Histogram => word,
            Sort::TwoTerms => format!("{} {}", pick(&mut dice, &rare), pick(&mut dice, &often)),
            Sort::Prefix => cut(&word, 4),
            Sort::Suggest => cut(&word, 3),
            Sort::Phrase => {
                let of = &base[dice.below(base.len())];
                let all = words(of, if asks.len() % 2 == 0 { "medium" } else { "title" });
                match all.as_slice() {
                    [one, two, ..] => format!("{one} {two}"),
                    _ => "oil canvas".to_owned(),
                }
            }
            Sort::Fuzzy => {
                let word = pick(&mut dice, &rare);
                if word.len() < 6 {
                    "lithogrph".to_owned()
                } else {
                    // One letter is left out.
                    let at = 2 + dice.below(word.len() - 3);
                    format!("{}{}", &word[..at], &word[at + 1..])
                }
            }
            Sort::Geo | Sort::Deep => String::new(),
        };
        let (_, latitude, longitude) = made(dice.below(base.len()));
        asks.push(Ask {
            sort,
            words,
            place: (latitude, longitude),
        });
    }
    asks
}

/// The degrees of a box of [`NEAR_KM`] around a place: south, west, north, east.
pub fn around((latitude, longitude): (f64, f64)) -> [f64; 4] {
    let up = NEAR_KM / 111.2;
    let aside = up / latitude.to_radians().cos().max(0.01);
    [latitude - up, longitude - aside, latitude + up, longitude + aside]
}

/// Times of answers, sorted.
pub struct Times(pub Vec<Duration>);

/// Asks as many as can be answered within the budget, by so many clients at the same time; each question once before, by one.
pub async fn run<F, A>(clients: usize, asks: &Arc<Vec<Ask>>, ask: F) -> Result<Times>
where
    F: Fn(Ask) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<()>> + Send,
{
    let (next, started) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (asks, next, ask) = (asks.clone(), next.clone(), ask.clone());
        tasks.spawn(async move {
            let mut times = Vec::new();
            while started.elapsed() < BUDGET {
                let Some(one) = asks.get(next.fetch_add(1, Ordering::Relaxed)) else {
                    break;
                };
                let began = Instant::now();
                ask(one.clone()).await?;
                times.push(began.elapsed());
            }
            anyhow::Ok(times)
        });
    }
    let mut times = Vec::new();
    while let Some(part) = tasks.join_next().await {
        times.extend(part??);
    }
    times.sort_unstable();
    Ok(Times(times))
}

/// The objects of a collection of any size, made when they are asked for.
pub struct Collection {
    pub base: Vec<Map<String, Value>>,
    pub count: usize,
}

impl Collection {
    pub fn new(count: usize) -> Result<Self> {
        Ok(Self {
            base: data::base()?,
            count,
        })
    }

    pub fn object(&self, n: usize) -> Map<String, Value> {
        data::object(&self.base, n)
    }

    /// Bytes of all of it as JSON lines, from a part of them.
    pub fn bytes(&self) -> u64 {
        let part = self.count.clamp(1, 2_000);
        let step = (self.count / part).max(1);
        let sizes = (0..part).map(|n| serde_json::to_string(&self.object(n * step)).map_or(0, |line| line.len() + 1));
        sizes.sum::<usize>() as u64 * self.count as u64 / part as u64
    }
}
