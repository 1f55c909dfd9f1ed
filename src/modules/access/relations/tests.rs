//! The engine against an oracle that knows nothing of it, on random schemas' worth of tuples; and memory that follows commits.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::engine::{Engine, Step};
use super::graph::{Graph, Tuple};
use super::lists::{expand, list_objects, list_subjects};
use super::{Change, Relations};
use crate::both;
use crate::kernel::db::Write;
use crate::kernel::testing::{Dice, TestDb};
use crate::modules::access::schema::{DefId, Expr, Kind, Schema, type_of};

/// Every operation, recursion through groups and through folders, exclusion above recursion.
const SCHEMA: &str = "
type user
type group
  relation member: user | group#member
  relation suspended: user
  permission active = member - suspended
type folder
  relation parent: folder
  relation owner: user | group#member
  relation reader: user | group#member
  relation banned: user | group#active
  permission own = owner + parent->own
  permission read = own + reader + parent->read
  permission open = (read - banned) + own
  permission both = reader & owner
  permission guests = @members - read
  permission anybody = @anyone - banned
";

fn one(dice: &mut Dice, kind: &str, of: u64) -> String {
    format!("{kind}:{}", dice.below(of))
}

fn random_tuples(dice: &mut Dice, count: u64) -> BTreeSet<Tuple> {
    let tuples = (0..count).map(|_| {
        let user = one(dice, "user", 8);
        let set = format!("{}#member", one(dice, "group", 6));
        let either = if dice.below(2) == 0 { &user } else { &set };
        let folder = one(dice, "folder", 8);
        match dice.below(7) {
            0 | 1 => Tuple::new(&one(dice, "group", 6), "member", either),
            2 => Tuple::new(&one(dice, "group", 6), "suspended", &user),
            3 => Tuple::new(&folder, "parent", &one(dice, "folder", 8)),
            4 => Tuple::new(&folder, "owner", either),
            5 => Tuple::new(&folder, "reader", either),
            _ if dice.below(2) == 0 => Tuple::new(&folder, "banned", &user),
            _ => Tuple::new(&folder, "banned", &format!("{}#active", one(dice, "group", 6))),
        }
    });
    tuples.collect()
}

/// Says of every object and name who has it: guesses nothing, repeats until nothing changes, names below a "-" first.
struct Oracle<'s> {
    schema: &'s Schema,
    tuples: &'s BTreeSet<Tuple>,
    all: BTreeSet<String>,
    held: HashMap<(String, DefId), BTreeSet<String>>,
}

impl<'s> Oracle<'s> {
    fn new(schema: &'s Schema, tuples: &'s BTreeSet<Tuple>, objects: &[String], users: &[String]) -> Self {
        let mut oracle = Self {
            schema,
            tuples,
            all: users.iter().cloned().collect(),
            held: HashMap::new(),
        };
        // The names of the schema above stand so that nothing needs a later one of a higher rank.
        let ranks = [
            vec!["group.member", "group.suspended", "folder.parent"],
            vec!["group.active"],
            vec![
                "folder.owner",
                "folder.reader",
                "folder.banned",
                "folder.own",
                "folder.read",
            ],
            vec!["folder.open", "folder.both", "folder.guests", "folder.anybody"],
        ];
        for rank in ranks {
            loop {
                let before = oracle.held.clone();
                for object in objects {
                    for (id, def) in schema.defs().iter().enumerate() {
                        let name = format!("{}.{}", def.type_name, def.name);
                        if type_of(object) == def.type_name && rank.contains(&name.as_str()) {
                            let who = oracle.evaluate(object, id);
                            oracle.held.insert((object.clone(), id), who);
                        }
                    }
                }
                if before == oracle.held {
                    break;
                }
            }
        }
        oracle
    }

    fn has(&self, object: &str, id: DefId) -> BTreeSet<String> {
        self.held.get(&(object.to_owned(), id)).cloned().unwrap_or_default()
    }

