//! What one subject has at the places that are asked about: at the house, at a collection where something was given, and at all
//! others; and of the records there, those that it made and those that others did. Each place is worked out when it is first asked for, and remembered with the state of the tuples it follows from.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use crate::contract::access::HOUSE;
use crate::kernel::access::Level;
use crate::modules::access::relations::State;
use crate::modules::access::relations::engine::Engine;
use crate::modules::access::relations::graph::Tuple;
use crate::modules::access::schema::{DefId, Kind, Schema};

/// The type of collections.
pub const COLLECTION: &str = "type";
/// A collection at which nothing was given: nobody can make one of this name.
const ANY: &str = "type:";
/// The type of records, and what comes with a question about one.
pub const RECORD: &str = "record";
pub const OF_COLLECTION: &str = "collection";
pub const OF_MAKER: &str = "maker";
/// Records to try rights at: one that somebody else made, and one's own.
const OTHERS: &str = "record:others";
const OWN: &str = "record:own";

/// Names of permissions as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held(u128);

impl Held {
    fn add(&mut self, bit: u32) {
        self.0 |= 1 << bit;
    }
    fn put(&mut self, bit: u32, is_held: bool) {
        self.0 &= !(1 << bit);
        if is_held {
            self.add(bit);
        }
    }
    fn has(self, bit: u32) -> bool {
        self.0 & (1 << bit) != 0
    }
}

/// What somebody has at a place.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place {
    /// Of the house or the collection itself.
    pub whole: Held,
    /// Of the records in it that others made, and of those that they made themselves.
    pub others: Held,
    pub own: Held,
}

/// The permissions of a schema, each with its bit, and where each type defines it.
#[derive(Clone, Debug)]
pub struct Names {
    schema: Arc<Schema>,
    bits: HashMap<String, u32>,
    house: Vec<(u32, DefId)>,
    collection: Vec<(u32, DefId)>,
    record: Vec<(u32, DefId)>,
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
            record: Vec::new(),
            levels: [None; 3],
        };
        for (id, def) in schema.defs().iter().enumerate() {
            let list = match def.type_name.as_str() {
                HOUSE => &mut names.house,
                COLLECTION => &mut names.collection,
                RECORD => &mut names.record,
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
    house: OnceLock<Place>,
    elsewhere: OnceLock<Place>,
    /// By the name of the collection; only such at which somebody was given something, so names that are made up take no room.
    places: RwLock<HashMap<String, Place>>,
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

    fn work_out(&self, names: &Names, object: &str) -> Place {
        let list = if object == HOUSE {
            &names.house
        } else {
            &names.collection
        };
        let mut given = [OTHERS, OWN]
            .map(|record| Tuple::new(record, OF_COLLECTION, object))
            .to_vec();
        given.extend(self.subject.iter().map(|subject| Tuple::new(OWN, OF_MAKER, subject)));
        let mut engine = Engine::with(&names.schema, &self.state.graph, &given, self.subject.as_deref());
        let mut whole = Held::default();
        for (bit, id) in list {
            if engine.holds(object, *id) {
                whole.add(*bit);
            }
        }
        let (mut others, mut own) = (whole, whole);
        if object != HOUSE {
            for (bit, id) in &names.record {
                others.put(*bit, engine.holds(OTHERS, *id));
                own.put(*bit, engine.holds(OWN, *id));
            }
        }
        Place { whole, others, own }
    }

    /// What it has of the house.
    pub fn house(&self, names: &Names) -> Place {
        *self.house.get_or_init(|| self.work_out(names, HOUSE))
    }

    /// What it has of every collection at which nothing was given.
    pub fn elsewhere(&self, names: &Names) -> Place {
        *self.elsewhere.get_or_init(|| self.work_out(names, ANY))
    }

    /// What it has of a collection.
    pub fn at(&self, names: &Names, name: &str) -> Place {
        let known = self.places.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = known.get(name) {
            return *place;
        }
        drop(known);
        let object = format!("{COLLECTION}:{name}");
        if self.subject.is_none() || !self.state.graph.is_place(&object) {
            return self.elsewhere(names);
        }
        let place = self.work_out(names, &object);
        let mut known = self.places.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(name.to_owned(), place);
        place
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
    pub fn places(&self, names: &Names) -> Vec<(&str, Place)> {
        self.given().map(|name| (name, self.at(names, name))).collect()
    }

    /// Has it this permission at any place?
    pub fn anywhere(&self, names: &Names, permission: &str) -> bool {
        names.has(self.house(names).whole, permission)
            || names.has(self.elsewhere(names).whole, permission)
            || self
                .given()
                .any(|name| names.has(self.at(names, name).whole, permission))
    }
}
