//! What fields are for, told by their names and values: the key, the title, the main image, whom to thank.

use super::node::Node;
use crate::contract::records::{Field, FieldKind};

/// Names by which a title goes, best first, without separators.
const TITLES: [&str; 20] = [
    "title",
    "objecttitle",
    "exhtitle",
    "exhibitiontitle",
    "name",
    "label",
    "objectname",
    "preferreddisplayname",
    "displayname",
    "fullname",
    "scientificname",
    "productname",
    "commonname",
    "headline",
    "caption",
    "heading",
    "species",
    "taxon",
    "subject",
    "description",
];

/// The words of a name: `ExhibitionID` is `exhibition`, `id`.
fn name_words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = vec![String::new()];
    let mut lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || (c.is_uppercase() && lower) {
            words.push(String::new());
        }
        lower = c.is_lowercase() || c.is_numeric();
        if c.is_alphanumeric()
            && let Some(last) = words.last_mut()
        {
            last.extend(c.to_lowercase());
        }
    }
    words.retain(|w| !w.is_empty());
    words
}

pub(super) fn has_word(name: &str, wanted: &[&str]) -> bool {
    let words = name_words(name);
    words.iter().any(|w| wanted.contains(&w.as_str()))
        || wanted.iter().any(|w| w.len() > 3 && name.to_lowercase().ends_with(w))
}

/// A name under which codes stand: `id`, `artist_id`, `ObjectID`, `accession_number`, `constituentid`, `barcode`.
pub(super) fn is_id_name(name: &str) -> bool {
    let words = name_words(name);
    let Some(last) = words.last() else { return false };
    let first = words.first().map_or("", String::as_str);
    let plain = [
        "id",
        "identifier",
        "uuid",
        "guid",
        "uri",
        "barcode",
        "isbn",
        "issn",
        "ean",
        "gtin",
        "accession",
        "signature",
    ];
    let numbers = ["number", "no", "nr", "num", "code"];
    let numbered = [
        "accession",
        "catalog",
        "catalogue",
        "inventory",
        "object",
        "item",
        "registration",
        "barcode",
        "specimen",
        "bar",
    ];
    plain.contains(&last.as_str())
        || (numbers.contains(&last.as_str()) && numbered.contains(&first))
        || [
            "accessionnumber",
            "catalognumber",
            "inventorynumber",
            "objectnumber",
            "accessionno",
        ]
        .contains(&last.as_str())
        || (words.len() == 1 && last.len() > 4 && last.ends_with("id"))
}

/// The field by which records can be recognised: an identifier of the document that every row has, each another.
pub(super) fn guess_key(type_name: &str, rows: u64, root: &Node, fields: &[Field]) -> Option<String> {
    if rows < 2 {
        return None;
    }
    let type_name = type_name.replace('-', "");
    let rank = |name: &str| {
        let joined: String = name_words(name).concat();
        match joined.as_str() {
            "id" | "identifier" | "uuid" | "guid" => 0,
            j if j.strip_suffix("id").is_some_and(|j| j == type_name) => 1,
            j if j.ends_with("id") => 2,
            _ => 3,
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

pub(super) fn guess_title(rows: u64, root: &Node, fields: &[Field]) -> Option<String> {
    let words = |field: &Field| matches!(field.kind, FieldKind::Text | FieldKind::Term) && !field.repeated;
    let usable: Vec<(&Field, &Node)> = fields
        .iter()
        .zip(&root.children)
        .map(|(field, (_, node))| (field, node))
        .filter(|(field, node)| words(field) && !node.odd && node.present * 2 >= rows && node.usual() <= 400)
        .collect();
    let joined: Vec<String> = usable.iter().map(|(f, _)| name_words(&f.name).concat()).collect();
    let named = |wanted: &dyn Fn(&str) -> bool| joined.iter().position(|j| wanted(j)).map(|i| usable[i].0.name.clone());
    TITLES
        .iter()
        .find_map(|title| named(&|j| j == *title))
        .or_else(|| named(&|j| j.ends_with("title")))
        .or_else(|| {
            named(&|j| j.ends_with("name") && !["last", "first", "file", "user"].iter().any(|p| j.starts_with(p)))
        })
        .or_else(|| {
            usable
                .iter()
                .find(|(f, n)| f.kind == FieldKind::Text && !n.could.date && n.usual() > 2)
                .map(|(f, _)| f.name.clone())
        })
        .or_else(|| usable.first().map(|(f, _)| f.name.clone()))
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
            && ["credit", "creditline", "credits"].contains(&joined.as_str())
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
