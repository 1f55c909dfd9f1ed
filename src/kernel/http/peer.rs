//! Who is at the other end: the address of the connection, or what a trusted proxy says about whom it asks for.

use std::convert::Infallible;
use std::net::IpAddr;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

use super::serve::Peer;
use crate::kernel::config::network;

/// The proxies whose word is taken.
pub(super) struct Proxies(Vec<(IpAddr, u8)>);

fn bits(address: IpAddr) -> (u128, u8) {
    match address.to_canonical() {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, 32),
        IpAddr::V6(v6) => (u128::from(v6), 128),
    }
}

impl Proxies {
    pub(super) fn new(given: &[String]) -> Self {
        Self(given.iter().filter_map(|text| network(text)).collect())
    }

    fn trusts(&self, address: IpAddr) -> bool {
        let (given, length) = bits(address);
        self.0.iter().any(|(net, size)| {
            let (net, net_length) = bits(*net);
            let differing = given ^ net;
            length == net_length && (*size == 0 || differing >> (128 - u32::from(*size)) == 0)
        })
    }

    /// True where a proxy of ours says that it was asked over TLS. Whoever else says so is not believed.
    pub(super) fn came_by_tls(&self, request: &Request) -> bool {
        let peer = request.extensions().get::<Peer>().and_then(|peer| peer.0);
        let said = request.headers().get("x-forwarded-proto").and_then(|v| v.to_str().ok());
        let is_tls = said.is_some_and(|said| {
            let first = said.split(',').next().unwrap_or_default();
            first.trim().eq_ignore_ascii_case("https")
        });
        is_tls && peer.is_some_and(|peer| self.trusts(peer))
    }

    /// The last address in the row that is no proxy of ours: what stands before it may be made up.
    pub(super) fn client(&self, parts: &Parts) -> Option<IpAddr> {
        let peer = parts.extensions.get::<Peer>().and_then(|peer| peer.0)?;
        if !self.trusts(peer) {
            return Some(peer);
        }
        let mut nearest = peer;
        for said in forwarded(&parts.headers).into_iter().rev() {
            let Ok(address) = said.parse::<IpAddr>() else { break };
            nearest = address;
            if !self.trusts(address) {
                break;
            }
        }
        Some(nearest)
    }
}

fn forwarded(headers: &HeaderMap) -> Vec<&str> {
    let given = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok());
    given.flat_map(|line| line.split(',')).map(str::trim).collect()
}

/// Who asks, as far as it can be told: for lists of sessions and for limits, never for a decision.
#[derive(Clone, Debug, Default)]
pub struct Visitor {
    /// The address; `local` on the machine itself.
    pub address: String,
    /// What the browser calls itself.
    pub agent: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Visitor {
    type Rejection = Infallible;
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let peer = parts.extensions.get::<Peer>().and_then(|peer| peer.0);
        let agent = parts
            .headers
            .get(header::USER_AGENT)
            .and_then(|value| value.to_str().ok());
        Ok(Self {
            address: peer.map_or_else(|| "local".to_owned(), |peer| peer.to_canonical().to_string()),
            agent: agent.unwrap_or_default().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(proxies: &[&str], peer: &str, said: &str, want: &str) {
        let proxies = Proxies::new(&proxies.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>());
        let request = axum::http::Request::builder()
            .header("x-forwarded-for", said)
            .body(())
            .unwrap();
        let (mut parts, ()) = request.into_parts();
        parts.extensions.insert(Peer(Some(peer.parse().unwrap())));
        assert_eq!(proxies.client(&parts), Some(want.parse().unwrap()));
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        check(&[], "192.0.2.1", "198.51.100.7", "192.0.2.1");
        check(&["10.0.0.0/8"], "10.1.2.3", "198.51.100.7", "198.51.100.7");
        check(&["10.0.0.0/8"], "11.1.2.3", "198.51.100.7", "11.1.2.3");
        check(
            &["10.0.0.0/8"],
            "10.1.2.3",
            "6.6.6.6, 198.51.100.7, 10.0.0.9",
            "198.51.100.7",
        );
        check(&["10.0.0.0/8"], "10.1.2.3", "made up", "10.1.2.3");
        check(&["::1", "0.0.0.0/0"], "::1", "2001:db8::1", "2001:db8::1");
    }
}
