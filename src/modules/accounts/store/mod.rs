//! All SQL of the module. Secrets come here only as digests.

pub(super) mod accounts;
pub(super) mod asks;
pub(super) mod factors;
pub(super) mod identities;
pub(super) mod links;
pub(super) mod passkeys;
pub(super) mod pictures;
pub(super) mod sessions;
pub(super) mod tokens;
pub(super) mod tries;
