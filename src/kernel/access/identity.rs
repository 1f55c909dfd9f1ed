//! Who a request is: from a cookie or a token to a subject. The module `accounts` knows them; without it nobody is known.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::{Access, Caller, Subject};
use crate::kernel::error::{Error, Result};

/// What a request shows to say who it is.
#[derive(Clone, Copy)]
pub enum Credential<'a> {
    /// The secret of the session cookie.
    Cookie(&'a str),
    /// The secret of `Authorization: Bearer`.
    Bearer(&'a str),
}

/// Knows whose secret it is.
#[async_trait]
pub trait Identity: Send + Sync {
    /// The subject, or `None` for a secret that is unknown, revoked or expired. `peer` is who shows it, for throttling.
    async fn identify(&self, credential: Credential<'_>, peer: Option<IpAddr>) -> Result<Option<Subject>>;
}

impl Access {
    /// Puts the one who knows secrets in its place, while wiring.
    pub fn install_identity(&self, identity: Box<dyn Identity>) {
        self.identity.store(Some(Arc::new(identity)));
    }

    /// See [`Identity::identify`].
    ///
    /// # Errors
    /// What the database says; `TooMany` where somebody guesses.
    pub async fn identify(&self, credential: Credential<'_>, peer: Option<IpAddr>) -> Result<Option<Subject>> {
        match &*self.identity.load() {
            Some(identity) => identity.identify(credential, peer).await,
            None => Ok(None),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| Error::internal(anyhow::anyhow!("the request did not pass the middleware stack")))
    }
}
