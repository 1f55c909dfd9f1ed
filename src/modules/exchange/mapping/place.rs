//! Where values go in a document: into lists, groups and lists of groups. No I/O.

use serde_json::{Map, Value};

/// A step on the way to a field.
#[derive(Clone, Debug)]
pub struct Step {
    pub name: String,
    pub repeated: bool,
}

/// Puts values at a place: in a list all of them, in a list of groups one into each, else the first.
pub fn put(document: &mut Map<String, Value>, steps: &[Step], mut values: Vec<Value>) {
    let Some((first, rest)) = steps.split_first() else {
        return;
    };
    if rest.is_empty() {
        let value = if first.repeated {
            let before = match document.shift_remove(&first.name) {
                Some(Value::Array(before)) => before,
                _ => Vec::new(),
            };
            Value::Array(before.into_iter().chain(values).collect())
        } else {
            values.truncate(1);
            values.pop().unwrap_or(Value::Null)
        };
        document.insert(first.name.clone(), value);
        return;
    }
    let standing = document.entry(first.name.clone());
    if !first.repeated {
        if let Value::Object(inner) = standing.or_insert_with(|| Value::Object(Map::new())) {
            put(inner, rest, values);
        }
        return;
    }
    let Value::Array(groups) = standing.or_insert_with(|| Value::Array(Vec::new())) else {
        return;
    };
    let together = rest.iter().any(|step| step.repeated);
    let parts: Vec<Vec<Value>> = if together {
        vec![values]
    } else {
        values.into_iter().map(|value| vec![value]).collect()
    };
    for (at, part) in parts.into_iter().enumerate() {
        while groups.len() <= at {
            groups.push(Value::Object(Map::new()));
        }
        if let Some(Value::Object(inner)) = groups.get_mut(at) {
            put(inner, rest, part);
        }
    }
}

/// Takes away what stands at a place, in each group.
pub fn take(document: &mut Map<String, Value>, steps: &[Step]) {
    let Some((first, rest)) = steps.split_first() else {
        return;
    };
    if rest.is_empty() {
        document.shift_remove(&first.name);
        return;
    }
    match document.get_mut(&first.name) {
        Some(Value::Object(inner)) => take(inner, rest),
        Some(Value::Array(groups)) => {
            for group in groups {
                if let Value::Object(inner) = group {
                    take(inner, rest);
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn steps(path: &[(&str, bool)]) -> Vec<Step> {
        let step = |(name, repeated): &(&str, bool)| Step {
            name: (*name).to_owned(),
            repeated: *repeated,
        };
        path.iter().map(step).collect()
    }

    #[test]
    fn values_find_their_place_in_groups_and_lists() {
        let mut document = Map::new();
        let values = |texts: &[&str]| texts.iter().map(|text| Value::from(*text)).collect::<Vec<Value>>();
        put(
            &mut document,
            &steps(&[("makers", true), ("name", false)]),
            values(&["Ada", "Bo"]),
        );
        put(
            &mut document,
            &steps(&[("makers", true), ("role", false)]),
            values(&["painter"]),
        );
        put(
            &mut document,
            &steps(&[("place", false), ("names", true)]),
            values(&["A", "B"]),
        );
        put(&mut document, &steps(&[("title", false)]), values(&["T", "second"]));
        put(&mut document, &steps(&[("tags", true)]), values(&["x"]));
        put(&mut document, &steps(&[("tags", true)]), values(&["y"]));
        let want = json!({
            "makers": [{ "name": "Ada", "role": "painter" }, { "name": "Bo" }], "place": { "names": ["A", "B"] }, "title": "T",
            "tags": ["x", "y"],
        });
        assert_eq!(Value::Object(document.clone()), want);
        take(&mut document, &steps(&[("makers", true), ("name", false)]));
        take(&mut document, &steps(&[("title", false)]));
        assert_eq!(document["makers"], json!([{ "role": "painter" }, {}]));
        assert!(!document.contains_key("title"));
    }
}
