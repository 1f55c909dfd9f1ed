//! PostgreSQL full text and SQLite FTS5 with the same data and the indexes that somebody would make who knows them, asked the
//! questions of `asks`. Neither knows words with a typo by itself.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Map, Value};
use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions};
use sqlx::{Postgres, QueryBuilder, Sqlite};

use super::asks::{Ask, BARS, Collection, DEEP, PAGE, Sort, YEARS, around, made, text};

/// Rows of one statement, and of one transaction.
const ROWS: usize = 1_000;

/// A row as both have it.
struct Row {
    id: i64,
    title: String,
    words: String,
    year: i64,
    place: (f64, f64),
    facets: [Option<String>; 5],
}

impl Row {
    fn of(collection: &Collection, n: usize) -> Self {
        let object = collection.object(n);
        let own = |key: &str| object.get(key).and_then(Value::as_str).map(str::to_owned);
        let (year, latitude, longitude) = made(n);
        Self {
            id: n as i64 + 1,
            title: own("title").unwrap_or_default(),
            words: text(&object).replace('\0', " "),
            year,
            place: (latitude, longitude),
            facets: [
                own("classification"),
                own("department"),
                own("physical_location"),
                creator(&object, "nationality"),
                creator(&object, "party_type"),
            ],
        }
    }
}

fn creator(object: &Map<String, Value>, key: &str) -> Option<String> {
    let first = object.get("creator")?.as_array()?.first()?;
    first.get(key)?.as_str().map(str::to_owned)
}

/// See the module's text.
#[derive(Clone)]
pub struct Server(PgPool);

impl Server {
    pub async fn fill(url: &str, collection: &Collection) -> Result<Self> {
        let pool = PgPoolOptions::new().max_connections(20).connect(url).await?;
        sqlx::raw_sql(
            "CREATE TABLE thing (id BIGINT PRIMARY KEY, title TEXT, words tsvector, made BIGINT, latitude DOUBLE PRECISION, \
             longitude DOUBLE PRECISION, classification TEXT, department TEXT, location TEXT, nationality TEXT, party TEXT)",
        )
        .execute(&pool)
        .await?;
        let mut at = 0;
        while at < collection.count {
            let end = (at + ROWS).min(collection.count);
            let mut insert = QueryBuilder::<Postgres>::new(
                "INSERT INTO thing (id, title, words, made, latitude, longitude, classification, department, location, \
                 nationality, party) ",
            );
            insert.push_values((at..end).map(|n| Row::of(collection, n)), |mut to, row| {
                to.push_bind(row.id).push_bind(row.title);
                to.push("to_tsvector('simple', ")
                    .push_bind_unseparated(row.words)
                    .push_unseparated(")");
                to.push_bind(row.year).push_bind(row.place.0).push_bind(row.place.1);
                for facet in row.facets {
                    to.push_bind(facet);
                }
            });
            insert.build().execute(&pool).await?;
            at = end;
        }
        sqlx::raw_sql(
            "CREATE INDEX thing_words ON thing USING GIN (words); \
             CREATE INDEX thing_made ON thing (made, id); \
             CREATE INDEX thing_place ON thing (latitude, longitude); \
             CREATE INDEX thing_title ON thing (lower(title) text_pattern_ops); \
             VACUUM ANALYZE thing",
        )
        .execute(&pool)
        .await
        .context("the indexes of PostgreSQL")?;
        Ok(Self(pool))
    }

    /// Bytes of the table with its indexes.
    pub async fn size(&self) -> Result<u64> {
        let (bytes,): (i64,) = sqlx::query_as("SELECT pg_total_relation_size('thing')")
            .fetch_one(&self.0)
            .await?;
        Ok(u64::try_from(bytes)?)
    }

