//! Numbers of a sheet as text: dates from days counted, numbers as a person sees them. No I/O.
//!
//! A sheet keeps a date as a number of days and a format to show it with. Days become `1921-04-03`, with a time
//! `1921-04-03T13:45:00`, a time alone `13:45:00`, a duration of more than a day `27:15:00`. Numbers are written with the 15
//! digits that spreadsheets keep and show, without thousands signs, in the decimal sign that was asked for.

use jiff::civil::Date;

/// How a number is meant, by its format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Plain,
    Percent,
    /// Shown with so many digits at least, as inventory numbers are: `00042`.
    Padded(usize),
    Date,
    Time,
    DateTime,
}

/// The meaning of a format by its number, where the workbook itself says nothing.
pub(super) fn built_in(format: u32) -> Kind {
    match format {
        9 | 10 => Kind::Percent,
        14..=17 | 27..=31 | 36 | 50..=54 | 57 | 58 => Kind::Date,
        18..=21 | 32..=35 | 45..=47 | 55 | 56 => Kind::Time,
        22 => Kind::DateTime,
        _ => Kind::Plain,
    }
}

/// The meaning of a format by its code, such as `dd/mm/yyyy hh:mm`.
pub(super) fn of_code(code: &str) -> Kind {
    let mut letters = String::new();
    let mut rest = code.chars();
    while let Some(letter) = rest.next() {
        match letter {
            // Letters that are shown as they are.
            '"' => while rest.next().is_some_and(|c| c != '"') {},
            '\\' | '_' | '*' => {
                rest.next();
            }
            '[' => {
                let inside: String = rest
                    .by_ref()
                    .take_while(|c| *c != ']')
                    .collect::<String>()
                    .to_lowercase();
                if !inside.is_empty() && inside.chars().all(|c| matches!(c, 'h' | 'm' | 's')) {
                    letters.push('h');
                }
            }
            // Only the first section: for positive numbers.
            ';' => break,
            other => letters.extend(other.to_lowercase()),
        }
    }
    let trimmed = letters.trim();
    if trimmed.len() > 1 && trimmed.chars().all(|c| c == '0') {
        return Kind::Padded(trimmed.len().min(20));
    }
    if letters.contains("general") || letters.contains('#') || letters.contains("0.") || letters.contains('?') {
        return if letters.contains('%') {
            Kind::Percent
        } else {
            Kind::Plain
        };
    }
    let letters = letters.replace("am/pm", "h").replace("a/p", "h");
    let date = letters.contains(['y', 'd']);
    let time = letters.contains(['h', 's']);
    match (date, time) {
        (true, true) => Kind::DateTime,
        (true, false) => Kind::Date,
        (false, true) => Kind::Time,
        (false, false) if letters.contains('m') => Kind::Date,
        (false, false) if letters.contains('%') => Kind::Percent,
        _ => Kind::Plain,
    }
}

/// A number as it is written in a sheet, as text.
pub(super) fn text(raw: &str, kind: Kind, from_1904: bool, comma: bool) -> String {
    let raw = raw.trim();
    let Some(value) = raw.parse::<f64>().ok().filter(|v| v.is_finite()) else {
        return raw.to_owned();
    };
    let dated = match kind {
        Kind::Date | Kind::DateTime => date(value, from_1904),
        Kind::Time => Some(time(value)),
        Kind::Padded(digits) if value >= 0.0 && value.fract() == 0.0 && value < 1e15 => {
            Some(format!("{value:0digits$}"))
        }
        _ => None,
    };
    dated.unwrap_or_else(|| {
        let plain = number(value);
        if comma { plain.replace('.', ",") } else { plain }
    })
}

/// With 15 digits, as every spreadsheet keeps them.
pub(super) fn number(value: f64) -> String {
    let value = format!("{value:.14e}").parse::<f64>().unwrap_or(value);
    if value == 0.0 {
        return "0".to_owned();
    }
    let size = value.abs();
    if (1e-9..1e21).contains(&size) {
        format!("{value}")
    } else {
        format!("{value:e}")
    }
}

