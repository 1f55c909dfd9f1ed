//! What an archive of taxa says of its rows: each names the taxon above it, and the accepted one of a synonym. Their ids
//! become links, in whatever order the rows stand, and the type a tree.

use super::descriptor::{Table, last_part};
use crate::contract::records::{Field, FieldKind, RecordType};

/// The type of a file of taxa, as `dwca::type_name` calls it.
const TAXON: &str = "taxon";
/// The terms that name another taxon; the first is the one above.
const PARENT: &str = "parentNameUsageID";
const OTHERS: [&str; 2] = ["acceptedNameUsageID", "originalNameUsageID"];
/// The terms that name the row itself, and what it is called.
const ID: &str = "taxonID";
const NAME: &str = "scientificName";

/// The field by which the rows of a core of taxa are told apart, where they say who they are beside the core's own id.
pub(super) fn key(core: &Table) -> Option<String> {
    let taxa = last_part(&core.row_type).eq_ignore_ascii_case(TAXON);
    (taxa && core.names().contains(ID)).then(|| ID.to_owned())
}

/// Makes links of the ids of other taxa. `core` is what a row is, `id` the field of the core's id.
pub(in super::super::super) fn as_tree(definition: &mut RecordType, core: Option<&str>, id: Option<&str>) {
    let has = |definition: &RecordType, name: &str| {
        definition
            .fields
            .iter()
            .any(|field| field.name == name && is_plain(field))
    };
    let key = [Some(ID), id].into_iter().flatten().find(|name| has(definition, name));
    let (Some(TAXON), Some(key)) = (core, key.map(str::to_owned)) else {
        return;
    };
    let name = definition.name.clone();
    for field in &mut definition.fields {
        if field.name == key {
            (field.kind, field.unique, field.required, field.facet) = (FieldKind::Identifier, true, true, false);
            field.values.clear();
        } else if definition.key.as_deref() == Some(field.name.as_str()) {
            (field.unique, field.required) = (false, false);
        }
        let leads = field.name == PARENT || OTHERS.contains(&field.name.as_str());
        if leads && is_plain(field) {
            field.kind = FieldKind::Link;
            // A name may be a synonym of several taxa.
            field.repeated = field.name == OTHERS[0];
            field.target = Some(name.clone());
            (field.facet, field.column, field.unique) = (false, false, false);
            (field.min, field.max) = (None, None);
            field.values.clear();
        }
    }
    definition.key = Some(key);
    if has(definition, NAME) {
        definition.title = Some(NAME.to_owned());
    }
    let is_parent = |field: &Field| field.name == PARENT && field.kind == FieldKind::Link;
    definition.parent = definition.fields.iter().any(is_parent).then(|| PARENT.to_owned());
}

fn is_plain(field: &Field) -> bool {
    !field.repeated && field.kind != FieldKind::Group
}

/// The same type under another name: its links to itself go along. What is no link any more makes no tree.
pub(in super::super::super) fn rename(definition: &mut RecordType, before: &str) {
    let name = definition.name.clone();
    for field in definition
        .fields
        .iter_mut()
        .filter(|field| field.target.as_deref() == Some(before))
    {
        field.target = (field.kind == FieldKind::Link).then(|| name.clone());
    }
    let is_link = |wanted: &String| {
        let mut fields = definition.fields.iter();
        fields.any(|field| field.name == *wanted && field.kind == FieldKind::Link)
    };
    definition.parent = definition.parent.take().filter(is_link);
    definition.ranks = definition.ranks.take().filter(|_| definition.parent.is_some());
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn taxa_hang_below_each_other() {
        let text = |name: &str| json!({ "name": name, "kind": "text" });
        let fields = [
            text("taxonID"),
            text("parentNameUsageID"),
            text("acceptedNameUsageID"),
            text("scientificName"),
        ];
        let mut definition: RecordType = serde_json::from_value(json!({ "name": "draft", "fields": fields })).unwrap();
        let mut other = definition.clone();
        as_tree(&mut other, Some("occurrence"), Some("taxonID"));
        assert_eq!(other, definition);
        as_tree(&mut definition, Some("taxon"), Some("taxonID"));
        definition.name = "plant".to_owned();
        rename(&mut definition, "draft");
        assert_eq!(definition.parent.as_deref(), Some("parentNameUsageID"));
        assert_eq!(
            (definition.key.as_deref(), definition.title.as_deref()),
            (Some("taxonID"), Some("scientificName"))
        );
        let targets: Vec<Option<&str>> = definition.fields.iter().map(|f| f.target.as_deref()).collect();
        assert_eq!(targets, [None, Some("plant"), Some("plant"), None]);
        let repeated: Vec<bool> = definition.fields.iter().map(|f| f.repeated).collect();
        assert_eq!(repeated, [false, false, true, false], "several accepted names");
    }
}
