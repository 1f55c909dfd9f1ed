//! From what was remembered of each field to its kind, and from all fields to title, key, facets and columns.

use std::collections::HashSet;

use serde_json::Map;

use super::guess::{guess_credit, guess_image, guess_key, guess_title};
use super::node::{MAX_TERMS, Node};
use super::words::{has_word, is_id_name, is_register_name};
use crate::contract::records::{Field, FieldKind, RecordType, Weight};
use crate::kernel::access::Level;

/// Words for when something was, in names of fields.
const DATES: [&str; 15] = [
    "year",
    "date",
    "begin",
    "end",
    "earliest",
    "latest",
    "datum",
    "jahr",
    "datierung",
    "annee",
    "fecha",
    "anno",
    "jaar",
    "rok",
    "ano",
];
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
    let title = guess_title(rows, key.as_deref(), &root, &fields);
    facets(rows, &root, &mut fields);
    columns(title.as_deref(), key.as_deref(), rows, &root, &mut fields);
    RecordType {
        name: name.to_owned(),
        labels: Map::new(),
        description: Map::new(),
        title,
        key,
        image: guess_image(&fields),
        parent: None,
        order: None,
        ranks: None,
        licence: None,
        credit: guess_credit(&fields),
        language: None,
        synonyms: Vec::new(),
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
            weight: Weight::Usual,
            level: Level::Public,
            target: None,
            min: None,
            max: None,
            language: None,
            unit: None,
            rich: false,
            values: Vec::new(),
            terms: Vec::new(),
            number: None,
            section: serde_json::Map::new(),
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
        let digits = node.digits * 10 >= node.values * 9;
        let coded = could.code && digits;
        let marked = could.mark && digits && is_register_name(name);
        if (coded || marked)
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
        if could.date && (node.months > 0 || has_word(name, &DATES)) {
            return FieldKind::Date;
        }
        if could.url {
            return FieldKind::Url;
        }
        let all_differ = node.unique() && node.values >= FEW && node.values == self.rows;
        if top && all_differ && coded && !could.number && node.longest <= 64 && node.lists == 0 {
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
            _ if short && has_word(&field.name, &DATES) => 2,
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
