//! Fields whose words weigh more than those of others, as their types say. Only the order by relevance changes: what is found
//! is found all the same.

use tantivy::query::{BooleanQuery, BoostQuery, Occur};

use super::compile::{Boxed, Compiler, all, any, silent, term};
use super::query::{How, Node, Phrase, Word};
use super::schema::TITLE_KEY;
use crate::kernel::access::Level;

/// How much more a word in the title weighs.
const TITLE_WEIGHT: f32 = 2.5;
/// Words of a question times fields in which they are weighed.
const MAX_WEIGHED: usize = 256;

/// Such a field.
pub(super) struct Heavy {
    level: Level,
    path: String,
    key: String,
    weight: f32,
    /// The types that say so; empty where all do that are asked for and have the field.
    types: Vec<String>,
}

impl Compiler<'_> {
    /// The heavy fields of the types that are asked for, as far as the caller sees them; the heaviest first.
    pub fn find_heavy(&self, tree: Option<&Node>) -> Vec<Heavy> {
        let mut heavy: Vec<Heavy> = Vec::new();
        for named in self.named_types() {
            for field in named
                .fields
                .iter()
                .filter(|field| field.weight > 0.0 && self.sees(field))
            {
                let same = |known: &&mut Heavy| {
                    known.path == field.path
                        && known.level == field.level
                        && known.weight.total_cmp(&field.weight).is_eq()
                };
                match heavy.iter_mut().find(same) {
                    Some(known) => known.types.push(named.name.clone()),
                    None => heavy.push(Heavy {
                        level: field.level,
                        key: self.key_of(Some(&field.path)),
                        path: field.path.clone(),
                        weight: field.weight,
                        types: vec![named.name.clone()],
                    }),
                }
            }
        }
        heavy.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        heavy.truncate(MAX_WEIGHED / tree.map_or(1, Node::size).max(1));
        for one in &mut heavy {
            let having = self
                .named_types()
                .filter(|named| named.fields.iter().any(|f| f.path == one.path));
            if having.count() == one.types.len() {
                one.types.clear();
            }
        }
        heavy
    }

    /// A word found anywhere, with what it weighs in the title and in heavy fields.
    pub fn weighed_word(&self, level: Level, word: &Word, here: Boxed) -> Boxed {
        let title = BoostQuery::new(self.word(level, TITLE_KEY, word), TITLE_WEIGHT);
        let mut parts: Vec<(Occur, Boxed)> = vec![(Occur::Must, here), (Occur::Should, Box::new(title))];
        if matches!(word.how, How::Plain | How::Begin) {
            parts.extend(self.heavier(level, &|key| self.word(level, key, word)));
        }
        Box::new(BooleanQuery::new(parts))
    }

    /// The same of a phrase, whose place in a title says no more than its words do.
    pub fn weighed_phrase(&self, level: Level, phrase: &Phrase, here: Boxed) -> Boxed {
        let more = self.heavier(level, &|key| self.phrase(level, key, phrase));
        if more.is_empty() {
            return here;
        }
        let parts = std::iter::once((Occur::Must, here)).chain(more);
        Box::new(BooleanQuery::new(parts.collect()))
    }

    /// A condition in each heavy field of a level, as something that only weighs.
    fn heavier(&self, level: Level, of: &dyn Fn(&str) -> Boxed) -> Vec<(Occur, Boxed)> {
        let here = self.heavy.iter().filter(|heavy| heavy.level == level);
        let weighed = here.map(|heavy| {
            let mut parts = vec![(Occur::Must, of(&heavy.key))];
            if !heavy.types.is_empty() {
                let types = heavy.types.iter().map(|name| term(self.fields.type_name, name));
                parts.push((Occur::Must, silent(any(types.collect()))));
            }
            let weighed: Boxed = Box::new(BoostQuery::new(all(parts), heavy.weight));
            (Occur::Should, weighed)
        });
        weighed.collect()
    }
}
