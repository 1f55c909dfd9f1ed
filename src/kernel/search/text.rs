//! Words as the index sees them: cut at what is no letter or digit, in lower case, without accents.
//!
//! Index, questions and highlights use the same functions, so that what is found is what is marked. A code such as
//! `79.66.115` becomes words side by side; a question for it is a phrase, so it is found whole and by part.

use std::collections::HashMap;
use std::ops::Range;

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::stem::{Stems, unmarked};
use super::types::Tongue;

/// Bytes of a word that count; what follows is left out on both sides.
const MAX_WORD: usize = 120;
/// Bytes of a value that are kept whole for counting and exact matches; tantivy drops terms over 64 KB.
pub(super) const MAX_VALUE: usize = 1_000;
/// Bytes of the folded beginning by which values are put in order.
pub(super) const MAX_ORDER: usize = 48;

/// The longest beginning of `text` of at most `max` bytes.
pub(super) fn cut(text: &str, max: usize) -> &str {
    &text[..text.floor_char_boundary(max)]
}

/// Lower case without accents; letters that have a plain spelling get it (`ß` is `ss`).
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    fold_into(text, &mut out);
    out
}

fn fold_into(text: &str, out: &mut String) {
    for c in text.chars() {
        if c.is_ascii() {
            out.push(c.to_ascii_lowercase());
            continue;
        }
        let plain = match c {
            'ß' | 'ẞ' => "ss",
            'æ' | 'Æ' => "ae",
            'œ' | 'Œ' => "oe",
            'ø' | 'Ø' => "o",
            'đ' | 'Đ' | 'ð' | 'Ð' => "d",
            'ł' | 'Ł' => "l",
            'þ' | 'Þ' => "th",
            'ħ' | 'Ħ' => "h",
            'ı' => "i",
            _ => "",
        };
        if !plain.is_empty() {
            out.push_str(plain);
            continue;
        }
        for part in std::iter::once(c).nfkd() {
            // Only the general accents go: in Indic scripts marks are vowels.
            if !('\u{300}'..='\u{36f}').contains(&part) {
                out.extend(part.to_lowercase().map(|l| if l == 'ς' { 'σ' } else { l }));
            }
        }
    }
}

/// The folded beginning of a text, by which it is put in order.
pub(super) fn order(text: &str) -> String {
    let mut start = fold(cut(text, MAX_ORDER));
    start.retain(|c| !c.is_control());
    start.truncate(start.floor_char_boundary(MAX_ORDER));
    start
}

/// The same from the first letter or digit on: quotes and brackets before a title are not typed.
pub(super) fn beginning(text: &str) -> String {
    order(text.trim_start_matches(|c| !is_word(c)))
}

/// The term of a value in a column: its folded beginning, a zero byte, the value. Ordinals are then in the order people
/// expect, and the value itself stays as it was.
pub(super) fn column_term(value: &str) -> String {
    let mut term = order(value);
    term.push('\0');
    term.push_str(value);
    term
}

/// The value in a column's term.
pub(super) fn column_value(term: &str) -> &str {
    term.split_once('\0').map_or(term, |(_, value)| value)
}

pub(super) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || is_combining_mark(c)
}

/// Scripts without spaces, and Hangul, whose words carry their particles: each character is a word, and a question for
/// several is a phrase, so that any two neighbours are found.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{ac00}'..='\u{d7a3}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Where the next word of `text` from byte `from` is.
pub(super) fn next_word(text: &str, from: usize) -> Option<Range<usize>> {
    let rest = &text[from..];
    let (start, first) = rest.char_indices().find(|(_, c)| is_word(*c))?;
    let after = start + first.len_utf8();
    let end = if stands_alone(first) {
        after
    } else {
        rest[after..]
            .char_indices()
            .find(|(_, c)| !is_word(*c) || stands_alone(*c))
            .map_or(rest.len(), |(i, _)| after + i)
    };
    Some(from + start..from + end)
}

/// A word as it stands in the index; empty for a lone accent.
pub(super) fn fold_word(word: &str, out: &mut String) {
    out.clear();
    fold_into(cut(word, MAX_WORD), out);
    out.truncate(out.floor_char_boundary(MAX_WORD));
}

