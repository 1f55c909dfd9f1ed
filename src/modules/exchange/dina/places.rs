//! The smaller sets as documents: terms, places, storage locations, agents, taxa and their names. No I/O.

use serde_json::{Map, Value, json};

use super::recast::Work;
use super::take::{Taken, put};
use super::{PLACE, STORAGE, Set, TAXON, rows};
use crate::kernel::error::FieldIssue;

type Document = Map<String, Value>;
type Made = Result<Document, Vec<FieldIssue>>;

/// What a row is known by.
fn own(work: &mut Work<'_>, taken: &mut Taken, name: &str) -> Result<String, Vec<FieldIssue>> {
    match taken.text(name) {
        Some(id) => Ok(work.own_key(rows::key(&id))),
        None => Err(vec![FieldIssue {
            path: format!("migrationData.{name}"),
            message: "is missing; nothing else says which row this is.".to_owned(),
        }]),
    }
}

pub fn term(work: &mut Work<'_>, set: Set, data: Document) -> Made {
    let mut taken = Taken::shallow(data);
    let Some(key) = taken.text("key") else {
        return Err(vec![FieldIssue {
            path: "key".to_owned(),
            message: "is missing; nothing else says which term this is.".to_owned(),
        }]);
    };
    let mut document = Document::new();
    put(&mut document, "termID", Some(work.own_key(rows::term(set, &key))));
    put(&mut document, "vocabulary", Some(set.as_str()));
    let mut labels = Vec::new();
    let plain = taken.text("name");
    for name in taken.objects("name") {
        let mut name = Taken::of(name);
        for (language, text) in name.prefixed("") {
            labels.push((language, text));
        }
        work.leave("name", name.rest());
    }
    let english = labels.iter().find(|(language, _)| language == "en").or(labels.first());
    let name = plain.or_else(|| english.map(|(_, text)| text.clone()));
    put(&mut document, "name", Some(name.unwrap_or(key)));
    if !labels.is_empty() {
        let labels: Vec<Value> = labels
            .into_iter()
            .map(|(language, name)| json!({ "language": language, "name": name }))
            .collect();
        document.insert("labels".to_owned(), labels.into());
    }
    for field in ["category", "group", "description"] {
        put(&mut document, field, taken.text(field));
    }
    let mut selectable = Vec::new();
    for (list, of) in [
        ("selectableValues", "values"),
        ("selectableUnits", "units"),
        ("selectableMethods", "methods"),
    ] {
        let found = work.each(&mut taken, list, |_, from| {
            let mut one = Document::new();
            put(&mut one, "of", Some(of));
            put(&mut one, "key", from.text("key"));
            let name = from.text("name").or_else(|| from.text("name_en"));
            put(&mut one, "name", name);
            put(&mut one, "name_sv", from.text("name_sv"));
            one
        });
        if let Some(Value::Array(found)) = found {
            selectable.extend(found);
        }
    }
    if !selectable.is_empty() {
        document.insert("selectable".to_owned(), selectable.into());
    }
    work.leave("", taken.rest());
    Ok(document)
}

/// A row of a tree of places or storage.
fn node(work: &mut Work<'_>, data: Document, (key, type_name): (&str, &str)) -> Made {
    let mut taken = Taken::of(data);
    let mut document = Document::new();
    put(&mut document, key, Some(own(work, &mut taken, "id")?));
    put(&mut document, "name", taken.text("name"));
    put(&mut document, "level", taken.text("group"));
    put(&mut document, "description", taken.text("description"));
    let parent = taken.text("parentId");
    work.parent(&mut document, type_name, "parent", parent);
    // Whether it stands at the top is seen from what it hangs below.
    taken.truth("isRoot");
    work.leave("", taken.rest());
    Ok(document)
}

pub fn place(work: &mut Work<'_>, data: Document) -> Made {
    node(work, data, ("locationID", PLACE))
}

pub fn storage(work: &mut Work<'_>, data: Document) -> Made {
    node(work, data, ("storageID", STORAGE))
}

