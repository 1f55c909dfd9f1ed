//! Time as an argument: milliseconds since 1970 in UTC, from the system or fixed for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

/// Where the time comes from. Clones share a fixed clock.
#[derive(Clone, Debug, Default)]
pub struct Clock(Source);

#[derive(Clone, Debug, Default)]
enum Source {
    #[default]
    System,
    Fixed(Arc<AtomicI64>),
    /// The machine's clock and so many milliseconds.
    Ahead(Arc<AtomicI64>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(Source::System)
    }
    /// A clock that stands at `ms` until it is moved.
    pub fn fixed(ms: i64) -> Self {
        Self(Source::Fixed(Arc::new(AtomicI64::new(ms))))
    }
    /// The machine's clock, which can be moved on: for stories in which days pass.
    pub fn movable() -> Self {
        Self(Source::Ahead(Arc::default()))
    }
    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[expect(
        clippy::disallowed_methods,
        reason = "this is the one place that reads the machine's clock"
    )]
    pub fn now(&self) -> i64 {
        let machine = || jiff::Timestamp::now().as_millisecond();
        match &self.0 {
            Source::System => machine(),
            Source::Fixed(fixed) => fixed.load(Ordering::Relaxed),
            Source::Ahead(ahead) => machine() + ahead.load(Ordering::Relaxed),
        }
    }
    /// Moves a fixed or movable clock; does nothing to the system's.
    pub fn advance(&self, ms: i64) {
        if let Source::Fixed(moved) | Source::Ahead(moved) = &self.0 {
            moved.fetch_add(ms, Ordering::Relaxed);
        }
    }
}

/// A day (its beginning, in UTC) or a moment in RFC 3339, in milliseconds; `None` for anything else.
pub fn moment(text: &str) -> Option<i64> {
    let day = || {
        let day: jiff::civil::Date = text.parse().ok()?;
        Some(day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp())
    };
    let found = text.parse::<jiff::Timestamp>().ok().or_else(day);
    found.map(jiff::Timestamp::as_millisecond)
}

/// The year that `ms` is in, in UTC.
pub fn year(ms: i64) -> i32 {
    let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    i32::from(at.to_zoned(jiff::tz::TimeZone::UTC).year())
}

/// `ms` as RFC 3339 text in UTC, for answers and logs.
pub fn rfc3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .to_string()
}
