//! Numbers that are given: a pattern of words, year, counter and check digit becomes a number, and a number is read back. No
//! I/O; which one comes next is the store's business.

use super::path;
use crate::contract::records::{CheckDigit, FieldKind, Numbering, RecordType};
use crate::kernel::error::FieldIssue;

/// Digits of a counter, bytes of a pattern.
const MAX_DIGITS: usize = 15;
const MAX_PATTERN: usize = 100;
/// The largest first number.
const MAX_START: i64 = 999_999_999_999_999;

/// A pattern taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
    check: Option<CheckDigit>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Words(String),
    Year,
    /// With so many digits; as many as it needs where none are said.
    Counter(Option<usize>),
    Check,
}

/// Where a number stands: its year, where the pattern has one, and its place in the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub year: Option<i32>,
    pub counter: i64,
}

impl Pattern {
    /// Reads a pattern such as `Ma{year}{seq:4}` or `{seq:6}-{check}`.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence.
    pub fn of(numbering: &Numbering) -> Result<Self, String> {
        let text = numbering.pattern.as_str();
        if text.len() > MAX_PATTERN || text.chars().any(char::is_control) {
            return Err(format!("is one line of at most {MAX_PATTERN} bytes."));
        }
        let mut parts: Vec<Part> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let open = rest.find(['{', '}']).unwrap_or(rest.len());
            if open > 0 {
                parts.push(Part::Words(rest[..open].to_owned()));
            }
            rest = &rest[open..];
            if rest.is_empty() {
                break;
            }
            let inner = rest.strip_prefix('{').and_then(|r| r.split_once('}'));
            let Some((inner, after)) = inner else {
                return Err("has a bracket without its other half.".to_owned());
            };
            parts.push(part(inner)?);
            rest = after;
        }
        let pattern = Self {
            parts,
            check: numbering.check,
        };
        pattern.fits(numbering)?;
        Ok(pattern)
    }

    fn fits(&self, numbering: &Numbering) -> Result<(), String> {
        let count = |wanted: fn(&Part) -> bool| self.parts.iter().filter(|part| wanted(part)).count();
        let years = count(|part| *part == Part::Year);
        let checks = count(|part| *part == Part::Check);
        let wrong = if count(|part| matches!(part, Part::Counter(_))) != 1 {
            "has one counter, such as {seq:4}."
        } else if years > 1 || checks > 1 {
            "has {year} and {check} at most once."
        } else if numbering.yearly && years == 0 {
            "begins again with each year and so needs {year}."
        } else if (checks == 1) != numbering.check.is_some() {
            "has {check} where a check digit is chosen, and only there."
        } else if self.is_open_between_digits() {
            "needs a number of digits, such as {seq:6}, where the counter stands beside other digits."
        } else {
            ""
        };
        if !wrong.is_empty() {
            return Err(wrong.to_owned());
        }
        if !(0..=MAX_START).contains(&numbering.start) || numbering.start > self.last() {
            return Err(format!("cannot begin with {}.", numbering.start));
        }
        Ok(())
    }

    /// A counter of any length whose end cannot be told.
    fn is_open_between_digits(&self) -> bool {
        let Some(at) = self.parts.iter().position(|part| *part == Part::Counter(None)) else {
            return false;
        };
        let digit = |part: Option<&Part>, last: bool| match part {
            None => false,
            Some(Part::Words(words)) => {
                let next = if last {
                    words.chars().next_back()
                } else {
                    words.chars().next()
                };
                next.is_some_and(|c| c.is_ascii_digit())
            }
            Some(_) => true,
        };
        digit(at.checked_sub(1).and_then(|before| self.parts.get(before)), true) || digit(self.parts.get(at + 1), false)
    }

    /// The largest counter that it can write.
    pub fn last(&self) -> i64 {
        let digits = self.parts.iter().find_map(|part| match part {
            Part::Counter(digits) => Some(digits.unwrap_or(MAX_DIGITS)),
            _ => None,
        });
        10_i64.pow(u32::try_from(digits.unwrap_or(MAX_DIGITS)).unwrap_or(15)) - 1
    }

    /// The number at a place; nothing beyond the last one.
    pub fn write(&self, year: i32, counter: i64) -> Option<String> {
        if !(0..=self.last()).contains(&counter) {
            return None;
        }
        let mut out = String::new();
        let mut digits: Vec<u32> = Vec::new();
        for part in &self.parts {
            let piece = match part {
                Part::Words(words) => words.clone(),
                Part::Year => format!("{year:04}"),
                Part::Counter(width) => format!("{counter:0width$}", width = width.unwrap_or(1)),
                Part::Check => continue,
            };
            digits.extend(piece.chars().filter_map(|c| c.to_digit(10)));
        }
        for part in &self.parts {
            match part {
                Part::Words(words) => out.push_str(words),
                Part::Year => out.push_str(&format!("{year:04}")),
                Part::Counter(width) => out.push_str(&format!("{counter:0width$}", width = width.unwrap_or(1))),
                Part::Check => out.push(self.check.map_or('0', |check| digit(check, &digits))),
            }
        }
        Some(out)
    }

    /// Where a number stands that this pattern wrote.
    pub fn read(&self, text: &str) -> Option<Place> {
        let mut place = Place { year: None, counter: 0 };
        let mut rest = text;
        for part in &self.parts {
            let length = match part {
                Part::Words(words) => {
                    rest = rest.strip_prefix(words.as_str())?;
                    continue;
                }
                Part::Year => 4,
                Part::Counter(Some(width)) => *width,
                Part::Counter(None) => rest.bytes().take_while(u8::is_ascii_digit).count(),
                Part::Check => 1,
            };
            let (piece, after) = rest.split_at_checked(length)?;
            rest = after;
            match part {
                Part::Year => place.year = Some(piece.parse().ok()?),
                Part::Counter(_) => place.counter = piece.parse().ok()?,
                _ => {}
            }
        }
        let year = place.year.unwrap_or_default();
        (rest.is_empty() && self.write(year, place.counter).as_deref() == Some(text)).then_some(place)
    }
}

