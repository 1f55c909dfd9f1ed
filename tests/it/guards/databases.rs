//! Throw-away databases for the guards: a migrated SQLite file and a migrated PostgreSQL database, with bare
//! connections beside the house's own handle.

use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{AssertSqlSafe, Connection, Executor};
use vitrine::kernel::clock::Clock;
use vitrine::kernel::db::{Db, Engine, Options};
use vitrine::kernel::testing::postgres_url;

/// One database and where it is.
pub struct Scratch {
    pub db: Db,
    pub url: String,
    folder: tempfile::TempDir,
    /// The address of the server and the name of the database on it.
    server: Option<(String, String)>,
}

/// A bare connection of either kind.
pub enum Bare {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
}

impl Scratch {
    /// An empty database, not yet migrated.
    pub async fn new(engine: Engine) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (url, server) = match engine {
            Engine::Sqlite => (format!("sqlite:{}", folder.path().join("guard.db").display()), None),
            Engine::Postgres => {
                let server = postgres_url();
                let name = format!(
                    "vitrine_test_{}_guard_{}",
                    std::process::id(),
                    vitrine::kernel::id::new_id().replace('-', "")
                );
                let mut admin = PgConnection::connect(&server)
                    .await
                    .expect("the PostgreSQL server of the tests");
                admin
                    .execute(AssertSqlSafe(format!("CREATE DATABASE {name}")))
                    .await
                    .expect("a database of our own");
                let (base, _) = server.rsplit_once('/').expect("an address with a database");
                (format!("{base}/{name}"), Some((server.clone(), name)))
            }
        };
        let db = Db::open(&url, folder.path(), Clock::system(), Options::default())
            .await
            .expect("an open database");
        Self {
            db,
            url,
            folder,
            server,
        }
    }

    pub async fn bare(&self) -> Bare {
        match self.db.engine() {
            Engine::Sqlite => {
                let file = self.folder.path().join("guard.db");
                Bare::Sqlite(
                    SqliteConnection::connect(&file.to_string_lossy())
                        .await
                        .expect("a connection"),
                )
            }
            Engine::Postgres => Bare::Postgres(PgConnection::connect(&self.url).await.expect("a connection")),
        }
    }

    pub async fn end(self) {
        self.db.close().await;
        if let Some((server, name)) = self.server {
            let mut admin = PgConnection::connect(&server)
                .await
                .expect("the PostgreSQL server of the tests");
            admin
                .execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)")))
                .await
                .expect("our own database");
        }
    }
}

impl Bare {
    /// Asks the engine to prepare a statement; the engine's words if it refuses.
    pub async fn prepare(&mut self, text: &str) -> Result<(), String> {
        use sqlx::SqlSafeStr;
        let text = AssertSqlSafe(text.to_owned()).into_sql_str();
        match self {
            Self::Sqlite(c) => c.prepare(text).await.map(drop).map_err(|e| e.to_string()),
            Self::Postgres(c) => c.prepare(text).await.map(drop).map_err(|e| e.to_string()),
        }
    }

    /// How SQLite would go about a statement: one line for each table.
    pub async fn plan(&mut self, text: &str) -> Vec<String> {
        let Self::Sqlite(connection) = self else {
            return Vec::new();
        };
        let text = AssertSqlSafe(format!("EXPLAIN QUERY PLAN {text}"));
        let rows: Vec<(i64, i64, i64, String)> = sqlx::query_as(text).fetch_all(connection).await.expect("a plan");
        rows.into_iter().map(|(.., line)| line).collect()
    }

    /// The schema as lines: every table's columns and every index, without the table of migrations.
    pub async fn schema(&mut self) -> Vec<String> {
        let rows: Vec<(String,)> = match self {
            Self::Sqlite(c) => {
                sqlx::query_as(
                    "SELECT type || ' ' || name || ': ' || COALESCE(sql, '') FROM sqlite_schema \
                     WHERE name NOT LIKE '\\_sqlx%' ESCAPE '\\' AND name NOT LIKE 'sqlite_%' ORDER BY 1",
                )
                .fetch_all(c)
                .await
            }
            Self::Postgres(c) => {
                sqlx::query_as(
                    "SELECT table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || \
                     COALESCE(column_default, '') FROM information_schema.columns \
                     WHERE table_schema = 'public' AND table_name NOT LIKE '\\_sqlx%' \
                     UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE '\\_sqlx%' \
                     UNION ALL SELECT 'sequence ' || sequencename FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1",
                )
                .fetch_all(c)
                .await
            }
        }
        .expect("a readable schema");
        rows.into_iter().map(|(line,)| line).collect()
    }
}
