//! The two places that may build the text of a statement: many rows at once, and filters over allow-listed columns.

use std::fmt::Write as _;

use super::stmt::{Stmt, Val, built};
use super::tx::TxConn;
use super::{Engine, Tx};
use crate::kernel::error::Result;

/// Bound values one statement may carry: SQLite allows 32,766, PostgreSQL 65,535.
const MAX_BINDS: usize = 32_000;
/// Rows per statement; more gives nothing and makes the statement cache grow.
const MAX_ROWS: usize = 500;
/// Rows that wait for the next statement; more go at once, so that the texts of statements stay few.
const FEW: usize = 4;

/// Rows to insert in one statement. `columns` and `tail` (such as `ON CONFLICT (…) DO NOTHING`) are literals.
#[derive(Clone, Debug)]
pub(super) struct Insert {
    table: &'static str,
    columns: &'static [&'static str],
    tail: &'static str,
    rows: Vec<Vec<Val>>,
}

impl Insert {
    /// Writes the statement; its values follow those that are there already.
    pub(super) fn write(self, text: &mut String, values: &mut Vec<Val>) {
        let before = values.len();
        self.write_with(text, values, |text, n| {
            let _ = write!(text, "${}", before + n);
        });
    }

    /// Writes the statement with a place for its `n`th value, from 1.
    fn write_with(self, text: &mut String, values: &mut Vec<Val>, place: impl Fn(&mut String, usize)) {
        let columns = self.columns;
        let _ = write!(text, "INSERT INTO {} ({}) VALUES ", self.table, columns.join(", "));
        for (index, row) in self.rows.into_iter().enumerate() {
            debug_assert_eq!(
                row.len(),
                columns.len(),
                "a row of {} has as many values as columns",
                self.table
            );
            text.push_str(if index == 0 { "(" } else { ", (" });
            for column in 0..columns.len() {
                text.push_str(if column == 0 { "" } else { ", " });
                place(text, index * columns.len() + column + 1);
            }
            text.push(')');
            values.extend(row);
        }
        if !self.tail.is_empty() {
            text.push(' ');
            text.push_str(self.tail);
        }
    }

    /// By itself. On SQLite its places have no names: each name is looked for among all of them, both when the statement is
    /// read and when its values are bound.
    fn stmt(self, engine: Engine) -> Stmt {
        let (mut text, mut values) = (String::new(), Vec::with_capacity(self.rows.len() * self.columns.len()));
        match engine {
            Engine::Sqlite => self.write_with(&mut text, &mut values, |text, _| text.push('?')),
            Engine::Postgres => self.write(&mut text, &mut values),
        }
        built(text, values)
    }
}

/// Inserts rows in as few statements as the bind limits allow. `columns` and `tail` (such as
/// `ON CONFLICT (…) DO NOTHING`) are literals. Answers the number of rows written.
///
/// # Errors
/// What the database says; rows of earlier chunks go with the transaction.
pub async fn insert_many(
    tx: &mut Tx<'_>,
    table: &'static str,
    columns: &'static [&'static str],
    tail: &'static str,
    rows: Vec<Vec<Val>>,
) -> Result<u64> {
    let per_statement = (MAX_BINDS / columns.len().max(1)).clamp(1, MAX_ROWS);
    let mut written = 0;
    let mut rows = rows.into_iter();
    loop {
        let rows: Vec<Vec<Val>> = rows.by_ref().take(per_statement).collect();
        if rows.is_empty() {
            return Ok(written);
        }
        let insert = Insert {
            table,
            columns,
            tail,
            rows,
        };
        written += insert.stmt(tx.engine()).exec(&mut *tx).await?;
    }
}

/// As [`insert_many`], where nobody asks how many were written: on SQLite a few rows travel with the transaction's next
/// statement or with its end, which is where their error shows then.
///
/// # Errors
/// What the database says.
pub async fn insert_later(
    tx: &mut Tx<'_>,
    table: &'static str,
    columns: &'static [&'static str],
    tail: &'static str,
    rows: Vec<Vec<Val>>,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    if rows.len() > FEW {
        return insert_many(tx, table, columns, tail, rows).await.map(drop);
    }
    let insert = Insert {
        table,
        columns,
        tail,
        rows,
    };
    match &mut tx.conn {
        TxConn::Sqlite(guard) => {
            guard.later(insert);
            Ok(())
        }
        TxConn::Postgres(_) => insert.stmt(Engine::Postgres).exec(tx).await.map(drop),
    }
}

/// A `WHERE` made of literals and bound values: `Filter::new("SELECT … FROM t").and("type = ?", x).order("id").limit(20)`.
/// Every text is a literal; `?` stands for the value bound with it.
#[derive(Debug)]
pub struct Filter {
    text: String,
    values: Vec<Val>,
    conditions: usize,
}

impl Filter {
    /// Starts from a statement without a `WHERE`.
    pub fn new(select: &'static str) -> Self {
        Self {
            text: select.to_owned(),
            values: Vec::new(),
            conditions: 0,
        }
    }
    fn join(&mut self) {
        self.text
            .push_str(if self.conditions == 0 { " WHERE " } else { " AND " });
        self.conditions += 1;
    }
    fn place(&mut self, condition: &'static str, values: Vec<Val>) {
        let mut values = values.into_iter();
        for piece in condition.split_inclusive('?') {
            match piece.strip_suffix('?') {
                Some(before) => {
                    self.values.extend(values.next());
                    let _ = write!(self.text, "{before}${}", self.values.len());
                }
                None => self.text.push_str(piece),
            }
        }
    }
    /// Adds a condition with one value for each `?`.
    #[must_use]
    pub fn and_all(mut self, condition: &'static str, values: Vec<Val>) -> Self {
        self.join();
        self.place(condition, values);
        self
    }
    /// Adds a condition with one value.
    #[must_use]
    pub fn and(self, condition: &'static str, value: impl Into<Val>) -> Self {
        self.and_all(condition, vec![value.into()])
    }
    /// Adds a condition if there is a value.
    #[must_use]
    pub fn and_some(self, condition: &'static str, value: Option<impl Into<Val>>) -> Self {
        match value {
            Some(value) => self.and(condition, value),
            None => self,
        }
    }
    /// Adds a condition with one value for each `?`, if there are values.
    #[must_use]
    pub fn and_all_some(self, condition: &'static str, values: Option<Vec<Val>>) -> Self {
        match values {
            Some(values) => self.and_all(condition, values),
            None => self,
        }
    }
    /// Adds `column IN (…)`; an empty list matches nothing.
    #[must_use]
    pub fn and_in<V: Into<Val>>(mut self, column: &'static str, values: impl IntoIterator<Item = V>) -> Self {
        self.join();
        let mut text = String::new();
        for value in values {
            self.values.push(value.into());
            let comma = if text.is_empty() { "" } else { ", " };
            let _ = write!(text, "{comma}${}", self.values.len());
        }
        if text.is_empty() {
            self.text.push_str("FALSE");
        } else {
            let _ = write!(self.text, "{column} IN ({text})");
        }
        self
    }
    /// Ends the statement: `order` such as `ORDER BY id DESC`, and at most `limit` rows.
    pub fn end(mut self, order: &'static str, limit: i64) -> Stmt {
        self.values.push(limit.into());
        let _ = write!(self.text, " {order} LIMIT ${}", self.values.len());
        built(self.text, self.values)
    }
    /// Ends the statement as it is.
    pub fn stmt(self) -> Stmt {
        built(self.text, self.values)
    }
}
