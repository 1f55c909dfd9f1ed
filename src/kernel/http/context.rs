//! What every request of one web role shares, and what the composition root hands over to build it.

use std::ops::Deref;
use std::sync::Arc;

use async_trait::async_trait;
use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use bytes::Bytes;

use super::cors::Cors;
use super::hosts::Hosts;
use super::limits::Limits;
use super::peer::Proxies;
use super::routes::RouteFact;
use crate::kernel::Kernel;
use crate::kernel::config::Config;
use crate::kernel::error::{Error, Result};
use crate::kernel::module::NavEntry;
use crate::kernel::ui::Shell;

/// Addresses for `sitemap.xml`: what everybody may read.
#[async_trait]
pub trait SitemapSource: Send + Sync {
    /// Pages that are no records: lists, types.
    async fn pages(&self) -> Result<Vec<String>>;
    /// Where files of the sitemap begin after the first: names after which `size` records follow, or fewer where some are
    /// not for everybody. In order.
    async fn parts(&self, size: usize) -> Result<Vec<String>>;
    /// The paths of records after a name, up to another with it, at most `limit` looked at; and after which name to go on.
    async fn paths(&self, after: &str, until: Option<&str>, limit: usize) -> Result<(Vec<String>, Option<String>)>;
}

/// What [`super::Routes::into_router`] needs beside the routes.
pub struct Setup {
    pub kernel: Kernel,
    /// The main navigation, in order.
    pub navigation: Vec<NavEntry>,
    pub sitemap: Option<Arc<dyn SitemapSource>>,
}

impl Setup {
    /// A setup without navigation and without records in the sitemap.
    pub fn new(kernel: Kernel) -> Self {
        Self {
            kernel,
            navigation: Vec::new(),
            sitemap: None,
        }
    }
}

/// What a request is answered with: what all of them share, and whether this one came over TLS. Found in the request by
/// [`Context::of`].
#[derive(Clone)]
pub struct Context {
    facts: Arc<Facts>,
    is_secure: bool,
}

impl Deref for Context {
    type Target = Facts;
    fn deref(&self) -> &Facts {
        &self.facts
    }
}

/// What every request shares.
pub struct Facts {
    pub kernel: Kernel,
    /// Where people reach this, without a slash at the end.
    pub public_url: String,
    /// Every route with its permission.
    pub table: Vec<RouteFact>,
    /// The OpenAPI document as JSON.
    pub openapi: Bytes,
    pub(super) shell: Shell,
    pub(super) sitemap: Option<Arc<dyn SitemapSource>>,
    pub(super) parts: super::sitemap::Parts,
    pub(super) hosts: Hosts,
    pub(super) proxies: Proxies,
    pub(super) cors: Cors,
    pub(super) limits: Arc<Limits>,
}

impl Context {
    pub(super) fn new(setup: Setup, table: Vec<RouteFact>, openapi: Bytes) -> Self {
        let public_url = public_url(&setup.kernel.config);
        let hosts = Hosts::new(&setup.kernel.config, &public_url);
        let proxies = Proxies::new(&setup.kernel.config.http.trusted_proxies);
        let cors = Cors::new(&setup.kernel.config.http.cors_origins);
        let limits = Arc::new(Limits::new(&setup.kernel.config.http));
        let shell = Shell::new(setup.navigation, &public_url, setup.kernel.access.clone());
        let shell = shell.speaking(setup.kernel.config.http.spoken());
        let is_secure = public_url.starts_with("https://");
        let facts = Facts {
            kernel: setup.kernel,
            public_url,
            table,
            openapi,
            shell,
            sitemap: setup.sitemap,
            parts: super::sitemap::Parts::default(),
            hosts,
            proxies,
            cors,
            limits,
        };
        Self {
            facts: Arc::new(facts),
            is_secure,
        }
    }

    /// The same for a request that a trusted proxy took over TLS although the public address says nothing of it.
    pub(super) fn for_request(self: &Arc<Self>, request: &Request) -> Arc<Self> {
        if self.is_secure || !self.proxies.came_by_tls(request) {
            return self.clone();
        }
        Arc::new(Self {
            facts: self.facts.clone(),
            is_secure: true,
        })
    }

    /// The context of a request.
    ///
    /// # Errors
    /// Internal, when the request did not come through the router of [`super::Routes::into_router`].
    pub fn of(parts: &Parts) -> Result<Arc<Self>> {
        let context = parts.extensions.get::<Shared>().map(|shared| shared.0.clone());
        context.ok_or_else(|| Error::internal(anyhow::anyhow!("the request did not pass the middleware stack")))
    }

    /// True where this request came over TLS, by the public address or a trusted proxy, so that cookies are for TLS only.
    pub fn secure(&self) -> bool {
        self.is_secure
    }
}

impl Facts {
    /// Other hosts whose images pages may show.
    pub(super) fn image_hosts(&self) -> impl Iterator<Item = &str> {
        self.kernel.config.http.image_hosts.iter().map(String::as_str)
    }
}

/// The context as it travels with a request; as an extractor it gives handlers the context without state of their own.
#[derive(Clone)]
pub struct Shared(pub Arc<Context>);

impl<S: Send + Sync> FromRequestParts<S> for Shared {
    type Rejection = Error;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self> {
        Context::of(parts).map(Self)
    }
}

/// The random word of one response that its inline scripts and styles must carry.
#[derive(Clone, Debug)]
pub struct Nonce(pub Arc<str>);

/// Where people reach this, without a slash at the end: the setting, or `http://localhost:PORT`.
pub fn public_url(config: &Config) -> String {
    let given = config.http.public_url.trim_end_matches('/');
    if !given.is_empty() {
        return given.to_owned();
    }
    let port = config.http.bind.rsplit_once(':').map_or("8080", |(_, port)| port);
    format!("http://localhost:{port}")
}
