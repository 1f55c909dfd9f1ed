//! Where the value of a field stands in a document: through groups, and in every item of lists on the way.

use serde_json::{Map, Value};

use crate::contract::records::Field;

/// Is a group on the way to a field a list?
pub fn passes_list(fields: &[Field], steps: &[String]) -> bool {
    let Some((first, rest)) = steps.split_first() else {
        return false;
    };
    let Some(field) = fields.iter().find(|field| field.name == *first) else {
        return false;
    };
    !rest.is_empty() && (field.repeated || passes_list(&field.fields, rest))
}

/// The values of a field, one or many.
pub fn listed(value: Option<Value>) -> Vec<Value> {
    match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items,
        Some(one) => vec![one],
    }
}

pub type Alter<'f> = dyn FnMut(Option<Value>) -> Result<Option<Value>, String> + 'f;

/// Changes the value under some names, in every item of the lists on the way.
pub fn alter(
    map: &mut Map<String, Value>,
    steps: &[String],
    makes: bool,
    change: &mut Alter<'_>,
) -> Result<(), String> {
    let Some((first, rest)) = steps.split_first() else {
        return Ok(());
    };
    if rest.is_empty() {
        match change(map.get(first).cloned())? {
            Some(value) => map.insert(first.clone(), value),
            None => map.shift_remove(first),
        };
        return Ok(());
    }
    match map.get_mut(first) {
        Some(Value::Object(inner)) => alter(inner, rest, makes, change),
        Some(Value::Array(items)) => items
            .iter_mut()
            .filter_map(Value::as_object_mut)
            .try_for_each(|inner| alter(inner, rest, makes, change)),
        None | Some(Value::Null) if makes => {
            let mut inner = Map::new();
            alter(&mut inner, rest, makes, change)?;
            if !inner.is_empty() {
                map.insert(first.clone(), Value::Object(inner));
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// Groups of a list that a change has made the same as another one of it stand there once. Those that nothing was changed in
/// stay, however often they stand there.
pub fn join_same(before: &Map<String, Value>, after: &mut Map<String, Value>, steps: &[String]) {
    let Some((first, rest)) = steps.split_first() else {
        return;
    };
    if rest.is_empty() {
        return;
    }
    match (before.get(first), after.get_mut(first)) {
        (Some(Value::Object(before)), Some(Value::Object(after))) => join_same(before, after, rest),
        (Some(Value::Array(before)), Some(Value::Array(items))) if before.len() == items.len() => {
            for (before, item) in before.iter().zip(items.iter_mut()) {
                if let (Value::Object(before), Value::Object(item)) = (before, item) {
                    join_same(before, item, rest);
                }
            }
            let changed = before.iter().zip(std::mem::take(items));
            *items = once(
                changed
                    .map(|(before, item)| {
                        let changed = *before != item;
                        (item, changed)
                    })
                    .collect(),
            );
        }
        _ => {}
    }
}

/// Values of a list, each with whether it was changed. What became the same as another one stands there once; what stood twice
/// before is left alone.
pub fn once(values: Vec<(Value, bool)>) -> Vec<Value> {
    let stands = |at: usize| {
        let (value, changed) = &values[at];
        let same =
            |(other, (one, touched)): (usize, &(Value, bool))| other != at && one == value && (!*touched || other < at);
        !changed || !values.iter().enumerate().any(same)
    };
    let kept: Vec<bool> = (0..values.len()).map(stands).collect();
    let both = values.into_iter().zip(kept);
    both.filter_map(|((value, _), kept)| kept.then_some(value)).collect()
}