    fn evaluate(&self, object: &str, id: DefId) -> BTreeSet<String> {
        let def = self.schema.def(id);
        let Kind::Permission(expr) = &def.kind else {
            let here = self
                .tuples
                .iter()
                .filter(|t| t.object == object && t.relation == def.name);
            return here
                .flat_map(|t| match t.subject.split_once('#') {
                    Some((of, name)) => self.has(of, self.schema.find(type_of(of), name).unwrap()),
                    None => BTreeSet::from([t.subject.clone()]),
                })
                .collect();
        };
        self.of(object, expr)
    }

    fn of(&self, object: &str, expr: &Expr) -> BTreeSet<String> {
        match expr {
            Expr::Anyone => self.all.clone(),
            Expr::Members => self.all.iter().filter(|who| !who.is_empty()).cloned().collect(),
            Expr::Name(id) => self.has(object, *id),
            Expr::Union(all) => all.iter().flat_map(|e| self.of(object, e)).collect(),
            Expr::Intersection(all) => {
                let sets: Vec<_> = all.iter().map(|e| self.of(object, e)).collect();
                self.all
                    .iter()
                    .filter(|who| sets.iter().all(|set| set.contains(*who)))
                    .cloned()
                    .collect()
            }
            Expr::Exclusion(left, right) => &self.of(object, left) - &self.of(object, right),
            Expr::Arrow(through, targets) => {
                let relation = &self.schema.def(*through).name;
                let leads = self
                    .tuples
                    .iter()
                    .filter(|t| t.object == object && t.relation == *relation);
                leads
                    .flat_map(|t| self.has(&t.subject, targets[type_of(&t.subject)]))
                    .collect()
            }
        }
    }
}

/// Compares everything that can be asked of one state of tuples. Answers how many checks that were.
fn compare(seed: u64, count: u64) -> usize {
    let schema = Schema::parse(SCHEMA).unwrap();
    let mut dice = Dice::new(seed);
    let tuples = random_tuples(&mut dice, count);
    let mut graph = Graph::default();
    // Some come and go again: what is left is what was never taken.
    let passing = random_tuples(&mut dice, count / 2);
    passing.iter().chain(&tuples).for_each(|t| graph.insert(t));
    passing.difference(&tuples).for_each(|t| graph.remove(t));
    assert_eq!(graph.len(), tuples.len());
    let objects: Vec<String> = (0..6)
        .map(|n| format!("group:{n}"))
        .chain((0..8).map(|n| format!("folder:{n}")))
        .collect();
    // The one without a name is nobody in particular.
    let users: Vec<String> = (0..8).map(|n| format!("user:{n}")).chain([String::new()]).collect();
    let oracle = Oracle::new(&schema, &tuples, &objects, &users);
    let mut checks = 0;
    let mut found: BTreeMap<(&str, &str), Vec<String>> = BTreeMap::new();
    for who in &users {
        let subject = Some(who.as_str()).filter(|who| !who.is_empty());
        let mut warm = Engine::new(&schema, &graph, subject);
        for object in &objects {
            for (id, def) in schema.defs().iter().enumerate() {
                if def.type_name != type_of(object) {
                    continue;
                }
                let wanted = oracle.has(object, id).contains(who);
                let place = format!("seed {seed}: {object} {} for \"{who}\" of {tuples:#?}", def.name);
                assert_eq!(warm.check(object, &def.name), wanted, "{place}");
                let mut cold = Engine::new(&schema, &graph, subject);
                let way = cold.explain(object, &def.name);
                assert_eq!(way.is_some(), wanted, "{place}");
                let real = |step: &Step| match step {
                    Step::Tuple {
                        object,
                        relation,
                        subject,
                    } => tuples.contains(&Tuple::new(object, relation, subject)),
                    _ => true,
                };
                assert!(way.iter().flatten().all(real), "{place}: {way:?}");
                checks += 2;
                if wanted && subject.is_some() {
                    found.entry((object.as_str(), &def.name)).or_default().push(who.clone());
                }
            }
        }
        for name in ["open", "read", "guests"] {
            let listed = list_objects(&schema, &graph, subject, "folder", name);
            let filtered = graph
                .objects()
                .filter(|o| type_of(o) == "folder" && warm.check(o, name));
            assert_eq!(listed, filtered.map(str::to_owned).collect::<Vec<_>>());
        }
    }
    for object in &objects {
        let name = if type_of(object) == "group" { "active" } else { "open" };
        let there = graph.subjects();
        let wanted = found.get(&(object.as_str(), name)).into_iter().flatten();
        let wanted: Vec<&String> = wanted.filter(|who| there.contains(who.as_str())).collect();
        let listed = list_subjects(&schema, &graph, object, name, "user");
        assert_eq!(listed.iter().collect::<Vec<_>>(), wanted);
        assert!(expand(&schema, &graph, object, name).is_some());
    }
    checks
}

