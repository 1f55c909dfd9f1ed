//! Numbers, sizes, lengths of time, days and moments, each as the people of a language write it and as the clock of a
//! reader's zone shows it. The words around them are texts like all others.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use jiff::tz::TimeZone;

use super::Language;
use crate::kernel::civil;

/// The time zones that were asked for, each kept for good: there are a few hundred.
static ZONES: LazyLock<Mutex<HashMap<String, &'static TimeZone>>> = LazyLock::new(Mutex::default);

impl Language {
    /// The same language with times as a clock in this zone shows them, such as `Europe/Vienna`; UTC where there is no such
    /// zone.
    #[must_use]
    pub fn in_zone(self, name: Option<&str>) -> Self {
        Self(self.0, name.and_then(zone))
    }

    /// The moment as the reader's clock shows it.
    fn local(self, ms: i64) -> jiff::Zoned {
        let at = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
        at.to_zoned(self.1.cloned().unwrap_or(TimeZone::UTC))
    }

    /// When the day of a moment began, in milliseconds, by the reader's clock.
    pub fn day_of(self, ms: i64) -> i64 {
        let day = self.local(ms).start_of_day();
        day.map_or(ms, |day| day.timestamp().as_millisecond())
    }

    /// Hours and minutes: `14:05`.
    pub fn clock(self, ms: i64) -> String {
        let at = self.local(ms);
        format!("{:02}:{:02}", at.hour(), at.minute())
    }

    /// A whole number with its thousands set apart.
    pub fn number(self, n: impl Into<i128>) -> String {
        let n: i128 = n.into();
        let digits = n.unsigned_abs().to_string();
        let mut out = String::with_capacity(digits.len() + digits.len() / 3 + 1);
        if n < 0 {
            out.push('\u{2212}');
        }
        let mark = self.text("format.thousands");
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                out.push_str(&mark);
            }
            out.push(digit);
        }
        out
    }

    /// A size in bytes, with one decimal above a thousand.
    pub fn bytes(self, n: u64) -> String {
        let mut units = ["unit.bytes", "unit.kb", "unit.mb", "unit.gb", "unit.tb"].into_iter();
        let (mut value, mut unit) = (n as f64, units.next().unwrap_or_default());
        for next in units {
            if value < 1000.0 {
                break;
            }
            value /= 1000.0;
            unit = next;
        }
        let text = if unit == "unit.bytes" {
            self.number(n)
        } else {
            self.decimal(value, 1)
        };
        self.with(unit, &[("n", &text)])
    }

    /// A number with at most `places` decimals.
    pub fn decimal(self, value: f64, places: usize) -> String {
        let text = format!("{value:.places$}");
        text.replace('.', &self.text("format.decimal"))
    }

    /// A number as records hold it (`12.5`), with the decimal sign of this language.
    pub fn figure(self, text: &str) -> String {
        text.replace('.', &self.text("format.decimal"))
    }

    /// A length of time: `0.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`.
    pub fn duration(self, ms: i64) -> String {
        let seconds = ms.max(0) / 1000;
        let parts = |big: i64, small: i64, key: &str| self.with(key, &[("a", &big), ("b", &small)]);
        match seconds {
            ..10 => self.with("unit.seconds", &[("n", &self.decimal(ms.max(0) as f64 / 1000.0, 1))]),
            10..60 => self.with("unit.seconds", &[("n", &seconds)]),
            60..3600 => parts(seconds / 60, seconds % 60, "unit.minutes-seconds"),
            3600..86_400 => parts(seconds / 3600, seconds % 3600 / 60, "unit.hours-minutes"),
            _ => parts(seconds / 86_400, seconds % 86_400 / 3600, "unit.days-hours"),
        }
    }

    /// A day: `6 December 1979`.
    pub fn date(self, ms: i64) -> String {
        let at = self.local(ms);
        let month = self.text(&format!("month.{}", at.month()));
        self.with(
            "format.date",
            &[("day", &at.day()), ("month", &month), ("year", &at.year())],
        )
    }

    /// A civil date as it stands in records (`1979-12-06`, `185X`, `1850~`) for people; `None` where it is of no such form.
    pub fn civil(self, text: &str) -> Option<String> {
        civil::say(text, self)
    }

    /// A day with its time: `6 December 1979, 14:05 UTC`.
    pub fn time(self, ms: i64) -> String {
        let at = self.local(ms);
        let zone = at.strftime("%Z").to_string();
        let (hour, minute) = (format!("{:02}", at.hour()), format!("{:02}", at.minute()));
        self.with(
            "format.time",
            &[
                ("date", &self.date(ms)),
                ("hour", &hour),
                ("minute", &minute),
                ("zone", &zone),
            ],
        )
    }
}

/// A zone of the list by its name, as it is kept.
fn zone(name: &str) -> Option<&'static TimeZone> {
    if name.len() > 64 {
        return None;
    }
    let mut zones = ZONES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = zones.get(name) {
        return Some(known);
    }
    let found = TimeZone::get(name).ok()?;
    // The list ignores case: one way of writing is kept, so that nobody fills the memory with the others.
    if found.iana_name() != Some(name) {
        return None;
    }
    let kept: &'static TimeZone = Box::leak(Box::new(found));
    zones.insert(name.to_owned(), kept);
    Some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_are_written_for_people() {
        let en = Language::default();
        assert_eq!(en.number(28_258), "28,258");
        assert_eq!(en.number(-1_000), "\u{2212}1,000");
        assert_eq!(en.number(7u64), "7");
        assert_eq!(en.date(313_286_400_000), "6 December 1979");
        assert_eq!(en.time(0), "1 January 1970, 00:00 UTC");
        let vienna = en.in_zone(Some("Europe/Vienna"));
        assert_eq!(vienna.time(1_790_000_000_000), "21 September 2026, 16:13 CEST");
        assert_eq!(vienna.clock(1_790_000_000_000), "16:13");
        assert_eq!(vienna.day_of(1_790_000_000_000) % 86_400_000, 22 * 3_600_000);
        assert_eq!(en.in_zone(Some("america/NEW_YORK")).time(0), en.time(0));
        assert_eq!(en.in_zone(Some("../etc/passwd")).time(0), en.time(0));
        assert_eq!(en.civil("1979-12-06").as_deref(), Some("6 December 1979"));
        assert_eq!(en.civil("1979-12").as_deref(), Some("December 1979"));
        assert_eq!(
            en.civil("1979-12-06T04:57Z").as_deref(),
            Some("6 December 1979, 04:57Z")
        );
        for odd in ["1979-13", "1979-02-30", "c. 1925-1940", "ééééé"] {
            assert_eq!(en.civil(odd), None, "{odd}");
        }
        assert_eq!(en.duration(125_000), "2 min 5 s");
        assert_eq!(en.bytes(999), "999 bytes");
        assert_eq!(en.bytes(1_530_000), "1.5 MB");
    }
}
