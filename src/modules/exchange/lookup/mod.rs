//! What a type holds, laid out so that the rows of a file find their records: by key, by name and rank, by a path of names
//! from the top down. A question with several answers gets all of them; nobody guesses. In memory, bounded.

mod fill;
mod tally;

use std::collections::HashMap;

use unicode_normalization::UnicodeNormalization;

pub use fill::{Terms, fill, levels};
pub use tally::Tally;

/// Records of a type that can be looked up.
pub const MOST: usize = 1_000_000;
/// Steps from a record to the top of its tree.
const DEEPEST: usize = 200;
/// Answers that are named.
const NAMED: usize = 4;

/// A record, or one that will be there when the import is done in earnest.
#[derive(Debug, Default)]
pub struct Entry {
    pub id: Option<String>,
    pub key: Option<String>,
    /// What it is called; the first is shown.
    pub names: Vec<String>,
    pub rank: String,
    /// Id or key of what it hangs below.
    pub parent: Option<String>,
}

#[derive(Debug)]
struct Node {
    id: Option<String>,
    name: String,
    rank: String,
    above: Option<u32>,
}

/// What a question leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    One(String),
    /// A record that this rehearsal has not made.
    Promised,
    Nothing,
    /// Each with its path.
    Several(Vec<String>),
}

/// See the module's text.
#[derive(Debug, Default)]
pub struct Directory {
    nodes: Vec<Node>,
    parents: Vec<Option<String>>,
    ids: HashMap<String, u32>,
    keys: HashMap<String, u32>,
    names: HashMap<String, Vec<u32>>,
}

/// A name as it is compared: spaces and capitals say nothing.
pub fn fold(name: &str) -> String {
    let words: Vec<&str> = name.split_whitespace().collect();
    words.join(" ").nfc().flat_map(char::to_lowercase).collect()
}

impl Directory {
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Takes a record in, unless one of its key is there already.
    pub fn add(&mut self, entry: Entry) {
        if entry.key.as_ref().is_some_and(|key| self.keys.contains_key(key)) {
            return;
        }
        let index = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        for name in &entry.names {
            let places = self.names.entry(fold(name)).or_default();
            if places.last() != Some(&index) {
                places.push(index);
            }
        }
        if let Some(id) = &entry.id {
            self.ids.insert(id.clone(), index);
        }
        if let Some(key) = entry.key {
            self.keys.insert(key, index);
        }
        self.parents.push(entry.parent);
        self.nodes.push(Node {
            id: entry.id,
            name: entry.names.into_iter().next().unwrap_or_default(),
            rank: fold(&entry.rank),
            above: None,
        });
    }

    /// Finds what each hangs below, once all are there.
    pub fn settle(&mut self) {
        for (node, parent) in self.nodes.iter_mut().zip(&self.parents) {
            let parent = parent.as_deref();
            node.above = parent.and_then(|name| self.ids.get(name).or_else(|| self.keys.get(name)).copied());
        }
        self.parents.clear();
        self.parents.resize(self.nodes.len(), None);
    }

    fn node(&self, index: u32) -> Option<&Node> {
        self.nodes.get(index as usize)
    }

    pub fn by_key(&self, key: &str) -> Answer {
        self.told(self.keys.get(key).into_iter().copied().collect())
    }

    /// By name, and by rank where one is asked for. Records that have no rank answer where none has the right one.
    pub fn by_name(&self, name: &str, rank: Option<&str>) -> Answer {
        let called = self.names.get(&fold(name)).cloned().unwrap_or_default();
        let Some(rank) = rank.map(fold).filter(|rank| !rank.is_empty()) else {
            return self.told(called);
        };
        let of_rank = |rank: &str| {
            let fits = |index: &&u32| self.node(**index).is_some_and(|node| node.rank == rank);
            called.iter().filter(fits).copied().collect::<Vec<_>>()
        };
        let right = of_rank(&rank);
        self.told(if right.is_empty() { of_rank("") } else { right })
    }

    /// By names from the top down. Steps between them may be left out; where several answer, the one whose path has no
    /// other steps is meant.
    pub fn by_path(&self, path: &[String]) -> Answer {
        let Some((last, above)) = path.split_last() else {
            return Answer::Nothing;
        };
        let above: Vec<String> = above.iter().map(|name| fold(name)).collect();
        let called = self.names.get(&fold(last)).cloned().unwrap_or_default();
        let chains = called.into_iter().map(|index| (index, self.chain(index)));
        let found: Vec<(u32, Vec<String>)> = chains.filter(|(_, chain)| is_within(&above, chain)).collect();
        let whole: Vec<u32> = found.iter().filter(|(_, c)| *c == above).map(|(i, _)| *i).collect();
        if whole.len() == 1 {
            return self.told(whole);
        }
        self.told(found.into_iter().map(|(index, _)| index).collect())
    }

