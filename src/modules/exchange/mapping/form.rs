//! The form of a mapping: a line for each column, constants beside. What the form cannot say (a column that fills two
//! fields) is carried along as it is, so that saving loses nothing. No I/O.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{By, Lookup, Mapping, Rule};
use crate::contract::exchange::{DateOrder, Decimal};
use crate::contract::records::{Leaf, RecordType};
use crate::kernel::error::{Error, Result};
use crate::kernel::i18n::Language;
use crate::modules::exchange::draft::form::Sent;
use crate::modules::exchange::draft::lines::{Choice, choice};
use crate::modules::exchange::draft::model::Column;

/// Constants that can be added at a time.
const EMPTY_CONSTANTS: usize = 2;
/// Columns of a form.
const MOST: usize = 2_000;

/// A column and where it goes.
pub struct ColumnLine {
    pub index: usize,
    pub name: String,
    pub filled: i64,
    pub examples: Vec<String>,
    pub to: String,
    pub join: String,
    pub constant: String,
    pub split: String,
    pub values: String,
    pub verbatim: String,
    pub ways: Vec<Choice>,
    pub step: String,
    pub rank: String,
    pub rank_is: String,
    /// Something more is said than the field.
    pub more: bool,
    /// It joins the column before it that goes into the same field.
    pub joins: bool,
}

/// A field with a value that no column says.
pub struct ConstantLine {
    pub index: usize,
    pub to: String,
    pub text: String,
}

/// A mapping as the form shows it.
pub struct Lines {
    pub columns: Vec<ColumnLine>,
    pub constants: Vec<ConstantLine>,
    /// Rules that the form does not show, as JSON; and in words.
    pub others: String,
    pub other_words: Vec<String>,
}

/// The form of a mapping.
pub fn lines(mapping: &Mapping, columns: &[Column], language: Language) -> Result<Lines> {
    let names: BTreeSet<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let mut taken: BTreeMap<&str, (&Rule, bool)> = BTreeMap::new();
    let (mut constants, mut others) = (Vec::new(), Vec::new());
    for rule in &mapping.fields {
        let known = rule
            .from
            .iter()
            .all(|column| names.contains(column.as_str()) && !taken.contains_key(column.as_str()));
        // The form puts joined columns in the order of the file.
        let places: Vec<Option<usize>> = rule
            .from
            .iter()
            .map(|from| columns.iter().position(|c| c.name == *from))
            .collect();
        if rule.from.is_empty() {
            constants.push((rule.to.clone(), rule.constant.clone().unwrap_or_default()));
        } else if known && places.is_sorted() {
            for (at, column) in rule.from.iter().enumerate() {
                taken.insert(column, (rule, at > 0));
            }
        } else {
            others.push(rule);
        }
    }
    constants.extend(std::iter::repeat_n((String::new(), String::new()), EMPTY_CONSTANTS));
    let line = |(index, column): (usize, &Column)| {
        column_line(index, column, taken.get(column.name.as_str()).copied(), language)
    };
    let constant = |(index, (to, text)): (usize, (String, String))| ConstantLine { index, to, text };
    let words = |rule: &&Rule| format!("{} → {}", rule.from.join(" + "), rule.to);
    Ok(Lines {
        columns: columns.iter().enumerate().map(line).collect(),
        constants: constants.into_iter().enumerate().map(constant).collect(),
        other_words: others.iter().map(words).collect(),
        others: serde_json::to_string(&others)?,
    })
}

