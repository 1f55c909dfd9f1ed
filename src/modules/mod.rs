//! One folder per module, each behind a feature of its name.

#[cfg(feature = "access")]
pub mod access;
#[cfg(feature = "docs")]
pub mod docs;
#[cfg(feature = "records")]
pub mod records;
#[cfg(feature = "operations")]
pub mod operations;
