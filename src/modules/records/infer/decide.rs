//! From what was remembered of each field to its kind, and from all fields to title, key, facets and columns.

use std::collections::HashSet;

use serde_json::Map;

use super::node::{MAX_TERMS, Node};
use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::access::Level;

/// Fields a type may have; above it the largest groups are kept as text.
const MAX_FIELDS: usize = 1_500;
const MAX_FACETS: usize = 16;
const MAX_COLUMNS: usize = 6;
/// Values of a facet that people still look through.
const MAX_FACET_VALUES: usize = 500;
/// How often a term stands on average at least.
const REPEATS: u64 = 3;
/// Below so many values, that all differ says nothing.
const FEW: u64 = 10;

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

pub(super) fn decide(name: &str, key: Option<&str>, cells: bool, rows: u64, mut root: Node) -> RecordType {
    unfold(&mut root);
    let rules = Rules {
        cells,
        forced: key,
        rows,
    };
    let mut fields: Vec<Field> = root
        .children
        .iter()
        .map(|(name, node)| rules.field(name, node, true))
        .collect();
    let key = key.map(str::to_owned).or_else(|| guess_key(name, rows, &root, &fields));
    for field in fields.iter_mut().filter(|f| key.as_deref() == Some(f.name.as_str())) {
        (field.unique, field.required, field.facet) = (true, true, false);
    }
    let title = guess_title(rows, &root, &fields).or_else(|| key.clone());
    facets(rows, &root, &mut fields);
    columns(title.as_deref(), key.as_deref(), rows, &root, &mut fields);
    RecordType {
        name: name.to_owned(),
        labels: Map::new(),
        description: Map::new(),
        title,
        key,
        image: None,
        licence: None,
        credit: None,
        visibility: Level::Members,
        fields,
    }
}

/// Groups that cannot be fields become text: odd ones, those whose paths would be ambiguous, the largest of too many.
fn unfold(root: &mut Node) {
    let names: HashSet<String> = root.children.iter().map(|(name, _)| name.clone()).collect();
    for (name, node) in &mut root.children {
        let prefix = format!("{name}.");
        if names.iter().any(|other| other.starts_with(&prefix)) || dotted(node) {
            flatten(node);
        }
    }
    while size(root) > MAX_FIELDS {
        let Some((_, largest)) = root.children.iter_mut().max_by_key(|(_, node)| size(node)) else {
            return;
        };
        if largest.children.is_empty() {
            return;
        }
        flatten(largest);
    }
}

fn flatten(node: &mut Node) {
    if node.objects > 0 {
        node.odd = true;
        node.children.clear();
    }
}

/// Names with dots beside groups make paths that could mean two things.
fn dotted(node: &Node) -> bool {
    node.children
        .iter()
        .any(|(name, child)| name.contains('.') || dotted(child))
}

fn size(node: &Node) -> usize {
    node.children.iter().map(|(_, child)| 1 + size(child)).sum()
}

struct Rules<'a> {
    cells: bool,
    forced: Option<&'a str>,
    rows: u64,
}

impl Rules<'_> {
    fn field(&self, name: &str, node: &Node, top: bool) -> Field {
        let forced = top && self.forced == Some(name);
        let group = node.objects > 0 && node.values == 0 && !node.odd && !node.children.is_empty();
        // What fields cannot hold is kept whole, as JSON text.
        let whole = node.odd || (node.objects > 0 && !group);
        let kind = match () {
            () if group => FieldKind::Group,
            () if forced => FieldKind::Identifier,
            () if whole || node.values == 0 => FieldKind::Text,
            () => self.scalar(name, node, top),
        };
        let fields = if group {
            node.children
                .iter()
                .map(|(name, node)| self.field(name, node, false))
                .collect()
        } else {
            Vec::new()
        };
        Field {
            name: name.to_owned(),
            kind,
            labels: Map::new(),
            hints: Map::new(),
            repeated: node.lists > 0 && !whole && !forced,
            required: false,
            unique: false,
            facet: false,
            column: false,
            level: Level::Public,
            target: None,
            min: None,
            max: None,
            values: Vec::new(),
            fields,
        }
    }

    fn scalar(&self, name: &str, node: &Node, top: bool) -> FieldKind {
        let mixed = [node.texts, node.integers + node.numbers, node.booleans]
            .iter()
            .filter(|n| **n > 0)
            .count()
            > 1;
        if mixed {
            return FieldKind::Text;
        }
        let could = node.could;
        let coded = could.code && node.digits * 10 >= node.values * 9;
        if coded
            && node.longest <= 200
            && node.numbers == 0
            && (could.integer || !could.url)
            && is_id_name(name)
            && !(could.date && node.months > 0)
        {
            return FieldKind::Identifier;
        }
        let open = self.cells || node.texts == 0;
        if open && could.boolean {
            return FieldKind::Boolean;
        }
        if open && could.integer {
            return FieldKind::Integer;
        }
        if open && could.number {
            return FieldKind::Number;
        }
        if could.date && (node.months > 0 || has_word(name, &["year", "date", "begin", "end", "earliest", "latest"])) {
            return FieldKind::Date;
        }
        if could.url {
            return FieldKind::Url;
        }
        let all_differ = node.unique() && node.values >= FEW && node.values == self.rows;
        if top && all_differ && coded && !could.number && node.longest <= 200 && node.lists == 0 {
            return FieldKind::Identifier;
        }
        if is_vocabulary(node) {
            FieldKind::Term
        } else {
            FieldKind::Text
        }
    }
}

