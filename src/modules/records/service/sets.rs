//! The types that come with the program, and the sets of them that a house can begin with. Text in `assets/models`.

use std::sync::LazyLock;

use rust_embed::RustEmbed;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Because, Service};
use crate::contract::records::{Field, RecordType, TYPES_WRITE};
use crate::kernel::access::Object;
use crate::kernel::db::Write;
use crate::kernel::error::{Error, Result};
use crate::kernel::ledger::Position;
use crate::modules::records::model::shorten;
use crate::modules::records::store;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets/models"]
struct Models;

/// Where sets, and pieces of types, stand among the types.
const SETS: &str = "sets/";
const PIECES: &str = "pieces/";

/// The types that come with the program, by name. One that cannot be read is left out here and fails a test.
static SHIPPED: LazyLock<Vec<RecordType>> = LazyLock::new(|| read(|path| !path.contains('/')));

/// The sets, in the order in which they are offered. One that cannot be read is left out here and fails a test.
static OFFERED: LazyLock<Vec<TypeSet>> = LazyLock::new(|| {
    let mut sets: Vec<TypeSet> = read(|path| path.starts_with(SETS));
    sets.sort_by_key(|set| set.order);
    sets
});

/// Fields of several parts that are offered where one is added.
static PARTS: LazyLock<Vec<Field>> = LazyLock::new(|| read(|path| path.starts_with(PIECES)));

/// Types that belong together.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TypeSet {
    pub name: String,
    /// Where it stands among the others.
    pub order: u8,
    pub labels: Map<String, Value>,
    pub description: Map<String, Value>,
    /// Names of types that come with the program.
    pub types: Vec<String>,
}

impl TypeSet {
    /// Its types, in its order.
    pub fn definitions(&self) -> Vec<&'static RecordType> {
        let found = self
            .types
            .iter()
            .filter_map(|name| shipped().iter().find(|shipped| shipped.name == *name));
        found.collect()
    }
}

fn read<T: serde::de::DeserializeOwned>(wanted: impl Fn(&str) -> bool) -> Vec<T> {
    let texts = Models::iter()
        .filter(|path| path.ends_with(".toml") && wanted(path))
        .filter_map(|path| Models::get(&path));
    texts
        .filter_map(|file| toml::from_str(&String::from_utf8_lossy(&file.data)).ok())
        .collect()
}

/// Every shipped type.
pub fn shipped() -> &'static [RecordType] {
    &SHIPPED
}

/// Fields of several parts, such as coordinates or a measurement.
pub fn pieces() -> &'static [Field] {
    &PARTS
}

/// Every set that a house can begin with.
pub fn sets() -> &'static [TypeSet] {
    &OFFERED
}

/// What beginning with a set came to.
#[derive(Clone, Debug, Default)]
pub struct Begun {
    /// Names of the types that were made.
    pub made: Vec<String>,
    /// Those that stood already; they stay as they are.
    pub kept: Vec<String>,
    pub position: Option<Position>,
}

impl Service {
    /// Makes the types of a set that are not there yet, as one change set.
    ///
    /// # Errors
    /// `NotFound` for a set that is not known, `Forbidden` without the right to make types.
    pub async fn begin_set(&self, why: &Because<'_>, name: &str) -> Result<Begun> {
        let set = sets().iter().find(|set| set.name == name);
        let set = set.ok_or_else(|| Error::not_found("set of types", &shorten(name, 60)))?;
        for definition in set.definitions() {
            let object = Object::Type(&definition.name);
            self.access.require(why.caller, TYPES_WRITE, &object).await?;
        }
        let write = self.db.write(Write::interactive("types.begin"), |tx| {
            Box::pin(async move {
                let mut begun = Begun::default();
                let (mut wanted, mut set_id) = (Vec::new(), String::new());
                for definition in set.definitions() {
                    match store::type_head(&mut *tx, &definition.name).await? {
                        Some(head) if head.state == store::LIVE => begun.kept.push(definition.name.clone()),
                        _ => wanted.push(definition),
                    }
                }
                for definition in wanted {
                    if set_id.is_empty() {
                        set_id = why.open(tx, "type.begin").await?;
                    }
                    let written = self.put_type_in(tx, &set_id, definition).await?;
                    begun.position = written.position.or(begun.position);
                    begun.made.push(definition.name.clone());
                }
                Ok(begun)
            })
        });
        write.await
    }
}
