//! Taking values out of a row of DINA one by one, so that what nobody took can be kept as it was. No I/O.

use serde_json::{Map, Number, Value};

/// Groups in groups that are laid flat.
const DEEPEST: usize = 8;

/// Values by flat names: what is below another stands behind it and an underscore.
#[derive(Debug, Default)]
pub struct Taken {
    left: Map<String, Value>,
}

impl Taken {
    pub fn of(object: Map<String, Value>) -> Self {
        let mut left = Map::new();
        flatten("", object, 0, &mut left);
        Self { left }
    }

    /// The same with only the names at the top, so that groups stay together.
    pub fn shallow(object: Map<String, Value>) -> Self {
        Self { left: object }
    }

    /// Texts whose names begin so, with what follows in the name.
    pub fn prefixed(&mut self, prefix: &str) -> Vec<(String, String)> {
        let names: Vec<String> = self
            .left
            .keys()
            .filter(|name| name.starts_with(prefix))
            .cloned()
            .collect();
        let text = |name: String| {
            let text = self.text(&name)?;
            Some((name.get(prefix.len()..)?.to_owned(), text))
        };
        names.into_iter().filter_map(text).collect()
    }

    /// A text that says something, or a number or truth value as text.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let text = match self.left.get(name)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            Value::Null => String::new(),
            _ => return None,
        };
        self.left.shift_remove(name);
        Some(text).filter(|text| !text.is_empty())
    }

    /// A number between two; one that is none, or lies elsewhere, stays.
    pub fn number(&mut self, name: &str, least: f64, most: f64) -> Option<Value> {
        let text = match self.left.get(name)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        let number: Number = serde_json::from_str(&text).ok()?;
        let size = number.as_f64().filter(|size| (least..=most).contains(size))?;
        if !size.is_finite() {
            return None;
        }
        self.left.shift_remove(name);
        Some(Value::Number(number))
    }

    pub fn truth(&mut self, name: &str) -> Option<Value> {
        let truth = match self.left.get(name)? {
            Value::Bool(truth) => *truth,
            Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
                "true" | "yes" => true,
                "false" | "no" => false,
                _ => return None,
            },
            _ => return None,
        };
        self.left.shift_remove(name);
        Some(Value::Bool(truth))
    }

    /// Objects that stand there, one or a list of them. What else is in the list stays.
    pub fn objects(&mut self, name: &str) -> Vec<Map<String, Value>> {
        let mut found = Vec::new();
        let mut other = Vec::new();
        match self.left.shift_remove(name) {
            Some(Value::Array(items)) => {
                for item in items {
                    match item {
                        Value::Object(map) => found.push(map),
                        Value::Null => {}
                        item => other.push(item),
                    }
                }
            }
            Some(Value::Object(one)) => found.push(one),
            Some(Value::Null) | None => {}
            Some(value) => {
                self.left.insert(name.to_owned(), value);
            }
        }
        if !other.is_empty() {
            self.left.insert(name.to_owned(), Value::Array(other));
        }
        found
    }

    /// A date of parts: as one where it is in the calendar, else in the words that stand there.
    pub fn date(&mut self, prefix: &str) -> (Option<String>, Option<String>) {
        let part = |taken: &mut Self, name: &str| taken.text(&format!("{prefix}{name}"));
        let parts = [part(self, "year"), part(self, "month"), part(self, "day")];
        if parts.iter().all(Option::is_none) {
            return (None, None);
        }
        match civil(&parts) {
            Some(date) => (Some(date), None),
            None => {
                let said = parts.map(|part| part.unwrap_or_else(|| "?".to_owned()));
                (None, Some(said.join("-")))
            }
        }
    }

    /// What nobody took and says something.
    pub fn rest(self) -> Map<String, Value> {
        self.left.into_iter().filter(|(_, value)| says(value)).collect()
    }
}

fn flatten(above: &str, object: Map<String, Value>, deep: usize, into: &mut Map<String, Value>) {
    for (name, value) in object {
        let plain = name.replace('.', "_");
        let mut flat = if above.is_empty() {
            plain
        } else {
            format!("{above}_{plain}")
        };
        match value {
            Value::Object(inner) if deep < DEEPEST => flatten(&flat, inner, deep + 1, into),
            value => {
                while into.get(&flat).is_some_and(says) {
                    flat.push('_');
                }
                into.insert(flat, value);
            }
        }
    }
}

/// Whether anything is said in it.
pub fn says(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => items.iter().any(says),
        Value::Object(map) => map.values().any(says),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// Year, perhaps month, perhaps day, as an ISO date.
fn civil([year, month, day]: &[Option<String>; 3]) -> Option<String> {
    let year: i16 = year.as_ref()?.parse().ok().filter(|year| (1..=9999).contains(year))?;
    let number = |part: &Option<String>| part.as_ref().map(|text| text.parse::<i8>());
    match (number(month), number(day)) {
        (None, None) => Some(format!("{year:04}")),
        (Some(Ok(month)), None) if (1..=12).contains(&month) => Some(format!("{year:04}-{month:02}")),
        (Some(Ok(month)), Some(Ok(day))) => jiff::civil::Date::new(year, month, day)
            .ok()
            .map(|date| date.to_string()),
        _ => None,
    }
}

/// Puts a value where there is one.
pub fn put(document: &mut Map<String, Value>, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        document.insert(name.to_owned(), value.into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn taken(value: Value) -> Taken {
        match value {
            Value::Object(map) => Taken::of(map),
            _ => Taken::default(),
        }
    }

    #[test]
    fn what_nobody_takes_is_left() {
        let mut row = taken(json!({
            "name": " Vuollak ", "empty": null, "birthDate.year": "1784", "place": { "lat": "66.5", "lon": "abc" }, "yes": "True",
            "list": [{ "a": "1" }, null, "loose"], "one": { "b": "2" }, "one_b": "3",
        }));
        assert_eq!(row.text("name").as_deref(), Some("Vuollak"));
        assert_eq!(row.text("empty"), None);
        assert_eq!(row.date("birthDate_").0.as_deref(), Some("1784"));
        assert_eq!(row.number("place_lat", -90.0, 90.0), Some(json!(66.5)));
        assert_eq!(row.number("place_lon", -180.0, 180.0), None);
        assert_eq!(row.truth("yes"), Some(json!(true)));
        assert_eq!(row.objects("list").len(), 1);
        let rest = Value::Object(row.rest());
        assert_eq!(
            rest,
            json!({ "place_lon": "abc", "list": ["loose"], "one_b": "2", "one_b_": "3" })
        );
    }

    #[test]
    fn dates_that_are_none_stay_words() {
        let date = |year: Value, month: Value, day: Value| {
            taken(json!({ "date_year": year, "date_month": month, "date_day": day })).date("date_")
        };
        assert_eq!(
            date(json!("1998"), json!("2"), json!("3")).0.as_deref(),
            Some("1998-02-03")
        );
        assert_eq!(date(json!(1998), json!(2), Value::Null).0.as_deref(), Some("1998-02"));
        let words = |year, month, day| date(year, month, day).1;
        assert_eq!(
            words(json!("1998"), json!("2"), json!("31")).as_deref(),
            Some("1998-2-31")
        );
        assert_eq!(words(json!("0"), Value::Null, Value::Null).as_deref(), Some("0-?-?"));
        assert_eq!(words(Value::Null, json!("5"), json!("12")).as_deref(), Some("?-5-12"));
        assert_eq!(
            words(json!("c. 18??"), Value::Null, Value::Null).as_deref(),
            Some("c. 18??-?-?")
        );
        assert_eq!(words(Value::Null, Value::Null, Value::Null), None);
    }
}
