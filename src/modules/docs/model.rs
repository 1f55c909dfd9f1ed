//! The OpenAPI document as people read it: operations in groups, parameters, bodies, shapes. No I/O.

use std::collections::BTreeMap;

use serde_json::Value;

/// The whole document.
#[derive(Clone, Debug, Default)]
pub(super) struct ApiView {
    pub title: String,
    pub version: String,
    pub groups: Vec<Group>,
    pub shapes: Vec<Shape>,
}

/// The operations of one tag.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub name: String,
    pub operations: Vec<Operation>,
}

#[derive(Clone, Debug)]
pub(super) struct Operation {
    /// The anchor on the page.
    pub id: String,
    pub method: String,
    pub path: String,
    pub summary: String,
    pub description: String,
    pub permission: String,
    pub parameters: Vec<Parameter>,
    pub bodies: Vec<Content>,
    pub answers: Vec<Answer>,
}

#[derive(Clone, Debug)]
pub(super) struct Parameter {
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    pub kind: Kind,
    pub required: bool,
    pub description: String,
}

#[derive(Clone, Debug)]
pub(super) struct Content {
    pub media: String,
    pub kind: Kind,
}

#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub status: String,
    pub description: String,
    pub contents: Vec<Content>,
}

/// A named shape of JSON.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    pub name: String,
    pub description: String,
    pub fields: Vec<Field>,
    /// The values it may have, where it is one of a few words.
    pub values: Vec<String>,
}

#[derive(Clone, Debug)]
pub(super) struct Field {
    pub name: String,
    pub kind: Kind,
    pub required: bool,
    pub description: String,
}

/// What a value is: words such as `list of` around a name, which may lead to a shape.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Kind {
    pub text: String,
    /// The shape it leads to.
    pub shape: Option<String>,
    pub list: bool,
}

const METHODS: [&str; 8] = ["get", "post", "put", "patch", "delete", "head", "options", "trace"];

