//! Words that hold letters somewhere: `*pot*`, `t*pot`, and such words beside others: `"*sa his*"`. Each segment's words of
//! the field are looked through, so that no pattern takes longer than reading them does.

use tantivy::postings::Postings;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocSet, InvertedIndexReader, SegmentReader, TERMINATED};

use super::bits::{Bits, Patience};
use super::query::MAX_PHRASE;
use super::schema::Fields;
use super::stem::MARK;
use super::text::{fold, is_word};
use super::words::MAX_EXPANSIONS;

/// Words between two looks at the time.
const STEP: u32 = 256;

/// See the module's text.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    field: Field,
    /// What stands in the dictionary before the words of the field.
    before: Vec<u8>,
    pattern: Vec<u8>,
}

impl Bits for Pattern {
    const NAME: &'static str = "pattern";

    fn bits(&self, reader: &SegmentReader, patience: &Patience) -> tantivy::Result<BitSet> {
        let mut bits = BitSet::with_max_value(reader.max_doc());
        let index = reader.inverted_index(self.field)?;
        let head = self
            .pattern
            .iter()
            .position(|b| *b == b'*')
            .unwrap_or(self.pattern.len());
        let start = [&self.before, &self.pattern[..head]].concat();
        let mut stream = index.terms().range().ge(&start).into_stream()?;
        let mut matched = 0_u32;
        while matched < MAX_EXPANSIONS && stream.advance() && stream.key().starts_with(&start) {
            let word = &stream.key()[self.before.len()..];
            if word.first() == Some(&(MARK as u8)) || !fits(&self.pattern, word) {
                continue;
            }
            matched += 1;
            if matched.is_multiple_of(STEP) && patience.is_over() {
                break;
            }
            let mut postings = index.read_block_postings_from_terminfo(stream.value(), IndexRecordOption::Basic)?;
            loop {
                let docs = postings.docs();
                if docs.is_empty() {
                    break;
                }
                for doc in docs {
                    bits.insert(*doc);
                }
                postings.advance();
            }
        }
        if matched >= MAX_EXPANSIONS {
            patience.cut();
        }
        Ok(bits)
    }
}

impl Pattern {
    /// `pattern` is folded; `*` in it stands for any letters.
    pub fn new(field: Field, key: &str, pattern: &str) -> Self {
        Self {
            field,
            before: Fields::json_term(field, key, "").serialized_value_bytes().to_vec(),
            pattern: pattern.as_bytes().to_vec(),
        }
    }
}

/// The words of a text, folded, with the stars in them; what holds nothing but stars is none.
pub(super) fn starred(text: &str) -> Vec<String> {
    let folded = fold(text);
    let parts = folded.split(|c: char| c != '*' && !is_word(c));
    let parts = parts.filter(|part| part.chars().any(|c| c != '*'));
    parts.take(MAX_PHRASE).map(str::to_owned).collect()
}

/// Words side by side, of which some are patterns.
#[derive(Clone, Debug)]
pub(super) struct PatternPhrase {
    field: Field,
    before: Vec<u8>,
    parts: Vec<String>,
}

impl Bits for PatternPhrase {
    const NAME: &'static str = "phrase of patterns";

    fn bits(&self, reader: &SegmentReader, patience: &Patience) -> tantivy::Result<BitSet> {
        let mut bits = BitSet::with_max_value(reader.max_doc());
        let index = reader.inverted_index(self.field)?;
        // Whole words first: they leave few places for what stands for many.
        let mut order: Vec<usize> = (0..self.parts.len()).collect();
        order.sort_by_key(|at| self.parts[*at].contains('*'));
        let mut starts: Option<Vec<u64>> = None;
        for at in order {
            let found = self.starts((&index, reader.max_doc()), at, starts.as_deref(), patience)?;
            if found.is_empty() {
                return Ok(bits);
            }
            starts = Some(found);
        }
        for start in starts.iter().flatten() {
            bits.insert((start >> 32) as u32);
        }
        Ok(bits)
    }
}

