//! How fast somebody may ask: by account, or by address for whoever is not known, and by what kind of request it is. A minute's
//! worth may come at once. This machine itself has no limit, so a proxy on it has to be named in `http.trusted_proxies`.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use axum::extract::Request;

use super::serve::Peer;
use crate::kernel::access::{Caller, Subject};
use crate::kernel::config::Http;
use crate::kernel::error::{Code, Error, Result};

/// What a request costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Class {
    Read,
    Write,
    /// Files brought, and files of whole collections taken.
    Heavy,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Who {
    /// An address; of the long kind the half that a household has.
    Address(u128),
    Account(String),
}

const MINUTE_MS: u64 = 60_000;
/// Lists beside each other, so that few wait for each other, and those that each holds at most.
const SHARDS: usize = 16;
const MOST: usize = 8_192;

/// See the module's text.
pub(super) struct Limits {
    /// Requests a minute, by class; 0 for no limit.
    rates: [u64; 3],
    since: Instant,
    hasher: RandomState,
    /// When each would have nothing left of what it used, in milliseconds.
    shards: [Mutex<HashMap<(Class, Who), u64>>; SHARDS],
}

/// Takes one of `rate` a minute from a store that is whole again at `whole_at`. Answers when it is whole then, or how many
/// seconds to wait.
fn take(whole_at: u64, now: u64, rate: u64) -> std::result::Result<u64, u64> {
    let next = whole_at.max(now) + MINUTE_MS.div_ceil(rate.max(1));
    let ahead = next - now;
    if ahead <= MINUTE_MS {
        Ok(next)
    } else {
        Err((ahead - MINUTE_MS).div_ceil(1_000).max(1))
    }
}

fn who(caller: &Caller, peer: Option<IpAddr>) -> Option<Who> {
    match &caller.subject {
        Subject::Operator | Subject::System => None,
        Subject::Account { id, .. } | Subject::Token { id, .. } => Some(Who::Account(id.clone())),
        Subject::Anonymous => Some(Who::Address(match peer?.to_canonical() {
            IpAddr::V4(v4) => u128::from(u32::from(v4)),
            IpAddr::V6(v6) => u128::from(v6) >> 64 << 64,
        })),
    }
}

impl Limits {
    pub(super) fn new(http: &Http) -> Self {
        Self {
            rates: [http.reads_per_minute, http.writes_per_minute, http.files_per_minute],
            since: Instant::now(),
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
        }
    }

    /// Counts a request, or refuses it.
    pub(super) fn admit(&self, caller: &Caller, request: &Request, is_heavy: bool) -> Result<()> {
        let class = match (is_heavy, request.method().is_safe()) {
            (true, _) => Class::Heavy,
            (false, true) => Class::Read,
            (false, false) => Class::Write,
        };
        let rate = self.rates[class as usize];
        let path = request.uri().path();
        if rate == 0 || path.starts_with("/static/") || path.starts_with("/health/") {
            return Ok(());
        }
        let peer = request.extensions().get::<Peer>().and_then(|peer| peer.0);
        if peer.is_none_or(|peer| peer.to_canonical().is_loopback()) {
            return Ok(());
        }
        let Some(who) = who(caller, peer) else {
            return Ok(());
        };
        let now = u64::try_from(self.since.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.count((class, who), now, rate).map_err(|seconds| {
            metrics::counter!("vitrine_http_limited_total").increment(1);
            let text = format!(
                "More than {rate} requests of this kind in a minute. Wait {seconds} s, then ask more slowly. Whoever looks after \
                 this house can change the limit: http.*_per_minute."
            );
            Error::new(Code::TooMany, text).with("retry_after", seconds)
        })
    }

    fn count(&self, key: (Class, Who), now: u64, rate: u64) -> std::result::Result<(), u64> {
        let place = usize::try_from(self.hasher.hash_one(&key)).unwrap_or_default() % SHARDS;
        let mut shard = self.shards[place].lock().unwrap_or_else(PoisonError::into_inner);
        if shard.len() >= MOST {
            shard.retain(|_, whole_at| *whole_at > now);
            if shard.len() >= MOST {
                // So many at once are no people: they share what is left.
                shard.clear();
            }
        }
        let whole_at = shard.entry(key).or_default();
        *whole_at = take(*whole_at, now, rate)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_worth_comes_at_once_and_then_so_many_a_minute() {
        let mut whole_at = 0;
        for n in 0..60 {
            whole_at = take(whole_at, 1_000, 60).unwrap_or_else(|wait| panic!("{n}: {wait}"));
        }
        assert_eq!(take(whole_at, 1_000, 60), Err(1));
        assert_eq!(take(whole_at, 1_500, 60), Err(1));
        whole_at = take(whole_at, 2_000, 60).unwrap();
        assert_eq!(take(whole_at, 2_000, 60), Err(1));
        assert_eq!(
            take(whole_at, 62_000, 60),
            Ok(63_000),
            "after a minute it is whole again"
        );
        // Rates above a thousand a minute count by the millisecond at the finest.
        assert!(take(0, 0, 100_000).is_ok());
    }

    #[test]
    fn each_counts_for_itself() {
        let limits = Limits {
            rates: [2, 1, 1],
            since: Instant::now(),
            hasher: RandomState::new(),
            shards: std::array::from_fn(|_| Mutex::default()),
        };
        let address = |text: &str| who(&Caller::anonymous(), Some(text.parse().unwrap())).unwrap();
        let ask = |class, who: Who, rate| limits.count((class, who), 0, rate).is_ok();
        assert!(ask(Class::Read, address("192.0.2.1"), 2));
        assert!(ask(Class::Read, address("192.0.2.1"), 2));
        assert!(!ask(Class::Read, address("192.0.2.1"), 2));
        assert!(ask(Class::Write, address("192.0.2.1"), 1), "another kind");
        assert!(ask(Class::Read, address("192.0.2.2"), 2), "another address");
        assert!(ask(Class::Write, address("2001:db8::1"), 1));
        assert!(!ask(Class::Write, address("2001:db8::2"), 1), "the same household");
        assert!(ask(Class::Write, address("2001:db8:0:1::2"), 1));
        assert_eq!(who(&Caller::operator(), None), None);
    }
}
