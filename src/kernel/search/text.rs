//! Words as the index sees them: cut at what is no letter or digit, in lower case, without accents.
//!
//! Index, questions and highlights use the same functions, so that what is found is what is marked. A code such as
//! `79.66.115` becomes words side by side; a question for it is a phrase, so it is found whole and by part. In scripts
//! without spaces each character is a word, and each two neighbours are one more at the place of the first.

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
/// Bytes by which a text is counted that is no column.
pub(super) const MAX_COUNTED: usize = 80;
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

/// A title as it is asked for as a whole, as [`beginning`] keeps it, with the stars in it.
pub(super) fn whole_title(text: &str) -> String {
    order(text.trim_start_matches(|c| !is_word(c) && c != '*').trim_end())
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

/// Scripts without spaces, and Hangul, whose words carry their particles: each character is a word, and so are two
/// neighbours; a question for more is a phrase of such pairs. Signs that repeat or stand for a character belong to them.
fn stands_alone(c: char) -> bool {
    matches!(c, '\u{ac00}'..='\u{d7a3}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{ff66}'..='\u{ff9f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// The end of a character that is a word: the marks of kana stand behind it where they are signs of their own.
fn end_of(text: &str, at: usize) -> usize {
    let rest = &text[at..];
    let after = rest.trim_start_matches(['\u{3099}', '\u{309a}', '\u{ff9e}', '\u{ff9f}']);
    at + rest.len() - after.len()
}

/// Where the next word of `text` from byte `from` is.
pub(super) fn next_word(text: &str, from: usize) -> Option<Range<usize>> {
    let rest = &text[from..];
    let (start, first) = rest.char_indices().find(|(_, c)| is_word(*c))?;
    let after = start + first.len_utf8();
    let end = if stands_alone(first) {
        end_of(rest, after)
    } else {
        rest[after..]
            .char_indices()
            .find(|(_, c)| !is_word(*c) || stands_alone(*c))
            .map_or(rest.len(), |(i, _)| after + i)
    };
    Some(from + start..from + end)
}

/// The character of a word that is one, and its neighbour behind it, folded, with where that ends; `None` where either is
/// none of those.
pub(super) fn pair(text: &str, word: &Range<usize>) -> Option<(usize, String)> {
    let alone = |c: &char| is_word(*c) && stands_alone(*c);
    text[word.clone()].chars().next().filter(alone)?;
    let next = text[word.end..].chars().next().filter(alone)?;
    let end = end_of(text, word.end + next.len_utf8());
    Some((end, fold(&text[word.start..end])))
}

/// The words of a question, folded, each with its place: of scripts without spaces the pairs, as few as cover all of it.
pub(super) fn placed(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let (mut at, mut place, mut word) = (0, 0, String::new());
    let mut is_covered = false;
    while let Some(range) = next_word(text, at) {
        at = range.end;
        fold_word(&text[range.clone()], &mut word);
        if word.is_empty() {
            continue;
        }
        match pair(text, &range) {
            Some((_, pair)) => {
                found.push((place, pair));
                is_covered = true;
            }
            // The pair before has it already.
            None if is_covered => is_covered = false,
            None => found.push((place, word.clone())),
        }
        place += 1;
    }
    found
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

/// Gives the words of a text, and beside each word that has another stem or a neighbour without a space, at the same place,
/// that.
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
    /// A stem, or a pair, that stands where the last word stood.
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
                // No word has both.
                self.waiting = pair(self.text, &range)
                    .map(|(_, pair)| pair)
                    .or_else(|| self.stems.as_mut().and_then(|known| known.term(&self.token.text)));
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
    fn neighbours_without_a_space_are_words_too() {
        let mut tokenizer = WordTokenizer::default();
        let mut stream = tokenizer.token_stream("東京都 tower、茶 佐々木");
        let mut found = Vec::new();
        while stream.advance() {
            found.push((stream.token().position, stream.token().text.clone()));
        }
        let want = [
            (0, "東"),
            (0, "東京"),
            (1, "京"),
            (1, "京都"),
            (2, "都"),
            (3, "tower"),
            (4, "茶"),
            (5, "佐"),
            (5, "佐々"),
            (6, "々"),
            (6, "々木"),
            (7, "木"),
        ];
        assert_eq!(found, want.map(|(place, word)| (place, word.to_owned())));
        let asked = |text: &str| -> Vec<(usize, String)> { placed(text) };
        let want = |words: &[(usize, &str)]| -> Vec<(usize, String)> {
            words.iter().map(|(place, word)| (*place, (*word).to_owned())).collect()
        };
        assert_eq!(asked("東"), want(&[(0, "東")]));
        assert_eq!(asked("東京"), want(&[(0, "東京")]));
        assert_eq!(asked("東京都"), want(&[(0, "東京"), (1, "京都")]));
        assert_eq!(asked("東京 tower 茶"), want(&[(0, "東京"), (2, "tower"), (3, "茶")]));
        assert_eq!(asked("tea、東・京"), want(&[(0, "tea"), (1, "東"), (2, "京")]));
        assert_eq!(placed("ﾄｳ"), placed("トウ"), "narrow letters are the wide ones");
        assert_eq!(placed("ﾎﾟｯﾄ"), placed("ポット"));
        assert_eq!(placed("か\u{3099}き"), placed("がき"));
        assert_eq!(placed("박물")[0].1, fold("박물"));
        for odd in ["", "・・", "\u{3099}\u{3099}", "々", "東\u{0}京"] {
            placed(odd);
        }
    }

    #[test]
    fn long_and_odd_texts_are_cut_safely() {
        let long = "é".repeat(5_000);
        assert!(words(&long)[0].len() <= MAX_WORD);
        assert!(column_term(cut(&long, MAX_VALUE)).len() < MAX_VALUE + 100);
        assert_eq!(column_value(&column_term("Éa\u{1}b")), "Éa\u{1}b");
    }
}
