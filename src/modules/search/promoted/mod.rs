//! Records that a curator shows first where exactly these words are asked for. Only who may see such a record is shown it.

mod store;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;

use super::service::{Item, Service};
use crate::contract::records::{RECORDS_READ, StoredType};
use crate::kernel::access::{Caller, Level, Object, Permission};
use crate::kernel::db::{Db, Kept, Signal, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::id::{is_id, new_id};
use crate::kernel::ledger;
use crate::kernel::search::{Answer, Hit, fold};

/// See what is asked for, and say what is shown first.
pub const SEARCH_CURATE: Permission = Permission("search.curate");

/// Records shown first for the same words, and rows in all.
const OF_WORDS: i64 = 10;
const MOST: i64 = 2_000;
/// Characters of the words.
const LONGEST: usize = 200;
/// How long another process may show what was before, should its wake-up be lost.
const ELSEWHERE: Duration = Duration::from_secs(5);

/// A record that is shown first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema, sqlx::FromRow)]
pub struct Promoted {
    pub id: String,
    /// Small and without accents, as they are compared.
    #[schema(example = "tea caddy")]
    pub words: String,
    #[schema(example = "01890a5d-ac96-774b-bcce-b302099a8057")]
    pub record_id: String,
}

/// Words as they are compared.
fn normal(text: &str) -> String {
    let folded = fold(text);
    folded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A record's id, given by itself or as the address of its page.
fn record_in(text: &str) -> &str {
    let path = text.trim().split(['?', '#']).next().unwrap_or_default();
    let last = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    last.split('.').next().unwrap_or_default()
}

/// Records by words, kept because every search asks.
pub struct ShownFirst(Kept<HashMap<String, Vec<String>>>);

impl ShownFirst {
    pub fn new(db: &Db) -> Self {
        Self(Kept::new(db, Signal::Promoted, ELSEWHERE))
    }
}

async fn by_words(db: &Db) -> Result<HashMap<String, Vec<String>>> {
    let mut by_words: HashMap<String, Vec<String>> = HashMap::new();
    for row in store::all(db, MOST).await? {
        by_words.entry(row.words).or_default().push(row.record_id);
    }
    Ok(by_words)
}

/// These records as if they had been found.
fn standing(ids: Vec<String>) -> Answer {
    let hits = ids.into_iter().map(|id| Hit {
        id,
        kind: ledger::RECORD.to_owned(),
        score: 0.0,
    });
    Answer {
        hits: hits.collect(),
        ..Answer::default()
    }
}

impl Service {
    /// What is shown first for these words, as far as the caller may see it, of these types.
    ///
    /// # Errors
    /// What the database and the port of records say.
    pub async fn promoted(&self, caller: &Caller, types: &[(Arc<StoredType>, Level)], text: &str) -> Result<Vec<Item>> {
        let words = normal(text);
        if words.is_empty() || words.chars().count() > LONGEST {
            return Ok(Vec::new());
        }
        let by_words = self.shown_first.0.get(by_words(&self.db)).await?;
        match by_words.get(&words) {
            Some(ids) => self.items(caller, types, &standing(ids.clone())).await,
            None => Ok(Vec::new()),
        }
    }

    /// Every record that is shown first, by words, with its title where the caller may see it.
    ///
    /// # Errors
    /// `Forbidden`; what the database says.
    pub async fn all_promoted(&self, caller: &Caller) -> Result<Vec<(Promoted, Option<String>)>> {
        self.access.require(caller, SEARCH_CURATE, &Object::House).await?;
        let rows = store::all(&self.db, MOST).await?;
        let types = self.types(caller, None).await?;
        let ids: Vec<String> = rows.iter().map(|row| row.record_id.clone()).collect();
        let items = self.items(caller, &types, &standing(ids)).await?;
        let title = |id: &str| {
            items
                .iter()
                .find(|item| item.record.id == id)
                .map(|item| item.title.clone())
        };
        Ok(rows
            .into_iter()
            .map(|row| {
                let title = title(&row.record_id);
                (row, title)
            })
            .collect())
    }

    /// Shows a record first for these words from now on. Saying it again changes nothing.
    ///
    /// # Errors
    /// `Forbidden`; `Invalid` for no words, a record that is not there, and beyond the limits.
    pub async fn promote(&self, caller: &Caller, words: &str, record: &str) -> Result<Promoted> {
        self.access.require(caller, SEARCH_CURATE, &Object::House).await?;
        let words = normal(words);
        if words.is_empty() || words.chars().count() > LONGEST || words.contains('\0') {
            return Err(Error::invalid(
                "words",
                format!("Words of at most {LONGEST} characters."),
            ));
        }
        let id = record_in(record);
        let seen = if is_id(id) {
            self.records.get_many(caller, &[id.to_owned()]).await?
        } else {
            Vec::new()
        };
        let Some(record) = seen.into_iter().next() else {
            return Err(Error::invalid(
                "record",
                "There is no such record. Give its id, or the address of its page.",
            ));
        };
        let object = Object::Record {
            id: &record.id,
            type_name: &record.type_name,
            visibility: record.visibility,
        };
        self.access.require(caller, RECORDS_READ, &object).await?;
        let new = Promoted {
            id: new_id(),
            words,
            record_id: record.id.clone(),
        };
        let new = &new;
        self.db
            .write(Write::interactive("search.promote"), |tx| {
                Box::pin(async move {
                    tx.lock("promoted results").await?;
                    let (all, of_words) = store::counts(tx, &new.words).await?;
                    if let Some(known) = store::find(tx, &new.words, &new.record_id).await? {
                        return Ok(known);
                    }
                    if all >= MOST || of_words >= OF_WORDS {
                        let text = format!(
                            "At most {OF_WORDS} records are shown first for the same words, and {MOST} in all. Take another one away first."
                        );
                        return Err(Error::invalid("words", text));
                    }
                    tx.signal(Signal::Promoted);
                    store::insert(tx, new).await?;
                    Ok(new.clone())
                })
            })
            .await
    }

    /// Shows a record first no longer.
    ///
    /// # Errors
    /// `Forbidden`, `NotFound`.
    pub async fn demote(&self, caller: &Caller, id: &str) -> Result<()> {
        self.access.require(caller, SEARCH_CURATE, &Object::House).await?;
        let gone = self
            .db
            .write(Write::interactive("search.demote"), |tx| {
                Box::pin(async move {
                    tx.signal(Signal::Promoted);
                    store::delete(tx, id).await
                })
            })
            .await?;
        if gone == 0 {
            return Err(Error::new(Code::NotFound, "There is no such promoted result."));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_records_are_read_as_people_give_them() {
        assert_eq!(normal("  Théière  À  Thé "), "theiere a the");
        for given in [
            "0199",
            " /records/0199 ",
            "http://localhost:8080/records/0199?x=1#y",
            "/records/0199.json",
            "/records/0199/",
        ] {
            assert_eq!(record_in(given), "0199", "{given}");
        }
    }
}
