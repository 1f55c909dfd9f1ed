//! What one subject has: of the house, of each collection at which something was given, and of all other collections.

use std::collections::{BTreeMap, HashMap};

use crate::contract::access::HOUSE;
use crate::kernel::access::Level;
use crate::modules::access::relations::engine::Engine;
use crate::modules::access::relations::graph::Graph;
use crate::modules::access::schema::{DefId, Kind, Schema};

/// The type of collections.
pub const COLLECTION: &str = "type";
/// A collection at which nothing was given: nobody can make one of this name.
const ANY: &str = "type:";

/// Names of permissions as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held(u128);

impl Held {
    fn add(&mut self, bit: u32) {
        self.0 |= 1 << bit;
    }
    fn has(self, bit: u32) -> bool {
        self.0 & (1 << bit) != 0
    }
}

/// The permissions of a schema, each with its bit, and where each type defines it.
#[derive(Clone, Debug)]
pub struct Names {
    bits: HashMap<String, u32>,
    house: Vec<(u32, DefId)>,
    collection: Vec<(u32, DefId)>,
    levels: [Option<u32>; 3],
}

impl Names {
    /// `None` for a schema with more permissions than a set holds.
    pub fn of(schema: &Schema) -> Option<Self> {
        let mut names = Self {
            bits: HashMap::new(),
            house: Vec::new(),
            collection: Vec::new(),
            levels: [None; 3],
        };
        for (id, def) in schema.defs().iter().enumerate() {
            let list = match def.type_name.as_str() {
                HOUSE => &mut names.house,
                COLLECTION => &mut names.collection,
                _ => continue,
            };
            if !matches!(def.kind, Kind::Permission(_)) {
                continue;
            }
            let next = u32::try_from(names.bits.len()).ok().filter(|n| *n < 128)?;
            let bit = *names.bits.entry(def.name.clone()).or_insert(next);
            list.push((bit, id));
        }
        names.levels = Level::ALL.map(|level| names.bits.get(&format!("see.{}", level.as_str())).copied());
        Some(names)
    }

    pub fn has(&self, held: Held, permission: &str) -> bool {
        self.bits.get(permission).is_some_and(|bit| held.has(*bit))
    }

    /// Is this level seen?
    pub fn sees(&self, held: Held, level: Level) -> bool {
        self.levels[level as usize].is_some_and(|bit| held.has(bit))
    }

    /// The highest level that is seen.
    pub fn reach(&self, held: Held) -> Option<Level> {
        Level::ALL.into_iter().rev().find(|level| self.sees(held, *level))
    }

    fn held(&self, engine: &mut Engine<'_>, object: &str) -> Held {
        let list = if object == HOUSE { &self.house } else { &self.collection };
        let mut held = Held::default();
        for (bit, id) in list {
            if engine.holds(object, *id) {
                held.add(*bit);
            }
        }
        held
    }
}

/// See the module's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    pub house: Held,
    /// By the name of the collection.
    pub places: BTreeMap<String, Held>,
    /// Of every other collection.
    pub elsewhere: Held,
}

impl Profile {
    /// What a subject has by these relations; `None` is nobody in particular.
    pub fn of(schema: &Schema, names: &Names, graph: &Graph, subject: Option<&str>) -> Self {
        let mut engine = Engine::new(schema, graph, subject);
        let mut profile = Self {
            house: names.held(&mut engine, HOUSE),
            places: BTreeMap::new(),
            elsewhere: names.held(&mut engine, ANY),
        };
        let given = subject.map(|subject| graph.places_of(subject)).unwrap_or_default();
        for object in given {
            if let Some(("type", name)) = object.split_once(':') {
                profile.places.insert(name.to_owned(), names.held(&mut engine, object));
            }
        }
        profile
    }

    /// What it has of a collection.
    pub fn at(&self, name: &str) -> Held {
        self.places.get(name).copied().unwrap_or(self.elsewhere)
    }

    /// Has it this permission at any place?
    pub fn anywhere(&self, names: &Names, permission: &str) -> bool {
        let all = [self.house, self.elsewhere];
        let mut all = all.iter().chain(self.places.values());
        all.any(|held| names.has(*held, permission))
    }
}
