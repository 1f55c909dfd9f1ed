//! Which keys and records a file has named so far: a key that stands twice is refused the second time, and what a file no
//! longer has may be deleted. The newest of them are in memory, the others on the disk, however many rows there are.

use std::collections::HashMap;

use serde_json::Value;

use super::feed::hash;
use crate::kernel::error::{FieldIssue, Result};
use crate::modules::exchange::lookup::Places;
use crate::modules::exchange::read::Spool;
use crate::modules::exchange::shape::Shaped;

/// Names that are in memory.
const MOST: usize = 1 << 19;
/// Characters of a key that are shown.
const SHOWN: usize = 80;

/// See the module's text.
pub struct Seen {
    pub rows: i64,
    keys: Named,
    ids: Named,
    /// Rows of which it is not known which record they are.
    pub nameless: i64,
    /// What to know about how the file was read.
    pub notes: Vec<String>,
}

impl Seen {
    pub fn new(spool: &Spool) -> Self {
        Self {
            rows: 0,
            keys: Named::new(spool, MOST),
            ids: Named::new(spool, MOST),
            nameless: 0,
            notes: Vec::new(),
        }
    }

    /// Whether the file has named a record, by its id or by its key.
    pub fn has(&self, id: &str, key: Option<&str>) -> Result<bool> {
        if self.ids.row(hash(id))?.is_some() {
            return Ok(true);
        }
        match key {
            Some(key) => Ok(self.keys.row(hash(key))?.is_some()),
            None => Ok(false),
        }
    }

    /// Remembers who the row is; answers what is wrong where a key stands for the second time.
    pub(super) fn note(&mut self, row: i64, key: Option<&str>, shaped: &Shaped) -> Result<Option<FieldIssue>> {
        if let Some(id) = &shaped.id {
            self.ids.first(hash(id), row)?;
        }
        let Some(field) = key else { return Ok(None) };
        let value = match shaped.document.get(field) {
            Some(Value::String(text)) if !text.is_empty() => hash(text),
            Some(Value::Number(number)) => hash(&number.to_string()),
            _ => return Ok(None),
        };
        let first = self.keys.first(value, row)?;
        if first == row {
            return Ok(None);
        }
        let shown = shaped.document.get(field).map(Value::to_string).unwrap_or_default();
        let shown: String = shown.chars().take(SHOWN).collect();
        Ok(Some(FieldIssue {
            path: field.to_owned(),
            message: format!("The key {shown} stands already in row {first} of this file. Each record has one row."),
        }))
    }
}

/// Names by their hashes, each with the row that said it first.
struct Named {
    fresh: HashMap<u64, i64>,
    laid: Places,
    most: usize,
}

impl Named {
    fn new(spool: &Spool, most: usize) -> Self {
        Self {
            fresh: HashMap::new(),
            laid: Places::new(spool, most),
            most,
        }
    }

    fn row(&self, name: u64) -> Result<Option<i64>> {
        if let Some(row) = self.fresh.get(&name) {
            return Ok(Some(*row));
        }
        let laid = self.laid.find(name)?;
        Ok(laid.first().and_then(|row| i64::try_from(*row).ok()))
    }

    /// The row that said it first: this one, where nobody did before.
    fn first(&mut self, name: u64, row: i64) -> Result<i64> {
        if let Some(first) = self.row(name)? {
            return Ok(first);
        }
        if self.fresh.len() >= self.most {
            for (name, row) in self.fresh.drain() {
                self.laid.put(name, row.unsigned_abs())?;
            }
            self.laid.lay()?;
        }
        self.fresh.insert(name, row);
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_leads_to_the_row_that_said_it_first_however_many_there_are() {
        let mut named = Named::new(&Spool::at(std::env::temp_dir()), 300);
        for row in 1..=2_000 {
            // Every tenth says what stood somewhere before.
            let name = if row % 10 == 0 { row / 2 } else { row };
            let first = named.first(name as u64, row).unwrap();
            let was_said = row % 10 == 0 && name % 10 != 0;
            assert_eq!(first, if was_said { name } else { row }, "{row}");
        }
        assert_eq!(named.row(7).unwrap(), Some(7));
        assert_eq!(named.first(1_999, 5_000).unwrap(), 1_999);
        assert_eq!(named.first(11, 5_001).unwrap(), 11);
        assert_eq!(named.row(9_999).unwrap(), None);
        assert!(named.fresh.len() <= 300);
    }
}
