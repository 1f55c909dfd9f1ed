//! Every statement in the sources prepares on its engines, against the migrated schema. And only transactions write.

use syn::Expr;
use syn::visit::{self, Visit};
use vitrine::kernel::db::{Engine, Step};

use super::databases::{Bare, Scratch};
use super::literals::{For, Statement, read};
use super::sources::{Finding, Source, refuse, sources};

async fn refused(bare: &mut Bare, engine: Engine, statements: &[Statement]) -> Vec<Finding> {
    let other = if engine == Engine::Sqlite {
        For::Postgres
    } else {
        For::Sqlite
    };
    let mut found = Vec::new();
    for statement in statements.iter().filter(|s| s.engine != other) {
        if let Err(error) = bare.prepare(&statement.text).await {
            let what = format!("{}: {error}\n    {}", engine.name(), statement.text);
            found.push(Finding::new(&statement.path, statement.line, what));
        }
    }
    found
}

async fn prepare_on(engine: Engine, statements: &[Statement]) -> Vec<Finding> {
    let scratch = Scratch::new(engine).await;
    scratch.db.migrate(Step::Latest).await.expect("a migrated database");
    let mut bare = scratch.bare().await;
    let found = refused(&mut bare, engine, statements).await;
    drop(bare);
    scratch.end().await;
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_prepares_on_sqlite() {
    let all = read(&sources("src"));
    refuse(&all.findings);
    assert!(
        all.statements.len() > 10,
        "only {} statements found",
        all.statements.len()
    );
    refuse(&prepare_on(Engine::Sqlite, &all.statements).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_prepares_on_postgres() {
    let all = read(&sources("src"));
    refuse(&prepare_on(Engine::Postgres, &all.statements).await);
}

/// Lines of a plan that read a table of jobs from its beginning to its end.
fn read_through(text: &str, plan: &[String]) -> Vec<String> {
    let mut names = vec!["job"];
    names.extend(
        text.split("job AS ")
            .skip(1)
            .filter_map(|rest| rest.split([' ', ')']).next()),
    );
    let is_one = |line: &&String| match line.strip_prefix("SCAN ") {
        Some(rest) => names.contains(&rest.split(' ').next().unwrap_or_default()) && !rest.contains(" USING "),
        None => false,
    };
    plan.iter().filter(is_one).cloned().collect()
}

/// However many jobs wait, a claim looks at those that it takes: each of its statements goes by an index.
#[tokio::test(flavor = "multi_thread")]
async fn claims_go_by_indexes() {
    let all = read(&sources("src"));
    let rooms = ["claim", "front", "store"].map(|room| format!("src/kernel/jobs/{room}.rs"));
    let scratch = Scratch::new(Engine::Sqlite).await;
    scratch.db.migrate(Step::Latest).await.expect("a migrated database");
    let mut bare = scratch.bare().await;
    let (mut looked, mut found) = (0, Vec::new());
    for one in all
        .statements
        .iter()
        .filter(|s| s.engine != For::Postgres && rooms.contains(&s.path))
    {
        looked += 1;
        let lines = read_through(&one.text, &bare.plan(&one.text).await);
        found.extend(
            lines
                .into_iter()
                .map(|line| Finding::new(&one.path, one.line, format!("{line}\n    {}", one.text))),
        );
    }
    assert!(looked > 10, "only {looked} statements found");
    refuse(&found);
    let bad = "SELECT o.id FROM job AS o WHERE o.kind || '' = $1";
    assert_eq!(read_through(bad, &bare.plan(bad).await).len(), 1);
    drop(bare);
    scratch.end().await;
}

/// A file with one mistake of every kind, and what each becomes.
const PLANTED: &str = r#"
const COLUMNS: &[&str] = &["name", "wert"];
async fn f(tx: &mut Tx<'_>, db: &Db, text: &'static str) {
    sql("SELECT now() FROM fact").one(db);
    sql(text).one(db);
    pick("SELECT 1", "SELECT rowid FROM fact").one(db);
    insert_many(tx, "fact", COLUMNS, "ON CONFLICT DO NOTHING", rows);
    let mut filter = Filter::new("SELECT name FROM fact").and("name > ?", x);
    filter = filter.and_in("valu", list);
    filter.end("ORDER BY name", 5);
    sql("UPDATE fact SET value = $1").bind(1).exec(&self.db);
    vec![sql("SELECT nothing FROM fact")];
}
fn helped(select: &'static str) -> Filter { Filter::new(select).and("value = ?", 1) }
fn g(text: &'static str) {
    helped("SELECT name FROM fact").stmt();
    helped("SELECT none FROM fact").stmt();
    let filter = helped("SELECT 1 FROM fact");
    filter.and("valu = ?", 2).end("ORDER BY name", 1);
}
fn h(text: &'static str) {
    helped(text).stmt();
    helped("SELECT name FROM fact").stmt();
}
#[cfg(test)]
mod tests { fn f() { sql("SELECT * FROM own") } }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn bad_statements_are_found() {
    let all = read(&[Source::planted("src/a.rs", PLANTED)]);
    assert_eq!(
        all.findings.iter().map(|f| f.line).collect::<Vec<_>>(),
        [5, 22],
        "{:?}",
        all.findings
    );
    let lines = |found: Vec<Finding>| {
        let mut lines: Vec<usize> = found.iter().map(|f| f.line).collect();
        lines.sort_unstable();
        lines
    };
    assert_eq!(
        lines(prepare_on(Engine::Sqlite, &all.statements).await),
        [4, 7, 8, 12, 16, 17, 18]
    );
    assert_eq!(
        lines(prepare_on(Engine::Postgres, &all.statements).await),
        [6, 7, 8, 12, 16, 17, 18]
    );
}

/// `exec` outside the database's own room takes a transaction called `tx`: nothing else may write.
struct Writers<'s> {
    path: &'s str,
    found: Vec<Finding>,
}

fn is_tx(expr: &Expr) -> bool {
    match expr {
        Expr::Path(path) => path.path.is_ident("tx"),
        Expr::Reference(inner) => is_tx(&inner.expr),
        Expr::Unary(inner) => is_tx(&inner.expr),
        Expr::Paren(inner) => is_tx(&inner.expr),
        _ => false,
    }
}

impl<'ast> Visit<'ast> for Writers<'_> {
    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.method == "exec" && call.args.len() == 1 && !is_tx(&call.args[0]) {
            let what = "only a transaction writes: exec takes the `tx` of Db::write";
            self.found
                .push(Finding::new(self.path, call.method.span().start().line, what));
        }
        visit::visit_expr_method_call(self, call);
    }
}

fn writers(source: &Source) -> Vec<Finding> {
    let mut writers = Writers {
        path: &source.path,
        found: Vec::new(),
    };
    writers.visit_file(&source.tree);
    writers.found
}

#[test]
fn only_transactions_write() {
    let all = sources("src");
    let findings: Vec<Finding> = all
        .iter()
        .filter(|s| !s.path.starts_with("src/kernel/db/"))
        .flat_map(writers)
        .collect();
    refuse(&findings);
}

#[test]
fn other_writers_are_found() {
    let found = writers(&Source::planted("src/a.rs", PLANTED));
    assert_eq!(found.iter().map(|f| f.line).collect::<Vec<_>>(), [11]);
    let fine = "fn f() { sql(\"x\").exec(&mut *tx); sql(\"x\").bind(1).exec(tx); }";
    assert!(writers(&Source::planted("src/a.rs", fine)).is_empty());
}
