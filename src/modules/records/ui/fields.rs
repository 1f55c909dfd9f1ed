//! A record's fields as its page shows them: sections by group, values with what they lead to.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::access::Level;
use crate::kernel::civil::Civil;
use crate::kernel::i18n::Language;
use crate::kernel::ui::{Piece, label, pieces, plain, rich, said};

/// Characters shown of one value; the rest is in the machine's form.
const LONGEST: usize = 40_000;
/// Values shown of one field, and groups of one section.
const VALUES: usize = 50;
const GROUPS: usize = 24;
/// Characters from which a value is set as running text, and those of it that are in sight.
const PROSE: usize = 120;
const IN_SIGHT: usize = 900;

/// Fields that belong together: those of the record itself, or of one group.
pub struct Section {
    pub anchor: String,
    /// `None` for the record's own fields.
    pub heading: Option<String>,
    /// One for each group of a repeated group.
    pub blocks: Vec<Vec<FieldView>>,
    /// The blocks are set apart from each other.
    pub cards: bool,
    pub hidden: usize,
}

pub struct FieldView {
    pub label: String,
    /// Key of who may see it, where not everybody may.
    pub level: Option<&'static str>,
    pub values: Vec<ValueView>,
    pub hidden: usize,
}

#[derive(Default)]
pub struct ValueView {
    pub text: String,
    pub pieces: Vec<Piece>,
    pub href: Option<String>,
    /// The machine's form of a date.
    pub datetime: Option<String>,
    pub code: bool,
    /// A text with marks, as HTML that can do no harm.
    pub rich: Option<String>,
    pub long: bool,
    /// What is folded away.
    pub rest: Option<Vec<Piece>>,
    /// There is more than is shown at all.
    pub cut: bool,
}

/// What the sections are made of. `titles` are those of linked records the caller may see.
pub struct Shown<'a> {
    pub definition: &'a RecordType,
    pub document: &'a Map<String, Value>,
    /// The record's title: a field that says the same is not said again.
    pub title: &'a str,
    pub titles: &'a HashMap<String, String>,
    pub language: Language,
}

impl Shown<'_> {
    /// The sections in the order of the definition: the record's own fields first, then each group; where the type has
    /// sections itself, those of each.
    pub fn sections(&self) -> Vec<Section> {
        let is_group = |field: &&&Field| field.kind == FieldKind::Group;
        let is_title = |field: &Field| {
            self.definition.title.as_deref() == Some(field.name.as_str())
                && self.document.get(&field.name).and_then(Value::as_str) == Some(self.title)
        };
        let mut parts: Vec<(Option<String>, Vec<&Field>)> = vec![(None, Vec::new())];
        for field in &self.definition.fields {
            if let Some(heading) = said(&field.section, self.language) {
                parts.push((Some(heading.to_owned()), Vec::new()));
            }
            if let Some((_, fields)) = parts.last_mut() {
                fields.push(field);
            }
        }
        let (mut sections, mut groups) = (Vec::new(), 0);
        for (at, (heading, fields)) in parts.into_iter().enumerate() {
            let own: Vec<&Field> = fields
                .iter()
                .filter(|f| !is_group(f) && !is_title(f))
                .copied()
                .collect();
            let block = self.block(&own, "", "", self.document);
            if !block.is_empty() {
                sections.push(Section {
                    anchor: if at == 0 {
                        "fields".to_owned()
                    } else {
                        format!("part-{at}")
                    },
                    heading,
                    blocks: vec![block],
                    cards: false,
                    hidden: 0,
                });
            }
            for field in fields.iter().filter(is_group) {
                sections.extend(self.group(field, groups));
                groups += 1;
            }
        }
        sections
    }

    fn group(&self, field: &Field, at: usize) -> Option<Section> {
        let groups: Vec<&Map<String, Value>> = match self.document.get(&field.name)? {
            Value::Object(one) => vec![one],
            Value::Array(many) => many.iter().filter_map(Value::as_object).collect(),
            _ => return None,
        };
        let inner: Vec<&Field> = field.fields.iter().collect();
        let blocks: Vec<Vec<FieldView>> = groups
            .iter()
            .take(GROUPS)
            .map(|group| self.block(&inner, &format!("{}.", field.name), "", group))
            .filter(|block| !block.is_empty())
            .collect();
        (!blocks.is_empty()).then(|| Section {
            anchor: format!("group-{}", at + 1),
            heading: Some(label(&field.labels, &field.name, self.language)),
            cards: blocks.len() > 1,
            blocks,
            hidden: groups.len().saturating_sub(GROUPS),
        })
    }

    /// The fields of one group that have values; groups inside it are told by their labels.
    fn block(&self, fields: &[&Field], path: &str, above: &str, object: &Map<String, Value>) -> Vec<FieldView> {
        let mut views = Vec::new();
        for field in fields {
            let Some(value) = object.get(&field.name) else { continue };
            let name = format!("{above}{}", label(&field.labels, &field.name, self.language));
            let path = format!("{path}{}", field.name);
            if field.kind == FieldKind::Group {
                let inner: Vec<&Field> = field.fields.iter().collect();
                let groups: Vec<&Value> = value
                    .as_array()
                    .map_or_else(|| vec![value], |many| many.iter().collect());
                for group in groups.into_iter().filter_map(Value::as_object).take(GROUPS) {
                    views.extend(self.block(&inner, &format!("{path}."), &format!("{name} › "), group));
                }
                continue;
            }
            let all: Vec<&Value> = value
                .as_array()
                .map_or_else(|| vec![value], |many| many.iter().collect());
            let texts: Vec<String> = all
                .into_iter()
                .filter_map(|value| plain(value, self.language))
                .collect();
            if texts.is_empty() {
                continue;
            }
            views.push(FieldView {
                label: name,
                level: level_key(field.level),
                hidden: texts.len().saturating_sub(VALUES),
                values: texts
                    .into_iter()
                    .take(VALUES)
                    .map(|text| self.value(field, &path, text))
                    .collect(),
            });
        }
        views
    }

    fn value(&self, field: &Field, path: &str, text: String) -> ValueView {
        match field.kind {
            FieldKind::Link => ValueView {
                href: self.titles.contains_key(&text).then(|| format!("/records/{text}")),
                text: self.titles.get(&text).cloned().unwrap_or(text),
                code: true,
                ..ValueView::default()
            },
            FieldKind::Identifier => ValueView {
                code: true,
                text,
                ..ValueView::default()
            },
            FieldKind::Date => match self.language.civil(&text) {
                // What browsers know is days, months and years.
                Some(shown) if Civil::stored(&text).is_ok_and(|civil| civil.is_plain()) => ValueView {
                    text: shown,
                    datetime: Some(text),
                    ..ValueView::default()
                },
                Some(shown) => running(&shown),
                None => running(&text),
            },
            FieldKind::Integer | FieldKind::Number if field.unit.is_some() => {
                let figure = self.language.figure(&text);
                running(&format!("{figure}\u{a0}{}", field.unit.as_deref().unwrap_or_default()))
            }
            FieldKind::Number => running(&self.language.figure(&text)),
            FieldKind::Text if field.rich => marked(&text),
            FieldKind::Term | FieldKind::Text if field.facet && text.chars().count() <= PROSE => ValueView {
                href: search_for(&self.definition.name, path, &text),
                text: field.called(&text, self.language.tag()).to_owned(),
                ..ValueView::default()
            },
            FieldKind::Term => running(field.called(&text, self.language.tag())),
            _ => running(&text),
        }
    }
}

