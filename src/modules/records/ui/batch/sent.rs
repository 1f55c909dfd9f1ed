//! What the form of a batch sends, as the action that it says; and its controls.

use serde::Deserialize;
use serde_json::Value;

use super::Asked;
use super::words::fields;
use crate::contract::records::{FieldKind, RecordType};
use crate::kernel::access::Level;
use crate::kernel::error::{Error, Result};
use crate::kernel::ui::Page;
use crate::kernel::ui::form::{self, Name};
use crate::modules::records::model::path;
use crate::modules::records::model::rule::Action;
use crate::modules::records::ui::Pages;
use crate::modules::records::ui::edit::{Offer, value};
use crate::modules::records::ui::names::title;

/// What the form sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    #[serde(default, rename = "do")]
    pub action: String,
    #[serde(default)]
    pub field: String,
    #[serde(default)]
    pub value: String,
    #[serde(default)]
    pub find: String,
    #[serde(default)]
    pub with: String,
    #[serde(default)]
    pub regex: bool,
    #[serde(default)]
    pub ignore_case: bool,
    #[serde(default)]
    pub from: String,
    #[serde(default)]
    pub to: Option<Level>,
}

impl Sent {
    pub fn of(action: &Action) -> Self {
        let mut sent = Self {
            action: action.name().to_owned(),
            field: action.field().unwrap_or_default().to_owned(),
            ..Self::default()
        };
        match action {
            Action::Set { value, .. } | Action::Add { value, .. } | Action::Remove { value, .. } => {
                sent.value = path::text(value).unwrap_or_else(|| value.to_string());
            }
            Action::Replace {
                find,
                with,
                regex,
                ignore_case,
                ..
            } => {
                (sent.find, sent.with) = (find.clone(), with.clone());
                (sent.regex, sent.ignore_case) = (*regex, *ignore_case);
            }
            Action::Copy { from, .. } => sent.from.clone_from(from),
            Action::Visibility { to } => sent.to = Some(*to),
            Action::Clear { .. } | Action::Fill { .. } | Action::Delete => {}
        }
        sent
    }

    pub fn action(&self) -> Result<Action> {
        let (field, value) = (self.field.clone(), Value::String(self.value.trim().to_owned()));
        Ok(match self.action.as_str() {
            "set" => Action::Set { field, value },
            "clear" => Action::Clear { field },
            "add" => Action::Add { field, value },
            "remove" => Action::Remove { field, value },
            "replace" => Action::Replace {
                field,
                find: self.find.clone(),
                with: self.with.clone(),
                regex: self.regex,
                ignore_case: self.ignore_case,
            },
            "copy" => Action::Copy {
                field,
                from: self.from.clone(),
            },
            "delete" => Action::Delete,
            "visibility" => Action::Visibility {
                to: self.to.ok_or_else(|| Error::invalid("action.to", "is missing."))?,
            },
            _ => return Err(Error::invalid("action.do", "is none of the things that can be done.")),
        })
    }
}

impl Pages {
    /// The controls of what is to be done.
    pub(super) async fn controls(
        &self,
        page: &Page,
        definition: &RecordType,
        asked: &Asked,
        sent: &Sent,
    ) -> Vec<form::Field> {
        let language = page.language;
        let text = |key: &str| language.text(key);
        match asked.action.as_str() {
            "set" | "add" | "remove" => {
                let Some(leaf) = path::find(&definition.fields, &asked.field) else {
                    return Vec::new();
                };
                let mut offer = Offer::default();
                if leaf.field.kind == FieldKind::Link
                    && let Ok(other) = self.service.read(&page.caller, &sent.value).await
                {
                    offer.titles.insert(sent.value.clone(), title(&other));
                }
                let mut made = value(definition, &leaf, &sent.value, &offer, language);
                made.label = text("batch.value");
                vec![made]
            }
            "replace" => vec![
                form::Field::text(&Name::of("find"), text("batch.find"), &sent.find),
                form::Field::text(&Name::of("with"), text("batch.with"), &sent.with).hint(text("batch.with-hint")),
                form::Field::switch(&Name::of("regex"), text("batch.regex"), sent.regex).hint(text("batch.regex-hint")),
                form::Field::switch(&Name::of("ignore_case"), text("batch.ignore-case"), sent.ignore_case),
            ],
            "copy" => {
                let choices = fields(definition, &sent.from, language);
                let options: Vec<(&str, &str)> = choices.iter().map(|c| (c.value.as_str(), c.label.as_str())).collect();
                vec![form::Field::select(
                    &Name::of("from"),
                    text("batch.from"),
                    &sent.from,
                    &options,
                    false,
                )]
            }
            "visibility" => {
                let labels =
                    Level::ALL.map(|level| (level.as_str(), text(&format!("level.of-record.{}", level.as_str()))));
                let options: Vec<(&str, &str)> = labels.iter().map(|(value, label)| (*value, label.as_str())).collect();
                let chosen = sent.to.unwrap_or_default().as_str();
                vec![form::Field::radios(&Name::of("to"), text("batch.to"), chosen, &options)]
            }
            _ => Vec::new(),
        }
    }
}