#[test]
fn the_engine_agrees_with_the_oracle() {
    let seeds = crate::kernel::testing::rounds(60, 2_000) as u64;
    let checks: usize = (0..seeds).map(|seed| compare(seed, 4 + seed % 40)).sum();
    println!("{checks} checks of the engine against the oracle, 0 differences");
    assert!(checks > 50_000, "{checks}");
}

#[test]
fn a_chain_that_is_too_long_is_no() {
    let schema = Schema::parse(SCHEMA).unwrap();
    let mut graph = Graph::default();
    for n in 0..200_000 {
        graph.insert(&Tuple::new(
            &format!("folder:{n}"),
            "parent",
            &format!("folder:{}", n + 1),
        ));
    }
    graph.insert(&Tuple::new("folder:200000", "owner", "user:a"));
    let mut engine = Engine::new(&schema, &graph, Some("user:a"));
    assert!(engine.check("folder:199950", "read"));
    assert!(!engine.check("folder:0", "read") && !engine.check("folder:0", "guests"));
}

/// Two processes on one database: each sees at once what the other did.
async fn memory_follows(db: TestDb) {
    let (here, there) = (
        Arc::new(Relations::new((*db).clone()).unwrap()),
        Relations::new((*db).clone()).unwrap(),
    );
    let tuple = |n: usize| Tuple::new("house", "viewer", &format!("account:{n}"));
    let write = |relations: Arc<Relations>, change: Change| {
        let db = db.clone();
        async move {
            let (relations, change) = (&relations, &change);
            db.write(Write::interactive("test"), |tx| {
                Box::pin(async move { relations.write(tx, change, "system").await })
            })
            .await
            .unwrap()
        }
    };
    assert_eq!(here.state().await.unwrap().graph.len(), 0);
    let puts = (0..20).map(|n| {
        let change = Change {
            put: vec![tuple(n), tuple(100)],
            taken: Vec::new(),
        };
        write(here.clone(), change)
    });
    futures_util::future::join_all(puts).await;
    assert_eq!(here.state().await.unwrap().graph.len(), 21);
    assert_eq!(there.state().await.unwrap().graph.len(), 21);
    let gone = Change {
        put: Vec::new(),
        taken: vec![tuple(3), tuple(99)],
    };
    assert_eq!(write(here.clone(), gone.clone()).await.taken, [tuple(3)]);
    assert!(write(here.clone(), gone).await.is_empty(), "what is gone is no change");
    let state = here.state().await.unwrap();
    assert_eq!(state.graph.len(), 20);
    assert!(!Engine::new(&here.schema, &state.graph, Some("account:3")).check("type:any", "views"));
    assert!(Engine::new(&here.schema, &state.graph, Some("account:4")).check("type:any", "views"));
    if db.engine() == crate::kernel::db::Engine::Postgres {
        assert_eq!(there.state().await.unwrap().epoch, state.epoch, "another process asks");
    }
    let failed = db.write(Write::interactive("test"), |tx| {
        let relations = &here;
        Box::pin(async move {
            let change = Change {
                put: vec![Tuple::new("house", "viewer", "account:never")],
                taken: Vec::new(),
            };
            let (before, is_known) = relations.state_in(tx).await?;
            assert_eq!((before.graph.len(), is_known), (20, true));
            relations.write(tx, &change, "system").await?;
            let (own, is_known) = relations.state_in(tx).await?;
            assert_eq!(
                (own.graph.len(), is_known),
                (21, false),
                "a transaction sees what it did"
            );
            Err::<(), _>(crate::kernel::error::Error::not_found("it", "this"))
        })
    });
    assert!(failed.await.is_err());
    assert_eq!(
        here.state().await.unwrap().graph.len(),
        20,
        "nothing of a transaction that failed"
    );
}
both!(memory_follows);
