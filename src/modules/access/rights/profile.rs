//! What one subject has at the places that are asked about: at the house, at a collection where something was given, and at all
//! others. Each place is worked out when it is first asked for, and remembered with the state of the tuples it follows from.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::contract::access::HOUSE;
use crate::kernel::access::Level;
use crate::modules::access::relations::State;
use crate::modules::access::relations::engine::Engine;
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
    schema: Arc<Schema>,
    bits: HashMap<String, u32>,
    house: Vec<(u32, DefId)>,
    collection: Vec<(u32, DefId)>,
    levels: [Option<u32>; 3],
}

impl Names {
    /// `None` for a schema with more permissions than a set holds.
    pub fn of(schema: &Arc<Schema>) -> Option<Self> {
        let mut names = Self {
            schema: schema.clone(),
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
}

/// See the module's text.
#[derive(Debug)]
pub struct Profile {
    state: Arc<State>,
    /// `account:ID`; `None` is nobody in particular.
    subject: Option<String>,
    house: OnceLock<Held>,
    elsewhere: OnceLock<Held>,
    /// By the name of the collection; only such at which somebody was given something, so names that are made up take no room.
    places: RwLock<HashMap<String, Held>>,
}

impl Profile {
    pub fn of(state: Arc<State>, subject: Option<String>) -> Self {
        Self {
            state,
            subject,
            house: OnceLock::new(),
            elsewhere: OnceLock::new(),
            places: RwLock::default(),
        }
    }

    fn work_out(&self, names: &Names, object: &str) -> Held {
        let list = if object == HOUSE {
            &names.house
        } else {
            &names.collection
        };
        let mut engine = Engine::new(&names.schema, &self.state.graph, self.subject.as_deref());
        let mut held = Held::default();
        for (bit, id) in list {
            if engine.holds(object, *id) {
                held.add(*bit);
            }
        }
        held
    }

    /// What it has of the house.
    pub fn house(&self, names: &Names) -> Held {
        *self.house.get_or_init(|| self.work_out(names, HOUSE))
    }

    /// What it has of every collection at which nothing was given.
    pub fn elsewhere(&self, names: &Names) -> Held {
        *self.elsewhere.get_or_init(|| self.work_out(names, ANY))
    }

    /// What it has of a collection.
    pub fn at(&self, names: &Names, name: &str) -> Held {
        let known = self.places.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(held) = known.get(name) {
            return *held;
        }
        drop(known);
        let object = format!("{COLLECTION}:{name}");
        if self.subject.is_none() || !self.state.graph.is_place(&object) {
            return self.elsewhere(names);
        }
        let held = self.work_out(names, &object);
        let mut known = self.places.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_owned(), held);
        held
    }

    /// The collections at which it was given something, by itself or by a group, in order.
    fn given(&self) -> impl Iterator<Item = &str> {
        let given = self
            .subject
            .as_ref()
            .map(|subject| self.state.graph.places_of(subject))
            .unwrap_or_default();
        given.into_iter().filter_map(|object| match object.split_once(':') {
            Some((COLLECTION, name)) => Some(name),
            _ => None,
        })
    }

    /// What it has of each collection at which it was given something, by name.
    pub fn places(&self, names: &Names) -> Vec<(&str, Held)> {
        self.given().map(|name| (name, self.at(names, name))).collect()
    }

    /// Has it this permission at any place?
    pub fn anywhere(&self, names: &Names, permission: &str) -> bool {
        names.has(self.house(names), permission)
            || names.has(self.elsewhere(names), permission)
            || self.given().any(|name| names.has(self.at(names, name), permission))
    }
}
