//! The controls of the fields of a type: words in every language, place, rules, how each is shown; and of one that is added.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::super::names::path_label;
use super::roles::own;
use crate::contract::records::{Field as TypeField, FieldKind, RecordType, Weight};
use crate::kernel::i18n::Language;
use crate::kernel::ui::form::{Control, Field, Name};
use crate::kernel::ui::label;
use crate::modules::records::model::outline_added::PIECE;
use crate::modules::records::model::outline_fields::{KINDS, is_limited, kind_name};
use crate::modules::records::service::pieces;

/// Languages in which something is said besides the reader's: those of the house, and those that the type has.
pub(in crate::modules::records::ui) fn others(definition: &RecordType, language: Language) -> Vec<String> {
    fn gather(fields: &[TypeField], tags: &mut BTreeSet<String>) {
        for field in fields {
            for words in [&field.labels, &field.hints, &field.section] {
                tags.extend(words.keys().cloned());
            }
            gather(&field.fields, tags);
        }
    }
    let mut tags: BTreeSet<String> = Language::all().map(|one| one.tag().to_owned()).collect();
    tags.extend(definition.labels.keys().chain(definition.description.keys()).cloned());
    gather(&definition.fields, &mut tags);
    tags.remove(language.tag());
    tags.into_iter().collect()
}

/// A language as its reader calls it.
pub(in crate::modules::records::ui) fn called(tag: &str, language: Language) -> String {
    language
        .get(&format!("define.in.{tag}"))
        .map_or_else(|| tag.to_owned(), str::to_owned)
}

fn said<'w>(words: &'w Map<String, Value>, tag: &str) -> &'w str {
    words.get(tag).and_then(Value::as_str).unwrap_or_default()
}

/// What the form knows beside the definition.
pub(super) struct Known<'a> {
    pub language: Language,
    /// Languages in which things are said, too.
    pub others: &'a [String],
    /// No record has a value yet: kinds can be chosen freely.
    pub is_empty: bool,
    /// Names and labels of types that links can lead to.
    pub targets: &'a [(String, String)],
}

