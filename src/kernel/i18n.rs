//! Texts: every visible word goes through a key and a language.
//!
//! One folder per language under `assets/locales` with a file per module, compiled in. English is complete by test;
//! another language falls back to it word by word. Nothing here knows pages: templates reach it through `kernel::ui::filters`.

mod sentences;
mod written;

use std::collections::HashMap;
use std::fmt::{self, Display, Write as _};
use std::sync::LazyLock;

use jiff::tz::TimeZone;
use rust_embed::RustEmbed;
use toml::{Table, Value};

/// The words of one language.
struct Catalog {
    tag: &'static str,
    texts: HashMap<String, String>,
}

/// The languages there is a folder for. The first one is the fallback of all others.
const LANGUAGES: &[&str] = &["en", "sv"];

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets/locales"]
struct Files;

static CATALOGS: LazyLock<Vec<Catalog>> = LazyLock::new(|| LANGUAGES.iter().map(|tag| load(tag)).collect());

#[expect(
    clippy::expect_used,
    reason = "the files are compiled in, and a test reads each of them"
)]
fn load(tag: &'static str) -> Catalog {
    let mut texts = HashMap::new();
    let folder = format!("{tag}/");
    for name in Files::iter().filter(|name| name.starts_with(&folder)) {
        let file = Files::get(&name).expect("a file that was just listed");
        let text = std::str::from_utf8(&file.data).expect("a locale file is UTF-8");
        let table: Table = text.parse().expect("a locale file is a TOML table");
        flatten("", &table, &mut texts);
    }
    Catalog { tag, texts }
}

fn flatten(prefix: &str, table: &Table, into: &mut HashMap<String, String>) {
    for (name, value) in table {
        let key = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}.{name}")
        };
        match value {
            Value::Table(inner) => flatten(&key, inner, into),
            Value::String(text) => {
                into.insert(key, text.clone());
            }
            other => {
                into.insert(key, other.to_string());
            }
        }
    }
}

/// A language there is a file for, and the time zone in which its reader's clock goes. Cheap to copy.
#[derive(Clone, Copy)]
pub struct Language(&'static Catalog, Option<&'static TimeZone>);

impl Default for Language {
    fn default() -> Self {
        Self(&CATALOGS[0], None)
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.tag)
    }
}

/// A value that takes the place of `{name}` in a text.
pub type Arg<'a> = (&'a str, &'a dyn Display);

impl Language {
    /// The language with this tag, or of the same primary tag (`en` for `en-GB`).
    pub fn find(tag: &str) -> Option<Self> {
        let primary = tag.split('-').next().unwrap_or(tag);
        CATALOGS
            .iter()
            .find(|c| c.tag.eq_ignore_ascii_case(tag) || c.tag.eq_ignore_ascii_case(primary))
            .map(|catalog| Self(catalog, None))
    }

    /// Every language, English first.
    pub fn all() -> impl Iterator<Item = Self> {
        CATALOGS.iter().map(|catalog| Self(catalog, None))
    }

    /// The best language for a header `Accept-Language`; none where it names none of ours.
    pub fn negotiate(header: &str) -> Option<Self> {
        let mut best: Option<(f32, Self)> = None;
        for part in header.split(',').take(16) {
            let (tag, quality) = part.split_once(';').unwrap_or((part, ""));
            let quality = quality
                .trim()
                .strip_prefix("q=")
                .map_or(1.0, |q| q.parse::<f32>().unwrap_or(0.0));
            let Some(language) = Self::find(tag.trim()) else {
                continue;
            };
            if quality > best.map_or(0.0, |(q, _)| q) {
                best = Some((quality, language));
            }
        }
        best.map(|(_, language)| language)
    }