fn part(inner: &str) -> Result<Part, String> {
    match inner {
        "year" => return Ok(Part::Year),
        "check" => return Ok(Part::Check),
        "seq" => return Ok(Part::Counter(None)),
        _ => {}
    }
    let Some(digits) = inner.strip_prefix("seq:") else {
        let shown = super::shorten(inner, 30);
        return Err(format!("knows {{year}}, {{seq:4}} and {{check}}, not {{{shown}}}."));
    };
    match digits.parse::<usize>() {
        Ok(digits) if (1..=MAX_DIGITS).contains(&digits) => Ok(Part::Counter(Some(digits))),
        _ => Err(format!("has a counter of 1 to {MAX_DIGITS} digits.")),
    }
}

/// The check digit of digits, the first one first.
fn digit(check: CheckDigit, digits: &[u32]) -> char {
    match check {
        // Luhn: every second digit from the right counts twice, its own digits added up.
        CheckDigit::Mod10 => {
            let doubled = |(at, digit): (usize, &u32)| match at % 2 {
                0 => digit * 2 / 10 + digit * 2 % 10,
                _ => *digit,
            };
            let sum: u32 = digits.iter().rev().enumerate().map(doubled).sum();
            char::from_digit((10 - sum % 10) % 10, 10).unwrap_or('0')
        }
        // As in an ISBN of ten digits: weights from 2 at the right, 10 is written X.
        CheckDigit::Mod11 => {
            let weighted = |(at, digit): (usize, &u32)| digit * (u32::try_from(at % 9).unwrap_or(0) + 2);
            let sum: u32 = digits.iter().rev().enumerate().map(weighted).sum();
            match (11 - sum % 11) % 11 {
                10 => 'X',
                rest => char::from_digit(rest, 10).unwrap_or('0'),
            }
        }
    }
}

/// The fields whose numbers are given.
pub fn numbered(definition: &RecordType) -> Vec<(path::Leaf<'_>, &Numbering)> {
    let leaves = path::leaves(&definition.fields).into_iter();
    leaves
        .filter_map(|leaf| leaf.field.number.as_ref().map(|numbering| (leaf.clone(), numbering)))
        .collect()
}

