//! Batches in words: what was chosen, what can be done, what is to be done.

use std::collections::{BTreeSet, HashMap};

use super::sent::Sent;
use super::{Asked, Choice};
use crate::contract::records::RecordType;
use crate::kernel::i18n::Language;
use crate::kernel::id::is_id;
use crate::kernel::ui::shorten;
use crate::modules::records::model::path;
use crate::modules::records::model::rule::Action;
use crate::modules::records::service::batch::{Batch, Selection};
use crate::modules::records::ui::names::path_label;

/// Characters of a value in a heading.
const SHORT: usize = 60;
/// What can be done, in the order of the form.
const ACTIONS: [&str; 8] = [
    "set",
    "clear",
    "add",
    "remove",
    "replace",
    "copy",
    "visibility",
    "delete",
];

/// Records that what was chosen and what is to be done name by their ids.
pub fn ids(batch: &Batch, action: Option<&Action>) -> BTreeSet<String> {
    let filters = selection(batch).filter.into_iter();
    let filtered = filters.filter_map(|filter| filter.split_once(':').map(|(_, value)| value.to_owned()));
    let set = action.map(|action| Sent::of(action).value);
    filtered.chain(set).filter(|value| is_id(value)).collect()
}

pub fn selection(batch: &Batch) -> Selection {
    serde_json::from_str(&batch.chosen).unwrap_or_default()
}

/// The list that the records were chosen from.
pub fn back(batch: &Batch) -> String {
    let chosen = selection(batch);
    if !chosen.from.is_empty() {
        return chosen.from;
    }
    let mut pairs = vec![("type", batch.type_name.clone())];
    pairs.extend((!chosen.q.is_empty()).then(|| ("q", chosen.q.clone())));
    pairs.extend(chosen.filter.into_iter().map(|filter| ("filter", filter)));
    let query = serde_html_form::to_string(pairs).unwrap_or_default();
    format!("/search?{query}")
}

pub fn actions(asked: &Asked, may_delete: bool, language: Language) -> Vec<Choice> {
    let shown = ACTIONS.into_iter().filter(|name| may_delete || *name != "delete");
    let choice = |name: &str| Choice {
        value: name.to_owned(),
        label: language.text(&format!("batch.do.{name}")),
        selected: asked.action == name,
    };
    shown.map(choice).collect()
}

pub fn fields(definition: &RecordType, chosen: &str, language: Language) -> Vec<Choice> {
    let leaves = path::leaves(&definition.fields);
    let choice = |leaf: &path::Leaf<'_>| Choice {
        label: path_label(definition, &leaf.path, language),
        selected: leaf.path == chosen,
        value: leaf.path.clone(),
    };
    leaves.iter().map(choice).collect()
}

/// How the records were chosen, in words.
pub fn told(
    batch: &Batch,
    definition: &RecordType,
    called: &HashMap<String, String>,
    language: Language,
) -> Vec<String> {
    let chosen = selection(batch);
    if !chosen.ids.is_empty() {
        return vec![language.text("batch.by-hand")];
    }
    let mut lines = Vec::new();
    if !chosen.q.is_empty() {
        lines.push(language.with("search.for", &[("query", &chosen.q)]));
    }
    for filter in &chosen.filter {
        let (field, value) = filter.split_once(':').unwrap_or((filter, ""));
        let value = if value.is_empty() {
            language.text("value.missing")
        } else {
            called.get(value).map_or(value, String::as_str).to_owned()
        };
        lines.push(format!("{}: {value}", path_label(definition, field, language)));
    }
    if lines.is_empty() {
        lines.push(language.text("batch.everything"));
    }
    lines
}

/// What is to be done, in words.
pub fn words(action: &Action, definition: &RecordType, called: &HashMap<String, String>, language: Language) -> String {
    let field = action
        .field()
        .map(|path| path_label(definition, path, language))
        .unwrap_or_default();
    let sent = Sent::of(action);
    let to = sent
        .to
        .map(|level| language.text(&format!("level.of-record.{}", level.as_str())));
    let from = path_label(definition, &sent.from, language);
    let short = |text: &str| shorten(text, SHORT);
    language.with(
        &format!("batch.what.{}", action.name()),
        &[
            ("field", &field),
            ("value", &short(called.get(&sent.value).unwrap_or(&sent.value))),
            ("find", &short(&sent.find)),
            ("with", &short(&sent.with)),
            ("from", &from),
            ("to", &to.unwrap_or_default()),
        ],
    )
}