fn is_vocabulary(node: &Node) -> bool {
    node.repeats
        && node.known <= MAX_TERMS
        && node.values >= REPEATS * node.known as u64
        && node.usual() <= 60
        && node.longest <= 200
        && !node.lines
}

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

fn has_word(name: &str, wanted: &[&str]) -> bool {
    let words = name_words(name);
    words.iter().any(|w| wanted.contains(&w.as_str()))
        || wanted.iter().any(|w| w.len() > 3 && name.to_lowercase().ends_with(w))
}

/// A name under which codes stand: `id`, `artist_id`, `ObjectID`, `accession_number`, `constituentid`, `barcode`.
fn is_id_name(name: &str) -> bool {
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
fn guess_key(type_name: &str, rows: u64, root: &Node, fields: &[Field]) -> Option<String> {
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

fn guess_title(rows: u64, root: &Node, fields: &[Field]) -> Option<String> {
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

/// Marks what people narrow by: vocabularies, yes and no, small numbers. The best covered come first.
fn facets(rows: u64, root: &Node, fields: &mut [Field]) {
    let mut found = Vec::new();
    candidates(root, fields, &mut Vec::new(), &mut found);
    found.sort_by(|(a, _), (b, _)| b.cmp(a));
    for (cover, path) in found.into_iter().take(MAX_FACETS) {
        // What hardly any record has narrows nothing.
        if cover * 50 >= rows
            && let Some(field) = at(fields, &path)
        {
            field.facet = true;
        }
    }
}

fn candidates(node: &Node, fields: &[Field], path: &mut Vec<usize>, found: &mut Vec<(u64, Vec<usize>)>) {
    for (index, (field, (_, child))) in fields.iter().zip(&node.children).enumerate() {
        path.push(index);
        let few = child.known >= 2 && child.known <= MAX_FACET_VALUES;
        let small = child.known <= 30 && child.values >= REPEATS * child.known as u64;
        match field.kind {
            FieldKind::Group => candidates(child, &field.fields, path, found),
            FieldKind::Term | FieldKind::Boolean if few => found.push((child.present, path.clone())),
            FieldKind::Integer if few && small => found.push((child.present, path.clone())),
            _ => {}
        }
        path.pop();
    }
}

fn at<'a>(fields: &'a mut [Field], path: &[usize]) -> Option<&'a mut Field> {
    let (first, rest) = path.split_first()?;
    let field = fields.get_mut(*first)?;
    if rest.is_empty() {
        Some(field)
    } else {
        at(&mut field.fields, rest)
    }
}

/// Marks what the table shows: the title, a short code, a date, then vocabularies, then whatever is short.
fn columns(title: Option<&str>, key: Option<&str>, rows: u64, root: &Node, fields: &mut [Field]) {
    let mut order: Vec<(u8, usize)> = Vec::new();
    for (index, (field, (_, node))) in fields.iter().zip(&root.children).enumerate() {
        if node.odd || field.kind == FieldKind::Group || node.present * 4 < rows.max(1) {
            continue;
        }
        let short = node.usual() <= 40;
        let rank = match field.kind {
            _ if title == Some(field.name.as_str()) => 0,
            FieldKind::Identifier if short && (node.usual() <= 20 || key == Some(field.name.as_str())) => 1,
            _ if short && has_word(&field.name, &["date", "year"]) => 2,
            FieldKind::Term if field.facet && short => 3,
            FieldKind::Date if short => 4,
            FieldKind::Text if short => 5,
            FieldKind::Integer | FieldKind::Number | FieldKind::Boolean => 6,
            _ => continue,
        };
        order.push((rank, index));
    }
    order.sort_unstable();
    // One code and two dates say enough; the rest of the room is for what differs.
    let mut taken = [0usize; 7];
    let most = [1, 1, 2, 4, 2, 3, 4];
    let mut left = MAX_COLUMNS;
    for (rank, index) in order {
        let rank = usize::from(rank);
        if left > 0 && taken[rank] < most[rank] {
            taken[rank] += 1;
            left -= 1;
            fields[index].column = true;
        }
    }
}
