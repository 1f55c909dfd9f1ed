//! Sentences that services say in English (refusals, wrong values, reasons), as a page shows them in another language.
//!
//! Programs and logs keep the English. `assets/sentences/TAG.toml` holds sentence by sentence; `{}` stands for what is filled
//! in, and what it lacks is shown as it was said. A test refuses a sentence there that the source no longer says.

use std::collections::HashMap;
use std::sync::LazyLock;

use rust_embed::RustEmbed;
use toml::{Table, Value};

use super::{LANGUAGES, Language};

/// Longer texts are no sentences of ours.
const LONGEST: usize = 4_000;
/// The place of what is filled in.
const PLACE: &str = "{}";

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets/sentences"]
struct Files;

/// The sentences of one language.
#[derive(Default)]
struct Sentences {
    /// Those without places.
    whole: HashMap<String, String>,
    /// The stretches between the places, and how it is said; those that fix most of a text first.
    filled: Vec<(Vec<String>, String)>,
}

static SENTENCES: LazyLock<HashMap<&'static str, Sentences>> =
    LazyLock::new(|| LANGUAGES.iter().map(|tag| (*tag, load(tag))).collect());

#[expect(
    clippy::expect_used,
    reason = "the files are compiled in, and a test reads each of them"
)]
fn load(tag: &str) -> Sentences {
    let Some(file) = Files::get(&format!("{tag}.toml")) else {
        return Sentences::default();
    };
    let text = std::str::from_utf8(&file.data).expect("a file of sentences is UTF-8");
    read(&text.parse().expect("a file of sentences is a TOML table"))
}

fn read(table: &Table) -> Sentences {
    let mut sentences = Sentences::default();
    for (english, said) in table {
        let Value::String(said) = said else { continue };
        if english.contains(PLACE) {
            let stretches = english.split(PLACE).map(str::to_owned).collect();
            sentences.filled.push((stretches, said.clone()));
        } else {
            sentences.whole.insert(english.clone(), said.clone());
        }
    }
    let fixed = |stretches: &[String]| stretches.iter().map(String::len).sum::<usize>();
    sentences
        .filled
        .sort_by_key(|(stretches, _)| std::cmp::Reverse(fixed(stretches)));
    sentences
}

impl Sentences {
    fn said(&self, text: &str) -> Option<String> {
        if let Some(said) = self.whole.get(text) {
            return Some(said.clone());
        }
        self.with_parts(text, true).or_else(|| {
            // Where it is about stands before it: the name of a file, of a field.
            let (place, rest) = text.split_once(": ")?;
            let said = self.whole.get(rest).cloned().or_else(|| self.with_parts(rest, true))?;
            Some(format!("{place}: {said}"))
        })
    }

    /// A sentence with what it fills in, which may be one itself.
    fn with_parts(&self, text: &str, nested: bool) -> Option<String> {
        let (stretches, filled, said) = self
            .filled
            .iter()
            .find_map(|(stretches, said)| Some((stretches, filled(stretches, text)?, said)))?;
        // What stands between quotation marks is a name or a value, and stays as it is.
        let quoted = |at: usize| stretches[at].ends_with('"') && stretches[at + 1].starts_with('"');
        let parts = filled.into_iter().enumerate().map(|(at, part)| {
            if quoted(at) {
                return part.to_owned();
            }
            let whole = self.whole.get(part).cloned();
            let said = whole.or_else(|| nested.then(|| self.with_parts(part, false))?);
            said.unwrap_or_else(|| part.to_owned())
        });
        Some(put(said, &parts.collect::<Vec<_>>()))
    }
}

/// What stands in the places of a sentence, if the text is one.
fn filled<'t>(stretches: &[String], text: &'t str) -> Option<Vec<&'t str>> {
    let (first, rest) = stretches.split_first()?;
    let (last, middle) = rest.split_last()?;
    let mut left = text.strip_prefix(first.as_str())?.strip_suffix(last.as_str())?;
    let mut found = Vec::with_capacity(stretches.len());
    for stretch in middle {
        let (part, behind) = left.split_once(stretch.as_str())?;
        found.push(part);
        left = behind;
    }
    found.push(left);
    Some(found)
}

/// Fills the places in: `{}` one after the other, `{2}` by their number. Other braces stand for themselves.
fn put(said: &str, parts: &[String]) -> String {
    let mut out = String::with_capacity(said.len() + 32);
    let (mut rest, mut next) = (said, 0);
    while let Some((before, from)) = rest.split_once('{') {
        out.push_str(before);
        rest = from;
        let place = from
            .split_once('}')
            .filter(|(number, _)| number.bytes().all(|b| b.is_ascii_digit()));
        let Some((number, behind)) = place else {
            out.push('{');
            continue;
        };
        let at = number.parse::<usize>().map_or(next, |n| n.saturating_sub(1));
        next += 1;
        out.push_str(parts.get(at).map_or("", String::as_str));
        rest = behind;
    }
    out.push_str(rest);
    out
}

impl Language {
    /// A sentence that a service said in English, in this language where it is known.
    pub fn sentence(self, text: &str) -> String {
        let known = SENTENCES.get(self.tag()).filter(|_| text.len() <= LONGEST);
        known
            .and_then(|sentences| sentences.said(text))
            .unwrap_or_else(|| text.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_found_with_what_they_fill_in() {
        let table = r#"
            "Gone." = "Borta."
            "a list" = "en lista"
            "is {}; found {}." = "är {}; hittade {}."
            "\"{}\" of {}" = "{2}: ”{1}”"
            "{} ends" = "{} slutar"
            "knows {year}, not {{}}." = "känner {year}, inte {{}}."
        "#;
        let sentences = read(&table.parse().unwrap());
        let said = |text: &str| sentences.said(text).unwrap_or_else(|| "-".to_owned());
        assert_eq!(said("Gone."), "Borta.");
        assert_eq!(said("is a list; found é{}\"."), "är en lista; hittade é{}\".");
        assert_eq!(said("\"a\" of b"), "b: ”a”");
        assert_eq!(said(" ends"), " slutar");
        assert_eq!(said("a.csv: Gone."), "a.csv: Borta.");
        assert_eq!(said("is a list; found b ends."), "är en lista; hittade b slutar.");
        assert_eq!(said("knows {year}, not {day}."), "känner {year}, inte {day}.");
        assert_eq!(said("\"a list\" of a list"), "en lista: ”a list”");
        for other in ["", "Gone", "is a list", "is ; found", "\"\"", "ends"] {
            assert_eq!(said(other), "-", "{other}");
        }
    }

    #[test]
    fn swedish_says_refusals_and_english_stays() {
        let (en, sv) = (Language::default(), Language::find("sv").unwrap());
        let text = "is required and missing.";
        assert_eq!(
            (en.sentence(text), sv.sentence(text)),
            (text.to_owned(), "är obligatoriskt och saknas.".to_owned())
        );
        assert_eq!(
            sv.sentence("\"x\" is not a whole number such as 1887."),
            "”x” är inte ett heltal som 1887."
        );
        let foreign = "Nobody ever says this.";
        assert_eq!(sv.sentence(foreign), foreign);
        let long = "{} \"".repeat(1_000_000);
        assert_eq!(sv.sentence(&long), long);
    }
}