/// A number of days as a date; `None` for what no sheet shows as one.
fn date(days: f64, from_1904: bool) -> Option<String> {
    if !(0.0..2_958_466.0).contains(&days) {
        return None;
    }
    let mut whole = days.floor();
    let mut milliseconds = ((days - whole) * 86_400_000.0).round();
    if milliseconds >= 86_400_000.0 {
        (whole, milliseconds) = (whole + 1.0, 0.0);
    }
    if whole == 0.0 && !from_1904 {
        return (milliseconds > 0.0).then(|| time(days));
    }
    let epoch = if from_1904 {
        Date::new(1904, 1, 1)
    } else {
        Date::new(1899, 12, 30)
    }
    .ok()?;
    // The calendar of spreadsheets has a 29 February 1900; before it their days are one off.
    let shift = if !from_1904 && whole < 60.0 { 1 } else { 0 };
    if !from_1904 && whole == 60.0 {
        return None;
    }
    let day = epoch.checked_add(jiff::Span::new().days(whole as i64 + shift)).ok()?;
    Some(if milliseconds == 0.0 {
        day.to_string()
    } else {
        format!("{day}T{}", clock(milliseconds))
    })
}

fn time(days: f64) -> String {
    if !(0.0..1_000_000.0).contains(&days) {
        return number(days);
    }
    clock((days * 86_400_000.0).round())
}

fn clock(milliseconds: f64) -> String {
    // Sheets keep times as fractions of a day, good to about a millisecond.
    let all = milliseconds as u64;
    let (seconds, rest) = (all / 1000, all % 1000);
    let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if rest == 0 { clock } else { format!("{clock}.{rest:03}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_say_what_numbers_mean() {
        for (code, kind) in [
            ("dd/mm/yyyy", Kind::Date),
            ("mmm-yy", Kind::Date),
            ("[$-409]d\\-mmm\\-yy;@", Kind::Date),
            ("yyyy\\-mm\\-dd\\ hh:mm", Kind::DateTime),
            ("h:mm AM/PM", Kind::Time),
            ("[h]:mm:ss", Kind::Time),
            ("0.00%", Kind::Percent),
            ("0%", Kind::Percent),
            ("General", Kind::Plain),
            ("#,##0.00\\ \"days\"", Kind::Plain),
            ("0.00E+00", Kind::Plain),
            ("00000", Kind::Padded(5)),
            ("0", Kind::Plain),
            ("@", Kind::Plain),
            ("[Red]\"dm\"0", Kind::Plain),
        ] {
            assert_eq!(of_code(code), kind, "{code}");
        }
    }

    #[test]
    fn numbers_dates_and_times_as_people_see_them() {
        let plain = |raw| text(raw, Kind::Plain, false, false);
        assert_eq!(
            [
                "0.1",
                "12.300000000000001",
                "1E+2",
                "-3.50",
                "1234567890123456",
                "1e300",
                "x",
                "0.30000000000000004"
            ]
            .map(plain),
            ["0.1", "12.3", "100", "-3.5", "1234567890123460", "1e300", "x", "0.3"]
        );
        assert_eq!(text("1.5", Kind::Plain, false, true), "1,5");
        assert_eq!(text("42", Kind::Padded(5), false, false), "00042");
        let day = |raw| text(raw, Kind::Date, false, false);
        assert_eq!(
            ["1", "59", "61", "7763", "43861.5", "2958465", "-1", "60", "0.5"].map(day),
            [
                "1900-01-01",
                "1900-02-28",
                "1900-03-01",
                "1921-04-02",
                "2020-01-31T12:00:00",
                "9999-12-31",
                "-1",
                "60",
                "12:00:00"
            ]
        );
        assert_eq!(text("0", Kind::Date, true, false), "1904-01-01");
        assert_eq!(text("1.135416666666667", Kind::Time, false, false), "27:15:00");
        assert_eq!(text("43861.999999999", Kind::DateTime, false, false), "2020-02-01");
    }
}
