//! The OpenAPI document as a document: what a strict reader of OpenAPI 3.1 would trip over. `make conformance` asks an
//! independent validator as well.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Methods a path item may have.
pub const METHODS: &[&str] = &["get", "put", "post", "delete", "options", "head", "patch", "trace"];

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// Every operation: path, method, operation.
pub fn operations(document: &Value) -> Vec<(&str, &str, &Value)> {
    let mut all = Vec::new();
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            if METHODS.contains(&method.as_str()) {
                all.push((path.as_str(), method.as_str(), operation));
            }
        }
    }
    all
}

fn references<'v>(value: &'v Value, into: &mut BTreeSet<&'v str>) {
    match value {
        Value::Object(map) => {
            if let Some(reference) = map.get("$ref").and_then(Value::as_str) {
                into.insert(reference);
            }
            map.values().for_each(|v| references(v, into));
        }
        Value::Array(list) => list.iter().for_each(|v| references(v, into)),
        _ => {}
    }
}

fn placeholders(path: &str) -> BTreeSet<&str> {
    path.split('{')
        .skip(1)
        .filter_map(|part| part.split('}').next())
        .collect()
}

fn operation_faults(place: &str, path: &str, operation: &Value, schemes: &BTreeSet<&str>) -> Vec<String> {
    let mut faults = Vec::new();
    let declared: BTreeSet<&str> = operation
        .get("parameters")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter(|p| text(p, "in") == "path")
        .map(|p| text(p, "name"))
        .collect();
    if declared != placeholders(path) {
        faults.push(format!("{place}: declares the path parameters {declared:?}"));
    }
    for parameter in operation
        .get("parameters")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let name = text(parameter, "name");
        if parameter.get("schema").is_none() && parameter.get("content").is_none() {
            faults.push(format!("{place}: the parameter {name} has no schema"));
        }
        if text(parameter, "in") == "path" && parameter.get("required") != Some(&Value::Bool(true)) {
            faults.push(format!("{place}: the path parameter {name} is not required"));
        }
    }
    match operation.get("responses").and_then(Value::as_object) {
        Some(responses) if !responses.is_empty() => {
            for (status, response) in responses {
                if response.get("$ref").is_none() && text(response, "description").is_empty() {
                    faults.push(format!("{place}: the answer {status} has no description"));
                }
                let known = status == "default"
                    || status.ends_with("XX")
                    || status.parse::<u16>().is_ok_and(|s| (100..600).contains(&s));
                if !known {
                    faults.push(format!("{place}: {status} is no status"));
                }
            }
        }
        _ => faults.push(format!("{place}: describes no answer")),
    }
    if text(operation, "x-permission").is_empty() {
        faults.push(format!("{place}: names no permission"));
    }
    if operation
        .get("tags")
        .and_then(Value::as_array)
        .is_none_or(Vec::is_empty)
    {
        faults.push(format!("{place}: has no tag"));
    }
    for choice in operation
        .get("security")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        for scheme in choice
            .as_object()
            .into_iter()
            .flat_map(Map::keys)
            .filter(|s| !schemes.contains(s.as_str()))
        {
            faults.push(format!("{place}: the security scheme {scheme} is not described"));
        }
    }
    faults
}

/// What is wrong with a document.
pub fn faults(document: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    if !text(document, "openapi").starts_with("3.1") {
        faults.push("it is not OpenAPI 3.1".to_owned());
    }
    for key in ["title", "version"] {
        if document.get("info").is_none_or(|info| text(info, key).is_empty()) {
            faults.push(format!("info has no {key}"));
        }
    }
    let schemes: BTreeSet<&str> = document
        .pointer("/components/securitySchemes")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|s| s.keys().map(String::as_str))
        .collect();
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations(document) {
        let place = format!("{} {path}", method.to_uppercase());
        if !path.starts_with('/') {
            faults.push(format!("{place}: a path starts with a slash"));
        }
        let name = text(operation, "operationId");
        if name.is_empty() || !names.insert(name.to_owned()) {
            faults.push(format!("{place}: the operationId \"{name}\" is missing or taken"));
        }
        faults.extend(operation_faults(&place, path, operation, &schemes));
    }
    let mut all = BTreeSet::new();
    references(document, &mut all);
    for reference in all {
        let there = reference
            .strip_prefix('#')
            .is_some_and(|pointer| document.pointer(pointer).is_some());
        if !there {
            faults.push(format!("{reference} leads nowhere"));
        }
    }
    faults
}

#[test]
fn faults_are_found() {
    let good = serde_json::json!({
        "openapi": "3.1.0",
        "info": {"title": "A", "version": "1"},
        "paths": {"/a/{id}": {"get": {
            "operationId": "a.show", "tags": ["a"], "x-permission": "a.read", "security": [{"token": []}],
            "parameters": [{"in": "path", "name": "id", "required": true, "schema": {"type": "string"}}],
            "responses": {"200": {"description": "It", "content": {"x": {"schema": {"$ref": "#/components/schemas/A"}}}}},
        }}},
        "components": {"schemas": {"A": {"type": "object"}}, "securitySchemes": {"token": {"type": "http"}}},
    });
    assert_eq!(faults(&good), Vec::<String>::new());
    let break_it = |pointer: &str, value: Value| {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).expect("a place to break") = value;
        faults(&bad).len()
    };
    let operation = "/paths/~1a~1{id}/get";
    assert_eq!(break_it("/openapi", "3.0.3".into()), 1);
    assert_eq!(break_it("/info/title", "".into()), 1);
    assert_eq!(break_it(&format!("{operation}/x-permission"), Value::Null), 1);
    assert_eq!(break_it(&format!("{operation}/parameters"), Value::Array(vec![])), 1);
    assert_eq!(
        break_it(&format!("{operation}/responses"), Value::Object(Map::new())),
        1
    );
    assert_eq!(break_it("/components/schemas", Value::Object(Map::new())), 1);
    assert_eq!(break_it("/components/securitySchemes", Value::Object(Map::new())), 1);
}