    /// The tag for `lang` attributes: `en`.
    pub fn tag(self) -> &'static str {
        self.0.tag
    }

    /// A text between the marks that quote it: “vase”.
    pub fn quoted(self, text: &str) -> String {
        self.with("format.quoted", &[("text", &text)])
    }

    /// The text of a key, if this language or English has it.
    pub fn get(self, key: &str) -> Option<&'static str> {
        self.0
            .texts
            .get(key)
            .or_else(|| CATALOGS[0].texts.get(key))
            .map(String::as_str)
    }

    /// The text of a key; the key itself where it is missing, which a test refuses.
    pub fn text(self, key: &str) -> String {
        self.get(key).map_or_else(|| missing(key), str::to_owned)
    }

    /// The text of a key with each `{name}` replaced. What replaces is not searched again.
    pub fn with(self, key: &str, args: &[Arg<'_>]) -> String {
        self.get(key).map_or_else(|| missing(key), |text| fill(text, args))
    }

    /// The text for a number of things: `key.one`, `key.other` …; `{n}` is the number, written for people.
    pub fn count(self, key: &str, n: u64, args: &[Arg<'_>]) -> String {
        let number = self.number(n);
        let mut all: Vec<Arg<'_>> = vec![("n", &number)];
        all.extend_from_slice(args);
        let exact = format!("{key}.{}", self.category(n));
        match self.get(&exact).or_else(|| self.get(&format!("{key}.other"))) {
            Some(text) => fill(text, &all),
            None => missing(&exact),
        }
    }

    /// The plural category of a whole number, as CLDR names it.
    fn category(self, n: u64) -> &'static str {
        match (self.0.tag, n) {
            ("fr" | "pt", 0 | 1) | (_, 1) => "one",
            _ => "other",
        }
    }
}

fn missing(key: &str) -> String {
    tracing::error!(i18n.key = key, "a text is missing from the locale files");
    key.to_owned()
}

fn fill(text: &str, args: &[Arg<'_>]) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text;
    while let Some(open) = rest.find('{') {
        let (before, from) = rest.split_at(open);
        out.push_str(before);
        let Some(close) = from.find('}') else {
            rest = from;
            break;
        };
        let name = &from[1..close];
        match args.iter().find(|(n, _)| *n == name) {
            // Writing to a `String` does not fail.
            Some((_, value)) => drop(write!(out, "{value}")),
            None => out.push_str(&from[..=close]),
        }
        rest = &from[close + 1..];
    }
    out.push_str(rest);
    out
}

/// Every key of the English files, for guards.
pub fn keys() -> impl Iterator<Item = &'static str> {
    CATALOGS[0].texts.keys().map(String::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_filled_once() {
        assert_eq!(fill("{a} of {b}", &[("a", &"{b}"), ("b", &2)]), "{b} of 2");
        assert_eq!(fill("open { and {x}", &[]), "open { and {x}");
    }

    #[test]
    fn a_language_is_chosen_by_weight_and_falls_back() {
        let tag = |header: &str| Language::negotiate(header).map(Language::tag);
        assert_eq!(tag("de;q=0.9, en-GB;q=0.5"), Some("en"));
        assert_eq!(tag("en;q=0.5, sv-FI;q=0.8"), Some("sv"));
        assert_eq!(tag("sv;q=0, xx"), None);
        assert_eq!(tag(&",;q=".repeat(10_000)), None);
        let sv = Language::find("SV-se").expect("Swedish");
        assert_eq!(sv.number(28_258), "28\u{a0}258");
        assert_eq!(
            (sv.decimal(1.5, 1), sv.figure("-28.0")),
            ("1,5".to_owned(), "-28,0".to_owned())
        );
        assert_eq!(sv.date(313_286_400_000), "6 december 1979");
        assert_eq!(sv.time(0), "1 januari 1970 kl. 00:00 UTC");
        assert_eq!(sv.civil("1979-12").as_deref(), Some("december 1979"));
        assert_eq!(sv.civil("18XX").as_deref(), Some("1800-talet"));
        assert_eq!(sv.civil("1850~").as_deref(), Some("omkring 1850"));
        assert_eq!(
            (sv.bytes(1_530_000), sv.quoted("vas")),
            ("1,5 MB".to_owned(), "”vas”".to_owned())
        );
        assert_eq!(
            (sv.count("search.total", 1, &[]), sv.count("search.total", 2, &[])),
            ("1 post".to_owned(), "2 poster".to_owned())
        );
    }

    #[test]
    fn every_file_is_read() {
        assert_eq!(CATALOGS.len(), LANGUAGES.len());
        assert!(keys().count() > 50);
    }
}
