//! Roles given and taken, and groups of accounts. Whoever gives holds what is given; what is written is checked against the
//! schema and is in memory as soon as its transaction stands.

mod port;

pub use port::GrantService;
