//! The two places that may build the text of a statement: many rows at once, and filters over allow-listed columns.

use std::fmt::Write as _;

use super::Tx;
use super::stmt::{Stmt, Val, built};
use crate::kernel::error::Result;

/// Bound values one statement may carry: SQLite allows 32,766, PostgreSQL 65,535.
const MAX_BINDS: usize = 32_000;
/// Rows per statement; more gives nothing and makes the statement cache grow.
const MAX_ROWS: usize = 500;

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
        let chunk: Vec<Vec<Val>> = rows.by_ref().take(per_statement).collect();
        if chunk.is_empty() {
            return Ok(written);
        }
        let mut text = format!("INSERT INTO {table} ({}) VALUES ", columns.join(", "));
        let mut values = Vec::with_capacity(chunk.len() * columns.len());
        for (index, row) in chunk.into_iter().enumerate() {
            debug_assert_eq!(
                row.len(),
                columns.len(),
                "a row of {table} has as many values as columns"
            );
            text.push_str(if index == 0 { "(" } else { ", (" });
            for column in 0..columns.len() {
                let comma = if column == 0 { "" } else { ", " };
                let _ = write!(text, "{comma}${}", values.len() + column + 1);
            }
            text.push(')');
            values.extend(row);
        }
        if !tail.is_empty() {
            text.push(' ');
            text.push_str(tail);
        }
        written += built(text, values).exec(&mut *tx).await?;
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