fn column_line(index: usize, column: &Column, of: Option<(&Rule, bool)>, language: Language) -> ColumnLine {
    let (rule, joins) = of.map_or((None, false), |(rule, joins)| (Some(rule), joins));
    // What a rule says more stands at its first column.
    let own = rule.filter(|_| !joins);
    let text = |of: fn(&Rule) -> Option<&String>| own.and_then(of).cloned().unwrap_or_default();
    let lookup = own.and_then(|rule| rule.lookup.as_ref());
    let by = lookup.map(|lookup| lookup.by);
    let way = |key: &str, value: &str, is: bool| choice(value, language.text(key), is);
    let values: Vec<String> = own
        .map(|rule| rule.values.iter().map(|(from, to)| format!("{from} = {to}")).collect())
        .unwrap_or_default();
    let more = own.is_some_and(|rule| {
        let plain = Rule {
            to: rule.to.clone(),
            from: rule.from.clone(),
            ..Rule::default()
        };
        *rule != plain
    });
    ColumnLine {
        index,
        name: column.name.clone(),
        filled: column.filled,
        examples: column.examples.iter().take(3).cloned().collect(),
        to: rule.map(|rule| rule.to.clone()).unwrap_or_default(),
        join: text(|rule| rule.join.as_ref()),
        constant: text(|rule| rule.constant.as_ref()),
        split: text(|rule| rule.split.as_ref()),
        values: values.join("\n"),
        verbatim: text(|rule| rule.verbatim.as_ref()),
        ways: vec![
            way("import.mapping.by-none", "", by.is_none()),
            way("import.mapping.by-key", "key", by == Some(By::Key)),
            way("import.mapping.by-name", "name", by == Some(By::Name)),
            way("import.mapping.by-path", "path", by == Some(By::Path)),
        ],
        step: lookup.and_then(|lookup| lookup.step.clone()).unwrap_or_default(),
        rank: lookup.and_then(|lookup| lookup.rank.clone()).unwrap_or_default(),
        rank_is: lookup.and_then(|lookup| lookup.rank_is.clone()).unwrap_or_default(),
        more,
        joins,
    }
}

