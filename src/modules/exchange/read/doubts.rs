//! What a sample of a table cannot say by itself: which decimal sign its numbers have, in which order its dates stand. Finds
//! the columns where it matters. No I/O.

use super::look::{Doubt, DoubtKind};
use crate::contract::exchange::{DateOrder, Decimal, Reading};
use crate::modules::exchange::interpret::{date_parts, number};

/// Examples that are shown.
const EXAMPLES: usize = 5;

/// What is in doubt about a column of a sample.
#[derive(Default)]
struct Seen {
    values: usize,
    /// Numbers with a sign that may be decimal or group thousands.
    comma: Vec<String>,
    numbers: usize,
    /// Only one of the two can be.
    only_comma: usize,
    only_point: usize,
    dates: usize,
    examples: Vec<String>,
    dmy: usize,
    mdy: usize,
    ymd: usize,
    both: usize,
    /// Plain numbers, and what stands among them.
    plain: usize,
    words: Vec<String>,
}

/// The doubts of a sample: names of columns, and rows of cells.
pub(super) fn find(names: &[String], rows: &[Vec<Option<String>>], reading: &Reading) -> Vec<Doubt> {
    let mut seen: Vec<Seen> = names.iter().map(|_| Seen::default()).collect();
    for row in rows {
        for (column, cell) in seen.iter_mut().zip(row) {
            if let Some(text) = cell.as_deref().map(str::trim).filter(|t| !t.is_empty() && t.len() < 40) {
                column.take(text);
            }
        }
    }
    let named: Vec<(&String, Seen)> = names.iter().zip(seen).collect();
    let mut doubts = Vec::new();
    if reading.decimal.is_none() {
        doubts.extend(decimal(&named));
    }
    doubts.extend(dates(&named, reading.date_order));
    doubts
}

/// What people write where a number is not known.
const UNKNOWN: [&str; 18] = [
    "na",
    "n/a",
    "n.a.",
    "n.a",
    "#n/a",
    "nan",
    "null",
    "none",
    "nil",
    "-",
    "--",
    "\u{2013}",
    "?",
    "unknown",
    "unbekannt",
    "k.a.",
    "k. a.",
    "s.d.",
];

/// A word that stands among numbers and seems to mean that there is none, with the columns where it does.
pub(super) fn unknown(names: &[String], rows: &[Vec<Option<String>>]) -> Option<(String, Vec<String>)> {
    let mut found: Option<(String, Vec<String>)> = None;
    for (place, name) in names.iter().enumerate() {
        let mut seen = Seen::default();
        for text in rows.iter().filter_map(|row| row.get(place)?.as_deref()) {
            seen.take(text.trim());
        }
        let [word] = seen.words.as_slice() else { continue };
        if seen.plain < 3 || !UNKNOWN.contains(&word.to_lowercase().as_str()) {
            continue;
        }
        match &mut found {
            Some((first, columns)) if first == word => columns.push(name.clone()),
            Some(_) => {}
            None => found = Some((word.clone(), vec![name.clone()])),
        }
    }
    found
}

impl Seen {
    fn take(&mut self, text: &str) {
        self.values += 1;
        let (comma, point) = (number(text, Decimal::Comma), number(text, Decimal::Point));
        if comma.is_some() || point.is_some() {
            self.numbers += 1;
            self.plain += 1;
        } else if self.words.len() < 2 && !text.is_empty() && !self.words.iter().any(|w| w == text) {
            self.words.push(text.to_owned());
        }
        // A number with a comma, however it is meant, is no plain number.
        if text.contains(',') && (comma.is_some() || point.is_some()) {
            self.only_comma += usize::from(point.is_none());
            self.only_point += usize::from(comma.is_none());
            if self.comma.len() < EXAMPLES && !self.comma.iter().any(|e| e == text) {
                self.comma.push(text.to_owned());
            }
        }
        let Some((first, second, year_first)) = date_parts(text) else {
            return;
        };
        self.dates += 1;
        match (first, second) {
            _ if year_first => self.ymd += 1,
            (13.., 1..=12) => self.dmy += 1,
            (1..=12, 13..) => self.mdy += 1,
            _ => self.both += 1,
        }
        if !year_first && self.examples.len() < EXAMPLES && !self.examples.iter().any(|e| e == text) {
            self.examples.push(text.to_owned());
        }
    }
}

