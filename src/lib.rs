//! Vitrine: the whole collection house in one binary. See ARCHITECTURE.md.

#![cfg_attr(
    test,
    allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails where it stands")
)]

pub mod app;
pub mod cli;
pub mod contract;
pub mod kernel;
pub mod modules;