impl Known<'_> {
    fn text(&self, key: &str) -> String {
        self.language.text(key)
    }

    /// The type's name and description in the other languages.
    pub(super) fn words(&self, definition: &RecordType, root: &Name) -> Vec<Field> {
        let mut made = Vec::new();
        for tag in self.others {
            let named = |key: &str| format!("{} ({})", self.text(key), called(tag, self.language));
            let (names, abouts) = (root.field("labels").field(tag), root.field("descriptions").field(tag));
            made.push(Field::text(
                &names,
                named("define.label"),
                said(&definition.labels, tag),
            ));
            made.push(Field::long(
                &abouts,
                named("define.description"),
                said(&definition.description, tag),
            ));
        }
        made
    }

    /// What a field is called in the other languages.
    pub(super) fn elsewhere(&self, field: &TypeField, name: &Name, is_top: bool) -> Vec<Field> {
        let mut made = Vec::new();
        for tag in self.others {
            let named = |key: &str| format!("{} ({})", self.text(key), called(tag, self.language));
            let words = [
                ("labels", "define.field-label", &field.labels),
                ("hints", "define.field-hint", &field.hints),
            ];
            for (part, key, words) in words {
                made.push(Field::text(&name.field(part).field(tag), named(key), said(words, tag)));
            }
            if is_top {
                let section = name.field("sections").field(tag);
                made.push(Field::text(
                    &section,
                    named("define.section"),
                    said(&field.section, tag),
                ));
            }
        }
        made
    }

    /// Everything that may be said of a field. `place` is where it stands among the others, from 1.
    pub(super) fn controls(&self, field: &TypeField, name: &Name, place: usize, is_top: bool) -> Vec<Field> {
        let language = self.language;
        let mut controls = vec![
            Field::text(
                &name.field("label"),
                self.text("define.field-label"),
                own(&field.labels, language),
            )
            .placeholder(label(&field.labels, &field.name, language)),
            Field::text(
                &name.field("hint"),
                self.text("define.field-hint"),
                own(&field.hints, language),
            ),
        ];
        if is_top {
            let section = Field::text(
                &name.field("section"),
                self.text("define.section"),
                own(&field.section, language),
            );
            controls.push(section.hint(self.text("define.section-hint")));
        }
        if self.is_empty {
            controls.extend(self.kind(field, name));
        }
        controls.extend(self.rules(field, name));
        controls.extend(self.showing(field, name));
        controls.push(
            Field::number(&name.field("place"), self.text("define.place"), place.to_string())
                .hint(self.text("define.place-hint")),
        );
        if self.is_empty {
            controls.push(Field::switch(&name.field("remove"), self.text("define.remove"), false));
        }
        // What is only on or off stands together.
        controls.sort_by_key(|field| matches!(field.control, Control::Switch(_)));
        controls
    }

    /// Of a field that holds nothing yet.
    fn kind(&self, field: &TypeField, name: &Name) -> Vec<Field> {
        let mut made = vec![self.kinds(&name.field("kind"), field.kind, field.kind == FieldKind::Group)];
        made.push(Field::switch(
            &name.field("repeated"),
            self.text("define.repeated"),
            field.repeated,
        ));
        let target = field.target.as_deref().unwrap_or_default();
        if field.kind == FieldKind::Link {
            made.push(self.target(&name.field("target"), target));
        }
        made
    }

    fn kinds(&self, name: &Name, chosen: FieldKind, only_group: bool) -> Field {
        let fits = |kind: &FieldKind| (*kind == FieldKind::Group) == only_group && *kind != FieldKind::Link;
        let offered = KINDS.into_iter().filter(|kind| fits(kind) || *kind == chosen);
        self.choose_kind(name, chosen, offered.collect())
    }

    fn choose_kind(&self, name: &Name, chosen: FieldKind, offered: Vec<FieldKind>) -> Field {
        let options: Vec<(&str, String)> = offered
            .into_iter()
            .map(|kind| (kind_name(kind), self.text(&format!("kind.{}", kind_name(kind)))))
            .collect();
        let options: Vec<(&str, &str)> = options.iter().map(|(value, label)| (*value, label.as_str())).collect();
        Field::select(name, self.text("types.kind"), kind_name(chosen), &options, false)
    }

    /// What a field that is added can be: one of the kinds, or several parts that belong together.
    fn sorts(&self, name: &Name, chosen: &str) -> Field {
        let kinds = KINDS.into_iter().map(|kind| {
            (
                kind_name(kind).to_owned(),
                self.text(&format!("kind.{}", kind_name(kind))),
            )
        });
        let parts = pieces().iter().map(|piece| {
            let called = label(&piece.labels, &piece.name, self.language);
            (format!("{PIECE}{}", piece.name), called)
        });
        let all: Vec<(String, String)> = kinds.chain(parts).collect();
        let options: Vec<(&str, &str)> = all
            .iter()
            .map(|(value, label)| (value.as_str(), label.as_str()))
            .collect();
        let chosen = if chosen.is_empty() { "text" } else { chosen };
        Field::select(name, self.text("types.kind"), chosen, &options, false).hint(self.text("define.sorts-hint"))
    }

    fn target(&self, name: &Name, chosen: &str) -> Field {
        let options: Vec<(&str, &str)> = self.targets.iter().map(|(n, l)| (n.as_str(), l.as_str())).collect();
        Field::select(name, self.text("define.target"), chosen, &options, true).hint(self.text("define.target-hint"))
    }

    /// What its values must be.
    fn rules(&self, field: &TypeField, name: &Name) -> Vec<Field> {
        let mut made = vec![Field::switch(
            &name.field("required"),
            self.text("define.required"),
            field.required,
        )];
        if !matches!(field.kind, FieldKind::Group | FieldKind::Boolean) {
            let unique = Field::switch(&name.field("unique"), self.text("define.unique"), field.unique);
            made.push(unique.hint(self.text("define.unique-hint")));
        }
        if is_limited(field.kind) {
            let numbers = matches!(field.kind, FieldKind::Integer | FieldKind::Number);
            let sort = if numbers { "value" } else { "length" };
            for (part, limit) in [("min", field.min), ("max", field.max)] {
                let shown = limit.map(|limit| limit.to_string()).unwrap_or_default();
                made.push(Field::number(
                    &name.field(part),
                    self.text(&format!("define.{part}-{sort}")),
                    shown,
                ));
            }
        }
        if matches!(field.kind, FieldKind::Integer | FieldKind::Number) {
            let unit = field.unit.as_deref().unwrap_or_default();
            made.push(
                Field::text(&name.field("unit"), self.text("define.unit"), unit).hint(self.text("define.unit-hint")),
            );
        }
        if field.kind == FieldKind::Term {
            let values = Field::long(
                &name.field("values"),
                self.text("define.values"),
                field.values.join("\n"),
            );
            made.push(values.hint(self.text("define.values-hint")));
        }
        made
    }

    /// How it is shown, to whom, and how it is found.
    fn showing(&self, field: &TypeField, name: &Name) -> Vec<Field> {
        let mut made = Vec::new();
        if field.kind != FieldKind::Group {
            made.push(Field::switch(
                &name.field("facet"),
                self.text("define.facet"),
                field.facet,
            ));
            made.push(Field::switch(
                &name.field("column"),
                self.text("define.column"),
                field.column,
            ));
        }
        if field.kind == FieldKind::Text {
            made.push(Field::switch(&name.field("rich"), self.text("define.rich"), field.rich));
        }
        let levels = ["public", "members", "restricted"];
        let levels = levels.map(|level| (level, self.text(&format!("level.of-record.{level}"))));
        let levels: Vec<(&str, &str)> = levels.iter().map(|(value, label)| (*value, label.as_str())).collect();
        let level = name.field("level");
        made.push(Field::select(
            &level,
            self.text("define.level"),
            field.level.as_str(),
            &levels,
            false,
        ));
        if field.has_words() {
            let weights = Weight::ALL.map(|weight| {
                (
                    weight.as_str(),
                    self.text(&format!("define.weight-{}", weight.as_str())),
                )
            });
            let weights: Vec<(&str, &str)> = weights.iter().map(|(value, label)| (*value, label.as_str())).collect();
            made.push(Field::select(
                &name.field("weight"),
                self.text("define.weight"),
                field.weight.as_str(),
                &weights,
                false,
            ));
        }
        made
    }

    /// The controls of a field that is added.
    pub(super) fn adding(&self, definition: &RecordType, root: &Name, entered: &Map<String, Value>) -> Vec<Field> {
        let name = root.field("new");
        let given = entered.get("new").and_then(Value::as_object);
        let was = |part: &str| {
            given
                .and_then(|given| given.get(part))
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let mut groups = Vec::new();
        group_paths(&definition.fields, "", &mut groups);
        let within: Vec<(String, String)> = groups
            .into_iter()
            .map(|path| (path.clone(), path_label(definition, &path, self.language)))
            .collect();
        let within: Vec<(&str, &str)> = within.iter().map(|(p, l)| (p.as_str(), l.as_str())).collect();
        let mut made = vec![
            Field::text(&name.field("label"), self.text("define.field-label"), was("label")),
            self.sorts(&name.field("kind"), was("kind")),
            Field::switch(
                &name.field("repeated"),
                self.text("define.repeated"),
                was("repeated") == "true",
            ),
        ];
        if !within.is_empty() {
            made.push(Field::select(
                &name.field("within"),
                self.text("define.within"),
                was("within"),
                &within,
                true,
            ));
        }
        made.push(self.target(&name.field("target"), was("target")));
        made.push(
            Field::text(&name.field("inner"), self.text("define.inner"), was("inner"))
                .hint(self.text("define.inner-hint")),
        );
        made.push(
            Field::text(&name.field("name"), self.text("types.name"), was("name")).hint(self.text("define.name-hint")),
        );
        made
    }
}

fn group_paths(fields: &[TypeField], above: &str, out: &mut Vec<String>) {
    for field in fields.iter().filter(|field| field.kind == FieldKind::Group) {
        let path = format!("{above}{}", field.name);
        out.push(path.clone());
        group_paths(&field.fields, &format!("{path}."), out);
    }
}
