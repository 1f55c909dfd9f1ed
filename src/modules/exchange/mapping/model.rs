//! What a mapping says, as text (TOML or JSON), and what is wrong with it for a type. No I/O.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::contract::exchange::{DateOrder, Decimal};
use crate::contract::records::{FieldKind, Leaf, RecordType};
use crate::kernel::error::{Error, FieldIssue, Result};

/// Bytes of a mapping as text.
pub const MOST_BYTES: usize = 200_000;
const MOST_RULES: usize = 1_000;
const MOST_COLUMNS: usize = 20;
const MOST_MISSING: usize = 20;
/// Characters of a name under which one is kept.
const LONGEST_NAME: usize = 64;

/// From the columns of a file to the fields of a type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// The type that the rows become; it has to be there, or ship.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The field by which a row is known again; without it the type's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The decimal sign of the file's numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub decimal: Option<Decimal>,
    /// The order of day, month and year in the file's dates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(inline)]
    pub date_order: Option<DateOrder>,
    /// Cells that say "no value", such as `NA`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
    /// Columns that no rule takes are not imported; the row of the file stays readable as it is.
    #[serde(default)]
    pub fields: Vec<Rule>,
}

/// How a field is filled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// The field, by its path: `collecting.date`. In a list of groups the first group, or one for each value.
    pub to: String,
    /// The columns it comes from; several are joined, or are the steps of a path that is looked up.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from: Vec<String>,
    /// What stands between the values of several columns.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub join: Option<String>,
    /// The value where no column says one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constant: Option<String>,
    /// What stands between several values within one cell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// A field that takes the value as it is written. What cannot be understood, or leads to nothing or to several, then
    /// stays there alone; without it such a row is refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verbatim: Option<String>,
    /// What a value becomes; an empty text leaves it out. Values that are not named stay.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, String>,
    /// How the record is found that a link leads to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lookup: Option<Lookup>,
}

/// How a record is found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Lookup {
    #[schema(inline)]
    pub by: By,
    /// What stands between the steps of a path in one cell; `>` where nothing is said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<String>,
    /// The column that holds the rank of the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<String>,
    /// The rank of all names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank_is: Option<String>,
}

/// What a value says of the record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    /// Its key.
    #[default]
    Key,
    /// Its title, and perhaps its rank.
    Name,
    /// The titles from the top of its tree down to it.
    Path,
}

impl Mapping {
    /// Reads a mapping that somebody wrote, TOML or JSON.
    ///
    /// # Errors
    /// `Invalid` with the place of what cannot be read.
    pub fn read(text: &str) -> Result<Self> {
        if text.len() > MOST_BYTES {
            return Err(Error::invalid("mapping", format!("has more than {MOST_BYTES} bytes.")));
        }
        let wrong = |words: String| Error::invalid("mapping", format!("cannot be read: {words}"));
        if text.trim_start().starts_with('{') {
            return serde_json::from_str(text).map_err(|e| wrong(e.to_string()));
        }
        toml::from_str(text).map_err(|e| wrong(e.to_string().trim().replace('\n', " ")))
    }

    /// As TOML, to be read and changed by people.
    pub fn text(&self) -> Result<String> {
        toml::to_string(self).map_err(Error::internal)
    }

    /// Every column it takes.
    pub fn columns(&self) -> BTreeSet<&str> {
        let ranks = self
            .fields
            .iter()
            .filter_map(|rule| rule.lookup.as_ref()?.rank.as_deref());
        let own = self.fields.iter().flat_map(|rule| rule.from.iter().map(String::as_str));
        own.chain(ranks).collect()
    }

    /// The fields that each column goes into, as they are written down.
    pub fn taken(&self) -> BTreeMap<String, Vec<String>> {
        let mut taken: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for rule in &self.fields {
            for column in &rule.from {
                let fields = taken.entry(column.clone()).or_default();
                fields.push(rule.to.clone());
                fields.extend(rule.verbatim.clone());
            }
        }
        taken
    }