fn decimal(columns: &[(&String, Seen)]) -> Option<Doubt> {
    // A column is one of numbers if nearly all of it is.
    let about: Vec<&(&String, Seen)> = columns
        .iter()
        .filter(|(_, seen)| !seen.comma.is_empty() && seen.numbers * 10 >= seen.values * 8)
        .collect();
    if about.is_empty() {
        return None;
    }
    let comma: usize = about.iter().map(|(_, seen)| seen.only_comma).sum();
    let point: usize = about.iter().map(|(_, seen)| seen.only_point).sum();
    let suggested = match (comma, point) {
        (0, 0) => None,
        (comma, point) if comma >= point => Some(Decimal::Comma),
        _ => Some(Decimal::Point),
    };
    let examples: Vec<String> = about
        .iter()
        .flat_map(|(_, s)| s.comma.iter().cloned())
        .take(EXAMPLES)
        .collect();
    let message = match suggested {
        Some(Decimal::Comma) => {
            "Numbers seem to have a decimal comma. Say so (decimal \",\"), and they become numbers; else they stay texts."
        }
        Some(Decimal::Point) => {
            "Numbers seem to have commas between thousands. Say so (decimal \".\"), and they become numbers; else they stay texts."
        }
        None => {
            "The commas may be decimal signs or group thousands. Say which (decimal); else these values stay texts."
        }
    };
    Some(Doubt {
        what: DoubtKind::Decimal,
        columns: about.iter().map(|(name, _)| (*name).clone()).collect(),
        examples,
        decimal: suggested,
        date_order: None,
        message: message.to_owned(),
    })
}

fn dates(columns: &[(&String, Seen)], said: Option<DateOrder>) -> Option<Doubt> {
    let about: Vec<&(&String, Seen)> = columns
        .iter()
        .filter(|(_, seen)| !seen.examples.is_empty() && seen.dates * 10 >= seen.values * 6)
        .collect();
    let sum = |of: fn(&Seen) -> usize| about.iter().map(|(_, seen)| of(seen)).sum::<usize>();
    let (dmy, mdy, both) = (sum(|s| s.dmy), sum(|s| s.mdy), sum(|s| s.both));
    let mixed: Vec<&str> = about
        .iter()
        .filter(|(_, s)| s.dmy > 0 && s.mdy > 0)
        .map(|(name, _)| name.as_str())
        .collect();
    if about.is_empty() || (said.is_some() && mixed.is_empty()) {
        return None;
    }
    let suggested = match (dmy, mdy) {
        (0, 0) => None,
        (dmy, mdy) if dmy >= mdy => Some(DateOrder::Dmy),
        _ => Some(DateOrder::Mdy),
    };
    let message = if mixed.is_empty() {
        match suggested {
            Some(DateOrder::Dmy) => "Dates seem to begin with the day. Say so (date_order dmy), and they become dates; else they stay texts.".to_owned(),
            Some(_) => "Dates seem to begin with the month. Say so (date_order mdy), and they become dates; else they stay texts.".to_owned(),
            None => format!(
                "{both} dates may begin with the day or with the month. Say which (date_order); else they stay texts."
            ),
        }
    } else {
        format!(
            "In \"{}\" some dates begin with the day and some with the month. Those that fit the order you say become dates, \
             if all of them do; a column with others stays text. Mend it in the file to be sure.",
            mixed.join("\", \"")
        )
    };
    Some(Doubt {
        what: DoubtKind::DateOrder,
        columns: about.iter().map(|(name, _)| (*name).clone()).collect(),
        examples: about
            .iter()
            .flat_map(|(_, s)| s.examples.iter().cloned())
            .take(EXAMPLES)
            .collect(),
        decimal: None,
        date_order: suggested,
        message,
    })
}