/// What is wrong with the schemes of a type, at the paths of their fields.
pub fn check(definition: &RecordType) -> Vec<FieldIssue> {
    let mut issues = Vec::new();
    for (leaf, numbering) in numbered(definition) {
        let unique = leaf.field.unique || definition.key.as_deref() == Some(leaf.path.as_str());
        let wrong = if !matches!(leaf.field.kind, FieldKind::Identifier | FieldKind::Text) {
            Some("holds no identifier, so no numbers can be given for it.".to_owned())
        } else if leaf.repeated {
            Some("takes several values; numbers are given for a field that takes one.".to_owned())
        } else if !unique {
            Some("gives numbers, so it has to be unique.".to_owned())
        } else if leaf.field.required {
            Some("gives numbers, so each record has one: it need not be required.".to_owned())
        } else {
            Pattern::of(numbering)
                .err()
                .map(|wrong| format!("number.pattern {wrong}"))
        };
        issues.extend(wrong.map(|message| FieldIssue {
            path: leaf.path.clone(),
            message,
        }));
    }
    issues
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbering(pattern: &str, check: Option<CheckDigit>, yearly: bool) -> Numbering {
        Numbering {
            pattern: pattern.to_owned(),
            start: 1,
            yearly,
            check,
            by_hand: false,
        }
    }

    fn pattern(text: &str, check: Option<CheckDigit>) -> Pattern {
        Pattern::of(&numbering(text, check, false)).unwrap()
    }

    #[test]
    fn numbers_are_written_and_read_back() {
        let plain = pattern("Ma{year}{seq:4}", None);
        assert_eq!(plain.write(2026, 7).as_deref(), Some("Ma20260007"));
        assert_eq!(
            plain.read("Ma20260007"),
            Some(Place {
                year: Some(2026),
                counter: 7
            })
        );
        assert_eq!(plain.write(2026, 9_999).as_deref(), Some("Ma20269999"));
        assert_eq!(plain.write(2026, 10_000), None);
        for odd in [
            "Ma2026007",
            "ma20260007",
            "Ma20260007 ",
            "Ma202600070",
            "Mä20260007",
            "",
            "Ma2026000é",
        ] {
            assert_eq!(plain.read(odd), None, "{odd}");
        }
        let open = pattern("NHM-{seq}/{year}", None);
        assert_eq!(open.write(2026, 12_345).as_deref(), Some("NHM-12345/2026"));
        assert_eq!(open.read("NHM-12345/2026").map(|place| place.counter), Some(12_345));
        assert_eq!(open.read("NHM-012345/2026"), None);
    }

    #[test]
    fn check_digits_are_those_of_others() {
        // 7992739871 and 3 is the textbook's number; 0-306-40615 and 2, 0-8044-2957 and X are books.
        let luhn = pattern("{seq:10}{check}", Some(CheckDigit::Mod10));
        assert_eq!(luhn.write(0, 7_992_739_871).as_deref(), Some("79927398713"));
        let book = pattern("{seq:9}-{check}", Some(CheckDigit::Mod11));
        assert_eq!(book.write(0, 30_640_615).as_deref(), Some("030640615-2"));
        assert_eq!(book.write(0, 80_442_957).as_deref(), Some("080442957-X"));
        assert_eq!(book.read("080442957-X").map(|place| place.counter), Some(80_442_957));
        assert_eq!(book.read("080442957-1"), None);
    }

    #[test]
    fn what_cannot_be_a_scheme_is_refused() {
        for (text, yearly, says) in [
            ("", false, "one counter"),
            ("Ma{year}", false, "one counter"),
            ("{seq:4}{seq:4}", false, "one counter"),
            ("{seq:0}", false, "1 to 15"),
            ("{seq:16}", false, "1 to 15"),
            ("{seq:99999999999999999999}", false, "1 to 15"),
            ("{serial}", false, "not {serial}"),
            ("{seq:4", false, "other half"),
            ("seq:4}", false, "other half"),
            ("{seq:4}", true, "needs {year}"),
            ("{year}{seq}", false, "number of digits"),
            ("1{seq}", false, "number of digits"),
            ("{seq:4}{check}", false, "check digit"),
            ("{year}{year}{seq:3}", false, "at most once"),
        ] {
            let error = Pattern::of(&numbering(text, None, yearly)).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
        let mut far = numbering("{seq:2}", None, false);
        far.start = 100;
        assert!(Pattern::of(&far).unwrap_err().contains("begin with 100"));
        far.start = -1;
        assert!(Pattern::of(&far).is_err());
    }
}
