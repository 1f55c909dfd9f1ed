//! Whether the names of a schema lead anywhere, and nowhere in circles that have no answer: a permission that is defined by
//! itself, or that is withheld from whoever has it.

use std::collections::{HashMap, HashSet};

use super::parse::{At, Member, TypeText, Word, Written};
use super::{Def, DefId, Expr, Fault, Kind, Schema, SubjectKind};

/// What a name depends on, and how.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Edge {
    to: DefId,
    /// Of the same object: no tuple stands between.
    is_local: bool,
    /// On the right of a "-".
    is_negative: bool,
}

type Names = HashMap<String, HashMap<String, DefId>>;

/// The schema of these types.
pub fn resolve(types: &[TypeText]) -> Result<Schema, Fault> {
    let (names, places) = declare(types)?;
    let mut defs = Vec::with_capacity(places.len());
    for kind in types {
        for member in &kind.members {
            defs.push(define(&names, types, kind, member)?);
        }
    }
    for kind in types {
        for member in &kind.members {
            if let Member::Permission(name, written) = member {
                let id = names[&kind.name.text][&name.text];
                defs[id].kind = Kind::Permission(expression(&names, &defs, &kind.name.text, written)?);
            }
        }
    }
    circles(&defs, &places)?;
    Ok(Schema { defs, by_name: names })
}

fn declare(types: &[TypeText]) -> Result<(Names, Vec<At>), Fault> {
    let mut names = Names::new();
    let mut places = Vec::new();
    for kind in types {
        let mut own = HashMap::new();
        for member in &kind.members {
            let (Member::Relation(name, _)
            | Member::Fixed(name, _)
            | Member::Given(name, _)
            | Member::Permission(name, _)) = member;
            if own.insert(name.text.clone(), places.len()).is_some() {
                return Err(name
                    .at
                    .fault(format!("{} has a \"{}\" already", kind.name.text, name.text)));
            }
            places.push(name.at);
        }
        if names.insert(kind.name.text.clone(), own).is_some() {
            let text = format!("the type \"{}\" is there already", kind.name.text);
            return Err(kind.name.at.fault(text));
        }
    }
    Ok((names, places))
}

fn known_type<'n>(names: &'n Names, word: &Word) -> Result<&'n HashMap<String, DefId>, Fault> {
    let text = || format!("there is no type \"{}\"", word.text);
    names.get(&word.text).ok_or_else(|| word.at.fault(text()))
}

fn define(names: &Names, types: &[TypeText], kind: &TypeText, member: &Member) -> Result<Def, Fault> {
    let (name, what) = match member {
        Member::Permission(name, _) => (name, Kind::Permission(Expr::Union(Vec::new()))),
        Member::Fixed(name, object) => {
            known_type(names, object)?;
            (name, Kind::Fixed(object.text.clone()))
        }
        Member::Given(name, of) => {
            known_type(names, of)?;
            (name, Kind::Given(of.text.clone()))
        }
        Member::Relation(name, kinds) => {
            let mut subjects = Vec::with_capacity(kinds.len());
            for (of, relation) in kinds {
                known_type(names, of)?;
                if let Some(relation) = relation
                    && !has_name(types, &of.text, &relation.text)
                {
                    let text = format!("{} has no relation or permission \"{}\"", of.text, relation.text);
                    return Err(relation.at.fault(text));
                }
                subjects.push(SubjectKind {
                    type_name: of.text.clone(),
                    relation: relation.as_ref().map(|r| r.text.clone()),
                });
            }
            (name, Kind::Relation(subjects))
        }
    };
    Ok(Def {
        type_name: kind.name.text.clone(),
        name: name.text.clone(),
        kind: what,
    })
}

fn has_name(types: &[TypeText], of: &str, relation: &str) -> bool {
    let mut members = types.iter().filter(|t| t.name.text == of).flat_map(|t| &t.members);
    members.any(|m| {
        let (Member::Relation(name, _)
        | Member::Fixed(name, _)
        | Member::Given(name, _)
        | Member::Permission(name, _)) = m;
        name.text == relation
    })
}

