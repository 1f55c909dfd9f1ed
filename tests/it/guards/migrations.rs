//! Every migration has a down file and runs up, down and up again on both engines, leaving the same schema.

use vitrine::kernel::db::{Engine, Step};

use super::databases::Scratch;
use super::sources::{Finding, files, refuse};

/// Files without their twin, wrong names, gaps and repeats in the numbers.
fn unpaired(names: &[&str]) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut numbers = Vec::new();
    for name in names {
        let (stem, twin) = match (name.strip_suffix(".up.sql"), name.strip_suffix(".down.sql")) {
            (Some(stem), _) => (stem, format!("{stem}.down.sql")),
            (_, Some(stem)) => (stem, format!("{stem}.up.sql")),
            _ => {
                found.push(Finding::new(
                    name,
                    1,
                    "a migration is called NUMBER_NAME.up.sql or NUMBER_NAME.down.sql",
                ));
                continue;
            }
        };
        if !names.contains(&twin.as_str()) {
            found.push(Finding::new(name, 1, format!("{twin} is missing")));
        }
        if name.ends_with(".up.sql") {
            numbers.push((stem.split('_').next().and_then(|n| n.parse::<usize>().ok()), *name));
        }
    }
    numbers.sort_unstable();
    let mut before = None;
    for (number, name) in &numbers {
        if number.is_none() || *number == before {
            found.push(Finding::new(name, 1, "it needs a number that no other has".to_owned()));
        }
        before = *number;
    }
    found
}

#[test]
fn every_migration_has_a_way_back() {
    let all = files("migrations", &[""]);
    let names: Vec<&str> = all.iter().filter_map(|(path, _)| path.rsplit('/').next()).collect();
    assert!(names.len() > 1, "the migrations were not found");
    refuse(&unpaired(&names));
}

#[test]
fn unpaired_migrations_are_found() {
    assert!(unpaired(&["0001_a.up.sql", "0001_a.down.sql"]).is_empty());
    assert_eq!(unpaired(&["0001_a.up.sql"]).len(), 1);
    let twice = ["0001_a.up.sql", "0001_a.down.sql", "0001_b.up.sql", "0001_b.down.sql"];
    assert_eq!(unpaired(&twice).len(), 1);
    assert_eq!(unpaired(&["a.up.sql", "a.down.sql"]).len(), 1);
    assert_eq!(unpaired(&["readme.txt"]).len(), 1);
}

async fn up_down_up(engine: Engine) {
    let scratch = Scratch::new(engine).await;
    let steps = scratch.db.migrate(Step::Latest).await.expect("up").len();
    let first = scratch.bare().await.schema().await;
    assert!(!first.is_empty(), "the schema is empty after all migrations");
    for _ in 0..steps {
        scratch.db.migrate(Step::Undo).await.expect("down");
    }
    assert_eq!(
        scratch.bare().await.schema().await,
        Vec::<String>::new(),
        "a down file leaves something behind"
    );
    for at in 1..=steps {
        let states = scratch.db.migrate(Step::One).await.expect("up again");
        assert_eq!(states.iter().filter(|s| s.applied).count(), at);
    }
    assert_eq!(
        scratch.bare().await.schema().await,
        first,
        "the second way up leads elsewhere"
    );
    scratch.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_run_up_down_up_on_sqlite() {
    up_down_up(Engine::Sqlite).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations_run_up_down_up_on_postgres() {
    up_down_up(Engine::Postgres).await;
}
