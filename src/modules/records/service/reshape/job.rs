//! The job `records.reshape`. A killed one begins again and finds only what is left; what cannot move stays, by name, and
//! then the type keeps both forms.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Order, Refusal, TOLD};
use crate::contract::records::{RecordState, RecordType, StoredType, TYPES_WRITE};
use crate::kernel::access::Object;
use crate::kernel::db::{Tx, Write};
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::jobs::JobContext;
use crate::kernel::ledger::{self, Position};
use crate::modules::records::model::reshape::{Moved, Plan};
use crate::modules::records::model::shape;
use crate::modules::records::service::batch::words;
use crate::modules::records::service::identify::late;
use crate::modules::records::service::restore::{self, Put, Wish};
use crate::modules::records::service::types::Values;
use crate::modules::records::service::{Rules, Service, parse_state, state_text};
use crate::modules::records::store::{self, Row};

/// Records of one transaction.
const STEP: i64 = 200;
/// Tries of a step that somebody else is in the way of, and times that all records are gone through.
const TRIES: usize = 6;
const ROUNDS: usize = 8;

/// How far one time through all records came.
#[derive(Debug, Default)]
struct Tally {
    changed: i64,
    aside: i64,
    refused: i64,
    refusals: Vec<Refusal>,
}

impl Service {
    /// The job of [`Service::reshape`].
    ///
    /// # Errors
    /// Where the type was changed meanwhile; what the database says. What was moved so far stands, and nothing is lost.
    pub async fn run_reshape(&self, context: JobContext) -> Result<Value> {
        let order: Order = context.payload()?;
        let name = order.type_name.as_str();
        self.access
            .require(&context.caller, TYPES_WRITE, &Object::Type(name))
            .await?;
        let text = store::document(&self.db, &order.type_id, order.base).await?;
        let before: RecordType = match text {
            Some(text) => serde_json::from_str(&text)?,
            None => return Err(Error::not_found("type", name)),
        };
        let plan = Plan::of(&before, &order.step, order.rest)?;
        for _ in 0..ROUNDS {
            let since = ledger::settled(&self.db).await?;
            let tally = self.go_through(&context, &order, &plan).await?;
            // Once more, until nothing is left that somebody wrote meanwhile.
            if tally.changed > 0 {
                continue;
            }
            match self.end_reshape(&context, &order, &plan, since, &tally).await {
                Err(error) if error.code() == Code::Busy => context.check()?,
                ended => return ended,
            }
        }
        let text = "Others change the same records all the time. The change of the type goes on later.";
        Err(Error::new(Code::Busy, text))
    }

    async fn go_through(&self, context: &JobContext, order: &Order, plan: &Plan) -> Result<Tally> {
        let name = order.type_name.as_str();
        let total = store::count_of_type(&self.db, name).await?;
        let (mut tally, mut after, mut seen) = (Tally::default(), String::new(), 0);
        loop {
            context.check()?;
            let ids = store::ids_after(&self.db, name, &after, STEP).await?;
            let Some(last) = ids.last() else { return Ok(tally) };
            after.clone_from(last);
            self.move_some(context, order, plan, &ids, &mut tally).await?;
            seen += ids.len() as i64;
            context.progress(seen, Some(total.max(seen)), "").await?;
        }
    }

    /// Moves the values of some records, again where somebody else was faster.
    async fn move_some(
        &self,
        context: &JobContext,
        order: &Order,
        plan: &Plan,
        ids: &[String],
        tally: &mut Tally,
    ) -> Result<()> {
        for _ in 0..TRIES {
            let stored = self.interim(order).await?;
            let mut puts = Vec::new();
            let mut step = Tally::default();
            for row in store::get_many(&self.db, ids)
                .await?
                .into_iter()
                .filter(|row| !row.deleted())
            {
                consider(&stored.definition, plan, row, &mut puts, &mut step)?;
            }
            match self.write_some(order, &stored, &puts, &mut step).await {
                Ok(()) => {
                    tally.changed += step.changed;
                    tally.aside += step.aside;
                    tally.refused += step.refused;
                    tally.refusals.extend(step.refusals);
                    tally.refusals.truncate(TOLD);
                    return Ok(());
                }
                Err(error) if error.code() == Code::Busy => context.check()?,
                Err(error) => return Err(error),
            }
        }
        let text = "Others change the same records all the time. The change of the type goes on later.";
        Err(Error::new(Code::Busy, text))
    }

    /// The type as it is while values move.
    async fn interim(&self, order: &Order) -> Result<Arc<StoredType>> {
        let stored = self.need_type(&order.type_name).await?;
        if stored.version == order.interim {
            Ok(stored)
        } else {
            Err(changed_meanwhile(&order.type_name))
        }
    }

