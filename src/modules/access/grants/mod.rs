//! Roles given and taken, and groups of accounts. Whoever gives holds what is given; what is written is checked against the
//! schema and is in memory as soon as its transaction stands.

pub mod api;
pub mod groups;
mod lists;
mod port;
pub mod ui;
mod written;

pub use lists::{Grant, Holder};
pub use port::{GrantService, object_of, shown};
