//! Refusals in the log: who wanted to do what to which object. The request's id stands on the line by its span. A flood of
//! them is counted instead of told.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::Instant;

use tracing::warn;

use super::{Access, Caller, Object, Permission};
use crate::kernel::error::{Code, Error};

/// Lines in each span of time; what is more is counted.
const MOST: u32 = 30;
const SPAN_SECONDS: u64 = 10;

/// See the module's text.
pub(super) struct Refusals {
    since: Instant,
    /// The span in which the count began.
    span: AtomicU64,
    count: AtomicU32,
}

impl Default for Refusals {
    fn default() -> Self {
        Self {
            since: Instant::now(),
            span: AtomicU64::new(0),
            count: AtomicU32::new(0),
        }
    }
}

impl Refusals {
    /// May another line be written? Also answers how many were left out before.
    fn admit(&self) -> (bool, u32) {
        let span = self.since.elapsed().as_secs() / SPAN_SECONDS;
        let mut left_out = 0;
        if self.span.swap(span, Ordering::Relaxed) != span {
            left_out = self.count.swap(0, Ordering::Relaxed).saturating_sub(MOST);
        }
        (self.count.fetch_add(1, Ordering::Relaxed) < MOST, left_out)
    }
}

impl Access {
    /// Tells the log, and answers the error: 401 for nobody in particular, else 403.
    pub(super) fn refusal(&self, caller: &Caller, permission: Permission, object: &Object<'_>) -> Error {
        self.refused(caller, permission, object);
        let needed = permission.0;
        if caller.is_anonymous() {
            let text = format!("This needs the permission {needed}. Sign in, or send a token: Authorization: Bearer …");
            return Error::new(Code::Unauthenticated, text);
        }
        let text = if matches!(object, Object::Record { .. }) {
            format!("This needs the permission {needed}, which you do not have for this record.")
        } else {
            format!("This needs the permission {needed}, which you do not have.")
        };
        Error::new(Code::Forbidden, text)
    }

    /// Tells the log that somebody was refused; for services that answer with something else than a refusal, too.
    pub fn refused(&self, caller: &Caller, permission: Permission, object: &Object<'_>) {
        metrics::counter!("vitrine_access_refused_total").increment(1);
        let (is_told, left_out) = self.refusals.admit();
        if left_out > 0 {
            warn!(left_out, "more refusals than were told");
        }
        if is_told {
            warn!(
                actor = caller.actor(),
                permission = permission.0,
                object = object.to_string(),
                "refused"
            );
        }
    }
}

impl std::fmt::Display for Object<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::House | Self::Anywhere => f.write_str("house"),
            Self::Type(name) => write!(f, "type:{}", name.escape_debug()),
            Self::Record { id, type_name, .. } => write!(f, "record:{id} of {type_name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    /// Keeps what is written.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn refusals_stand_in_the_log() {
        let told = Kept::default();
        let writer = told.clone();
        let log = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::with_default(log, || {
            let access = Access::default();
            let object = Object::Type("fungus\nx");
            for _ in 0..100 {
                let error = access.refusal(&Caller::anonymous(), Permission("records.write"), &object);
                assert_eq!(error.code(), Code::Unauthenticated);
            }
        });
        let text = String::from_utf8(told.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for part in ["refused", "anonymous", "records.write", "type:fungus\\"] {
            assert!(lines[0].contains(part), "{part} is not in {text}");
        }
        // A flood is counted instead; it may run over the end of a span.
        assert!(
            (MOST as usize..=2 * MOST as usize + 1).contains(&lines.len()),
            "{}",
            lines.len()
        );
    }
}