    async fn write_some(&self, order: &Order, stored: &Arc<StoredType>, puts: &[Put], step: &mut Tally) -> Result<()> {
        if puts.is_empty() {
            return Ok(());
        }
        let name = order.type_name.as_str();
        let rules = Rules::of(&stored.definition);
        let wishes: Vec<Wish> = puts.iter().map(|put| wish(&rules, put)).collect();
        let wishes = &wishes;
        let write = self.db.write(Write::bulk("records.reshape"), |tx| {
            Box::pin(async move {
                let held = self.type_in(tx, name).await?;
                if held.is_none_or(|held| held.version != order.interim) {
                    return Err(changed_meanwhile(name));
                }
                let facts = restore::facts(tx, wishes).await?;
                let left = restore::settle(wishes, &facts);
                let kept = puts.iter().filter(|put| !left.contains_key(&put.row.id));
                let kept: Vec<Put> = kept.cloned().collect();
                let types = HashMap::from([(name.to_owned(), stored.clone())]);
                restore::write(tx, &order.set_id, kept, &types).await?;
                Ok(left)
            })
        });
        let left = write.await?;
        step.changed = puts.len() as i64 - left.len() as i64;
        for put in puts {
            if let Some(why) = left.get(&put.row.id) {
                let title = shape::title(&stored.definition, &put.state.document);
                step.refuse(put.row.id.clone(), title, words(*why).to_owned());
            }
        }
        Ok(())
    }

    /// The last transaction: the type becomes what it is to be, if no record needs what goes.
    async fn end_reshape(
        &self,
        context: &JobContext,
        order: &Order,
        plan: &Plan,
        since: Position,
        tally: &Tally,
    ) -> Result<Value> {
        let name = order.type_name.as_str();
        let write = self.db.write(Write::interactive("types.reshape"), |tx| {
            Box::pin(async move {
                let held = store::type_head(&mut *tx, name).await?;
                if held.is_none_or(|head| head.version != order.interim) {
                    return Err(changed_meanwhile(name));
                }
                let finished = tally.refused == 0;
                if finished {
                    // From here on nobody writes records under what the type was.
                    self.put_type_as(tx, &order.set_id, &plan.done, Values::Move).await?;
                    let ids = late(tx, name, since).await?;
                    nothing_left(tx, plan, &ids).await?;
                }
                let changed = store::records_of_set(&mut *tx, &order.set_id).await?;
                let result = json!({
                    "type": name, "do": order.step.name(), "fields": order.step.fields(), "change": order.set_id,
                    "changed": changed, "kept": order.rest, "refused": tally.refused,
                    "refusals": tally.refusals, "finished": finished,
                });
                context.finish_with(tx, &result).await?;
                Ok(result)
            })
        });
        write.await
    }
}

impl Tally {
    fn refuse(&mut self, id: String, title: String, why: String) {
        self.refused += 1;
        if self.refusals.len() < TOLD {
            self.refusals.push(Refusal { id, title, why });
        }
    }
}

fn changed_meanwhile(name: &str) -> Error {
    let text = format!(
        "The type \"{name}\" was changed while its values moved. What was moved stands and nothing is lost: look at the \
         type and change it once more, or undo this change."
    );
    Error::new(Code::Conflict, text)
}

fn wish(rules: &Rules<'_>, put: &Put) -> Wish {
    Wish {
        id: put.row.id.clone(),
        type_name: put.row.type_name.clone(),
        is_removed: false,
        identifiers: rules.identifiers(&put.state.document),
        // They lead where they led.
        links: Vec::new(),
    }
}

/// What becomes of one record.
fn consider(definition: &RecordType, plan: &Plan, row: Row, puts: &mut Vec<Put>, step: &mut Tally) -> Result<()> {
    let Some(state) = parse_state(row.document.as_deref())? else {
        return Ok(());
    };
    match plan.apply(&state.document) {
        Ok(None) => {}
        Ok(Some(Moved { document, aside })) => {
            let was = Some(state.document.clone());
            let state = RecordState { document, ..state };
            match state_text(&state.type_name, state.visibility, &state.document) {
                Ok(text) => {
                    step.aside += aside as i64;
                    puts.push(Put { row, was, state, text });
                }
                Err(error) if error.code() == Code::TooLarge => {
                    step.refuse(
                        row.id,
                        shape::title(definition, &state.document),
                        error.detail().to_owned(),
                    );
                }
                Err(error) => return Err(error),
            }
        }
        Err(why) => step.refuse(row.id, shape::title(definition, &state.document), why),
    }
    Ok(())
}

/// Records that were written since and still say something in what goes.
async fn nothing_left(tx: &mut Tx<'_>, plan: &Plan, ids: &[String]) -> Result<()> {
    for row in store::get_many(&mut *tx, ids).await? {
        let Some(state) = parse_state(row.document.as_deref())?.filter(|_| !row.deleted()) else {
            continue;
        };
        if plan.apply(&state.document) != Ok(None) {
            let text = "A record was written while the type changed. It is looked at once more.";
            return Err(Error::new(Code::Busy, text));
        }
    }
    Ok(())
}
