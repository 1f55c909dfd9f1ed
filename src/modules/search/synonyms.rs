//! Words that mean the same in a collection, said where it shows that people look for one of them. They stand in the
//! definition of the type, where they can be edited, too.

use serde_json::json;

use super::service::Service;
use crate::contract::records::{RecordType, StoredType, TYPES_WRITE};
use crate::kernel::access::{Caller, Object};
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::ledger::{self, NewSet};
use crate::kernel::search::fold;

/// Words as they are compared.
fn folded(word: &str) -> String {
    fold(word).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The words of a line, each once, one space between theirs.
fn words(line: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for word in line.split(',') {
        let word = word.split_whitespace().collect::<Vec<_>>().join(" ");
        if !word.is_empty() && !found.iter().any(|known| folded(known) == folded(&word)) {
            found.push(word);
        }
    }
    found
}

/// The groups with one more: what one of them has already joins it.
fn joined(groups: &[String], new: &[String]) -> Vec<String> {
    let has = |group: &String| {
        let known = words(group);
        known
            .iter()
            .any(|word| new.iter().any(|other| folded(word) == folded(other)))
    };
    let mut whole: Vec<String> = Vec::new();
    let (old, mut left): (Vec<&String>, Vec<&String>) = groups.iter().partition(|group| has(group));
    for word in old.iter().flat_map(|group| words(group)).chain(new.iter().cloned()) {
        if !whole.iter().any(|known| folded(known) == folded(&word)) {
            whole.push(word);
        }
    }
    let line = whole.join(", ");
    left.push(&line);
    left.into_iter().cloned().collect()
}

impl Service {
    /// Says that these words, with commas between, mean the same in a collection.
    ///
    /// # Errors
    /// `Forbidden`; `NotFound` for the type; `Invalid` for fewer than two words and beyond the limits of a type; `Stale`
    /// where somebody changed the type at the same time.
    pub async fn mean_the_same(&self, caller: &Caller, type_name: &str, line: &str) -> Result<StoredType> {
        let object = Object::Type(type_name);
        self.types(caller, Some(type_name)).await?;
        self.access.require(caller, TYPES_WRITE, &object).await?;
        let new = words(line);
        if new.len() < 2 || line.chars().any(char::is_control) {
            let rule = "Two words or more with commas between, such as \"sofa, couch\".";
            return Err(Error::invalid("words", rule));
        }
        let Some(standing) = self.records.record_type(type_name).await? else {
            return Err(Error::not_found("type", type_name));
        };
        let definition = RecordType {
            synonyms: joined(&standing.definition.synonyms, &new),
            ..standing.definition.clone()
        };
        let (definition, base) = (&definition, standing.version);
        let write = self.db.write(Write::interactive("search.synonyms"), |tx| {
            Box::pin(async move {
                let set = NewSet {
                    kind: "type.edit",
                    actor: &caller.actor(),
                    reason: "",
                    origin: json!({ "channel": "ui" }),
                };
                let set = ledger::open_set(tx, &set).await?;
                let stored = self.records.put_type(tx, &set, definition).await?;
                if stored.version > base + 1 {
                    return Err(Error::new(
                        Code::Stale,
                        "Somebody changed the collection at the same time. Try again.",
                    ));
                }
                Ok(stored)
            })
        });
        write.await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(groups: &[&str], new: &str) -> String {
        let groups: Vec<String> = groups.iter().map(|group| (*group).to_owned()).collect();
        joined(&groups, &words(new)).join(" | ")
    }

    #[test]
    fn groups_grow_and_become_one() {
        assert_eq!(told(&[], " sofa,  couch ,Sofa,"), "sofa, couch");
        assert_eq!(told(&["cup, mug"], "sofa, couch"), "cup, mug | sofa, couch");
        assert_eq!(
            told(&["cup, mug", "SÓFA, settee"], "sofa, couch"),
            "cup, mug | SÓFA, settee, couch"
        );
        assert_eq!(told(&["a, b", "c, d"], "b, c"), "a, b, c, d");
        assert_eq!(told(&["tea  pot, kettle"], "tea pot, kettle"), "tea pot, kettle");
    }
}
