//! Tuples in memory: who stands in which relation of which object, and the other way round.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// One stored relation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tuple {
    pub object: String,
    pub relation: String,
    pub subject: String,
}

impl Tuple {
    pub fn new(object: &str, relation: &str, subject: &str) -> Self {
        Self {
            object: object.to_owned(),
            relation: relation.to_owned(),
            subject: subject.to_owned(),
        }
    }
}

/// Who stands in one relation of one object.
#[derive(Clone, Debug, Default)]
pub struct Holders {
    /// Subjects by themselves: `account:ID`, and objects for arrows.
    pub single: BTreeSet<String>,
    /// Sets of subjects: `group:ID#member`.
    pub sets: BTreeSet<String>,
}

impl Holders {
    fn side(&mut self, subject: &str) -> &mut BTreeSet<String> {
        if subject.contains('#') {
            &mut self.sets
        } else {
            &mut self.single
        }
    }
}

/// See the module's text.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    objects: BTreeMap<String, HashMap<String, Holders>>,
    /// The objects at which a subject stands.
    places: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Graph {
    pub fn insert(&mut self, tuple: &Tuple) {
        let relations = self.objects.entry(tuple.object.clone()).or_default();
        let holders = relations.entry(tuple.relation.clone()).or_default();
        if holders.side(&tuple.subject).insert(tuple.subject.clone()) {
            let places = self.places.entry(tuple.subject.clone()).or_default();
            *places.entry(tuple.object.clone()).or_default() += 1;
        }
    }

    pub fn remove(&mut self, tuple: &Tuple) {
        let Some(relations) = self.objects.get_mut(&tuple.object) else {
            return;
        };
        let Some(holders) = relations.get_mut(&tuple.relation) else {
            return;
        };
        if !holders.side(&tuple.subject).remove(&tuple.subject) {
            return;
        }
        if holders.single.is_empty() && holders.sets.is_empty() {
            relations.remove(&tuple.relation);
        }
        if relations.is_empty() {
            self.objects.remove(&tuple.object);
        }
        if let Some(places) = self.places.get_mut(&tuple.subject) {
            if let Some(count) = places.get_mut(&tuple.object) {
                *count -= 1;
                if *count == 0 {
                    places.remove(&tuple.object);
                }
            }
            if places.is_empty() {
                self.places.remove(&tuple.subject);
            }
        }
    }

    pub fn holders(&self, object: &str, relation: &str) -> Option<&Holders> {
        self.objects.get(object)?.get(relation)
    }

    /// Does anybody stand at this object?
    pub fn is_place(&self, object: &str) -> bool {
        self.objects.contains_key(object)
    }

    /// Every object that anybody stands at, in order.
    pub fn objects(&self) -> impl Iterator<Item = &str> {
        self.objects.keys().map(String::as_str)
    }

    /// Every subject that stands anywhere by itself.
    pub fn subjects(&self) -> BTreeSet<&str> {
        let singles = self.places.keys().filter(|subject| !subject.contains('#'));
        singles.map(String::as_str).collect()
    }

    /// The objects at which a subject stands, by itself or as part of a set of a set.
    pub fn places_of(&self, subject: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut waiting = vec![subject.to_owned()];
        let mut seen = BTreeSet::new();
        while let Some(subject) = waiting.pop() {
            if !seen.insert(subject.clone()) {
                continue;
            }
            for object in self.places.get(&subject).into_iter().flat_map(BTreeMap::keys) {
                found.insert(object.as_str());
                // What is in a set of this object stands wherever that set does.
                let sets = self.places.range(format!("{object}#")..);
                let sets = sets
                    .map(|(set, _)| set)
                    .take_while(|set| set.starts_with(object.as_str()));
                waiting.extend(
                    sets.filter(|set| set.as_bytes().get(object.len()) == Some(&b'#'))
                        .cloned(),
                );
            }
        }
        found
    }

    /// How many tuples there are.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        let holders = self.objects.values().flat_map(HashMap::values);
        holders.map(|h| h.single.len() + h.sets.len()).sum()
    }
}
