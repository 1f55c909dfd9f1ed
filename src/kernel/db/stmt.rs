//! One statement, written once for both engines: `sql("…").bind(x).all::<Row>(&db)`.
//!
//! The text is the portable part of SQL (see CONTRIBUTING, "Portable SQL"). Where the engines must differ, `pick`
//! takes both texts; a test counts those and prepares every literal on its engine.

use sqlx::postgres::{PgArguments, PgRow};
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{Arguments, AssertSqlSafe, FromRow, SqlSafeStr};

use super::build::Insert;
use super::error::from_sqlx;
use super::sqlite::Limit;
use super::{Db, Engine, Inner, Snapshot, Tx, TxConn};
use crate::kernel::error::Result;

/// A value to bind.
#[derive(Clone, Debug)]
pub enum Val {
    I64(Option<i64>),
    F64(Option<f64>),
    Bool(Option<bool>),
    Text(Option<String>),
    Blob(Option<Vec<u8>>),
}

macro_rules! val_from {
    ($($from:ty => $variant:ident $convert:expr),+ $(,)?) => { $(
        impl From<$from> for Val { fn from(v: $from) -> Self { Val::$variant(Some($convert(v))) } }
        impl From<Option<$from>> for Val { fn from(v: Option<$from>) -> Self { Val::$variant(v.map($convert)) } }
    )+ };
}
val_from! {
    i64 => I64 std::convert::identity, i32 => I64 i64::from, u32 => I64 i64::from, f64 => F64 std::convert::identity, bool => Bool std::convert::identity,
    String => Text std::convert::identity, &str => Text str::to_owned, &String => Text String::clone,
    Vec<u8> => Blob std::convert::identity, &[u8] => Blob <[u8]>::to_vec,
    &serde_json::Value => Text serde_json::Value::to_string,
}

/// A row that either engine can give. `#[derive(sqlx::FromRow)]` on a plain struct is enough; tuples work too.
pub trait Row: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}
impl<T> Row for T where T: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin {}

#[derive(Clone, Debug)]
enum Text {
    Static(&'static str),
    Pick {
        sqlite: &'static str,
        postgres: &'static str,
    },
    Built(String),
}

/// A statement with its bound values.
#[derive(Clone, Debug)]
#[must_use = "a statement does nothing until it is run"]
pub struct Stmt {
    text: Text,
    values: Vec<Val>,
}

/// A statement both engines understand.
pub fn sql(text: &'static str) -> Stmt {
    Stmt {
        text: Text::Static(text),
        values: Vec::new(),
    }
}

/// A statement that must differ between the engines.
pub fn pick(sqlite: &'static str, postgres: &'static str) -> Stmt {
    Stmt {
        text: Text::Pick { sqlite, postgres },
        values: Vec::new(),
    }
}

/// A statement whose text was built by `build.rs`, from literals only.
pub(super) fn built(text: String, values: Vec<Val>) -> Stmt {
    Stmt {
        text: Text::Built(text),
        values,
    }
}

/// Where a statement runs: the readers of a `Db`, a write transaction or a snapshot.
pub enum Exec<'a> {
    Db(&'a Db),
    Tx(&'a mut TxConn),
    Snapshot(&'a mut Snapshot),
}
impl<'a> From<&'a Db> for Exec<'a> {
    fn from(db: &'a Db) -> Self {
        Exec::Db(db)
    }
}
impl<'a, 'e> From<&'a mut Tx<'e>> for Exec<'a> {
    fn from(tx: &'a mut Tx<'e>) -> Self {
        tx.touch();
        Exec::Tx(&mut tx.conn)
    }
}
impl<'a> From<&'a mut Snapshot> for Exec<'a> {
    fn from(snapshot: &'a mut Snapshot) -> Self {
        Exec::Snapshot(snapshot)
    }
}

macro_rules! run {
    ($exec:expr, $stmt:expr, |$guard:ident| $sent:expr, |$query:ident, $on:ident| $body:expr, $make:ident) => {{
        match $exec {
            Exec::Db(db) => match &*db.0 {
                Inner::Sqlite(s) => { let $query = $make!(sqlite $stmt); let $on = &s.read; $body }
                Inner::Postgres(p) => { let $query = $make!(postgres $stmt); let $on = p.pool()?; $body }
            },
            Exec::Tx(TxConn::Sqlite($guard)) => $sent,
            Exec::Tx(TxConn::Postgres(tx)) => { let $query = $make!(postgres $stmt); let $on = &mut **tx; $body }
            Exec::Snapshot(Snapshot::Sqlite(tx)) => { let $query = $make!(sqlite $stmt); let $on = &mut **tx; $body }
            Exec::Snapshot(Snapshot::Postgres(tx)) => { let $query = $make!(postgres $stmt); let $on = &mut **tx; $body }
        }
    }};
}
macro_rules! plain {
    ($engine:ident $stmt:expr) => {{
        let (text, args) = $stmt.$engine()?;
        sqlx::query_with(text, args)
    }};
}
macro_rules! typed {
    ($engine:ident $stmt:expr) => {{
        let (text, args) = $stmt.$engine()?;
        sqlx::query_as_with::<_, T, _>(text, args)
    }};
}