/// The words of a text, folded.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let (mut at, mut word) = (0, String::new());
    while let Some(range) = next_word(text, at) {
        at = range.end;
        fold_word(&text[range], &mut word);
        if !word.is_empty() {
            found.push(word.clone());
        }
    }
    found
}

/// The tokenizer of every text field, under this name.
pub(super) const TOKENIZER: &str = "und";

/// Stems that are remembered, so that a word that comes again is not stemmed again.
const MAX_STEMS: usize = 4_096;

/// Gives the words of a text, and beside each word that has another stem, at the same place, that.
#[derive(Clone, Default)]
pub(super) struct WordTokenizer {
    token: Token,
    stems: Vec<Known>,
}

/// A language with stems it has given.
#[derive(Clone)]
struct Known {
    stems: Stems,
    terms: HashMap<String, Option<String>>,
}

impl Known {
    /// The term of a word's stem, where that is another than the word.
    fn term(&mut self, word: &str) -> Option<String> {
        if let Some(known) = self.terms.get(word) {
            return known.clone();
        }
        let stem = self.stems.stem(word).filter(|stem| stem != word);
        let term = stem.map(|stem| self.stems.term(&stem));
        if self.terms.len() >= MAX_STEMS {
            self.terms.clear();
        }
        self.terms.insert(word.to_owned(), term.clone());
        term
    }
}

/// What is remembered of a language.
fn known(stems: &mut Vec<Known>, tongue: Tongue) -> Option<&mut Known> {
    let at = stems.iter().position(|known| known.stems.tongue == tongue);
    let at = at.unwrap_or_else(|| {
        stems.push(Known {
            stems: Stems::new(tongue),
            terms: HashMap::new(),
        });
        stems.len() - 1
    });
    stems.get_mut(at)
}

pub(super) struct WordStream<'a> {
    text: &'a str,
    at: usize,
    token: &'a mut Token,
    stems: Option<&'a mut Known>,
    /// A stem that stands where the last word stood.
    waiting: Option<String>,
}

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = WordStream<'a>;
    fn token_stream<'a>(&'a mut self, text: &'a str) -> WordStream<'a> {
        self.token.reset();
        let (tongue, text) = unmarked(text);
        let stems = match tongue {
            Some(tongue) => known(&mut self.stems, tongue),
            None => None,
        };
        WordStream {
            text,
            at: 0,
            token: &mut self.token,
            stems,
            waiting: None,
        }
    }
}

impl TokenStream for WordStream<'_> {
    fn advance(&mut self) -> bool {
        if let Some(stem) = self.waiting.take() {
            self.token.text = stem;
            return true;
        }
        while let Some(range) = next_word(self.text, self.at) {
            self.at = range.end;
            fold_word(&self.text[range.clone()], &mut self.token.text);
            if !self.token.text.is_empty() {
                self.token.offset_from = range.start;
                self.token.offset_to = range.end;
                self.token.position = self.token.position.wrapping_add(1);
                self.waiting = self.stems.as_mut().and_then(|known| known.term(&self.token.text));
                return true;
            }
        }
        false
    }
    fn token(&self) -> &Token {
        self.token
    }
    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[&str]) {
        assert_eq!(words(text), want);
    }

    #[test]
    fn words_are_folded() {
        check("Théière, GRÜN & Straße", &["theiere", "grun", "strasse"]);
        check(
            "79.66.115 A/B-12 1979-12-06",
            &["79", "66", "115", "a", "b", "12", "1979", "12", "06"],
        );
        check("Ὀδυσσεύς ΟΔΥΣΣΕΥΣ", &["οδυσσευσ", "οδυσσευσ"]);
        check("東京 teapot", &["東", "京", "teapot"]);
        assert_eq!(words("박물관은 museum").len(), 5, "each syllable is a word");
        check("e\u{301}té \u{301}", &["ete"]);
        check("", &[]);
    }

    #[test]
    fn long_and_odd_texts_are_cut_safely() {
        let long = "é".repeat(5_000);
        assert!(words(&long)[0].len() <= MAX_WORD);
        assert!(column_term(cut(&long, MAX_VALUE)).len() < MAX_VALUE + 100);
        assert_eq!(column_value(&column_term("Éa\u{1}b")), "Éa\u{1}b");
    }
}