impl ApiView {
    /// Reads a document. What is not there is left out.
    pub(super) fn read(document: &Value) -> Self {
        let mut groups: BTreeMap<String, Vec<Operation>> = BTreeMap::new();
        let shared = &document["components"];
        for (path, item) in object(&document["paths"]) {
            for method in METHODS {
                let Some(operation) = item.get(method) else { continue };
                let group = text(&operation["tags"][0]);
                groups
                    .entry(group)
                    .or_default()
                    .push(operation_of(method, path, operation));
            }
        }
        let shapes = object(&shared["schemas"]).map(|(name, schema)| shape(name, schema));
        let mut shapes: Vec<Shape> = shapes.collect();
        shapes.sort_by(|a, b| a.name.cmp(&b.name));
        Self {
            title: text(&document["info"]["title"]),
            version: text(&document["info"]["version"]),
            groups: groups
                .into_iter()
                .map(|(name, operations)| Group { name, operations })
                .collect(),
            shapes,
        }
    }
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn operation_of(method: &str, path: &str, operation: &Value) -> Operation {
    let parameters = list(&operation["parameters"]).map(|parameter| Parameter {
        name: text(&parameter["name"]),
        place: text(&parameter["in"]),
        kind: kind(&parameter["schema"]),
        required: parameter["required"] == true,
        description: text(&parameter["description"]),
    });
    let answers = object(&operation["responses"])
        .filter(|(status, _)| *status != "default")
        .map(|(status, answer)| Answer {
            status: status.clone(),
            description: text(&answer["description"]),
            contents: contents(&answer["content"]),
        });
    Operation {
        id: text(&operation["operationId"]),
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        summary: text(&operation["summary"]),
        description: text(&operation["description"]),
        permission: text(&operation["x-permission"]),
        parameters: parameters.collect(),
        bodies: contents(&operation["requestBody"]["content"]),
        answers: answers.collect(),
    }
}

fn contents(value: &Value) -> Vec<Content> {
    object(value)
        .map(|(media, content)| Content {
            media: media.clone(),
            kind: kind(&content["schema"]),
        })
        .collect()
}

fn shape(name: &str, schema: &Value) -> Shape {
    let mut fields = Vec::new();
    collect_fields(schema, &mut fields);
    let single = list(&schema["enum"]).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
    let tagged = list(&schema["oneOf"]).flat_map(|choice| list(&choice["enum"]).map(text));
    let values = single.chain(tagged).collect();
    Shape {
        name: name.to_owned(),
        description: text(&schema["description"]),
        fields,
        values,
    }
}

/// The fields of an object, of all parts of a composed one and of all choices of a union.
fn collect_fields(schema: &Value, fields: &mut Vec<Field>) {
    let required: Vec<&str> = list(&schema["required"]).filter_map(Value::as_str).collect();
    for (name, property) in object(&schema["properties"]) {
        if fields.iter().any(|field| field.name == *name) {
            continue;
        }
        fields.push(Field {
            name: name.clone(),
            kind: kind(property),
            required: required.contains(&name.as_str()),
            description: text(&property["description"]),
        });
    }
    for part in list(&schema["allOf"]).chain(list(&schema["oneOf"])) {
        if let Some(reference) = reference(part) {
            fields.push(Field {
                name: "…".to_owned(),
                kind: Kind {
                    text: reference.clone(),
                    shape: Some(reference),
                    list: false,
                },
                required: false,
                description: String::new(),
            });
        } else {
            collect_fields(part, fields);
        }
    }
}

fn reference(schema: &Value) -> Option<String> {
    let place = schema["$ref"].as_str()?;
    place.rsplit('/').next().map(str::to_owned)
}

fn kind(schema: &Value) -> Kind {
    if let Some(name) = reference(schema) {
        return Kind {
            text: name.clone(),
            shape: Some(name),
            list: false,
        };
    }
    if schema.get("items").is_some() {
        return Kind {
            list: true,
            ..kind(&schema["items"])
        };
    }
    // "or nothing" is said by the column beside it.
    if let Some(choice) = list(&schema["oneOf"]).find(|choice| choice["type"] != "null") {
        return kind(choice);
    }
    let word = match &schema["type"] {
        Value::String(one) => one.clone(),
        Value::Array(many) => {
            let words = many.iter().filter_map(Value::as_str).filter(|word| *word != "null");
            words.collect::<Vec<_>>().join(" | ")
        }
        _ => "any".to_owned(),
    };
    let values: Vec<String> = list(&schema["enum"])
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    Kind {
        text: if values.is_empty() { word } else { values.join(" | ") },
        shape: None,
        list: false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_document_is_read_into_groups_and_shapes() {
        let document = json!({
            "info": {"title": "V", "version": "1"},
            "paths": {"/api/things/{id}": {"get": {
                "tags": ["things"], "operationId": "things.read", "summary": "Reads", "x-permission": "things.read",
                "parameters": [{"name": "id", "in": "path", "required": true, "schema": {"type": "string"}}],
                "responses": {"200": {"description": "It", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}}, "default": {}}
            }}},
            "components": {"schemas": {"Thing": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string", "description": "Its name"},
                "tags": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/Tag"}}
            }}, "Tag": {"type": "string", "enum": ["red", "blue"]}}}
        });
        let view = ApiView::read(&document);
        let operation = &view.groups[0].operations[0];
        assert_eq!(
            (operation.method.as_str(), operation.permission.as_str()),
            ("GET", "things.read")
        );
        assert_eq!(operation.answers.len(), 1);
        assert_eq!(operation.answers[0].contents[0].kind.shape.as_deref(), Some("Thing"));
        let thing = &view.shapes[1];
        assert!(thing.fields[0].required && !thing.fields[1].required);
        assert!(thing.fields[1].kind.list);
        assert_eq!(view.shapes[0].values, ["red", "blue"]);
    }

    #[test]
    fn anything_else_is_an_empty_view() {
        for document in [
            json!(null),
            json!([]),
            json!({"paths": 3, "components": {"schemas": []}}),
        ] {
            assert!(ApiView::read(&document).groups.is_empty());
        }
    }
}