fn decode<T: Row>(row: &SqliteRow) -> Result<T> {
    T::from_row(row).map_err(from_sqlx)
}

impl Stmt {
    /// Binds the next value: the first call is `$1`.
    pub fn bind(mut self, value: impl Into<Val>) -> Self {
        self.values.push(value.into());
        self
    }

    /// The text for one engine.
    pub fn text(&self, engine: Engine) -> &str {
        match (&self.text, engine) {
            (Text::Static(text), _) => text,
            (Text::Pick { sqlite, .. }, Engine::Sqlite) => sqlite,
            (Text::Pick { postgres, .. }, Engine::Postgres) => postgres,
            (Text::Built(text), _) => text,
        }
    }

    fn safe(text: Text, engine: Engine) -> sqlx::SqlStr {
        match (text, engine) {
            (Text::Static(text), _) => text.into_sql_str(),
            (Text::Pick { sqlite, .. }, Engine::Sqlite) => sqlite.into_sql_str(),
            (Text::Pick { postgres, .. }, Engine::Postgres) => postgres.into_sql_str(),
            (Text::Built(text), _) => AssertSqlSafe(text).into_sql_str(),
        }
    }

    /// The same statement behind what has to go before it on SQLite, in one text: a bracket and inserts, whose values follow
    /// its own.
    pub(super) fn after(mut self, bracket: &'static str, inserts: Vec<Insert>) -> Self {
        if bracket.is_empty() && inserts.is_empty() {
            return self;
        }
        let mut values = std::mem::take(&mut self.values);
        let own = self.text(Engine::Sqlite);
        let mut text = String::with_capacity(bracket.len() + own.len() + 200 * inserts.len() + 4);
        text.push_str(bracket);
        for insert in inserts {
            if !text.is_empty() {
                text.push_str("; ");
            }
            insert.write(&mut text, &mut values);
        }
        if !own.is_empty() {
            text.push_str("; ");
            text.push_str(own);
        }
        built(text, values)
    }

    pub(super) fn sqlite(self) -> Result<(sqlx::SqlStr, SqliteArguments)> {
        let mut args = SqliteArguments::default();
        for value in self.values {
            match value {
                Val::I64(v) => args.add(v),
                Val::F64(v) => args.add(v),
                Val::Bool(v) => args.add(v),
                Val::Text(v) => args.add(v),
                Val::Blob(v) => args.add(v),
            }
            .map_err(|e| from_sqlx(sqlx::Error::Encode(e)))?;
        }
        Ok((Self::safe(self.text, Engine::Sqlite), args))
    }

    fn postgres(self) -> Result<(sqlx::SqlStr, PgArguments)> {
        let mut args = PgArguments::default();
        for value in self.values {
            match value {
                Val::I64(v) => args.add(v),
                Val::F64(v) => args.add(v),
                Val::Bool(v) => args.add(v),
                Val::Text(v) => args.add(v),
                Val::Blob(v) => args.add(v),
            }
            .map_err(|e| from_sqlx(sqlx::Error::Encode(e)))?;
        }
        Ok((Self::safe(self.text, Engine::Postgres), args))
    }

    /// Every row.
    pub async fn all<T: Row>(self, on: impl Into<Exec<'_>>) -> Result<Vec<T>> {
        run!(
            on.into(),
            self,
            |guard| guard.send(self, Limit::All).await?.0.iter().map(decode).collect(),
            |query, on| query.fetch_all(on).await.map_err(from_sqlx),
            typed
        )
    }

    /// The only row, if there is one.
    pub async fn opt<T: Row>(self, on: impl Into<Exec<'_>>) -> Result<Option<T>> {
        run!(
            on.into(),
            self,
            |guard| guard.send(self, Limit::One).await?.0.first().map(decode).transpose(),
            |query, on| query.fetch_optional(on).await.map_err(from_sqlx),
            typed
        )
    }

    /// The only row; its absence is an internal error. For counts and `RETURNING`.
    pub async fn one<T: Row>(self, on: impl Into<Exec<'_>>) -> Result<T> {
        run!(
            on.into(),
            self,
            |guard| match guard.send(self, Limit::One).await?.0.first() {
                Some(row) => decode(row),
                None => Err(from_sqlx(sqlx::Error::RowNotFound)),
            },
            |query, on| query.fetch_one(on).await.map_err(from_sqlx),
            typed
        )
    }

    /// Runs it and answers how many rows it touched. Writes are possible only inside `Db::write`: the readers of a
    /// SQLite database refuse them, and a test refuses `exec` on a `Db` in the sources.
    pub async fn exec(self, on: impl Into<Exec<'_>>) -> Result<u64> {
        run!(
            on.into(),
            self,
            |guard| Ok(guard.send(self, Limit::All).await?.1),
            |query, on| query.execute(on).await.map(|r| r.rows_affected()).map_err(from_sqlx),
            plain
        )
    }
}