    /// The names that a record hangs below, from the top down.
    fn chain(&self, index: u32) -> Vec<String> {
        let mut names: Vec<String> = self.way(index).map(|node| fold(&node.name)).collect();
        names.reverse();
        names
    }

    fn way(&self, index: u32) -> impl Iterator<Item = &Node> {
        let first = self.node(index).and_then(|node| node.above);
        let next = |index: &u32| self.node(*index).and_then(|node| node.above);
        std::iter::successors(first, next)
            .take(DEEPEST)
            .filter_map(|index| self.node(index))
    }

    fn told(&self, mut found: Vec<u32>) -> Answer {
        found.dedup();
        match found.as_slice() {
            [] => Answer::Nothing,
            [one] => match self.node(*one).map(|node| node.id.clone()) {
                Some(Some(id)) => Answer::One(id),
                _ => Answer::Promised,
            },
            many => Answer::Several(many.iter().take(NAMED).map(|index| self.shown(*index)).collect()),
        }
    }

    fn shown(&self, index: u32) -> String {
        let mut names: Vec<&str> = self.way(index).map(|node| node.name.as_str()).collect();
        names.reverse();
        let own = self.node(index);
        names.push(own.map_or("", |node| node.name.as_str()));
        let words = names.join(" › ");
        match own.map(|node| node.rank.as_str()).filter(|rank| !rank.is_empty()) {
            Some(rank) => format!("{words} ({rank})"),
            None => words,
        }
    }
}

/// Whether the names stand in the chain in this order, with whatever between them.
fn is_within(names: &[String], chain: &[String]) -> bool {
    let mut rest = chain.iter();
    names.iter().all(|name| rest.any(|step| step == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn directory() -> Directory {
        let mut all = Directory::default();
        let rows = [
            ("1", "Earth", "planet", None),
            ("2", "Europe", "continent", Some("1")),
            ("3", "Sweden", "country", Some("2")),
            ("4", "Gotland", "province", Some("3")),
            ("5", "Gotland", "district", Some("4")),
            ("6", "America", "continent", Some("1")),
            ("7", "Sweden", "district", Some("6")),
            ("8", "Turning", "", Some("8")),
        ];
        for (key, name, rank, parent) in rows {
            all.add(Entry {
                id: (key != "7").then(|| format!("id-{key}")),
                key: Some(key.to_owned()),
                names: vec![name.to_owned()],
                rank: rank.to_owned(),
                parent: parent.map(str::to_owned),
            });
        }
        all.settle();
        all
    }

    fn path(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn records_are_found_by_key_name_and_path() {
        let all = directory();
        let one = |key: &str| Answer::One(format!("id-{key}"));
        assert_eq!(all.by_key("4"), one("4"));
        assert_eq!(all.by_key("99"), Answer::Nothing);
        assert_eq!(all.by_name("  gotland ", Some("Province")), one("4"));
        assert_eq!(all.by_name("turning", Some("country")), one("8"), "it has no rank");
        assert!(matches!(all.by_name("Gotland", None), Answer::Several(both) if both.len() == 2));
        assert_eq!(all.by_path(&path(&["Earth", "Europe", "Sweden"])), one("3"));
        assert_eq!(
            all.by_path(&path(&["Europe", "Sweden"])),
            one("3"),
            "the top is left out"
        );
        assert_eq!(all.by_path(&path(&["Earth", "Europe", "Sweden", "Gotland"])), one("4"));
        assert_eq!(all.by_path(&path(&["America", "Sweden"])), Answer::Promised);
        assert_eq!(all.by_path(&path(&["Asia", "Sweden"])), Answer::Nothing);
        assert_eq!(all.by_path(&[]), Answer::Nothing);
        let Answer::Several(both) = all.by_path(&path(&["Sweden"])) else {
            panic!("two are called so")
        };
        assert_eq!(
            both,
            [
                "Earth › Europe › Sweden (country)",
                "Earth › America › Sweden (district)"
            ]
        );
        assert_eq!(all.by_path(&path(&["Turning", "Turning"])), one("8"), "a circle ends");
    }
}
