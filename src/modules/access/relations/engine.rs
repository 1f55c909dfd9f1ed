//! Evaluates a schema over tuples: check, and the way by which somebody has something. Pure: no I/O, no clock. Lists and the
//! tree behind a permission are in `lists`.
//!
//! A goal that is being looked at already is "no" for those below it, which gives the least answer in circles. A "no" that
//! rests on such a goal is not remembered. What stands behind "-" never leads back (the schema is checked for that).

use std::collections::HashMap;

use serde::Serialize;

use super::graph::{Graph, Tuple};
use crate::modules::access::schema::{DefId, Expr, Kind, Schema, type_of};

/// How far relations lead before the answer is no.
pub(super) const MAX_DEPTH: usize = 100;

/// Where a goal stands in its own way: it is being looked at, at this depth.
const FREE: usize = usize::MAX;

/// An answer, and the least depth of a goal in progress that a "no" rests on.
#[derive(Clone, Copy)]
struct Found {
    yes: bool,
    rests_on: usize,
}

const YES: Found = Found {
    yes: true,
    rests_on: FREE,
};
const NO: Found = Found {
    yes: false,
    rests_on: FREE,
};

/// Relations lead too far: answered with no, whatever stood around it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooDeep;

type Answer = Result<Found, TooDeep>;

/// Asks for one subject over one state of the tuples.
pub struct Engine<'g> {
    schema: &'g Schema,
    graph: &'g Graph,
    /// What comes with the question and is not stored.
    given: &'g [Tuple],
    /// `account:ID`; `None` for nobody in particular.
    subject: Option<&'g str>,
    known: HashMap<(String, DefId), bool>,
    way: HashMap<(String, DefId), usize>,
}

/// One step of the way by which somebody has a permission.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum Step {
    /// The permission or relation of an object that is asked about.
    Name { object: String, name: String },
    /// A stored tuple: the subject stands in the relation of the object.
    Tuple {
        object: String,
        relation: String,
        subject: String,
    },
    /// Everybody has it.
    Anyone,
    /// Whoever is signed in has it.
    Members,
}

impl<'g> Engine<'g> {
    pub fn new(schema: &'g Schema, graph: &'g Graph, subject: Option<&'g str>) -> Self {
        Self {
            schema,
            graph,
            given: &[],
            subject,
            known: HashMap::new(),
            way: HashMap::new(),
        }
    }

    /// As [`Engine::new`], with tuples that come with the question.
    pub fn with(schema: &'g Schema, graph: &'g Graph, given: &'g [Tuple], subject: Option<&'g str>) -> Self {
        Self {
            given,
            ..Self::new(schema, graph, subject)
        }
    }