fn expression(names: &Names, defs: &[Def], kind: &str, written: &Written) -> Result<Expr, Fault> {
    let each = |all: &[Written]| -> Result<Vec<Expr>, Fault> {
        all.iter().map(|one| expression(names, defs, kind, one)).collect()
    };
    let own = |word: &Word| {
        let text = || format!("{kind} has no relation or permission \"{}\"", word.text);
        names[kind]
            .get(&word.text)
            .copied()
            .ok_or_else(|| word.at.fault(text()))
    };
    Ok(match written {
        Written::Anyone => Expr::Anyone,
        Written::Members => Expr::Members,
        Written::Name(word) => Expr::Name(own(word)?),
        Written::Union(all) => Expr::Union(each(all)?),
        Written::Intersection(all) => Expr::Intersection(each(all)?),
        Written::Exclusion(left, right) => Expr::Exclusion(
            Box::new(expression(names, defs, kind, left)?),
            Box::new(expression(names, defs, kind, right)?),
        ),
        Written::Arrow(through, target) => {
            let id = own(through)?;
            let leads: Vec<&str> = match &defs[id].kind {
                Kind::Fixed(object) | Kind::Given(object) => vec![object],
                Kind::Relation(kinds) => {
                    if kinds.iter().any(|k| k.relation.is_some()) {
                        let text = format!("\"{}\" can hold sets of subjects; an arrow needs objects", through.text);
                        return Err(through.at.fault(text));
                    }
                    kinds.iter().map(|k| k.type_name.as_str()).collect()
                }
                Kind::Permission(_) => {
                    let text = format!("\"{}\" is a permission; an arrow starts at a relation", through.text);
                    return Err(through.at.fault(text));
                }
            };
            let mut targets = HashMap::new();
            for of in leads {
                let Some(found) = names[of].get(&target.text) else {
                    let text = format!("{of} has no relation or permission \"{}\"", target.text);
                    return Err(target.at.fault(text));
                };
                targets.insert(of.to_owned(), *found);
            }
            Expr::Arrow(id, targets)
        }
    })
}

fn edges(defs: &[Def], def: &Def) -> Vec<Edge> {
    let mut found = Vec::new();
    match &def.kind {
        Kind::Fixed(_) | Kind::Given(_) => {}
        Kind::Relation(kinds) => {
            for kind in kinds {
                let set = kind.relation.as_ref();
                let id = set.and_then(|r| defs.iter().position(|d| d.type_name == kind.type_name && d.name == *r));
                found.extend(id.map(|to| Edge {
                    to,
                    is_local: false,
                    is_negative: false,
                }));
            }
        }
        Kind::Permission(expr) => gather(expr, false, &mut found),
    }
    found
}

fn gather(expr: &Expr, is_negative: bool, found: &mut Vec<Edge>) {
    match expr {
        Expr::Anyone | Expr::Members => {}
        Expr::Name(to) => found.push(Edge {
            to: *to,
            is_local: true,
            is_negative,
        }),
        Expr::Arrow(through, targets) => {
            found.push(Edge {
                to: *through,
                is_local: true,
                is_negative,
            });
            found.extend(targets.values().map(|to| Edge {
                to: *to,
                is_local: false,
                is_negative,
            }));
        }
        Expr::Union(all) | Expr::Intersection(all) => all.iter().for_each(|one| gather(one, is_negative, found)),
        Expr::Exclusion(left, right) => {
            gather(left, is_negative, found);
            gather(right, true, found);
        }
    }
}

/// Is `to` reached from `from` by these edges?
fn reaches(graph: &[Vec<Edge>], from: DefId, to: DefId, only_local: bool) -> bool {
    let mut seen = HashSet::new();
    let mut waiting = vec![from];
    while let Some(at) = waiting.pop() {
        if at == to {
            return true;
        }
        if seen.insert(at) {
            let next = graph[at].iter().filter(|e| e.is_local || !only_local);
            waiting.extend(next.map(|e| e.to));
        }
    }
    false
}

fn circles(defs: &[Def], places: &[At]) -> Result<(), Fault> {
    let graph: Vec<Vec<Edge>> = defs.iter().map(|def| edges(defs, def)).collect();
    for (id, def) in defs.iter().enumerate() {
        for edge in &graph[id] {
            if edge.is_local && reaches(&graph, edge.to, id, true) {
                let text = format!("\"{}\" of {} leads back to itself", def.name, def.type_name);
                return Err(places[id].fault(text));
            }
            if edge.is_negative && reaches(&graph, edge.to, id, false) {
                let text = format!(
                    "\"{}\" of {} is withheld from whoever has it: what stands behind \"-\" leads back to it",
                    def.name, def.type_name
                );
                return Err(places[id].fault(text));
            }
        }
    }
    Ok(())
}