/// The mapping that a form says.
pub fn mapping(sent: &Sent, before: &Mapping) -> Result<Mapping> {
    let said = |name: &str| {
        sent.get(name)
            .map(str::trim)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let mut made = Mapping {
        type_name: said("type").unwrap_or_default(),
        key: said("key"),
        decimal: match sent.get("decimal") {
            Some(",") => Some(Decimal::Comma),
            Some(".") => Some(Decimal::Point),
            _ => None,
        },
        date_order: match sent.get("date_order") {
            Some("dmy") => Some(DateOrder::Dmy),
            Some("mdy") => Some(DateOrder::Mdy),
            Some("ymd") => Some(DateOrder::Ymd),
            _ => None,
        },
        missing: before.missing.clone(),
        fields: Vec::new(),
    };
    for index in 0..MOST {
        let Some(column) = sent.get(&format!("c.{index}.name")) else {
            break;
        };
        let Some(to) = said(&format!("c.{index}.to")) else {
            continue;
        };
        if let Some(rule) = made.fields.iter_mut().find(|rule| rule.to == to) {
            rule.from.push(column.to_owned());
            continue;
        }
        made.fields.push(rule(sent, index, column, to)?);
    }
    for index in 0..MOST {
        let Some(to) = sent.get(&format!("k.{index}.to")).map(str::trim) else {
            break;
        };
        let text = sent.get(&format!("k.{index}.text")).unwrap_or_default();
        if !to.is_empty() {
            made.fields.push(Rule {
                to: to.to_owned(),
                constant: Some(text.to_owned()),
                ..Rule::default()
            });
        }
    }
    if let Some(others) = said("others") {
        let others: Vec<Rule> =
            serde_json::from_str(&others).map_err(|e| Error::invalid("others", format!("cannot be read: {e}")))?;
        made.fields.extend(others);
    }
    Ok(made)
}

fn rule(sent: &Sent, index: usize, column: &str, to: String) -> Result<Rule> {
    let raw = |name: &str| {
        sent.get(&format!("c.{index}.{name}"))
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let said = |name: &str| {
        raw(name)
            .map(|text| text.trim().to_owned())
            .filter(|text| !text.is_empty())
    };
    let mut values = BTreeMap::new();
    for line in raw("values")
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.trim().is_empty())
    {
        let Some((from, to)) = line.split_once('=') else {
            return Err(Error::invalid(
                format!("{column}: values"),
                format!("\"{line}\" says nothing of what it becomes. Write: m = male"),
            ));
        };
        values.insert(from.trim().to_owned(), to.trim().to_owned());
    }
    let by = match sent.get(&format!("c.{index}.by")) {
        Some("key") => Some(By::Key),
        Some("name") => Some(By::Name),
        Some("path") => Some(By::Path),
        _ => None,
    };
    Ok(Rule {
        to,
        from: vec![column.to_owned()],
        // What stands between may be a space.
        join: raw("join"),
        constant: said("constant"),
        split: raw("split"),
        verbatim: said("verbatim"),
        values,
        lookup: by.map(|by| Lookup {
            by,
            step: said("step"),
            rank: said("rank"),
            rank_is: said("rank_is"),
        }),
    })
}

/// What is likely meant: columns called like a field, in whichever language, go into it.
pub fn guess(definition: &RecordType, columns: &[Column]) -> Mapping {
    let plain = |name: &str| -> String {
        name.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    let leaves = definition.leaves();
    let mut fields: Vec<Rule> = Vec::new();
    for column in columns {
        let called = plain(&column.name);
        let fits = |leaf: &Leaf<'_>| {
            let last = leaf.path.rsplit('.').next().unwrap_or_default();
            let labels = leaf.field().map(|field| field.labels.values()).into_iter().flatten();
            let mut words = labels.filter_map(|label| label.as_str());
            plain(&leaf.path) == called || plain(last) == called || words.any(|label| plain(label) == called)
        };
        let found = leaves
            .iter()
            .find(|leaf| fits(leaf) && !fields.iter().any(|rule| rule.to == leaf.path));
        if let Some(leaf) = found {
            fields.push(Rule {
                to: leaf.path.clone(),
                from: vec![column.name.clone()],
                ..Rule::default()
            });
        }
    }
    Mapping {
        type_name: definition.name.clone(),
        fields,
        ..Mapping::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_says_what_it_was_filled_with() {
        let text = r#"
            type = "specimen"
            date_order = "dmy"
            [[fields]]
            to = "made"
            from = ["Jahr", "Monat"]
            join = "-"
            verbatim = "made_text"
            [[fields]]
            to = "taxon"
            from = ["Art"]
            values = { "?" = "", "U" = "Ursus" }
            lookup = { by = "name", rank_is = "species" }
            [[fields]]
            to = "published"
            constant = "true"
            [[fields]]
            to = "label"
            from = ["Art"]
        "#;
        let mapping = Mapping::read(text).unwrap();
        let column = |name: &str| Column {
            name: name.to_owned(),
            ..Column::default()
        };
        let columns = [column("Jahr"), column("Monat"), column("Art"), column("Rest")];
        let shown = lines(&mapping, &columns, Language::default()).unwrap();
        assert_eq!(shown.other_words, ["Art → label"]);
        assert!(shown.columns[1].joins && shown.columns[0].more && !shown.columns[3].more);
        let mut pairs = vec![
            ("type".to_owned(), "specimen".to_owned()),
            ("date_order".to_owned(), "dmy".to_owned()),
        ];
        for line in &shown.columns {
            let by = line
                .ways
                .iter()
                .find(|way| way.chosen)
                .map(|way| way.value.clone())
                .unwrap();
            for (name, value) in [
                ("name", &line.name),
                ("to", &line.to),
                ("join", &line.join),
                ("constant", &line.constant),
                ("split", &line.split),
                ("values", &line.values),
                ("verbatim", &line.verbatim),
                ("by", &by),
                ("step", &line.step),
                ("rank", &line.rank),
                ("rank_is", &line.rank_is),
            ] {
                pairs.push((format!("c.{}.{name}", line.index), value.clone()));
            }
        }
        for line in &shown.constants {
            pairs.push((format!("k.{}.to", line.index), line.to.clone()));
            pairs.push((format!("k.{}.text", line.index), line.text.clone()));
        }
        pairs.push(("others".to_owned(), shown.others));
        assert_eq!(super::mapping(&Sent(pairs), &Mapping::default()).unwrap(), mapping);
        let odd = [("c.0.name", "a"), ("c.0.to", "b"), ("c.0.values", "no sign")];
        let odd = odd.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        assert!(super::mapping(&Sent(odd), &Mapping::default()).is_err());
    }
}
