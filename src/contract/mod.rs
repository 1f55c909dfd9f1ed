//! What modules may know of each other: ports, events, plain data. No logic, no SQL, no HTTP; never gated.

pub mod access;
pub mod accounts;
pub mod exchange;
pub mod messages;
pub mod numbering;
pub mod record_types;
pub mod records;
pub mod undo;
