//! Civil dates as collections have them: a day, a month, a year, ten or a hundred years, about, perhaps, from … to, before,
//! after. Never a time zone: a day may have its time behind it as instruments write it, and counts as the day that is written.
//!
//! The text that is stored is EDTF (ISO 8601-2): [`Civil::stored`] reads it, [`read`] makes it of what people write, [`say`]
//! tells it in plain words. Years before our era are counted as collections do, `-0206` for 206 BC: there is no year 0.

pub mod calendar;
mod reader;
#[cfg(all(test, feature = "testing"))]
mod tests;
mod words;

use std::fmt;

pub use reader::read;
pub use words::say;

/// Bytes of a date.
pub const LONGEST: usize = 100;
/// Years on both sides that "about 1850" means.
pub const ABOUT: i64 = 5;
/// The first day of what is open towards the past, and the last of what is open towards the future. No date that can be
/// written lies beyond them.
pub const OPEN_FIRST: i64 = -(1 << 38);
pub const OPEN_LAST: i64 = 1 << 38;

/// A date, or what lies between two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Civil {
    Date(Date),
    Span(End, End),
}

/// One end of a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// There is none: `..`.
    Open,
    /// Nobody knows it: nothing is written.
    Unknown,
    At(Date),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Date {
    /// The year; of ten or a hundred years the digits before the `X`, with the sign of `before_era`.
    pub year: i64,
    /// Told apart from the sign of the year, since the digits may be nought: `-00XX`.
    pub before_era: bool,
    pub precision: Precision,
    /// The time behind a day, as it is written.
    pub time: Option<String>,
    pub about: bool,
    pub perhaps: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    Century,
    Decade,
    Year,
    Month(i64),
    Day(i64, i64),
}

/// Why a text is no date. Says itself as the end of a sentence that begins with the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    None,
    /// Year, month and how many days it has.
    Day(i64, i64, i64),
    Month(i64),
    YearZero,
    /// Unknown digits as they are not written here.
    Digits,
    Backwards,
    Nothing,
    /// Day or month first?
    Order,
    /// Years or a season?
    Season,
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str(
                "is not a date such as 1979, 1979-12, 1979-12-06, c. 1850, 1890s, 19th century, 1850-1900 or before 1900.",
            ),
            Self::Day(year, month, days) => {
                let name = usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at));
                let name = name.copied().unwrap_or_default();
                write!(f, "names a day that is not in the calendar: {name} {year} has {days} days.")
            }
            Self::Month(month) => write!(f, "has the month {month}; months go from 01 to 12."),
            Self::YearZero => f.write_str(
                "has the year 0, which is not counted: the year before 1 is 1 BC, written -0001. Leave the field empty where no date is known.",
            ),
            Self::Digits => f.write_str(
                "leaves digits open: write 18XX for a hundred years, 185X for ten, and 1850? for a year that is not certain.",
            ),
            Self::Backwards => f.write_str("ends before it begins."),
            Self::Nothing => f.write_str("is open on both sides and says nothing; leave the field empty."),
            Self::Order => f.write_str("can be read with the day or with the month first: write it as 1921-04-03 or 3 April 1921."),
            Self::Season => f.write_str(
                "can be years or a season: write both years in full, such as 1920/1922. Seasons are not read; name the months.",
            ),
        }
    }
}

/// First and last day of a date in the stored form, or `None` where the text is none.
pub fn span(text: &str) -> Option<(i64, i64)> {
    Civil::stored(text).ok().map(|civil| civil.days())
}

impl Civil {
    /// A date in the form in which it is stored.
    ///
    /// # Errors
    /// Why it is none.
    pub fn stored(text: &str) -> Result<Self, Fault> {
        if text.len() > LONGEST {
            return Err(Fault::None);
        }
        let Some((from, to)) = text.split_once('/') else {
            return Date::stored(text).map(Self::Date);
        };
        let end = |text: &str| match text {
            "" => Ok(End::Unknown),
            ".." => Ok(End::Open),
            text => Date::stored(text).map(End::At),
        };
        Self::between(end(from)?, end(to)?)
    }

    fn between(from: End, to: End) -> Result<Self, Fault> {
        match (&from, &to) {
            (End::At(first), End::At(last)) if first.exact_days().0 > last.exact_days().1 => Err(Fault::Backwards),
            (End::At(_), _) | (_, End::At(_)) => Ok(Self::Span(from, to)),
            _ => Err(Fault::Nothing),
        }
    }

    /// First and last day that it may be.
    pub fn days(&self) -> (i64, i64) {
        match self {
            Self::Date(date) => date.days(),
            Self::Span(from, to) => {
                let first = match from {
                    End::At(date) => date.days().0,
                    End::Open | End::Unknown => OPEN_FIRST,
                };
                let last = match to {
                    End::At(date) => date.days().1,
                    End::Open | End::Unknown => OPEN_LAST,
                };
                (first, last)
            }
        }
    }

    /// It tells a month or a day, so that no number looks like it.
    pub fn is_fine(&self) -> bool {
        let fine = |date: &Date| matches!(date.precision, Precision::Month(_) | Precision::Day(..));
        match self {
            Self::Date(date) => fine(date),
            Self::Span(from, to) => [from, to]
                .into_iter()
                .any(|end| matches!(end, End::At(date) if fine(date))),
        }
    }

    /// It is a year, a month or a day and nothing else, as tables sort them.
    pub fn is_plain(&self) -> bool {
        match self {
            Self::Date(date) => {
                let coarse = matches!(date.precision, Precision::Century | Precision::Decade);
                !coarse && !date.about && !date.perhaps && !date.before_era
            }
            Self::Span(..) => false,
        }
    }
}

