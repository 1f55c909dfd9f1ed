//! One folder per module, each behind a feature of its name.

#[cfg(feature = "access")]
pub mod access;
#[cfg(feature = "accounts")]
pub mod accounts;
#[cfg(feature = "docs")]
pub mod docs;
#[cfg(feature = "entrance")]
pub mod entrance;
#[cfg(feature = "exchange")]
pub mod exchange;
#[cfg(feature = "history")]
pub mod history;
#[cfg(feature = "messages")]
pub mod messages;
#[cfg(feature = "operations")]
pub mod operations;
#[cfg(feature = "records")]
pub mod records;
#[cfg(feature = "search")]
pub mod search;
