//! Decides about one record by itself: whether it is as the change left it, and to which state it goes back. What was changed
//! since stays, or goes back field by field, or as a whole, as somebody decided.

use std::sync::Arc;

use super::super::{parse_state, state_text};
use super::{Plan, Put, Touched};
use crate::contract::records::{RecordState, StoredType};
use crate::contract::undo::{Insist, Restoration, WhyLeft};
use crate::kernel::error::Result;
use crate::kernel::ledger::Operation;
use crate::modules::records::model::merge::{Side, States, merged, units};
use crate::modules::records::model::validate;
use crate::modules::records::store::Row;

fn left(why: WhyLeft) -> Result<Plan> {
    Ok(Plan::Done(Restoration::Left(why)))
}

/// Decides about one record. `made` is what the change left it as, where it has moved on.
pub(super) fn plan(
    row: Row,
    touched: &Touched,
    made: Option<&str>,
    definition: Option<&Arc<StoredType>>,
    insist: Insist,
) -> Result<Plan> {
    let same = |text: Option<&str>| !row.deleted() && text.is_some() && row.document.as_deref() == text;
    let before = touched.before.as_ref().and_then(|b| b.document.as_deref());
    if (touched.to_nothing() && row.deleted()) || (!touched.to_nothing() && same(before)) {
        return Ok(Plan::Done(Restoration::Already));
    }
    let is_deletion = touched.last_operation == Operation::Delete.as_str();
    let unchanged = row.version == touched.last || (is_deletion && row.deleted()) || same(made);
    // Somebody else changed it between two steps of the change: neither of them is the state before.
    let is_mixed = touched.last - touched.first + 1 != touched.count;
    if !unchanged || is_mixed {
        match insist {
            Insist::Whole => {}
            Insist::Fields if !is_mixed && !touched.to_nothing() => return fields(row, before, made, definition),
            Insist::Fields | Insist::No => return left(WhyLeft::ChangedSince),
        }
    }
    if touched.to_nothing() {
        return Ok(Plan::Remove(Box::new(row)));
    }
    let Some(definition) = definition else {
        return left(if before.is_some() {
            WhyLeft::TypeGone
        } else {
            WhyLeft::Redacted
        });
    };
    let (Some(text), Some(state)) = (before, parse_state(before)?) else {
        return left(WhyLeft::Redacted);
    };
    let text = text.to_owned();
    put(row, definition, state, text)
}

/// Puts back the fields that the change altered and that are still as it left them; all others stay as they are.
fn fields(row: Row, before: Option<&str>, made: Option<&str>, definition: Option<&Arc<StoredType>>) -> Result<Plan> {
    let Some(definition) = definition else {
        return left(WhyLeft::TypeGone);
    };
    if row.deleted() {
        return left(WhyLeft::ChangedSince);
    }
    let states = (
        parse_state(before)?,
        parse_state(made)?,
        parse_state(row.document.as_deref())?,
    );
    let (Some(before), Some(made), Some(now)) = states else {
        return left(WhyLeft::Redacted);
    };
    let differing = units(
        &definition.definition.fields,
        States {
            base: &made.document,
            mine: &before.document,
            theirs: &now.document,
        },
    );
    let untouched = differing.iter().filter(|unit| unit.only == Some(Side::Mine));
    let visibility = if now.visibility == made.visibility {
        before.visibility
    } else {
        now.visibility
    };
    if untouched.clone().next().is_none() && visibility == now.visibility {
        return left(WhyLeft::ChangedSince);
    }
    let state = RecordState {
        document: merged(&now.document, untouched.map(|unit| (unit, Side::Mine))),
        visibility,
        type_name: now.type_name,
    };
    let text = state_text(&state.type_name, state.visibility, &state.document)?;
    put(row, definition, state, text)
}

fn put(row: Row, definition: &Arc<StoredType>, state: RecordState, text: String) -> Result<Plan> {
    if !validate::validate(&definition.definition, &state.document).is_empty() {
        return left(WhyLeft::Unfit);
    }
    let was = if row.deleted() {
        None
    } else {
        parse_state(row.document.as_deref())?.map(|s| s.document)
    };
    Ok(Plan::Put(Box::new(Put { text, row, was, state })))
}