    /// Refuses what does not fit the type.
    ///
    /// # Errors
    /// `Invalid`, each fault by its place in the mapping: `fields.3.to`.
    pub fn check(&self, definition: &RecordType) -> Result<()> {
        let mut issues = Vec::new();
        let mut say = |path: String, message: String| issues.push(FieldIssue { path, message });
        if self.fields.is_empty() {
            say(
                "fields".to_owned(),
                "is empty: no column goes into any field.".to_owned(),
            );
        }
        if self.fields.len() > MOST_RULES {
            say("fields".to_owned(), format!("has more than {MOST_RULES} rules."));
        }
        if self.missing.len() > MOST_MISSING {
            say("missing".to_owned(), format!("has more than {MOST_MISSING} texts."));
        }
        let leaves = definition.leaves();
        let mut taken: BTreeSet<&str> = BTreeSet::new();
        for (at, rule) in self.fields.iter().enumerate().take(MOST_RULES) {
            let at = |name: &str| format!("fields.{at}.{name}");
            if rule.from.is_empty() && rule.constant.is_none() {
                say(at("from"), "names no column, and there is no constant.".to_owned());
            }
            if rule.from.len() > MOST_COLUMNS {
                say(at("from"), format!("names more than {MOST_COLUMNS} columns."));
            }
            for (name, path) in [("to", Some(&rule.to)), ("verbatim", rule.verbatim.as_ref())] {
                let Some(path) = path else { continue };
                if !leaves.iter().any(|leaf| leaf.path == *path) {
                    say(at(name), gone(path, rule, definition, &leaves));
                } else if !taken.insert(path) {
                    say(
                        at(name),
                        format!("\"{path}\" is filled by two rules. Join their columns in one."),
                    );
                }
            }
            if let Some(leaf) = leaves.iter().find(|leaf| leaf.path == rule.to) {
                for (name, message) in odd(rule, leaf) {
                    say(at(name), message);
                }
            }
        }
        if issues.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid_fields(issues))
        }
    }
}

