//! Takes out of a text what opens something: passwords in addresses, tokens, links that let in, values that are called a
//! secret. What it is not sure of it takes out too: a word less in a report does no harm.

use serde_json::Value;

use crate::kernel::config::redacted_url;

const MASK: &str = "***";
/// Parts of names whose values are secrets.
const NAMES: &[&str] = &[
    "pass",
    "secret",
    "token",
    "cookie",
    "authorization",
    "credential",
    "api_key",
    "apikey",
];
/// Where a link that lets in has its secret.
const DOORS: &[&str] = &["/setup/", "/welcome/", "/confirm/", "/sign-up/"];
/// The start of our own tokens, and the least that follows it.
const TOKEN: &str = "vitrine_";
const TOKEN_LENGTH: usize = 16;
/// A word of letters and digits in both cases that is at least so long is taken for a secret. Ids have hyphens and
/// digests are in lower case.
const LONG: usize = 28;

/// Is a value of this name a secret?
fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.iter().any(|part| name.contains(part))
}

fn looks_random(word: &str) -> bool {
    let has = |test: fn(&u8) -> bool| word.bytes().any(|b| test(&b));
    word.len() >= LONG
        && word
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
        && has(u8::is_ascii_uppercase)
        && has(u8::is_ascii_lowercase)
        && has(u8::is_ascii_digit)
}

/// Our sessions and links open with so many hexadecimal digits.
fn is_own(word: &str) -> bool {
    word.len() == 40 && word.bytes().all(|b| b.is_ascii_hexdigit())
}

fn address(url: &str) -> String {
    let url = redacted_url(url);
    let Some((place, query)) = url.split_once('?') else {
        return url;
    };
    let parts = query.split('&').map(|part| match part.split_once('=') {
        Some((name, _)) if is_secret_name(name) => format!("{name}={MASK}"),
        _ => part.to_owned(),
    });
    format!("{place}?{}", parts.collect::<Vec<_>>().join("&"))
}

fn word(word: &str, before: &str) -> String {
    let bare = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
    if before.eq_ignore_ascii_case("bearer")
        || before.eq_ignore_ascii_case("basic")
        || looks_random(bare)
        || is_own(bare)
    {
        return MASK.to_owned();
    }
    if let Some((name, value)) = word.split_once(['=', ':'])
        && is_secret_name(name)
        && !value.is_empty()
        && !value.starts_with("//")
    {
        return format!("{name}={MASK}");
    }
    for door in DOORS {
        if let Some((place, secret)) = word.split_once(door)
            && !secret.is_empty()
        {
            return format!("{place}{door}{MASK}");
        }
    }
    // A token wears its house's name.
    if let Some((ahead, token)) = word.split_once(TOKEN)
        && token.bytes().take_while(u8::is_ascii_alphanumeric).count() >= TOKEN_LENGTH
    {
        return format!("{ahead}{MASK}");
    }
    if word.contains("://") {
        address(word)
    } else {
        word.to_owned()
    }
}

/// A text without secrets. `known` are secrets of this house, which go wherever they stand.
pub(super) fn text(text: &str, known: &[String]) -> String {
    let mut text = text.to_owned();
    for secret in known.iter().filter(|secret| !secret.is_empty()) {
        text = text.replace(secret.as_str(), MASK);
    }
    let mut out = String::with_capacity(text.len());
    let mut before = "";
    let is_break = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')' | ',' | ';');
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let end = rest.find(is_break).unwrap_or(rest.len());
        let (this, more) = rest.split_at(end);
        out.push_str(&word(this, before));
        if !this.is_empty() {
            before = this.trim_end_matches(':');
        }
        let step = more.chars().next().map_or(0, char::len_utf8);
        out.push_str(&more[..step]);
        rest = &more[step..];
    }
    out
}

/// A value without secrets, however deep they stand.
pub(super) fn value(value: Value, known: &[String]) -> Value {
    match value {
        Value::String(said) => Value::String(text(&said, known)),
        Value::Array(items) => items.into_iter().map(|item| self::value(item, known)).collect(),
        Value::Object(fields) => {
            let clean = fields.into_iter().map(|(name, field)| {
                let is_secret = is_secret_name(&name) && field.is_string();
                let field = if is_secret {
                    MASK.into()
                } else {
                    self::value(field, known)
                };
                (name, field)
            });
            Value::Object(clean.collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_go_and_the_rest_stays() {
        let known = ["hunter 2".to_owned()];
        for (said, left) in [
            (
                "a plain sentence, with (signs); and \"quotes\"",
                "a plain sentence, with (signs); and \"quotes\"",
            ),
            (
                "postgres://me:pw@host/db?sslpassword=x failed",
                "postgres://me:***@host/db?sslpassword=*** failed",
            ),
            ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
            ("it said hunter 2 aloud", "it said *** aloud"),
            ("at https://host/a?token=abc&b=1.", "at https://host/a?token=***&b=1."),
            ("token=abc next", "token=*** next"),
            (
                "see http://localhost/setup/abcdef now",
                "see http://localhost/setup/*** now",
            ),
            ("open /welcome/abc or /sign-up/abc", "open /welcome/*** or /sign-up/***"),
            (
                "id 0190c0de-0000-7000-8000-000000000001 stays",
                "id 0190c0de-0000-7000-8000-000000000001 stays",
            ),
            ("random aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0 goes", "random *** goes"),
            ("made (vitrine_0123456789abcdef0123).", "made (***)."),
            ("vitrine_http_request_seconds 3", "vitrine_http_request_seconds 3"),
            ("", ""),
            ("…ünïcödé…", "…ünïcödé…"),
        ] {
            assert_eq!(text(said, &known), left);
        }
        let clean = value(json!({"a": [{"password": "x", "tokens": 3}], "b": "Bearer x"}), &known);
        assert_eq!(
            clean,
            json!({"a": [{"password": "***", "tokens": 3}], "b": "Bearer ***"})
        );
    }
}
