//! What fields are for, told by their names and values: the key, the title, the main image, whom to thank.

use super::node::Node;
use super::words::{has_word, is_id_name, is_register_name, name_words, title_rank};
use crate::contract::records::{Field, FieldKind};

/// The field by which records can be recognised: an identifier of the document that every row has, each another.
pub(super) fn guess_key(type_name: &str, rows: u64, root: &Node, fields: &[Field]) -> Option<String> {
    if rows < 2 {
        return None;
    }
    let own = type_name.replace('-', "");
    let own = own.strip_suffix('s').unwrap_or(&own);
    let last = type_name.rsplit('-').next().unwrap_or_default();
    let last = last.strip_suffix('s').unwrap_or(last);
    let rank = |name: &str| {
        let joined: String = name_words(name).concat();
        let of = joined.strip_suffix("id").unwrap_or_default();
        match joined.as_str() {
            "id" | "identifier" | "uuid" | "guid" => 0,
            _ if !of.is_empty() && (of == own || of == last) => 1,
            _ if ["object", "record", "item", "specimen", "occurrence", "artwork"].contains(&of) => 2,
            _ if is_register_name(name) => 3,
            _ if !of.is_empty() => 4,
            _ => 5,
        }
    };
    let fits = |(field, (_, node)): &(&Field, &(String, Node))| {
        field.kind == FieldKind::Identifier
            && !field.repeated
            && node.unique()
            && node.values == rows
            && is_id_name(&field.name)
    };
    fields
        .iter()
        .zip(&root.children)
        .filter(fits)
        .min_by_key(|(f, _)| rank(&f.name))
        .map(|(f, _)| f.name.clone())
}

/// What a record is called: a field that is named like a title, else one that holds words, each another, else the key.
pub(super) fn guess_title(rows: u64, key: Option<&str>, root: &Node, fields: &[Field]) -> Option<String> {
    let words = |field: &Field| matches!(field.kind, FieldKind::Text | FieldKind::Term) && !field.repeated;
    let usable: Vec<(&Field, &Node)> = fields
        .iter()
        .zip(&root.children)
        .map(|(field, (_, node))| (field, node))
        .filter(|(field, node)| words(field) && !node.odd && node.present * 2 >= rows && node.usual() <= 400)
        .collect();
    let wordy = |node: &Node| node.wordy * 2 >= node.values.max(1);
    let named = usable
        .iter()
        .filter_map(|(field, node)| Some((title_rank(&field.name)?, *field, *node)))
        .filter(|(rank, _, node)| *rank == 0 || wordy(node))
        .min_by_key(|(rank, _, _)| *rank)
        .map(|(_, field, _)| field);
    // Of words without a telling name: first such as differ from row to row, then any text, then a vocabulary.
    let called = |(field, node): &&(&Field, &Node)| {
        let text = field.kind == FieldKind::Text && !node.could.date;
        let sure = text && !is_id_name(&field.name) && wordy(node);
        let differs = node.known as u64 * 3 >= node.values && (3..=150).contains(&node.usual());
        match () {
            () if sure && differs => 0,
            () if sure => 1,
            () if key.is_some() => 2,
            () if field.kind == FieldKind::Term && wordy(node) => 3,
            () if text && node.usual() > 2 => 4,
            () => 5,
        }
    };
    let held = usable
        .iter()
        .map(|one| (called(&one), one.0))
        .min_by_key(|(rank, _)| *rank);
    named
        .or_else(|| {
            held.filter(|(rank, _)| key.is_none() || *rank < 2)
                .map(|(_, field)| field)
        })
        .map(|field| field.name.clone())
        .or_else(|| key.map(str::to_owned))
}

/// The path of the first field of web addresses that is called an image.
pub(super) fn guess_image(fields: &[Field]) -> Option<String> {
    find(fields, "", &|field| {
        field.kind == FieldKind::Url
            && has_word(
                &field.name,
                &["image", "images", "picture", "photo", "photograph", "thumbnail", "img"],
            )
    })
}

/// The path of the field that says whom to thank.
pub(super) fn guess_credit(fields: &[Field]) -> Option<String> {
    find(fields, "", &|field| {
        let joined = name_words(&field.name).concat();
        matches!(field.kind, FieldKind::Text | FieldKind::Term)
            && [
                "credit",
                "creditline",
                "credits",
                "credito",
                "mentionobligatoire",
                "bildnachweis",
                "creditphoto",
            ]
            .contains(&joined.as_str())
    })
}

fn find(fields: &[Field], above: &str, fits: &dyn Fn(&Field) -> bool) -> Option<String> {
    fields.iter().find_map(|field| {
        let path = format!("{above}{}", field.name);
        if fits(field) {
            return Some(path);
        }
        find(&field.fields, &format!("{path}."), fits)
    })
}