/// A field that is not there.
fn gone(path: &str, rule: &Rule, definition: &RecordType, leaves: &[Leaf<'_>]) -> String {
    let from = match rule.from.as_slice() {
        [] => "A constant".to_owned(),
        columns => format!("The column \"{}\"", columns.join("\", \"")),
    };
    let far = |leaf: &Leaf<'_>| strsim::damerau_levenshtein(&leaf.path.to_lowercase(), &path.to_lowercase());
    let near = leaves.iter().map(|leaf| (far(leaf), leaf)).min_by_key(|(far, _)| *far);
    let near = near.filter(|(far, _)| *far <= 1 + path.chars().count() / 4);
    let hint = near.map_or_else(String::new, |(_, leaf)| format!(" Did you mean \"{}\"?", leaf.path));
    format!(
        "{from} goes into the field \"{path}\", which the type \"{}\" does not have, or not any more.{hint}",
        definition.name
    )
}

/// What a rule asks of a field that it cannot do.
fn odd(rule: &Rule, leaf: &Leaf<'_>) -> Vec<(&'static str, String)> {
    let mut found = Vec::new();
    let is_link = leaf.field().is_some_and(|field| field.kind == FieldKind::Link);
    if rule.lookup.is_some() && !is_link {
        found.push((
            "lookup",
            format!("\"{}\" is no link, so nothing can be looked up for it.", rule.to),
        ));
    }
    if rule.split.is_some() && !leaf.fields.iter().any(|field| field.repeated) {
        found.push((
            "split",
            format!("\"{}\" holds one value, so nothing can be split for it.", rule.to),
        ));
    }
    if rule.split.as_deref() == Some("") {
        found.push(("split", "is empty: nothing stands between the values.".to_owned()));
    }
    if let Some(lookup) = &rule.lookup {
        if lookup.by == By::Path && rule.from.len() > 1 && rule.split.is_some() {
            found.push((
                "split",
                "does not go with a path whose steps stand in several columns.".to_owned(),
            ));
        }
        if lookup.by != By::Name && (lookup.rank.is_some() || lookup.rank_is.is_some()) {
            found.push(("lookup.rank", "goes with a look-up by name only.".to_owned()));
        }
    }
    found
}

/// Refuses a name under which nothing can be kept.
pub fn check_name(name: &str) -> Result<()> {
    let letters = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ');
    let fits = !name.trim().is_empty() && name.trim() == name && name.chars().count() <= LONGEST_NAME;
    if fits && name.chars().all(letters) {
        return Ok(());
    }
    Err(Error::invalid(
        "name",
        format!("is 1 to {LONGEST_NAME} letters, digits, spaces, points and hyphens."),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn specimen() -> RecordType {
        serde_json::from_value(json!({ "name": "specimen", "key": "number", "fields": [
            { "name": "number", "kind": "identifier", "unique": true }, { "name": "taxon", "kind": "link", "target": "taxon" },
            { "name": "taxonText", "kind": "text" }, { "name": "tags", "kind": "term", "repeated": true },
            { "name": "collecting", "kind": "group", "repeated": true, "fields": [{ "name": "date", "kind": "date" }] },
        ] }))
        .unwrap()
    }

    #[test]
    fn a_mapping_is_text_that_reads_back() {
        let text = r#"
            type = "specimen"
            decimal = ","
            [[fields]]
            to = "taxon"
            from = ["Art"]
            verbatim = "taxonText"
            values = { "U. fictus" = "Ursus fictus", "?" = "" }
            lookup = { by = "name", rank_is = "species" }
            [[fields]]
            to = "tags"
            from = ["Tags"]
            split = ";"
            [[fields]]
            to = "collecting.date"
            from = ["Jahr", "Monat"]
            join = "-"
        "#;
        let mapping = Mapping::read(text).unwrap();
        assert!(mapping.check(&specimen()).is_ok());
        assert_eq!(Mapping::read(&mapping.text().unwrap()).unwrap(), mapping);
        assert_eq!(
            Mapping::read(&serde_json::to_string(&mapping).unwrap()).unwrap(),
            mapping
        );
        assert_eq!(
            mapping.columns().into_iter().collect::<Vec<_>>(),
            ["Art", "Jahr", "Monat", "Tags"]
        );
        assert!(
            Mapping::read("type = ").is_err()
                && Mapping::read("{").is_err()
                && Mapping::read("type='a'\nodd=1").is_err()
        );
    }

    #[test]
    fn what_does_not_fit_the_type_is_named_by_its_place() {
        let wrong = |fields: serde_json::Value| {
            let mapping: Mapping = serde_json::from_value(json!({ "type": "specimen", "fields": fields })).unwrap();
            let error = mapping.check(&specimen()).unwrap_err();
            error
                .fields()
                .iter()
                .map(|issue| (issue.path.clone(), issue.message.clone()))
                .collect::<Vec<_>>()
        };
        let gone = wrong(json!([{ "to": "collecting.dat", "from": ["When"] }]));
        assert_eq!(gone[0].0, "fields.0.to");
        assert!(
            gone[0].1.contains("\"When\"") && gone[0].1.contains("Did you mean \"collecting.date\""),
            "{gone:?}"
        );
        assert_eq!(wrong(json!([]))[0].0, "fields");
        assert_eq!(wrong(json!([{ "to": "number" }]))[0].0, "fields.0.from");
        assert_eq!(
            wrong(json!([{ "to": "number", "from": ["a"], "split": ";" }]))[0].0,
            "fields.0.split"
        );
        assert_eq!(
            wrong(json!([{ "to": "number", "from": ["a"], "lookup": {} }]))[0].0,
            "fields.0.lookup"
        );
        let twice = json!([{ "to": "number", "from": ["a"] }, { "to": "number", "from": ["b"] }]);
        assert_eq!(wrong(twice)[0].0, "fields.1.to");
    }

    #[test]
    fn names_are_plain() {
        assert!(check_name("Old herbarium 2").is_ok() && check_name("å-b.c").is_ok());
        for name in ["", " a", "a/b", "a\nb", &"x".repeat(65)] {
            assert!(check_name(name).is_err(), "{name}");
        }
    }
}
