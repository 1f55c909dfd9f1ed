//! Who may do what: the house's authorizer, over the relations of accounts and groups.
//!
//! What an account has at a place is worked out once and remembered for as long as no relation changes. Programs with a token
//! of their own, the operator and the house itself follow the kernel's rules.

mod authorizer;
pub mod profile;
pub mod table;

#[cfg(all(test, feature = "testing"))]
mod tests;

pub use authorizer::Rights;
