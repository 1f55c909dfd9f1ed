//! Codes of a second factor (RFC 6238): six digits of HMAC-SHA1 over the half minute. Time is an argument.
//!
//! The secret travels as base32 text, as authenticator programs read it.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::kernel::fetch::encoded;

/// Milliseconds that a code is for.
const STEP: i64 = 30_000;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// A new secret of 160 bits.
pub(super) fn new_secret() -> String {
    base32(&crate::kernel::crypto::random::<20>())
}

fn base32(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut held, mut bits) = (0u32, 0u32);
    for byte in bytes {
        held = (held << 8) | u32::from(*byte);
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            out.push(char::from(ALPHABET[(held >> bits & 31) as usize]));
        }
        held &= (1 << bits) - 1;
    }
    if bits > 0 {
        out.push(char::from(ALPHABET[(held << (5 - bits) & 31) as usize]));
    }
    out
}

fn unbase32(text: &str) -> Option<Vec<u8>> {
    let (mut held, mut bits, mut out) = (0u32, 0u32, Vec::new());
    for c in text.bytes() {
        let value = ALPHABET.iter().position(|a| *a == c.to_ascii_uppercase())?;
        held = (held << 5) | u32::try_from(value).ok()?;
        bits += 5;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(held >> bits & 255).ok()?);
        }
        held &= (1 << bits) - 1;
    }
    Some(out)
}

/// The code of one step.
fn code(secret: &[u8], step: i64) -> Option<u32> {
    let mut mac = Hmac::<Sha1>::new_from_slice(secret).ok()?;
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[hash.len() - 1] & 15);
    let word = hash.get(at..at + 4)?;
    let word = u32::from_be_bytes([word[0] & 0x7f, word[1], word[2], word[3]]);
    Some(word % 1_000_000)
}

/// The step for which the text is the right code at `now`, one before or after allowed for clocks that differ; only one
/// after `last`, since a code is taken once.
pub(super) fn matching(secret: &str, given: &str, now: i64, last: i64) -> Option<i64> {
    let digits: String = given
        .chars()
        .filter(|c| !c.is_whitespace() && *c != '-')
        .take(10)
        .collect();
    if digits.len() != 6 {
        return None;
    }
    let secret = unbase32(secret)?;
    let here = now.div_euclid(STEP);
    let mut found = None;
    for step in here - 1..=here + 1 {
        let right = code(&secret, step).map(|code| format!("{code:06}"));
        // Every step is compared, so that the time tells nothing.
        if right.is_some_and(|right| crate::kernel::crypto::same(&right, &digits)) && step > last {
            found = Some(step);
        }
    }
    found
}

/// What an authenticator program reads from the picture.
pub(super) fn address(secret: &str, house: &str, login: &str) -> String {
    let (house, login) = (encoded(house), encoded(login));
    format!("otpauth://totp/{house}:{login}?secret={secret}&issuer={house}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = base32(b"12345678901234567890");
        assert_eq!(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        // RFC 6238, appendix B, the last six digits.
        for (seconds, want) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            let now = seconds * 1000;
            assert_eq!(matching(&secret, want, now, 0), Some(seconds / 30));
            assert_eq!(matching(&secret, want, now, seconds / 30), None, "none is taken twice");
            assert_eq!(matching(&secret, want, now + 120_000, 0), None, "only near its time");
        }
        assert_eq!(matching(&secret, "287 082", 59_000, 0), Some(1));
        for bad in ["", "28708", "2870823", "abcdef", "২৮৭০৮২"] {
            assert_eq!(matching(&secret, bad, 59_000, 0), None, "{bad}");
        }
    }
}
