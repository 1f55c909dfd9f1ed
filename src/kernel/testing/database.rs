//! A fresh, migrated database for each test. On PostgreSQL the schema is made once per run and cloned.

use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::kernel::clock::Clock;
use crate::kernel::db::{Db, Options, Step};

/// A database of one test. Its folder goes with it; databases on a PostgreSQL server are swept by the next run.
#[derive(Clone)]
pub struct TestDb {
    db: Db,
    folder: Arc<TempDir>,
    url: String,
}

impl TestDb {
    /// A folder that lives as long as the test.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
    /// The address another handle or process can open it with.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Deref for TestDb {
    type Target = Db;
    fn deref(&self) -> &Db {
        &self.db
    }
}

async fn open(url: String, folder: TempDir) -> TestDb {
    let options = Options {
        readers: 8,
        wait_ms: 30_000,
        ..Options::default()
    };
    let db = Db::open(&url, folder.path(), Clock::movable(), options)
        .await
        .expect("the test database opens");
    TestDb {
        db,
        folder: Arc::new(folder),
        url,
    }
}

/// A migrated SQLite file in a folder of its own.
///
/// # Panics
/// When it cannot be made.
pub async fn sqlite() -> TestDb {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let url = format!("sqlite:{}", folder.path().join("vitrine.db").display());
    let db = open(url, folder).await;
    db.migrate(Step::Latest).await.expect("the migrations run on SQLite");
    db
}

/// Where the PostgreSQL server for tests is: `TEST_POSTGRES_URL`, set by `make test`.
///
/// # Panics
/// When the variable is missing: no engine is ever skipped.
#[expect(
    clippy::disallowed_methods,
    reason = "tests are told by their runner where the server is"
)]
pub fn postgres_url() -> String {
    std::env::var("TEST_POSTGRES_URL")
        .expect("TEST_POSTGRES_URL names a PostgreSQL server; `make test` starts one and sets it")
}

static TEMPLATE: OnceCell<String> = OnceCell::const_new();
static COUNT: AtomicU32 = AtomicU32::new(0);
static CLONING: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

fn address(name: &str) -> String {
    let base = postgres_url();
    let (server, _) = base.rsplit_once('/').unwrap_or((&base, ""));
    format!("{server}/{name}")
}

async fn run(connection: &mut PgConnection, text: String) {
    sqlx::raw_sql(AssertSqlSafe(text))
        .execute(connection)
        .await
        .expect("the test server does as told");
}

/// Drops what earlier runs left: databases named after processes that are gone.
async fn sweep(connection: &mut PgConnection) {
    let names: Vec<(String,)> = sqlx::query_as("SELECT datname FROM pg_database WHERE datname LIKE 'vitrine_test_%'")
        .fetch_all(&mut *connection)
        .await
        .expect("the test server lists its databases");
    for (name,) in names {
        let pid = name.split('_').nth(2).unwrap_or_default();
        if !std::path::Path::new(&format!("/proc/{pid}")).exists() {
            // Another run may sweep at the same time.
            let _ = sqlx::raw_sql(AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))
                .execute(&mut *connection)
                .await;
        }
    }
}

async fn template() -> String {
    let name = format!("vitrine_test_{}_template", std::process::id());
    let mut connection = PgConnection::connect(&postgres_url())
        .await
        .expect("the test server answers");
    sweep(&mut connection).await;
    run(&mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
    run(&mut connection, format!("CREATE DATABASE {name}")).await;
    let db = open(address(&name), tempfile::tempdir().expect("a temporary folder")).await;
    db.migrate(Step::Latest)
        .await
        .expect("the migrations run on PostgreSQL");
    db.close().await;
    // The listener's connection may outlive the pool for a moment.
    run(
        &mut connection,
        format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()"),
    )
    .await;
    name
}

/// A migrated PostgreSQL database of its own, on the server of [`postgres_url`].
///
/// # Panics
/// When it cannot be made.
pub async fn postgres() -> TestDb {
    let template = TEMPLATE.get_or_init(template).await;
    let name = format!(
        "vitrine_test_{}_{}",
        std::process::id(),
        COUNT.fetch_add(1, Ordering::Relaxed)
    );
    {
        let _one_at_a_time = CLONING.lock().await;
        let mut connection = PgConnection::connect(&postgres_url())
            .await
            .expect("the test server answers");
        run(&mut connection, format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await;
        run(&mut connection, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
    }
    open(address(&name), tempfile::tempdir().expect("a temporary folder")).await
}
