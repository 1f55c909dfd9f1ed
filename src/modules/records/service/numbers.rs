//! Numbers given to records: in the transaction that makes the record, so that two never get the same and one that fails
//! takes none. A number stays with its record; blocks of them can be set aside, which the ledger keeps.

use serde_json::{Map, Value, json};

use super::{Because, Service};
use crate::contract::records::{Numbering, RECORDS_WRITE, RecordType};
use crate::kernel::access::{Caller, Level, Object};
use crate::kernel::clock::year;
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::id::new_id;
use crate::kernel::ledger::{self, NewVersion, Operation};
use crate::modules::records::model::number::{Pattern, numbered};
use crate::modules::records::model::{path, shorten};
use crate::modules::records::store::{self, Block};

/// Numbers looked at together for one that is free, and how often.
const TRIED: i64 = 100;
const ROUNDS: usize = 200;
/// Numbers of one block.
const MOST: i64 = 10_000;
/// Characters of a reason.
const REASON: usize = 1_000;
/// The kind of what the ledger keeps of a block.
const BLOCK: &str = "number-block";

/// A document with its numbers.
pub(super) struct Numbered {
    pub document: Map<String, Value>,
    /// Numbers in fields that the one who makes the record does not see.
    pub hidden: Map<String, Value>,
}

/// A scheme and how far it is.
#[derive(Clone, Debug)]
pub struct Scheme {
    pub field: String,
    pub numbering: Numbering,
    /// What is given next, unless somebody took it by hand; nothing where all are used up.
    pub next: Option<String>,
    /// What was given last in this row.
    pub last: Option<String>,
    /// How many are left, this year where it begins again.
    pub left: i64,
    pub blocks: Vec<Block>,
}

/// Numbers that were set aside.
pub struct Reserved {
    pub block: Block,
    pub numbers: Vec<String>,
}

impl Service {
    /// Gives the numbers that a new record is to have and looks at those that it brings.
    pub(super) async fn give_numbers(
        &self,
        tx: &mut Tx<'_>,
        definition: &RecordType,
        level: Level,
        document: &Map<String, Value>,
    ) -> Result<Numbered> {
        let mut whole = Numbered {
            document: document.clone(),
            hidden: Map::new(),
        };
        for (leaf, numbering) in numbered(definition) {
            let brought = path::values(document, &leaf.steps)
                .into_iter()
                .filter_map(path::text)
                .find(|t| !t.is_empty());
            if let Some(text) = brought {
                if leaf.level <= level {
                    self.may_bring(tx, definition, &leaf.path, numbering, &text).await?;
                }
                continue;
            }
            let number = self.next_number(tx, &definition.name, &leaf.path, numbering).await?;
            let into = if leaf.level <= level {
                &mut whole.document
            } else {
                &mut whole.hidden
            };
            path::put(into, &leaf.steps, Value::String(number));
        }
        Ok(whole)
    }

    /// By hand only where the scheme allows it, or out of a block that was set aside.
    async fn may_bring(
        &self,
        tx: &mut Tx<'_>,
        definition: &RecordType,
        field: &str,
        numbering: &Numbering,
        text: &str,
    ) -> Result<()> {
        if numbering.by_hand {
            return Ok(());
        }
        let pattern = read(numbering)?;
        if let Some(place) = pattern.read(text) {
            let period = period(numbering, place.year);
            if store::is_set_aside(tx, &definition.name, field, &period, place.counter).await? {
                return Ok(());
            }
        }
        let shown = shorten(text, 60);
        let message = format!(
            "is given when the record is saved. \"{shown}\" is in no block that was set aside: leave it empty."
        );
        Err(Error::invalid(field, message))
    }

    /// The next number that nobody has.
    pub(super) async fn next_number(
        &self,
        tx: &mut Tx<'_>,
        type_name: &str,
        field: &str,
        numbering: &Numbering,
    ) -> Result<String> {
        let pattern = read(numbering)?;
        let now = year(tx.now());
        let period = period(numbering, Some(now));
        for round in 0..ROUNDS {
            // One at first; where that one is taken, what follows is looked at together.
            let count = if round == 0 { 1 } else { TRIED };
            let first = store::count_on(tx, type_name, field, &period, numbering.start, count).await?;
            let numbers: Vec<String> = (first..first + count).map_while(|n| pattern.write(now, n)).collect();
            if numbers.is_empty() {
                return Err(used_up(field, numbering));
            }
            let taken = store::owners(&mut *tx, type_name, field, numbers.iter().map(String::as_str)).await?;
            let free = numbers.iter().position(|number| !taken.contains_key(number));
            if let Some(at) = free {
                let back = first + at as i64 + 1;
                if count > 1 {
                    store::count_back(tx, type_name, field, &period, back).await?;
                }
                return Ok(numbers[at].clone());
            }
        }
        let text = format!(
            "The next {} numbers of \"{field}\" are taken. Let its scheme begin further on.",
            ROUNDS as i64 * TRIED
        );
        Err(Error::new(Code::Conflict, text))
    }