impl Date {
    fn stored(text: &str) -> Result<Self, Fault> {
        let (rest, about, perhaps) = match text.as_bytes().last() {
            Some(b'~') => (&text[..text.len() - 1], true, false),
            Some(b'?') => (&text[..text.len() - 1], false, true),
            Some(b'%') => (&text[..text.len() - 1], true, true),
            _ => (text, false, false),
        };
        if rest.ends_with(['?', '~', '%']) {
            return Err(Fault::Digits);
        }
        let (day, time) = match rest.split_once(['T', ' ']) {
            Some((day, time)) if is_time(time) => (day, Some(&rest[day.len()..])),
            Some(_) => return Err(Fault::None),
            None => (rest, None),
        };
        let long = day.strip_prefix('Y');
        let signed = long.unwrap_or(day);
        let (before_era, digits) = match signed.strip_prefix('-') {
            Some(digits) => (true, digits),
            None => (false, signed),
        };
        let mut parts = digits.split('-');
        let first = parts.next().unwrap_or_default();
        let (year, coarse) = match (long, first.trim_end_matches('X')) {
            (None, known) if known.len() < first.len() && first.len() == 4 => match known.len() {
                2 => (number(known, 2, 2), Some(Precision::Century)),
                3 => (number(known, 3, 3), Some(Precision::Decade)),
                _ => return Err(Fault::Digits),
            },
            (None, _) => (number(first, 4, 6), None),
            (Some(_), _) => (number(first, 5, 6), None),
        };
        let year = year.ok_or(Fault::None)?;
        let (month, of_month) = (parts.next(), parts.next());
        if parts.next().is_some() || (coarse.is_some() && month.is_some()) {
            return Err(Fault::None);
        }
        if coarse.is_none() && year == 0 {
            return Err(Fault::YearZero);
        }
        let year = if before_era { -year } else { year };
        let precision = match coarse {
            Some(coarse) => coarse,
            None => fine(year, month, of_month)?,
        };
        if time.is_some() && !matches!(precision, Precision::Day(..)) {
            return Err(Fault::None);
        }
        Ok(Self {
            year,
            before_era,
            precision,
            time: time.map(str::to_owned),
            about,
            perhaps,
        })
    }

    /// First and last day, as far as they are written.
    fn exact_days(&self) -> (i64, i64) {
        let of = |count: i64| {
            let first = self.year.abs() * count;
            // There is no year 0.
            let (from, to) = (first.max(1), first + count - 1);
            if self.before_era {
                calendar::years(-to, -from)
            } else {
                calendar::years(from, to)
            }
        };
        match self.precision {
            Precision::Century => of(100),
            Precision::Decade => of(10),
            Precision::Year => calendar::years(self.year, self.year),
            Precision::Month(month) => calendar::month(self.year, month),
            Precision::Day(month, day) => {
                let day = calendar::day(self.year, month, day);
                (day, day)
            }
        }
    }

    /// First and last day, with as much around it as "about" means: years, a month or a fortnight.
    fn days(&self) -> (i64, i64) {
        let (from, to) = self.exact_days();
        match self.precision {
            _ if !self.about => (from, to),
            Precision::Month(_) => (from - 31, to + 31),
            Precision::Day(..) => (from - 14, to + 14),
            _ => {
                let ((first, ..), (last, ..)) = (calendar::date(from), calendar::date(to));
                calendar::years(first - ABOUT, last + ABOUT)
            }
        }
    }
}

/// The month and day behind a year; `XX` says that it is not known.
fn fine(year: i64, month: Option<&str>, day: Option<&str>) -> Result<Precision, Fault> {
    let month = match (month, day) {
        (None, _) | (Some("XX"), None | Some("XX")) => return Ok(Precision::Year),
        (Some(month), _) => number(month, 2, 2).ok_or(Fault::None)?,
    };
    if !(1..=12).contains(&month) {
        let season = day.is_none() && (21..=41).contains(&month);
        return Err(if season { Fault::Season } else { Fault::Month(month) });
    }
    let day = match day {
        None | Some("XX") => return Ok(Precision::Month(month)),
        Some(day) => number(day, 2, 2).ok_or(Fault::None)?,
    };
    let last = calendar::month_length(year, month);
    if !(1..=last).contains(&day) {
        return Err(Fault::Day(year, month, last));
    }
    Ok(Precision::Day(month, day))
}

/// `04:57`, `04:57:37`, `04:57:37.123Z`, `04:57:37+02:00`
fn is_time(text: &str) -> bool {
    let clock = text.strip_suffix('Z').unwrap_or_else(|| match text.rfind(['+', '-']) {
        Some(at) if is_clock(&text[at + 1..], 2) || number(&text[at + 1..], 4, 4).is_some() => &text[..at],
        _ => text,
    });
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let digits = (1..=9).contains(&fraction.len()) && fraction.bytes().all(|b| b.is_ascii_digit());
    digits && (is_clock(whole, 3) || (is_clock(whole, 2) && clock == whole))
}

/// Hours, minutes and perhaps seconds.
fn is_clock(text: &str, parts: usize) -> bool {
    let most = [23, 59, 60];
    let fits = |(part, most): (&str, i64)| number(part, 2, 2).is_some_and(|n| n <= most);
    text.split(':').count() == parts && text.split(':').zip(most).all(fits)
}

fn number(text: &str, least: usize, most: usize) -> Option<i64> {
    let fits = (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    fits.then(|| text.parse().ok()).flatten()
}
