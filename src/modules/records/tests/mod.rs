//! Stories of records on both databases.

mod addresses;
mod edits;
mod entries;
mod identifying;
mod imports;
mod rules;
mod sight;
mod trees;

use serde_json::{Map, Value};

use super::service::{Because, NewRecord, Service};
use crate::contract::records::RecordType;
use crate::kernel::access::{Access, Caller, Level};
use crate::kernel::db::Db;
use crate::kernel::testing::TestDb;

fn service(db: &TestDb) -> Service {
    Service::new(Db::clone(db), Access::default(), None)
}

/// An object with every kind of field, hidden ones too.
fn vase() -> RecordType {
    toml::from_str(
        r#"
        name = "vase"
        title = "title"
        key = "number"
        fields = [
            { name = "number", kind = "identifier" },
            { name = "title", kind = "text", required = true, column = true },
            { name = "material", kind = "term", values = ["clay", "glass"], facet = true },
            { name = "height", kind = "number", min = 0, max = 300 },
            { name = "parts", kind = "integer", min = 1 },
            { name = "whole", kind = "boolean" },
            { name = "made", kind = "date" },
            { name = "page", kind = "url" },
            { name = "serial", kind = "identifier", unique = true },
            { name = "twin", kind = "link", target = "vase" },
            { name = "notes", kind = "text", repeated = true },
            { name = "donor", kind = "text", level = "restricted" },
            { name = "maker", kind = "group", repeated = true, fields = [
                { name = "name", kind = "text", required = true },
                { name = "birth_date", kind = "date" },
                { name = "salary", kind = "integer", level = "restricted" },
            ] },
            { name = "place", kind = "group", fields = [
                { name = "city", kind = "text" },
                { name = "grave", kind = "text", level = "members" },
            ] },
        ]
        "#,
    )
    .unwrap()
}

fn map(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        other => panic!("{other} is no object"),
    }
}

fn operator() -> Caller {
    Caller::operator()
}

/// A token that writes records but sees no restricted field.
fn member() -> Caller {
    let scope = vec!["records.write".to_owned()];
    let subject = crate::kernel::access::Subject::Token {
        id: "t1".to_owned(),
        name: "desk".to_owned(),
        scope,
    };
    Caller {
        subject,
        request_id: None,
    }
}

fn because(caller: &Caller) -> Because<'_> {
    Because {
        caller,
        reason: "a test",
        channel: "api",
    }
}

fn new(document: Value) -> NewRecord {
    NewRecord {
        type_name: "vase".to_owned(),
        visibility: None,
        document: map(document),
    }
}

fn hidden(document: Value) -> NewRecord {
    NewRecord {
        visibility: Some(Level::Restricted),
        ..new(document)
    }
}
