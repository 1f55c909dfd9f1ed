//! The schema of relations: types of objects, relations that are stored, permissions that follow from them. Read from text
//! and checked as a whole, so that what is evaluated later cannot name anything that is not there.
//!
//! No I/O. The house's own schema is `assets/models/access.schema`, part of the program.

mod check;
mod parse;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::fmt;

/// A place among the schema's relations and permissions.
pub type DefId = usize;

/// How a permission follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expr {
    /// Everybody, signed in or not.
    Anyone,
    /// Whoever is signed in.
    Members,
    /// A relation or permission of the same object.
    Name(DefId),
    /// What the objects under a relation say about a name: `house->edits`. The relation, and the name by type of object.
    Arrow(DefId, HashMap<String, DefId>),
    Union(Vec<Expr>),
    Intersection(Vec<Expr>),
    Exclusion(Box<Expr>, Box<Expr>),
}

/// Who may stand in a relation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubjectKind {
    pub type_name: String,
    /// `member` of `group#member`.
    pub relation: Option<String>,
}

/// What a name of a type is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Stored as tuples.
    Relation(Vec<SubjectKind>),
    /// The same object for every object of the type; not stored.
    Fixed(String),
    /// An object of a type that comes with the question; not stored.
    Given(String),
    Permission(Expr),
}

/// A relation or permission of a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Def {
    pub type_name: String,
    pub name: String,
    pub kind: Kind,
}

/// See the module's text.
#[derive(Clone, Debug)]
pub struct Schema {
    defs: Vec<Def>,
    by_name: HashMap<String, HashMap<String, DefId>>,
}

/// What is wrong with a schema, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub line: usize,
    pub column: usize,
    pub text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.text)
    }
}

impl Schema {
    /// Reads and checks a schema.
    ///
    /// # Errors
    /// The first fault, with its place.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        check::resolve(&parse::read(text)?)
    }

    /// The name of a type, relation or permission.
    pub fn find(&self, type_name: &str, name: &str) -> Option<DefId> {
        self.by_name.get(type_name)?.get(name).copied()
    }

    pub fn def(&self, id: DefId) -> &Def {
        &self.defs[id]
    }

    pub fn defs(&self) -> &[Def] {
        &self.defs
    }

    /// May this subject stand in this relation of this object? Answers why not.
    pub fn admits(&self, object: &str, relation: &str, subject: &str) -> Result<(), String> {
        let kind = type_of(object);
        let Some(def) = self.find(kind, relation).map(|id| self.def(id)) else {
            return Err(format!("{kind} has no relation \"{relation}\""));
        };
        let Kind::Relation(kinds) = &def.kind else {
            return Err(format!(
                "\"{relation}\" of {kind} follows from others and cannot be given"
            ));
        };
        let (of, asked) = match subject.split_once('#') {
            Some((of, asked)) => (of, Some(asked)),
            None => (subject, None),
        };
        let fits = kinds
            .iter()
            .any(|k| k.type_name == type_of(of) && k.relation.as_deref() == asked);
        if fits && of.split_once(':').is_some_and(|(_, id)| !id.is_empty()) {
            return Ok(());
        }
        let all: Vec<String> = kinds.iter().map(ToString::to_string).collect();
        Err(format!(
            "\"{relation}\" of {kind} takes {}, not \"{subject}\"",
            all.join(" or ")
        ))
    }
}

impl fmt::Display for SubjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.relation {
            Some(relation) => write!(f, "{}:ID#{relation}", self.type_name),
            None => write!(f, "{}:ID", self.type_name),
        }
    }
}

/// `type` of `type:fungi`; an object without an id, such as `house`, is its own type.
pub fn type_of(object: &str) -> &str {
    object.split_once(':').map_or(object, |(kind, _)| kind)
}
