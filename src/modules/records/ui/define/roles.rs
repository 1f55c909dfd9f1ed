//! The controls of a type as a whole: its words in the reader's language, and what its fields are for.

use serde_json::{Map, Value};

use super::super::names::path_label;
use crate::contract::records::RecordType;
use crate::kernel::i18n::Language;
use crate::kernel::search::Tongue;
use crate::kernel::ui::form::{Field, Name};
use crate::kernel::ui::label;
use crate::modules::records::model::outline;

/// Terms of use that are offered.
const LICENCES: [&str; 5] = [
    "https://creativecommons.org/publicdomain/zero/1.0/",
    "https://creativecommons.org/licenses/by/4.0/",
    "https://creativecommons.org/licenses/by-sa/4.0/",
    "https://rightsstatements.org/vocab/InC/1.0/",
    "https://rightsstatements.org/vocab/NKC/1.0/",
];

pub(super) fn own(words: &Map<String, Value>, language: Language) -> &str {
    words.get(language.tag()).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn words(definition: &RecordType, root: &Name, language: Language) -> Vec<Field> {
    let text = |key: &str| language.text(key);
    vec![
        Field::text(
            &root.field("label"),
            text("define.label"),
            own(&definition.labels, language),
        )
        .placeholder(label(&definition.labels, &definition.name, language)),
        Field::long(
            &root.field("description"),
            text("define.description"),
            own(&definition.description, language),
        ),
    ]
}

pub(super) fn roles(definition: &RecordType, root: &Name, language: Language) -> Vec<Field> {
    let text = |key: &str| language.text(key);
    let choose = |role: &str, chosen: &Option<String>| {
        let paths = outline::candidates(definition, role);
        let labelled: Vec<(String, String)> = paths
            .into_iter()
            .map(|path| (path.clone(), path_label(definition, &path, language)))
            .collect();
        let options: Vec<(&str, &str)> = labelled.iter().map(|(p, l)| (p.as_str(), l.as_str())).collect();
        let chosen = chosen.as_deref().unwrap_or_default();
        let control = Field::select(
            &root.field(role),
            text(&format!("define.{role}")),
            chosen,
            &options,
            true,
        );
        control.hint(text(&format!("define.{role}-hint")))
    };
    let licence = definition.licence.clone().unwrap_or_default();
    let known = LICENCES.iter().map(|l| (*l).to_owned()).collect();
    let credit = definition.credit.clone().unwrap_or_default();
    let fields = outline::candidates(definition, "credit");
    let mut roles = vec![
        choose("title", &definition.title),
        choose("key", &definition.key),
        choose("image", &definition.image),
    ];
    // A type without a link to itself is no tree.
    if !outline::candidates(definition, "parent").is_empty() {
        roles.push(choose("parent", &definition.parent));
        roles.push(choose("order", &definition.order));
        let ranks = definition.ranks.clone().unwrap_or_default();
        roles.push(choose("ranks", &Some(ranks.field)));
        let order = ranks.order.join("\n");
        roles.push(
            Field::long(&root.field("rank-order"), text("define.rank-order"), order)
                .hint(text("define.rank-order-hint")),
        );
    }
    roles.extend([
        Field::term(&root.field("licence"), text("define.licence"), licence, known, "")
            .hint(text("define.licence-hint")),
        Field::term(&root.field("credit"), text("define.credit"), credit, fields, "").hint(text("define.credit-hint")),
        language_of(definition, root, language),
        Field::long(
            &root.field("synonyms"),
            text("define.synonyms"),
            definition.synonyms.join("\n"),
        )
        .hint(text("define.synonyms-hint")),
    ]);
    roles
}

/// What the texts are written in: of the languages whose words are found in their forms.
fn language_of(definition: &RecordType, root: &Name, language: Language) -> Field {
    let tags = Tongue::ALL.map(Tongue::tag);
    let labelled = tags.map(|tag| (tag, language.text(&format!("define.in.{tag}"))));
    let mut options: Vec<(&str, &str)> = labelled.iter().map(|(tag, label)| (*tag, label.as_str())).collect();
    let chosen = definition.language.as_deref().unwrap_or_default();
    if !chosen.is_empty() && !tags.contains(&chosen) {
        options.push((chosen, chosen));
    }
    Field::select(
        &root.field("language"),
        language.text("define.language"),
        chosen,
        &options,
        true,
    )
    .hint(language.text("define.language-hint"))
}
