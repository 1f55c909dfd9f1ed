//! Taking back what a change set did to types: one it made goes when no record needs it, one it changed gets its text of
//! before where no value would be lost.

use std::collections::HashMap;

use super::{Touched, Undoing, store};
use crate::contract::records::{RECORDS_DELETE, RecordType, TYPES_WRITE};
use crate::contract::undo::{Restoration, WhyLeft};
use crate::kernel::access::{Level, Object};
use crate::kernel::db::Tx;
use crate::kernel::error::{Code, Result};
use crate::kernel::ledger::{self, NewVersion, Operation, TYPE};
use crate::modules::records::model::definition;
use crate::modules::records::model::tree::is_planted_anew;
use crate::modules::records::model::{path, validate};
use crate::modules::records::service::types::Values;
use crate::modules::records::service::{Service, parse_state};
use crate::modules::records::store::{self as heads, DELETED, LIVE, TypeHead};

/// Records that others wrote since, of a change that moved values: more are not looked at within a transaction.
const MOST_LATE: i64 = 1_000;

impl Service {
    pub(super) async fn restore_types(
        &self,
        tx: &mut Tx<'_>,
        undoing: &Undoing<'_>,
        ids: &[String],
        touched: &HashMap<String, Touched>,
        outcomes: &mut HashMap<String, Restoration>,
    ) -> Result<()> {
        if ids.is_empty() {
            return Ok(());
        }
        let mut made = HashMap::new();
        for state in store::made_whole(tx, undoing.of, ids).await? {
            made.insert((state.entity, state.version), state.document);
        }
        for id in ids {
            let Some(touched) = touched.get(id) else { continue };
            let text = made.get(&(id.clone(), touched.last)).and_then(Option::as_deref);
            let outcome = self.restore_type(tx, undoing, touched, text).await?;
            outcomes.insert(id.clone(), outcome);
        }
        Ok(())
    }

    async fn restore_type(
        &self,
        tx: &mut Tx<'_>,
        undoing: &Undoing<'_>,
        touched: &Touched,
        made: Option<&str>,
    ) -> Result<Restoration> {
        let left = |why| Ok(Restoration::Left(why));
        let before = touched.before.as_ref().and_then(|b| b.document.as_deref());
        let Some(text) = made.or(before) else {
            return left(WhyLeft::Redacted);
        };
        let definition: RecordType = serde_json::from_str(text)?;
        let name = &definition.name;
        let object = Object::Type(name);
        let level = self.access.level_in(&mut *tx, undoing.caller, TYPES_WRITE, &object);
        if level.await? != Some(Level::Restricted) {
            return left(WhyLeft::Forbidden);
        }
        tx.lock(&format!("records.type/{name}")).await?;
        let Some(head) = heads::type_head(&mut *tx, name).await? else {
            return left(WhyLeft::Gone);
        };
        let standing = heads::document(&mut *tx, &head.id, head.version).await?;
        let is_live = head.state == LIVE;
        let same = |text: Option<&str>| is_live && text.is_some() && standing.as_deref() == text;
        if (touched.to_nothing() && !is_live) || (!touched.to_nothing() && same(before)) {
            return Ok(Restoration::Already);
        }
        let is_deletion = touched.last_operation == Operation::Delete.as_str();
        let unchanged = head.version == touched.last || (is_deletion && !is_live) || same(made);
        if touched.to_nothing() {
            if heads::has_records(&mut *tx, name, false).await? {
                return left(WhyLeft::TypeInUse);
            }
            if !unchanged {
                return left(WhyLeft::ChangedSince);
            }
            return self.delete_empty(tx, undoing.set_id, head).await;
        }
        if !unchanged || touched.last - touched.first + 1 != touched.count {
            return left(WhyLeft::ChangedSince);
        }
        let Some(before) = before else {
            return left(WhyLeft::Redacted);
        };
        let before: RecordType = serde_json::from_str(before)?;
        self.put_before(tx, undoing, (&head, is_live), &definition, &before)
            .await
    }

    /// A change that moved values goes back as a whole: the type first, its records after it. That loses nothing where what
    /// others wrote since fits the type of before, too, and where whoever does it may put back every record.
    async fn goes_back(
        &self,
        tx: &mut Tx<'_>,
        undoing: &Undoing<'_>,
        head: &TypeHead,
        before: &RecordType,
    ) -> Result<bool> {
        if heads::moved_type(&mut *tx, undoing.of).await?.as_ref() != Some(&head.id) {
            return Ok(false);
        }
        let object = Object::Type(&head.name);
        let level = self.access.level_in(&mut *tx, undoing.caller, RECORDS_DELETE, &object);
        if level.await? != Some(Level::Restricted) {
            return Ok(false);
        }
        let late = heads::ids_since_set(&mut *tx, &head.id, &head.name, undoing.of, MOST_LATE + 1).await?;
        if late.len() as i64 > MOST_LATE {
            return Ok(false);
        }
        for row in heads::get_many(&mut *tx, &late).await? {
            let state = parse_state(row.document.as_deref())?;
            if state.is_some_and(|state| !validate::validate(before, &state.document).is_empty()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn delete_empty(&self, tx: &mut Tx<'_>, set: &str, head: TypeHead) -> Result<Restoration> {
        let now = tx.now();
        let head = TypeHead {
            version: head.version + 1,
            state: DELETED.to_owned(),
            ..head
        };
        if heads::advance_type(tx, &head, now).await? == 0 {
            return Err(super::interrupted());
        }
        let version = NewVersion {
            entity: head.id,
            version: head.version,
            kind: TYPE,
            operation: Operation::Delete,
            document: None,
        };
        ledger::append(tx, set, vec![version]).await?;
        Ok(Restoration::Removed)
    }

    async fn put_before(
        &self,
        tx: &mut Tx<'_>,
        undoing: &Undoing<'_>,
        (head, is_live): (&TypeHead, bool),
        standing: &RecordType,
        before: &RecordType,
    ) -> Result<Restoration> {
        // Looked at before anything is written, since what was written would stay.
        let identifies = !definition::newly_identifying(standing, before).is_empty();
        let is_other = is_live
            && heads::has_records(&mut *tx, &before.name, true).await?
            && (identifies
                || !definition::check_change(standing, before).is_empty()
                || is_planted_anew(standing, before));
        if is_other && (identifies || !self.goes_back(tx, undoing, head, before).await?) {
            return Ok(Restoration::Left(WhyLeft::TypeInUse));
        }
        let mut values = Values::Stay;
        if is_other {
            values = Values::Move;
            let kept: Vec<String> = path::identifying(before).into_iter().map(|leaf| leaf.path).collect();
            let gone = path::identifying(standing)
                .into_iter()
                .filter(|leaf| !kept.contains(&leaf.path));
            for leaf in gone {
                heads::drop_identifiers_of(tx, &before.name, &leaf.path).await?;
            }
        }
        match self.put_type_as(tx, undoing.set_id, before, values).await {
            Ok(_) if is_live => Ok(Restoration::Reverted),
            Ok(_) => Ok(Restoration::Revived),
            // Its own check comes before it writes.
            Err(error) if error.code() == Code::Invalid => Ok(Restoration::Left(WhyLeft::Unfit)),
            Err(error) => Err(error),
        }
    }
}
