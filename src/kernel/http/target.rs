//! What a request asks for, before anybody looks who asks: the length of its address, and what must never stand in one.

use axum::http::request::Parts;

use crate::kernel::access::TOKEN_PREFIX;
use crate::kernel::error::{Code, Error, Result};

/// Bytes of path and query.
const MAX_TARGET: usize = 16 << 10;
/// Digits of a token's secret behind its beginning.
const DIGITS: usize = 40;

/// Refuses an address that is too long, that no database could hold, or that carries a token.
///
/// # Errors
/// `BadRequest` with what is wrong with it.
pub(super) fn check(parts: &Parts) -> Result<()> {
    let target = parts
        .uri
        .path_and_query()
        .map_or("", axum::http::uri::PathAndQuery::as_str);
    if target.len() > MAX_TARGET {
        let text = format!("The address is longer than {MAX_TARGET} bytes. Send less in it.");
        return Err(Error::new(Code::BadRequest, text));
    }
    if target.contains("%00") {
        return Err(Error::new(
            Code::BadRequest,
            "The address holds the character NUL (%00).",
        ));
    }
    if holds_token(target) {
        let text = "An address is no place for a token: every program on its way writes it down. End this one and make another, \
                    then send it in the header Authorization: Bearer TOKEN.";
        return Err(Error::new(Code::BadRequest, text));
    }
    Ok(())
}

/// True where a token stands in an address: by the name that other systems give it there, or by how ours begin.
fn holds_token(target: &str) -> bool {
    let mut pieces = target.split(TOKEN_PREFIX).skip(1);
    let is_secret = |rest: &str| rest.bytes().take_while(u8::is_ascii_hexdigit).count() >= DIGITS;
    let query = target.split_once('?').map_or("", |(_, query)| query);
    pieces.any(is_secret) || query.split('&').any(|pair| pair.starts_with("access_token="))
}