    /// Those who are given as a relation of an object.
    fn given(&self, object: &str, relation: &str) -> impl Iterator<Item = &'g str> {
        let all: &'g [Tuple] = self.given;
        let of_it = all
            .iter()
            .filter(move |tuple| tuple.object == object && tuple.relation == relation);
        of_it.map(|tuple| tuple.subject.as_str())
    }

    fn is_given(&self, object: &str, relation: &str) -> bool {
        self.subject
            .is_some_and(|subject| self.given(object, relation).any(|one| one == subject))
    }

    /// Does the subject have this name of this object? What is not there, and what leads too far, is no.
    pub fn check(&mut self, object: &str, name: &str) -> bool {
        let Some(id) = self.schema.find(type_of(object), name) else {
            return false;
        };
        self.holds(object, id)
    }

    /// As [`Engine::check`], by the name's place in the schema.
    pub fn holds(&mut self, object: &str, id: DefId) -> bool {
        let found = self.goal(object, id);
        self.way.clear();
        found.is_ok_and(|found| found.yes)
    }

    fn goal(&mut self, object: &str, id: DefId) -> Answer {
        let key = (object.to_owned(), id);
        if let Some(yes) = self.known.get(&key) {
            return Ok(if *yes { YES } else { NO });
        }
        if let Some(depth) = self.way.get(&key) {
            return Ok(Found {
                yes: false,
                rests_on: *depth,
            });
        }
        let depth = self.way.len();
        if depth >= MAX_DEPTH {
            return Err(TooDeep);
        }
        self.way.insert(key.clone(), depth);
        let schema = self.schema;
        let found = match &schema.def(id).kind {
            Kind::Relation(_) => self.relation(object, &schema.def(id).name),
            Kind::Fixed(_) => Ok(NO),
            Kind::Given(_) => Ok(if self.is_given(object, &schema.def(id).name) {
                YES
            } else {
                NO
            }),
            Kind::Permission(expr) => self.expr(object, expr),
        };
        self.way.remove(&key);
        let mut found = found?;
        if found.yes || found.rests_on >= depth {
            self.known.insert(key, found.yes);
            found.rests_on = FREE;
        }
        Ok(found)
    }

    fn relation(&mut self, object: &str, name: &str) -> Answer {
        let graph = self.graph;
        let Some(holders) = graph.holders(object, name) else {
            return Ok(NO);
        };
        if self.subject.is_some_and(|subject| holders.single.contains(subject)) {
            return Ok(YES);
        }
        let mut rests_on = FREE;
        for set in &holders.sets {
            let found = self.set(set)?;
            if found.yes {
                return Ok(YES);
            }
            rests_on = rests_on.min(found.rests_on);
        }
        Ok(Found { yes: false, rests_on })
    }

    fn set(&mut self, set: &str) -> Answer {
        let Some((object, name)) = set.split_once('#') else {
            return Ok(NO);
        };
        match self.schema.find(type_of(object), name) {
            Some(id) => self.goal(object, id),
            None => Ok(NO),
        }
    }

    fn expr(&mut self, object: &str, expr: &Expr) -> Answer {
        let mut rests_on = FREE;
        match expr {
            Expr::Anyone => Ok(YES),
            Expr::Members => Ok(if self.subject.is_some() { YES } else { NO }),
            Expr::Name(id) => self.goal(object, *id),
            Expr::Union(all) => {
                for one in all {
                    let found = self.expr(object, one)?;
                    if found.yes {
                        return Ok(YES);
                    }
                    rests_on = rests_on.min(found.rests_on);
                }
                Ok(Found { yes: false, rests_on })
            }
            Expr::Intersection(all) => {
                for one in all {
                    let found = self.expr(object, one)?;
                    if !found.yes {
                        return Ok(found);
                    }
                }
                Ok(YES)
            }
            Expr::Exclusion(left, right) => {
                let found = self.expr(object, left)?;
                if !found.yes {
                    return Ok(found);
                }
                Ok(if self.expr(object, right)?.yes { NO } else { YES })
            }
            Expr::Arrow(through, targets) => {
                for to in self.leads(object, *through) {
                    let Some(id) = targets.get(type_of(&to)) else { continue };
                    let found = self.goal(&to, *id)?;
                    if found.yes {
                        return Ok(YES);
                    }
                    rests_on = rests_on.min(found.rests_on);
                }
                Ok(Found { yes: false, rests_on })
            }
        }
    }

    /// The objects under a relation.
    pub(super) fn leads(&self, object: &str, through: DefId) -> Vec<String> {
        let def = self.schema.def(through);
        match &def.kind {
            Kind::Fixed(to) => vec![to.clone()],
            Kind::Given(_) => self.given(object, &def.name).map(str::to_owned).collect(),
            _ => {
                let holders = self.graph.holders(object, &def.name);
                holders.map(|h| h.single.iter().cloned().collect()).unwrap_or_default()
            }
        }
    }

    /// The shortest way that is found first by which the subject has this name; `None` where it does not.
    pub fn explain(&mut self, object: &str, name: &str) -> Option<Vec<Step>> {
        let id = self.schema.find(type_of(object), name)?;
        if !self.holds(object, id) {
            return None;
        }
        let mut steps = Vec::new();
        self.prove(object, id, &mut Vec::new(), &mut steps).then_some(steps)
    }

    fn prove(&mut self, object: &str, id: DefId, way: &mut Vec<(String, DefId)>, steps: &mut Vec<Step>) -> bool {
        let key = (object.to_owned(), id);
        if way.contains(&key) || way.len() >= MAX_DEPTH {
            return false;
        }
        way.push(key);
        let before = steps.len();
        let schema = self.schema;
        let def = schema.def(id);
        steps.push(Step::Name {
            object: object.to_owned(),
            name: def.name.clone(),
        });
        let proved = match &def.kind {
            Kind::Fixed(_) => false,
            Kind::Given(_) => {
                let giver = self.subject.filter(|_| self.is_given(object, &def.name));
                if let Some(subject) = giver {
                    steps.pop();
                    steps.push(tuple(object, &def.name, subject));
                }
                giver.is_some()
            }
            Kind::Permission(expr) => self.prove_expr(object, expr, way, steps),
            Kind::Relation(_) => {
                steps.pop();
                self.prove_relation(object, &def.name, way, steps)
            }
        };
        way.pop();
        if !proved {
            steps.truncate(before);
        }
        proved
    }

    /// By a stored tuple: the subject's own, or one of a set that it stands in.
    fn prove_relation(
        &mut self,
        object: &str,
        name: &str,
        way: &mut Vec<(String, DefId)>,
        steps: &mut Vec<Step>,
    ) -> bool {
        let (schema, graph) = (self.schema, self.graph);
        let Some(holders) = graph.holders(object, name) else {
            return false;
        };
        if let Some(subject) = self.subject.filter(|subject| holders.single.contains(*subject)) {
            steps.push(tuple(object, name, subject));
            return true;
        }
        holders.sets.iter().any(|set| {
            let Some((of, relation)) = set.split_once('#') else {
                return false;
            };
            let Some(next) = schema.find(type_of(of), relation) else {
                return false;
            };
            steps.push(tuple(object, name, set));
            let proved = self.prove(of, next, way, steps);
            if !proved {
                steps.pop();
            }
            proved
        })
    }

    fn prove_expr(&mut self, object: &str, expr: &Expr, way: &mut Vec<(String, DefId)>, steps: &mut Vec<Step>) -> bool {
        match expr {
            Expr::Anyone => {
                steps.push(Step::Anyone);
                true
            }
            Expr::Members => {
                let is_member = self.subject.is_some();
                if is_member {
                    steps.push(Step::Members);
                }
                is_member
            }
            Expr::Name(id) => self.prove(object, *id, way, steps),
            Expr::Union(all) => all.iter().any(|one| self.prove_expr(object, one, way, steps)),
            Expr::Intersection(all) => all.iter().all(|one| self.prove_expr(object, one, way, steps)),
            // That the right side does not hold was found out by the check.
            Expr::Exclusion(left, _) => self.prove_expr(object, left, way, steps),
            Expr::Arrow(through, targets) => self.leads(object, *through).into_iter().any(|to| {
                let id = targets.get(type_of(&to));
                id.is_some_and(|id| self.prove(&to, *id, way, steps))
            }),
        }
    }
}

fn tuple(object: &str, relation: &str, subject: &str) -> Step {
    Step::Tuple {
        object: object.to_owned(),
        relation: relation.to_owned(),
        subject: subject.to_owned(),
    }
}
