//! What to know about how a file is read. Found while reading, so it is shared between the reader and whoever reports.

use std::sync::{Arc, Mutex, PoisonError};

use super::look::Warning;

/// Kinds of notes that are kept.
const MOST: usize = 50;

/// See the module's text. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Notes(Arc<Mutex<Vec<(Warning, u64)>>>);

impl Notes {
    /// Notes something; of several of a kind the first is told and the rest counted.
    pub(super) fn add(&self, code: &str, message: impl FnOnce() -> String) {
        let mut notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = notes.iter_mut().find(|(note, _)| note.code == code) {
            *count += 1;
        } else if notes.len() < MOST {
            let warning = Warning {
                code: code.to_owned(),
                message: message(),
            };
            notes.push((warning, 1));
        }
    }

    /// What is known so far.
    pub fn list(&self) -> Vec<Warning> {
        let notes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let told = |(note, count): &(Warning, u64)| Warning {
            code: note.code.clone(),
            message: match count {
                1 => note.message.clone(),
                many => format!("{} ({many} times so far.)", note.message),
            },
        };
        notes.iter().map(told).collect()
    }
}