pub fn agent(work: &mut Work<'_>, data: Document) -> Document {
    let mut taken = Taken::of(data);
    let mut document = Document::new();
    let (given, family) = (taken.text("givenName"), taken.text("familyName"));
    let parts = [given.clone(), family.clone()]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(" ");
    let full = taken.text("fullName").or(Some(parts).filter(|name| !name.is_empty()));
    let known = full
        .clone()
        .or_else(|| taken.text("abbreviation"))
        .unwrap_or_else(|| "unnamed".to_owned());
    put(&mut document, "agentID", Some(work.own_key(rows::key(&known))));
    put(&mut document, "fullName", full);
    put(&mut document, "givenName", given);
    put(&mut document, "familyName", family);
    for field in [
        "agentType",
        "abbreviation",
        "title",
        "disambiguatingDescription",
        "remarks",
    ] {
        put(&mut document, field, taken.text(field));
    }
    for (field, prefix) in [("born", "birthDate_"), ("died", "deathDate_")] {
        let (date, words) = taken.date(prefix);
        put(&mut document, field, date);
        if let Some(words) = words {
            work.leave(
                prefix.trim_end_matches('_'),
                Map::from_iter([("text".to_owned(), words.into())]),
            );
        }
    }
    let mut role = Document::new();
    put(&mut role, "name", taken.text("role_name"));
    put(&mut role, "affiliation", taken.text("role_affiliation_name"));
    for (field, prefix) in [
        ("from", "role_dateRange_startDate_"),
        ("until", "role_dateRange_endDate_"),
    ] {
        let (date, words) = taken.date(prefix);
        put(&mut role, field, date);
        if let Some(words) = words {
            work.leave(
                prefix.trim_end_matches('_'),
                Map::from_iter([("text".to_owned(), words.into())]),
            );
        }
    }
    if !role.is_empty() {
        document.insert("roles".to_owned(), json!([role]));
    }
    let mut contact = Document::new();
    for field in [
        "email",
        "telephone",
        "streetAddress",
        "postOfficeBoxNumber",
        "postalCode",
        "city",
        "stateProvince",
        "country",
    ] {
        put(&mut contact, field, taken.text(field));
    }
    if !contact.is_empty() {
        document.insert("contact".to_owned(), contact.into());
    }
    work.leave("", taken.rest());
    document
}

pub fn taxon(work: &mut Work<'_>, data: Document) -> Made {
    let mut taken = Taken::of(data);
    let mut document = Document::new();
    let key = own(work, &mut taken, "id")?;
    if let Some((name, rank)) = work.accepted(&key) {
        put(&mut document, "scientificName", Some(name));
        put(&mut document, "taxonRank", Some(rank).filter(|rank| !rank.is_empty()));
    }
    put(&mut document, "taxonID", Some(key));
    let parent = taken.text("parentId");
    work.parent(&mut document, TAXON, "parentNameUsageID", parent);
    taken.truth("isRoot");
    work.leave("", taken.rest());
    Ok(document)
}

pub fn name(work: &mut Work<'_>, data: Document) -> Made {
    let mut taken = Taken::of(data);
    let mut document = Document::new();
    put(&mut document, "nameID", Some(own(work, &mut taken, "id")?));
    for (field, from) in [
        ("name", "name"),
        ("rank", "rank"),
        ("nameType", "type"),
        ("language", "language"),
        ("rubinNumber", "rubinNumber"),
    ] {
        put(&mut document, field, taken.text(from));
    }
    for field in ["acceptedTo", "synonymTo", "vernacularTo"] {
        let Some(id) = taken.text(&format!("{field}TaxonId")) else {
            continue;
        };
        let answer = work.by_key(TAXON, &rows::key(&id));
        let mut link = Document::new();
        work.link(&mut link, "", field, id, answer);
        if let Some(id) = link.shift_remove(field) {
            document.insert(field.to_owned(), id);
        }
        if let Some(Value::String(words)) = link.shift_remove(&format!("{field}Text")) {
            let words = format!("{field} {words}");
            let before = document.get("taxonText").and_then(Value::as_str);
            let words = before.map_or_else(|| words.clone(), |before| format!("{before}; {words}"));
            document.insert("taxonText".to_owned(), words.into());
        }
    }
    work.leave("", taken.rest());
    Ok(document)
}