/// A text as it is, with its web addresses as links; a long one is folded behind its first paragraphs.
fn running(text: &str) -> ValueView {
    let shown = match text.char_indices().nth(LONGEST) {
        Some((end, _)) => &text[..end],
        None => text,
    };
    let (first, rest) = fold(shown);
    ValueView {
        long: text.chars().count() > PROSE || text.contains('\n'),
        cut: shown.len() < text.len(),
        pieces: pieces(first),
        rest: rest.map(pieces),
        text: String::new(),
        ..ValueView::default()
    }
}

/// A text with marks, whole as far as it is shown at all.
fn marked(text: &str) -> ValueView {
    let shown = text.char_indices().nth(LONGEST).map_or(text, |(end, _)| &text[..end]);
    ValueView {
        rich: Some(rich::html(shown)),
        cut: shown.len() < text.len(),
        ..ValueView::default()
    }
}

/// A text at the end of a paragraph, a sentence or a word near the length that stays in sight. What is left of little is
/// not worth folding.
fn fold(text: &str) -> (&str, Option<&str>) {
    let Some((end, _)) = text.char_indices().nth(IN_SIGHT) else {
        return (text, None);
    };
    if text[end..].chars().count() < IN_SIGHT / 2 {
        return (text, None);
    }
    let head = &text[..end];
    let at = ["\n\n", "\n", ". ", " "]
        .into_iter()
        .filter_map(|mark| head.rfind(mark).map(|at| at + mark.trim_end_matches(' ').len()))
        .find(|at| *at > end / 2)
        .unwrap_or(end);
    let (first, rest) = text.split_at(at);
    (first, Some(rest.trim_start_matches([' ', '\n'])))
}

/// Where the records with the same value are.
pub fn search_for(type_name: &str, path: &str, value: &str) -> Option<String> {
    let pairs = [("type", type_name.to_owned()), ("filter", format!("{path}:{value}"))];
    serde_html_form::to_string(pairs)
        .ok()
        .map(|query| format!("/search?{query}"))
}

/// Key of the badge for a level; nothing for what everybody may see.
pub fn level_key(level: Level) -> Option<&'static str> {
    match level {
        Level::Public => None,
        Level::Members => Some("level.members"),
        Level::Restricted => Some("level.restricted"),
    }
}