impl PatternPhrase {
    /// `parts` as [`starred`] gives them.
    pub fn new(field: Field, key: &str, parts: Vec<String>) -> Self {
        Self {
            field,
            before: Fields::json_term(field, key, "").serialized_value_bytes().to_vec(),
            parts,
        }
    }

    /// Where the phrase may begin as far as one of its words says, of the places that are known: a document and a place
    /// in it each, in order.
    fn starts(
        &self,
        (index, most): (&InvertedIndexReader, u32),
        at: usize,
        known: Option<&[u64]>,
        patience: &Patience,
    ) -> tantivy::Result<Vec<u64>> {
        let pattern = self.parts[at].as_bytes();
        let head = pattern.iter().position(|b| *b == b'*').unwrap_or(pattern.len());
        let start = [self.before.as_slice(), &pattern[..head]].concat();
        let mut stream = index.terms().range().ge(&start).into_stream()?;
        let mut matched = 0_u32;
        let (mut found, mut places) = (Vec::new(), Vec::new());
        // Only of these documents are places read.
        let docs = known.map(|known| {
            let mut docs = BitSet::with_max_value(most);
            for first in known {
                docs.insert((first >> 32) as u32);
            }
            docs
        });
        let mut room = true;
        while matched < MAX_EXPANSIONS && room && stream.advance() {
            if !stream.key().starts_with(&start) {
                break;
            }
            let word = &stream.key()[self.before.len()..];
            if word.first() == Some(&(MARK as u8)) || !fits(pattern, word) {
                continue;
            }
            matched += 1;
            if matched.is_multiple_of(STEP) && patience.is_over() {
                break;
            }
            let option = IndexRecordOption::WithFreqsAndPositions;
            let mut postings = index.read_postings_from_terminfo(stream.value(), option)?;
            while postings.doc() != TERMINATED && room {
                if docs.as_ref().is_some_and(|docs| !docs.contains(postings.doc())) {
                    postings.advance();
                    continue;
                }
                postings.positions(&mut places);
                room = patience.reads(places.len());
                let firsts = places.iter().filter_map(|place| place.checked_sub(at as u32));
                found.extend(firsts.map(|first| u64::from(postings.doc()) << 32 | u64::from(first)));
                postings.advance();
            }
        }
        if matched >= MAX_EXPANSIONS || !room {
            patience.cut();
        }
        if let Some(known) = known {
            found.retain(|first| known.binary_search(first).is_ok());
        }
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }
}

/// Whether a word is as the pattern says. Goes back to the last star at most, so it never takes long.
pub(super) fn fits(pattern: &[u8], word: &[u8]) -> bool {
    let (mut p, mut w) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while w < word.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p, w));
            p += 1;
        } else if pattern.get(p) == Some(&word[w]) {
            p += 1;
            w += 1;
        } else if let Some((at, from)) = star {
            star = Some((at, from + 1));
            p = at + 1;
            w = from + 1;
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::{fits, starred};

    #[test]
    fn stars_stay_with_their_words() {
        assert_eq!(starred("*Sa his*"), ["*sa", "his*"]);
        assert_eq!(starred("a * b, *ü*"), ["a", "b", "*u*"]);
        assert!(starred("** ***").is_empty());
    }

    #[test]
    fn stars_stand_for_any_letters() {
        for (pattern, word) in [
            ("*pot*", "teapots"),
            ("t*pot", "teapot"),
            ("*pida", "hispida"),
            ("*a*a*", "banana"),
            ("**", "x"),
            ("a", "a"),
        ] {
            assert!(fits(pattern.as_bytes(), word.as_bytes()), "{pattern} {word}");
        }
        for (pattern, word) in [
            ("*pid", "hispida"),
            ("t*pot", "teapots"),
            ("a", "ab"),
            ("ab", "a"),
            ("*b", "a"),
            ("", "a"),
        ] {
            assert!(!fits(pattern.as_bytes(), word.as_bytes()), "{pattern} {word}");
        }
        let bomb = "*a".repeat(60);
        assert!(!fits(bomb.as_bytes(), "b".repeat(120).as_bytes()));
    }
}
