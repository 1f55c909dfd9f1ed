//! The one integration binary: the rules of the house, then the features on the real app.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it stands")]

mod access;
mod accounts;
mod batches;
mod closing;
mod collections;
mod doubts;
mod entry;
mod exchange;
mod files;
mod finds;
mod forms;
mod guards;
mod hostile;
mod house;
mod imports;
mod institutions;
mod keeping;
mod kinds;
mod languages;
mod living;
mod named;
mod numbers;
mod queries;
mod records;
mod reshaping;
mod search;
mod shown;
mod table;
mod together;
mod trees;
mod undo;
