//! What the forms of a change of a type send, as the change that it says; and their controls.

use serde::Deserialize;

use crate::contract::records::{FieldKind, RecordType};
use crate::kernel::error::{Error, Result};
use crate::kernel::i18n::Language;
use crate::kernel::ui::form::{Field, Name};
use crate::modules::records::model::outline_fields::{KINDS, kind_name, kind_of};
use crate::modules::records::model::path;
use crate::modules::records::model::reshape::Reshape;

/// What the forms send.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    #[serde(default, rename = "do")]
    pub action: String,
    #[serde(default)]
    pub field: String,
    #[serde(default)]
    pub version: i64,
    #[serde(default)]
    pub to: String,
    #[serde(default)]
    pub kind: String,
    #[serde(default)]
    pub repeated: bool,
    #[serde(default)]
    pub at: String,
    #[serde(default)]
    pub into: String,
    #[serde(default)]
    pub also: Vec<String>,
    #[serde(default)]
    pub with: String,
    #[serde(default)]
    pub list: bool,
    #[serde(default)]
    pub reason: String,
    /// `run`, or only looked at.
    #[serde(default)]
    pub go: String,
}

impl Sent {
    pub fn step(&self) -> Result<Reshape> {
        let field = self.field.clone();
        Ok(match self.action.as_str() {
            "rename" => Reshape::Rename {
                field,
                to: self.to.trim().to_owned(),
            },
            "kind" => Reshape::Kind {
                field,
                kind: kind_of(&self.kind).ok_or_else(|| Error::invalid("kind", "is not known."))?,
                repeated: self.repeated,
                rest: None,
            },
            "split" => {
                let names = self.into.split([',', '\n']).map(str::trim);
                Reshape::Split {
                    field,
                    // A line end cannot be typed into one line.
                    at: self.at.replace("\\n", "\n"),
                    into: names.filter(|name| !name.is_empty()).map(str::to_owned).collect(),
                }
            }
            "merge" => {
                let others = self.also.iter().filter(|other| **other != self.field).cloned();
                Reshape::Merge {
                    fields: std::iter::once(field).chain(others).collect(),
                    with: (!self.list).then(|| self.with.clone()),
                    into: self.into.trim().to_owned(),
                }
            }
            "remove" => Reshape::Remove { field },
            _ => return Err(Error::invalid("do", "is not known.")),
        })
    }
}

/// The controls of what is to be done.
pub fn controls(definition: &RecordType, sent: &Sent, language: Language) -> Vec<Field> {
    let text = |key: &str| language.text(&format!("reshape.{key}"));
    let leaf = path::find(&definition.fields, &sent.field);
    let now = leaf.map(|leaf| (leaf.field.kind, leaf.field.repeated));
    match sent.action.as_str() {
        "rename" => vec![
            Field::text(&Name::of("to"), text("to"), &sent.to)
                .required()
                .hint(text("to-hint")),
        ],
        "kind" => {
            let kinds: Vec<(&str, String)> = KINDS
                .into_iter()
                .filter(|kind| !matches!(kind, FieldKind::Group | FieldKind::Link))
                .map(|kind| (kind_name(kind), language.text(&format!("kind.{}", kind_name(kind)))))
                .collect();
            let options: Vec<(&str, &str)> = kinds.iter().map(|(value, label)| (*value, label.as_str())).collect();
            let chosen = match (sent.kind.as_str(), now) {
                ("", Some((kind, _))) => kind_name(kind),
                (given, _) => given,
            };
            let repeated = if sent.kind.is_empty() {
                now.is_some_and(|(_, repeated)| repeated)
            } else {
                sent.repeated
            };
            vec![
                Field::select(&Name::of("kind"), text("kind"), chosen, &options, false).hint(text("kind-hint")),
                Field::switch(&Name::of("repeated"), language.text("define.repeated"), repeated),
            ]
        }
        "split" => vec![
            Field::text(&Name::of("at"), text("at"), &sent.at)
                .required()
                .hint(text("at-hint")),
            Field::text(&Name::of("into"), text("into"), &sent.into)
                .required()
                .hint(text("into-hint")),
        ],
        "merge" => vec![
            Field::switch(&Name::of("list"), text("list"), sent.list),
            Field::text(&Name::of("with"), text("with"), &sent.with).hint(text("with-hint")),
            Field::text(&Name::of("into"), text("into-one"), &sent.into)
                .required()
                .hint(text("into-one-hint")),
        ],
        _ => Vec::new(),
    }
}
