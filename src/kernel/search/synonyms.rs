//! Words that mean the same in a type: cut into words once, when the type is read, and looked up by them in each question.

use std::collections::HashMap;

use super::words::{Placed, placed_words};

/// See the module's text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Synonyms {
    groups: Vec<Vec<Placed>>,
    /// In which groups words stand.
    by_words: HashMap<Placed, Vec<usize>>,
}

impl Synonyms {
    /// Of groups of words and phrases.
    pub fn new<'t>(groups: impl IntoIterator<Item = Vec<&'t str>>) -> Self {
        let mut synonyms = Self::default();
        for group in groups {
            let words = group.into_iter().map(placed_words);
            let words: Vec<Placed> = words.filter(|words| !words.is_empty()).collect();
            for one in &words {
                let known = synonyms.by_words.entry(one.clone()).or_default();
                if !known.contains(&synonyms.groups.len()) {
                    known.push(synonyms.groups.len());
                }
            }
            synonyms.groups.push(words);
        }
        synonyms
    }

    /// What means the same as these words, without themselves.
    pub(super) fn others<'s>(&'s self, words: &'s [(usize, String)]) -> impl Iterator<Item = &'s Placed> {
        let groups = self.by_words.get(words).into_iter().flatten();
        let all = groups.flat_map(move |at| &self.groups[*at]);
        all.filter(move |other| other.as_slice() != words)
    }

    /// Whether anything means the same as this word.
    pub(super) fn has(&self, word: &str) -> bool {
        self.by_words.contains_key([(0, word.to_owned())].as_slice())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_looked_up_in_every_group() {
        let synonyms = Synonyms::new([
            vec!["Sofa", "couch", "chaise longue"],
            vec!["couch", "bed", "", "Couch"],
            vec![],
        ]);
        let others = |text: &str| -> Vec<String> {
            let words = placed_words(text);
            let others = synonyms.others(&words);
            let told = |words: &Placed| {
                words
                    .iter()
                    .map(|(_, word)| word.as_str())
                    .collect::<Vec<_>>()
                    .join(" ")
            };
            others.map(told).collect()
        };
        assert_eq!(others("sofa"), ["couch", "chaise longue"]);
        assert_eq!(others("COUCH"), ["sofa", "chaise longue", "bed"]);
        assert_eq!(others("Chaise-longue"), ["sofa", "couch"]);
        assert!(others("chaise").is_empty() && others("").is_empty());
        assert!(synonyms.has("bed") && !synonyms.has("chaise"));
    }
}
