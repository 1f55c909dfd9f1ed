//! The id of a request, and the trace that it is part of (W3C Trace Context): a request that comes with `traceparent` and
//! no id of its own goes by the id of its trace, so that one word leads through the logs of every program on its way, and
//! here to its jobs and changes. The answer names the trace and our part of it.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::kernel::crypto;
use crate::kernel::id::new_id;
use crate::kernel::telemetry::traces::From;

const TRACEPARENT: &str = "traceparent";

/// Where a request stands in a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Trace {
    pub id: String,
    /// The part of whoever asks.
    parent: String,
    /// Our own part.
    span: String,
    flags: String,
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

fn is_id(text: &str, length: usize) -> bool {
    is_hex(text, length) && text.bytes().any(|b| b != b'0')
}

impl Trace {
    /// From the headers of a request. What is malformed is as if it were not there, as the standard wants it.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let mut given = headers.get_all(TRACEPARENT).iter();
        let text = given.next().filter(|_| given.next().is_none())?.to_str().ok()?;
        let mut parts = text.split('-');
        let (version, id, parent, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        // Later versions may say more behind what is known.
        let is_whole = version != "00" || parts.next().is_none();
        let is_known = is_hex(version, 2) && version != "ff" && is_whole;
        (is_known && is_id(id, 32) && is_id(parent, 16) && is_hex(flags, 2)).then(|| Self {
            id: id.to_owned(),
            parent: parent.to_owned(),
            span: hex::encode(crypto::random::<8>()),
            flags: flags.to_owned(),
        })
    }

    /// Whom our part follows.
    pub fn from(&self) -> From<'_> {
        From {
            trace: &self.id,
            span: &self.parent,
            sampled: u8::from_str_radix(&self.flags, 16).is_ok_and(|flags| flags & 1 == 1),
        }
    }

    /// Our part has this id, by which others are told of it.
    pub fn is_known_as(&mut self, span: String) {
        self.span = span;
    }

    /// Names the trace and our part of it in an answer.
    pub fn write(&self, headers: &mut HeaderMap) {
        if let Ok(value) = HeaderValue::from_str(&format!("00-{}-{}-{}", self.id, self.span, self.flags)) {
            headers.insert(HeaderName::from_static(TRACEPARENT), value);
        }
    }
}

/// The id that the client gave, that of its trace, or a new one.
pub(super) fn request_id(headers: &HeaderMap, trace: Option<&Trace>) -> Arc<str> {
    let given = headers
        .get("x-request-id")
        .and_then(|value| value.to_str().ok())
        .filter(|id| {
            (8..=64).contains(&id.len())
                && id
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
        });
    match (given, trace) {
        (Some(id), _) => id.into(),
        (None, Some(trace)) => trace.id.as_str().into(),
        (None, None) => new_id().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn with(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    #[test]
    fn a_trace_is_taken_up_and_passed_on() {
        let headers = with(&[(TRACEPARENT, GOOD)]);
        let trace = Trace::of(&headers).unwrap();
        assert_eq!(&*request_id(&headers, Some(&trace)), "4bf92f3577b34da6a3ce929d0e0e4736");
        let mut answer = HeaderMap::new();
        trace.write(&mut answer);
        let told = answer[TRACEPARENT].to_str().unwrap();
        assert!(
            told.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-") && told.ends_with("-01"),
            "{told}"
        );
        assert!(
            !told.contains("00f067aa0ba902b7"),
            "our part has an id of its own: {told}"
        );
        let named = with(&[(TRACEPARENT, GOOD), ("x-request-id", "my-request-1")]);
        assert_eq!(&*request_id(&named, Trace::of(&named).as_ref()), "my-request-1");
        assert!(Trace::of(&with(&[(TRACEPARENT, GOOD.replacen("00", "cc", 1).as_str()),])).is_some());
        assert!(Trace::of(&with(&[(TRACEPARENT, format!("cc{}-more", &GOOD[2..]).as_str())])).is_some());
    }

    #[test]
    fn what_is_no_trace_is_left_alone() {
        for wrong in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        ] {
            assert_eq!(Trace::of(&with(&[(TRACEPARENT, wrong)])), None, "{wrong}");
        }
        assert_eq!(Trace::of(&with(&[(TRACEPARENT, GOOD), (TRACEPARENT, GOOD)])), None);
    }
}
