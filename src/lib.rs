//! Vitrine: the whole collection house in one binary. See ARCHITECTURE.md.

pub mod app;
pub mod cli;
pub mod contract;
pub mod kernel;
pub mod modules;
