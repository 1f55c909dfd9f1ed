//! Words that hold letters somewhere: `*pot*`, `t*pot`. Each segment's words of the field are looked through, so that no
//! pattern takes longer than reading them does.

use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, SegmentReader};

use super::bits::Bits;
use super::schema::Fields;
use super::stem::MARK;
use super::words::MAX_EXPANSIONS;

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

    fn bits(&self, reader: &SegmentReader) -> tantivy::Result<BitSet> {
        let mut bits = BitSet::with_max_value(reader.max_doc());
        let index = reader.inverted_index(self.field)?;
        let head = self
            .pattern
            .iter()
            .position(|b| *b == b'*')
            .unwrap_or(self.pattern.len());
        let start = [&self.before, &self.pattern[..head]].concat();
        let mut stream = index.terms().range().ge(&start).into_stream()?;
        let mut matched = 0;
        while matched < MAX_EXPANSIONS && stream.advance() && stream.key().starts_with(&start) {
            let word = &stream.key()[self.before.len()..];
            if word.first() == Some(&(MARK as u8)) || !fits(&self.pattern, word) {
                continue;
            }
            matched += 1;
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
    use super::fits;

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
