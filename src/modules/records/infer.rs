//! Which type fits a file. Until kinds are told apart here, it finds the names of fields and takes them as text.

use serde_json::{Map, Value};

use crate::contract::records::{Field, FieldKind, Inference, RecordType};
use crate::kernel::access::Level;

struct Names(RecordType);

/// Starts looking; see `Records::infer`.
pub(super) fn infer(name: &str, key: Option<&str>, _cells: bool) -> Box<dyn Inference> {
    Box::new(Names(RecordType {
        name: name.to_owned(),
        labels: Map::new(),
        title: None,
        key: key.map(str::to_owned),
        visibility: Level::default(),
        fields: Vec::new(),
    }))
}

impl Inference for Names {
    fn observe(&mut self, document: &Map<String, Value>) {
        for name in document.keys() {
            if !self.0.fields.iter().any(|f| f.name == *name) {
                self.0.fields.push(Field {
                    name: name.clone(),
                    kind: FieldKind::Text,
                    labels: Map::new(),
                    repeated: false,
                    required: false,
                    unique: false,
                    facet: false,
                    column: false,
                    level: Level::default(),
                    target: None,
                    min: None,
                    max: None,
                    values: Vec::new(),
                    fields: Vec::new(),
                });
            }
        }
    }
    fn finish(self: Box<Self>) -> RecordType {
        self.0
    }
}