    /// The schemes of a type and how far they are, as the caller may see them.
    pub async fn number_schemes(&self, caller: &Caller, name: &str) -> Result<Vec<Scheme>> {
        let stored = self.need_type(name).await?;
        let seen = self.shown_type(caller, &stored).await?;
        let definition = seen.ok_or_else(|| Error::not_found("type", name))?;
        self.access.require(caller, RECORDS_WRITE, &Object::Type(name)).await?;
        let now = year(self.db.clock().now());
        let mut schemes = Vec::new();
        for (leaf, numbering) in numbered(&definition) {
            let pattern = read(numbering)?;
            let period = period(numbering, Some(now));
            let next = store::next_counter(&self.db, name, &leaf.path, &period).await?;
            let next = next.unwrap_or(numbering.start).max(numbering.start);
            let last = (next > numbering.start).then(|| pattern.write(now, next - 1)).flatten();
            schemes.push(Scheme {
                next: pattern.write(now, next),
                last,
                left: (pattern.last() - next + 1).max(0),
                blocks: store::blocks(&self.db, name, &leaf.path).await?,
                field: leaf.path,
                numbering: numbering.clone(),
            });
        }
        Ok(schemes)
    }

    /// Sets a block of numbers aside, for labels that are written before the records are made.
    ///
    /// # Errors
    /// `Invalid` for a field without a scheme or a wrong count, `Conflict` where so many are not left.
    pub async fn reserve_numbers(&self, why: &Because<'_>, name: &str, field: &str, count: i64) -> Result<Reserved> {
        let schemes = self.number_schemes(why.caller, name).await?;
        let Some(scheme) = schemes.into_iter().find(|scheme| scheme.field == field) else {
            let text = format!("There is no field \"{}\" whose numbers are given.", shorten(field, 60));
            return Err(Error::invalid("field", text));
        };
        if !(1..=MOST).contains(&count) {
            return Err(Error::invalid("count", format!("is 1 to {MOST}.")));
        }
        if why.reason.chars().count() > REASON || why.reason.contains('\0') {
            return Err(Error::invalid(
                "reason",
                format!("At most {REASON} characters, without NUL."),
            ));
        }
        let (owner, numbering) = (&why.caller.actor(), &scheme.numbering);
        let write = self.db.write(Write::interactive("records.numbers"), |tx| {
            Box::pin(async move {
                let pattern = read(numbering)?;
                let now = year(tx.now());
                let period = period(numbering, Some(now));
                let first = store::count_on(tx, name, field, &period, numbering.start, count).await?;
                let numbers: Vec<String> = (first..first + count).map_while(|n| pattern.write(now, n)).collect();
                let (Some(first_number), Some(last_number)) = (numbers.first().cloned(), numbers.last().cloned()) else {
                    return Err(used_up(field, numbering));
                };
                if (numbers.len() as i64) < count {
                    return Err(used_up(field, numbering));
                }
                let block = Block {
                    id: new_id(),
                    period,
                    first,
                    last: first + count - 1,
                    first_number,
                    last_number,
                    owner: owner.clone(),
                    reason: why.reason.to_owned(),
                    created_at: tx.now(),
                };
                let set = why.open(tx, "number.reserve").await?;
                let document = json!({ "type": name, "field": field, "first": block.first_number, "last": block.last_number, "count": count });
                let version = NewVersion {
                    entity: block.id.clone(),
                    version: 1,
                    kind: BLOCK,
                    operation: Operation::Create,
                    document: Some(document.to_string()),
                };
                ledger::append(tx, &set, vec![version]).await?;
                store::set_aside(tx, name, field, &block).await?;
                Ok(Reserved { block, numbers })
            })
        });
        write.await
    }
}

/// A number that was given stays with its record.
pub(super) fn kept(
    definition: &RecordType,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
) -> Vec<FieldIssue> {
    let mut issues = Vec::new();
    for (leaf, _) in numbered(definition) {
        let said = |document| {
            path::values(document, &leaf.steps)
                .into_iter()
                .filter_map(path::text)
                .find(|t| !t.is_empty())
        };
        let Some(was) = said(before) else { continue };
        if said(after).as_ref() != Some(&was) {
            issues.push(FieldIssue {
                path: leaf.path.clone(),
                message: format!(
                    "is the number \"{}\", which was given and stays with its record.",
                    shorten(&was, 60)
                ),
            });
        }
    }
    issues
}

/// The row that a number is counted in: a year's own, where it begins again with each.
fn period(numbering: &Numbering, year: Option<i32>) -> String {
    match year {
        Some(year) if numbering.yearly => year.to_string(),
        _ => String::new(),
    }
}

fn read(numbering: &Numbering) -> Result<Pattern> {
    Pattern::of(numbering).map_err(|wrong| Error::internal(anyhow::anyhow!("a stored scheme {wrong}")))
}

fn used_up(field: &str, numbering: &Numbering) -> Error {
    let of = if numbering.yearly { " of this year" } else { "" };
    let text = format!(
        "The numbers{of} of \"{field}\" are used up: \"{}\" has no more digits. Give its scheme more.",
        numbering.pattern
    );
    Error::new(Code::Conflict, text)
}
