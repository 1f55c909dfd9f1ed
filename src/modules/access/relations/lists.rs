//! What follows from the engine for many: the objects of a subject, the subjects of an object, and the tree that a permission
//! is made of. Pure: no I/O, no clock.

use serde::Serialize;

use super::engine::{Engine, MAX_DEPTH};
use super::graph::Graph;
use crate::modules::access::schema::{DefId, Expr, Kind, Schema, type_of};

/// What a permission is made of, with the subjects that stand in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tree {
    /// `union`, `intersection`, `exclusion`, `relation`, `name`, `anyone` or `members`.
    pub kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub subjects: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Tree>,
}

/// The objects of a type for which the subject has a name, of those at which anybody stands.
pub fn list_objects(schema: &Schema, graph: &Graph, subject: Option<&str>, kind: &str, name: &str) -> Vec<String> {
    let mut engine = Engine::new(schema, graph, subject);
    let of_kind = graph.objects().filter(|object| type_of(object) == kind);
    of_kind
        .filter(|object| engine.check(object, name))
        .map(str::to_owned)
        .collect()
}

/// The subjects that have a name of an object, of those that stand anywhere.
pub fn list_subjects(schema: &Schema, graph: &Graph, object: &str, name: &str, kind: &str) -> Vec<String> {
    let all = graph.subjects().into_iter().filter(|subject| type_of(subject) == kind);
    all.filter(|subject| Engine::new(schema, graph, Some(subject)).check(object, name))
        .map(str::to_owned)
        .collect()
}

/// What a name of an object is made of. A part that leads back to one above it is shown without its own parts.
pub fn expand(schema: &Schema, graph: &Graph, object: &str, name: &str) -> Option<Tree> {
    let id = schema.find(type_of(object), name)?;
    Some(tree(schema, graph, object, id, &mut Vec::new()))
}

fn tree(schema: &Schema, graph: &Graph, object: &str, id: DefId, way: &mut Vec<(String, DefId)>) -> Tree {
    let def = schema.def(id);
    let mut found = Tree {
        kind: if matches!(def.kind, Kind::Permission(_)) {
            "name"
        } else {
            "relation"
        },
        object: Some(object.to_owned()),
        name: Some(def.name.clone()),
        subjects: Vec::new(),
        parts: Vec::new(),
    };
    let key = (object.to_owned(), id);
    if way.contains(&key) || way.len() >= MAX_DEPTH {
        return found;
    }
    way.push(key);
    match &def.kind {
        Kind::Fixed(to) => found.subjects.push(to.clone()),
        Kind::Given(_) => {}
        Kind::Permission(expr) => found.parts.push(tree_of(schema, graph, object, expr, way)),
        Kind::Relation(_) => {
            if let Some(holders) = graph.holders(object, &def.name) {
                found
                    .subjects
                    .extend(holders.single.iter().chain(&holders.sets).cloned());
                for set in &holders.sets {
                    let target = set
                        .split_once('#')
                        .and_then(|(of, n)| Some((of, schema.find(type_of(of), n)?)));
                    found
                        .parts
                        .extend(target.map(|(of, id)| tree(schema, graph, of, id, way)));
                }
            }
        }
    }
    way.pop();
    found
}

fn tree_of(schema: &Schema, graph: &Graph, object: &str, expr: &Expr, way: &mut Vec<(String, DefId)>) -> Tree {
    let node = |kind, parts| Tree {
        kind,
        object: None,
        name: None,
        subjects: Vec::new(),
        parts,
    };
    let mut each =
        |all: &[&Expr]| -> Vec<Tree> { all.iter().map(|one| tree_of(schema, graph, object, one, way)).collect() };
    match expr {
        Expr::Anyone => node("anyone", Vec::new()),
        Expr::Members => node("members", Vec::new()),
        Expr::Name(id) => tree(schema, graph, object, *id, way),
        Expr::Union(all) => node("union", each(&all.iter().collect::<Vec<_>>())),
        Expr::Intersection(all) => node("intersection", each(&all.iter().collect::<Vec<_>>())),
        Expr::Exclusion(left, right) => node("exclusion", each(&[left, right])),
        Expr::Arrow(through, targets) => {
            let leads = Engine::new(schema, graph, None).leads(object, *through);
            let parts = leads.iter().filter_map(|to| {
                let id = targets.get(type_of(to))?;
                Some(tree(schema, graph, to, *id, way))
            });
            node("union", parts.collect())
        }
    }
}
