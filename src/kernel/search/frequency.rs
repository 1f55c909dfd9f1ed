//! How frequent words are among what the asker may find, by which rare ones weigh more: what is hidden moves no order by
//! relevance either.

use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, TERMINATED, Term};

use super::compile::Compiler;
use super::scope::Guard;
use super::suggest::is_found;
use crate::kernel::access::Level;

/// Documents with a word that are looked at in each segment; where there are more, as many are taken to be seen as of all.
const LOOKED_AT: u32 = 512;
/// Words of a document. Texts keep no lengths, so that only one number for all is needed.
const WORDS: u64 = 64;

/// The same for all words of a question.
pub(super) struct Frequencies<'a> {
    compiler: &'a Compiler<'a>,
    /// Documents that may be found.
    pub docs: u64,
}

impl<'a> Frequencies<'a> {
    pub fn new(compiler: &'a Compiler<'a>) -> Self {
        let readers = compiler.searcher.segment_readers().iter().zip(compiler.views);
        let docs = readers.map(|(reader, view)| match &view.found {
            Some(found) if compiler.scope.hides() => found.len() as u64,
            _ => u64::from(reader.max_doc()),
        });
        Self {
            docs: docs.sum::<u64>().max(1),
            compiler,
        }
    }

    /// Documents with a word that may be found.
    pub fn of(&self, term: &Term) -> tantivy::Result<u64> {
        let compiler = self.compiler;
        let fields = compiler.fields;
        let is_of = |(level, _): &(Level, Guard)| {
            let at = *level as usize;
            [fields.text[at], fields.exact[at]].contains(&term.field())
        };
        let place = compiler.scope.levels.iter().position(is_of);
        let Some(place) = place.filter(|_| compiler.scope.hides()) else {
            return Ok(compiler.searcher.doc_freq(term)?.min(self.docs));
        };
        let mut sum = 0;
        for (reader, view) in compiler.searcher.segment_readers().iter().zip(compiler.views) {
            let index = reader.inverted_index(term.field())?;
            let Some(mut postings) = index.read_postings(term, IndexRecordOption::Basic)? else {
                continue;
            };
            let all = postings.size_hint();
            if all > LOOKED_AT {
                let seen = view
                    .found
                    .as_ref()
                    .map_or(reader.max_doc() as usize, |found| found.len());
                let seen = u64::from(all) * seen as u64 / u64::from(reader.max_doc()).max(1);
                // One hidden document more or less does not show in so round a number.
                sum += rounded(seen);
                continue;
            }
            let guard = view.levels.get(place).and_then(|(_, guard)| guard.as_deref());
            let mut doc = postings.doc();
            while doc != TERMINATED {
                sum += u64::from(is_found(reader, view, guard, doc));
                doc = postings.advance();
            }
        }
        Ok(sum.min(self.docs))
    }
}

/// A number by its first digit.
fn rounded(number: u64) -> u64 {
    let unit = 10_u64.pow(number.max(1).ilog10());
    number / unit * unit
}

impl Bm25StatisticsProvider for Frequencies<'_> {
    fn total_num_tokens(&self, _: Field) -> tantivy::Result<u64> {
        Ok(self.docs * WORDS)
    }
    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.docs)
    }
    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        self.of(term)
    }
}
