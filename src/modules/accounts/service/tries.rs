//! Limits against guessing: each try is written down before the password is looked at, so that many at once count, too.
//!
//! After five failures at a name from one address waits grow; ten in ten minutes, fifteen names from one address, or a
//! hundred tries at one name in a day, and it is closed for a while. Unknown names count like known ones.

use std::net::IpAddr;

use super::super::account::Account;
use super::super::store::{self, tries::Counts};
use super::Service;
use crate::kernel::crypto;
use crate::kernel::db::Write;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::http::Visitor;
use crate::kernel::id::new_id;

const WINDOW: i64 = 10 * 60 * 1000;
const DAY: i64 = 24 * 60 * 60 * 1000;
/// Failures of one address at one name before waits begin, and before it is closed for the rest of the window.
const FREE: i64 = 5;
const PAIR_MOST: i64 = 10;
/// Names that one address may fail at in a window; and with those that are being looked at.
const NAMES_MOST: i64 = 15;
const NAMES_ALL: i64 = 80;
/// Tries at one name in a day from all addresses.
const DAY_MOST: i64 = 100;

/// A try that is being looked at.
pub(super) struct Try {
    id: String,
    address: String,
    name: String,
}

/// Addresses of one network count as one: whoever has one of them has them all.
pub(super) fn network(address: &str) -> String {
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V6(v6)) if v6.to_ipv4_mapped().is_none() => {
            let s = v6.segments();
            format!("{:x}:{:x}:{:x}:{:x}::", s[0], s[1], s[2], s[3])
        }
        _ => address.to_owned(),
    }
}

/// Milliseconds until this try may be made; none where it may now.
fn wait(counts: &Counts, now: i64, known_here: bool) -> Option<i64> {
    let until = |first: i64, span: i64| (first + span - now).max(1000);
    if counts.pair >= PAIR_MOST {
        return Some(until(counts.pair_first, WINDOW));
    }
    if counts.names_failed >= NAMES_MOST || counts.names_all >= NAMES_ALL {
        return Some(until(counts.address_first, WINDOW));
    }
    if counts.day >= DAY_MOST && !known_here {
        return Some(until(counts.day_first, DAY));
    }
    if counts.pair >= FREE {
        let pause = 1000i64 << (counts.pair - FREE).clamp(0, 10);
        let left = counts.pair_last + pause - now;
        return (left > 0).then_some(left);
    }
    None
}

impl Service {
    /// Writes a try down, or refuses it. `key` is what it is about: an account or a name that is none.
    pub(super) async fn begin_try(&self, visitor: &Visitor, key: &str, account: Option<&Account>) -> Result<Try> {
        let one = Try {
            id: new_id(),
            address: network(&visitor.address),
            name: crypto::digest(key),
        };
        let known_here = match account {
            Some(account) => store::sessions::knows_address(&self.db, &account.id, &visitor.address).await?,
            None => store::sessions::knows_address(&self.db, "", &visitor.address).await?,
        };
        let each = &one;
        let left = self
            .db
            .write(Write::interactive("accounts.try"), |tx| {
                Box::pin(async move {
                    tx.lock(&format!("try {}", each.name)).await?;
                    let now = tx.now();
                    let counts = store::tries::counts(tx, &each.address, &each.name, now - WINDOW, now - DAY).await?;
                    let left = wait(&counts, now, known_here);
                    if left.is_none() {
                        store::tries::insert(tx, &each.id, &each.address, &each.name, now - DAY).await?;
                    }
                    Ok(left)
                })
            })
            .await?;
        match left {
            None => Ok(one),
            Some(ms) => {
                tracing::warn!(address = one.address, "too many tries to sign in: refused for a while");
                Err(too_many(ms))
            }
        }
    }

    /// It was wrong.
    pub(super) async fn failed_try(&self, one: Try) -> Result<()> {
        let id = &one.id;
        self.db
            .write(Write::interactive("accounts.failed"), |tx| {
                Box::pin(async move { store::tries::failed(tx, id).await })
            })
            .await
    }

    /// It was right.
    pub(super) async fn passed_try(&self, one: Try) -> Result<()> {
        let one = &one;
        self.db
            .write(Write::interactive("accounts.passed"), |tx| {
                Box::pin(async move { store::tries::forgive(tx, &one.address, &one.name).await })
            })
            .await
    }
}

fn too_many(ms: i64) -> Error {
    let seconds = u64::try_from((ms + 999) / 1000).unwrap_or(1);
    let text = match seconds {
        0..=90 => format!("Too many tries. Wait {seconds} s, then try again."),
        _ => format!("Too many tries. Wait {} minutes, then try again.", seconds.div_ceil(60)),
    };
    Error::new(Code::TooMany, text).with("retry_after", seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow() {
        let pair = |pair| Counts {
            pair,
            pair_last: 1_000_000,
            pair_first: 900_000,
            ..Counts::default()
        };
        let now = 1_000_000;
        assert_eq!(wait(&pair(4), now, false), None);
        assert_eq!(wait(&pair(5), now, false), Some(1000));
        assert_eq!(wait(&pair(8), now, false), Some(8000));
        assert_eq!(wait(&pair(8), now + 8000, false), None);
        assert_eq!(wait(&pair(10), now + 8000, false), Some(WINDOW - 108_000));
        let day = Counts {
            day: 100,
            day_first: now,
            ..Counts::default()
        };
        assert_eq!(wait(&day, now, false), Some(DAY));
        assert_eq!(
            wait(&day, now, true),
            None,
            "where the owner was signed in, strangers shut nothing"
        );
        let spray = Counts {
            names_failed: 15,
            address_first: now,
            ..Counts::default()
        };
        assert_eq!(wait(&spray, now, true), Some(WINDOW));
    }

    #[test]
    fn addresses_of_one_network_are_one() {
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), network("2001:db8:1:2::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("local"), "local");
    }
}
