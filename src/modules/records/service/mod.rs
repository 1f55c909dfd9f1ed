//! Records as the other rooms use them: who may, transaction, store, ledger. The port's implementation is in `port.rs`.

pub mod batch;
mod called;
pub mod collection;
pub mod doubts;
mod edit;
pub mod embargo;
mod identify;
mod import;
mod levels;
pub mod numbers;
pub mod opening;
mod own;
pub mod planning;
mod port;
mod read;
pub mod reshape;
mod restore;
mod sets;
mod similar;
pub mod trees;
mod twins;
mod types;
pub mod unite;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Map, Value, json};

pub use collection::Misfits;
pub use edit::{Edit, NewRecord, Together, Written};
pub use own::Look;
pub use read::{List, Listed, Seen};
pub use sets::{TypeSet, pieces, sets, shipped};
pub use types::TypeWritten;

use super::model::path::{self, Leaf};
use crate::contract::access::Grants;
use crate::contract::records::{RecordState, RecordType, StoredType, TypeKeeper};
use crate::kernel::access::{Access, Caller, Level};
use crate::kernel::db::{Db, Kept, Signal, Tx};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::ledger::{self, NewSet, Position};

/// The largest state of a record, as JSON.
const MAX_STATE: usize = 4_000_000;

/// See the module's text.
pub struct Service {
    db: Db,
    access: Access,
    /// Definitions by type id. A version never changes, so an entry is right while its version is the head's.
    types: Mutex<HashMap<String, Arc<StoredType>>>,
    /// Those in use, by name. Each question about records asks for them.
    in_use: Kept<Vec<Arc<StoredType>>>,
    keepers: Mutex<Vec<Arc<dyn TypeKeeper>>>,
    /// Who may do what at a collection; that ends with the collection.
    grants: Option<Arc<dyn Grants>>,
    /// Fields whose values were taken beforehand, and where the ledger stood: type and field.
    prepared: Mutex<HashMap<(String, String), Position>>,
}

/// Who changes something, why, and through which door.
#[derive(Clone, Copy, Debug)]
pub struct Because<'a> {
    pub caller: &'a Caller,
    /// In the person's words; may be empty.
    pub reason: &'a str,
    /// `api`, `ui`, `cli`, `job`
    pub channel: &'a str,
}

impl Because<'_> {
    /// Opens the change set of one act.
    async fn open(&self, tx: &mut Tx<'_>, kind: &str) -> Result<String> {
        let mut origin = json!({ "channel": self.channel });
        if let Some(id) = &self.caller.request_id {
            origin["request"] = json!(id);
        }
        ledger::open_set(
            tx,
            &NewSet {
                kind,
                actor: &self.caller.actor(),
                reason: self.reason,
                origin,
            },
        )
        .await
    }
}

impl Service {
    pub fn new(db: Db, access: Access, grants: Option<Arc<dyn Grants>>) -> Self {
        Self {
            in_use: Kept::new(&db, Signal::Ledger, Duration::ZERO),
            db,
            access,
            grants,
            types: Mutex::default(),
            keepers: Mutex::default(),
            prepared: Mutex::default(),
        }
    }

    /// Who else keeps something about types.
    fn keepers(&self) -> Vec<Arc<dyn TypeKeeper>> {
        self.keepers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where it is all kept.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Who may do what.
    pub fn access(&self) -> &Access {
        &self.access
    }
}

/// What of a type every write needs: the fields that identify and those that link.
struct Rules<'a> {
    identifying: Vec<Leaf<'a>>,
    linking: Vec<Leaf<'a>>,
}

impl<'a> Rules<'a> {
    fn of(definition: &'a RecordType) -> Self {
        Self {
            identifying: path::identifying(definition),
            linking: path::linking(definition),
        }
    }
    fn identifiers(&self, document: &Map<String, Value>) -> Vec<(String, String)> {
        path::pairs(&self.identifying, document)
    }
    fn links(&self, document: &Map<String, Value>) -> Vec<(String, String)> {
        path::pairs(&self.linking, document)
    }
    /// The type a link field leads to.
    fn target(&self, field: &str) -> Option<&str> {
        self.linking
            .iter()
            .find(|l| l.path == field)
            .and_then(|l| l.field.target.as_deref())
    }
}

/// The ledger's text of a record's state.
fn state_text(type_name: &str, visibility: Level, document: &Map<String, Value>) -> Result<String> {
    #[derive(serde::Serialize)]
    struct State<'a> {
        r#type: &'a str,
        visibility: Level,
        document: &'a Map<String, Value>,
    }
    let text = serde_json::to_string(&State {
        r#type: type_name,
        visibility,
        document,
    })?;
    if text.len() > MAX_STATE {
        return Err(Error::new(
            Code::TooLarge,
            format!(
                "The record takes {} bytes; at most {MAX_STATE} are possible. Keep long texts and files beside it.",
                text.len()
            ),
        ));
    }
    Ok(text)
}

/// A state from the ledger's text; `None` for a deletion or a redacted state.
fn parse_state(text: Option<&str>) -> Result<Option<RecordState>> {
    text.map(serde_json::from_str).transpose().map_err(Error::from)
}
