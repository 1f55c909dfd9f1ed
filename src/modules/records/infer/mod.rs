//! Inference: from documents, seen once and one by one, to a type that loses nothing of them.
//!
//! A kind is taken only if every value prints back byte for byte; an identifier is text. What is remembered per field is
//! bounded, so that a file of any length can be looked at whole. Decides nothing about rights and writes nothing.

mod decide;
mod guess;
mod node;
mod words;

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::contract::records::{Inference, RecordType};
use node::{Budget, Node};

/// Starts looking for a type. `cells`: the values are texts of a table whose kind is open.
pub(super) fn infer(name: &str, key: Option<&str>, cells: bool) -> Box<dyn Inference> {
    Box::new(Observed {
        name: name.to_owned(),
        key: key.map(str::to_owned),
        cells,
        rows: 0,
        root: Node::default(),
        budget: Budget::default(),
    })
}

struct Observed {
    name: String,
    key: Option<String>,
    cells: bool,
    rows: u64,
    root: Node,
    budget: Budget,
}

impl Inference for Observed {
    fn observe(&mut self, document: &Map<String, Value>) {
        self.rows += 1;
        self.root.object(document, 0, self.cells, &mut self.budget);
    }

    fn name(&mut self, names: &[String]) {
        // Not a row: a key that every row has stands in every row.
        let nothing = names.iter().map(|name| (name.clone(), Value::Null)).collect();
        self.root.object(&nothing, 0, self.cells, &mut self.budget);
    }

    fn finish(self: Box<Self>) -> RecordType {
        decide::decide(&self.name, self.key.as_deref(), self.cells, self.rows, self.root)
    }
}