    /// Asks; false where it knows no such question.
    pub async fn ask(&self, ask: &Ask) -> Result<bool> {
        let pool = &self.0;
        let words = match ask.sort {
            Sort::Fuzzy => return Ok(false),
            Sort::Prefix => format!("{}:*", ask.words),
            Sort::Phrase => ask.words.replace(' ', " <-> "),
            _ => ask.words.replace(' ', " & "),
        };
        match ask.sort {
            Sort::Geo => {
                for text in [
                    "SELECT COUNT(*) FROM thing WHERE latitude BETWEEN $1 AND $3 AND longitude BETWEEN $2 AND $4",
                    "SELECT id FROM thing WHERE latitude BETWEEN $1 AND $3 AND longitude BETWEEN $2 AND $4 ORDER BY id LIMIT 25",
                ] {
                    let mut query = sqlx::query(text);
                    for end in around(ask.place) {
                        query = query.bind(end);
                    }
                    query.fetch_all(pool).await?;
                }
            }
            Sort::Suggest => {
                let query =
                    sqlx::query("SELECT id, title FROM thing WHERE lower(title) LIKE $1 ORDER BY lower(title) LIMIT 8");
                query.bind(format!("{}%", ask.words)).fetch_all(pool).await?;
            }
            Sort::Deep => {
                let query = sqlx::query("SELECT id FROM thing ORDER BY made, id LIMIT $1 OFFSET $2");
                query.bind(PAGE as i64).bind(DEEP as i64).fetch_all(pool).await?;
            }
            sort => {
                let mut texts = vec![
                    "SELECT COUNT(*) FROM thing WHERE words @@ to_tsquery('simple', $1)",
                    "SELECT id FROM thing WHERE words @@ to_tsquery('simple', $1) \
                     ORDER BY ts_rank(words, to_tsquery('simple', $1)) DESC LIMIT 25",
                ];
                if sort == Sort::Facets {
                    texts[0] = "WITH hit AS MATERIALIZED (SELECT classification, department, location, nationality, party \
                        FROM thing WHERE words @@ to_tsquery('simple', $1)) \
                        SELECT classification, department, location, nationality, party, COUNT(*) FROM hit \
                        GROUP BY GROUPING SETS ((), (classification), (department), (location), (nationality), (party))";
                }
                for text in texts {
                    sqlx::query(text).bind(&words).fetch_all(pool).await?;
                }
                if sort == Sort::Histogram {
                    let query = sqlx::query(
                        "SELECT width_bucket(made, $2, $3, $4) AS bar, COUNT(*) FROM thing \
                         WHERE words @@ to_tsquery('simple', $1) GROUP BY bar",
                    );
                    let query = query.bind(&words).bind(YEARS.0 as f64).bind(YEARS.1 as f64);
                    query.bind(i32::try_from(BARS)?).fetch_all(pool).await?;
                }
            }
        }
        Ok(true)
    }
}

/// See the module's text.
#[derive(Clone)]
pub struct File(SqlitePool);

