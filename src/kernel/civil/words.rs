//! Dates in plain words of a language: `1850~` is "about 1850", `../1900` "before 1900". What cannot be read is not told.

use super::{Civil, Date, End, Precision};
use crate::kernel::i18n::Language;

/// A date in the stored form for people; `None` where the text is none.
pub fn say(text: &str, language: Language) -> Option<String> {
    Some(match Civil::stored(text).ok()? {
        Civil::Date(date) => date.say(language),
        Civil::Span(from, to) => {
            let told = |end: &End| match end {
                End::At(date) => date.say(language),
                End::Open | End::Unknown => language.text("civil.unknown"),
            };
            let key = match (&from, &to) {
                (End::Open, _) => "civil.before",
                (_, End::Open) => "civil.after",
                _ => "civil.span",
            };
            let date = if from == End::Open { told(&to) } else { told(&from) };
            language.with(key, &[("date", &date), ("from", &told(&from)), ("to", &told(&to))])
        }
    })
}

impl Date {
    fn say(&self, language: Language) -> String {
        let mut text = self.exactly(language);
        if let Some(time) = &self.time {
            text = format!("{text}, {}", time.trim_start_matches(['T', ' ']));
        }
        for (is, key) in [(self.about, "civil.about"), (self.perhaps, "civil.perhaps")] {
            if is {
                text = language.with(key, &[("date", &text)]);
            }
        }
        text
    }

    fn exactly(&self, language: Language) -> String {
        let year = self.year.abs();
        let month = |month: i64| language.text(&format!("month.{month}"));
        let era = |text: String| {
            if self.before_era {
                language.with("civil.before-era", &[("date", &text)])
            } else {
                text
            }
        };
        match self.precision {
            Precision::Century => {
                let n = year + 1;
                let key = match (n % 10, n % 100) {
                    (_, 11..=13) => "civil.century.other",
                    (1, _) => "civil.century.one",
                    (2, _) => "civil.century.two",
                    (3, _) => "civil.century.few",
                    _ => "civil.century.other",
                };
                era(language.with(key, &[("n", &n), ("year", &(year * 100))]))
            }
            Precision::Decade => era(language.with("civil.decade", &[("year", &(year * 10))])),
            Precision::Year => self.told_year(language),
            Precision::Month(at) => {
                let year = self.told_year(language);
                language.with("format.month-year", &[("month", &month(at)), ("year", &year)])
            }
            Precision::Day(at, day) => {
                let year = self.told_year(language);
                language.with("format.date", &[("day", &day), ("month", &month(at)), ("year", &year)])
            }
        }
    }

    /// A year that could be taken for something else says its era.
    fn told_year(&self, language: Language) -> String {
        let year = self.year.abs();
        match (self.before_era, year) {
            (true, year) => language.with("civil.before-era", &[("date", &year)]),
            (false, ..100) => language.with("civil.of-era", &[("date", &year)]),
            (false, year) => year.to_string(),
        }
    }
}