impl File {
    pub async fn fill(path: &Path, collection: &Collection) -> Result<Self> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let pool = SqlitePoolOptions::new()
            .max_connections(20)
            .connect_with(options)
            .await?;
        sqlx::raw_sql(
            "CREATE TABLE thing (id INTEGER PRIMARY KEY, title TEXT, made INTEGER, latitude REAL, longitude REAL, \
                 classification TEXT, department TEXT, location TEXT, nationality TEXT, party TEXT); \
             CREATE VIRTUAL TABLE words USING fts5(text, content='', tokenize='unicode61 remove_diacritics 2', prefix='4')",
        )
        .execute(&pool)
        .await
        .context("SQLite with FTS5")?;
        let mut at = 0;
        while at < collection.count {
            let end = (at + ROWS).min(collection.count);
            let mut tx = pool.begin().await?;
            let rows: Vec<Row> = (at..end).map(|n| Row::of(collection, n)).collect();
            for part in rows.chunks(100) {
                let mut insert = QueryBuilder::<Sqlite>::new(
                    "INSERT INTO thing (id, title, made, latitude, longitude, classification, department, location, \
                     nationality, party) ",
                );
                insert.push_values(part, |mut to, row| {
                    to.push_bind(row.id).push_bind(&row.title).push_bind(row.year);
                    to.push_bind(row.place.0).push_bind(row.place.1);
                    for facet in &row.facets {
                        to.push_bind(facet);
                    }
                });
                insert.build().execute(&mut *tx).await?;
                let mut insert = QueryBuilder::<Sqlite>::new("INSERT INTO words (rowid, text) ");
                insert.push_values(part, |mut to, row| {
                    to.push_bind(row.id).push_bind(&row.words);
                });
                insert.build().execute(&mut *tx).await?;
            }
            tx.commit().await?;
            at = end;
        }
        sqlx::raw_sql(
            "INSERT INTO words (words) VALUES ('optimize'); \
             CREATE INDEX thing_made ON thing (made, id); \
             CREATE INDEX thing_place ON thing (latitude, longitude); \
             CREATE INDEX thing_title ON thing (title COLLATE NOCASE); \
             ANALYZE",
        )
        .execute(&pool)
        .await
        .context("the indexes of SQLite")?;
        Ok(Self(pool))
    }

    /// Asks; false where it knows no such question.
    pub async fn ask(&self, ask: &Ask) -> Result<bool> {
        let pool = &self.0;
        let words = match ask.sort {
            Sort::Fuzzy => return Ok(false),
            Sort::Prefix => format!("\"{}\"*", ask.words),
            Sort::Phrase => format!("\"{}\"", ask.words),
            _ => {
                let each = ask.words.split_whitespace().map(|word| format!("\"{word}\""));
                each.collect::<Vec<_>>().join(" ")
            }
        };
        match ask.sort {
            Sort::Geo => {
                for text in [
                    "SELECT COUNT(*) FROM thing WHERE latitude BETWEEN ?1 AND ?3 AND longitude BETWEEN ?2 AND ?4",
                    "SELECT id FROM thing WHERE latitude BETWEEN ?1 AND ?3 AND longitude BETWEEN ?2 AND ?4 ORDER BY id LIMIT 25",
                ] {
                    let mut query = sqlx::query(text);
                    for end in around(ask.place) {
                        query = query.bind(end);
                    }
                    query.fetch_all(pool).await?;
                }
            }
            Sort::Suggest => {
                let query = sqlx::query(
                    "SELECT id, title FROM thing WHERE title LIKE ?1 ORDER BY title COLLATE NOCASE LIMIT 8",
                );
                query.bind(format!("{}%", ask.words)).fetch_all(pool).await?;
            }
            Sort::Deep => {
                let query = sqlx::query("SELECT id FROM thing ORDER BY made, id LIMIT ?1 OFFSET ?2");
                query.bind(PAGE as i64).bind(DEEP as i64).fetch_all(pool).await?;
            }
            sort => {
                let mut texts = vec![
                    "SELECT COUNT(*) FROM words WHERE words MATCH ?1",
                    "SELECT rowid FROM words WHERE words MATCH ?1 ORDER BY rank LIMIT 25",
                ];
                if sort == Sort::Facets {
                    texts[0] = "WITH hit AS MATERIALIZED (SELECT t.classification, t.department, t.location, t.nationality, \
                        t.party FROM words AS w JOIN thing AS t ON t.id = w.rowid WHERE w.words MATCH ?1) \
                        SELECT 0, NULL, COUNT(*) FROM hit \
                        UNION ALL SELECT 1, classification, COUNT(*) FROM hit GROUP BY classification \
                        UNION ALL SELECT 2, department, COUNT(*) FROM hit GROUP BY department \
                        UNION ALL SELECT 3, location, COUNT(*) FROM hit GROUP BY location \
                        UNION ALL SELECT 4, nationality, COUNT(*) FROM hit GROUP BY nationality \
                        UNION ALL SELECT 5, party, COUNT(*) FROM hit GROUP BY party";
                }
                for text in texts {
                    sqlx::query(text).bind(&words).fetch_all(pool).await?;
                }
                if sort == Sort::Histogram {
                    let query = sqlx::query(
                        "SELECT (t.made - ?2) * ?4 / (?3 - ?2) AS bar, COUNT(*) FROM words AS w JOIN thing AS t ON t.id = w.rowid \
                         WHERE w.words MATCH ?1 GROUP BY bar",
                    );
                    let query = query.bind(&words).bind(YEARS.0).bind(YEARS.1);
                    query.bind(BARS as i64).fetch_all(pool).await?;
                }
            }
        }
        Ok(true)
    }
}
