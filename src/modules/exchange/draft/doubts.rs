//! What a column's texts could be beside plain numbers and dates: numbers with a comma, dates that begin with the day.
//! Looks at every value once and remembers a few bits; decides nothing where the values leave it open.

use crate::contract::exchange::{DateOrder, Decimal};

/// What every value of a column allows so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    values: i64,
    /// Every value is a number, read with this sign.
    comma: bool,
    point: bool,
    /// There is a value that is no plain number.
    formatted: bool,
    /// Every value is a date, read in this order.
    dmy: bool,
    mdy: bool,
    /// Every value is a date in some order.
    date: bool,
    /// There is a value that does not begin with the year.
    ordered: bool,
}

impl Default for Evidence {
    fn default() -> Self {
        Self {
            values: 0,
            comma: true,
            point: true,
            formatted: false,
            dmy: true,
            mdy: true,
            date: true,
            ordered: false,
        }
    }
}

impl Evidence {
    /// Looks at a value that says something.
    pub fn observe(&mut self, text: &str) {
        self.values += 1;
        if self.comma || self.point {
            self.formatted |= !is_plain(text);
            self.comma = self.comma && is_number(text, ',');
            self.point = self.point && is_number(text, '.');
        }
        if self.date {
            match parts(text) {
                Some(Parts::Year) => {}
                Some(Parts::Three(first, second)) => {
                    self.ordered = true;
                    let (day, month) = (1..=31, 1..=12);
                    let dmy = day.contains(&first) && month.contains(&second);
                    let mdy = month.contains(&first) && day.contains(&second);
                    (self.dmy, self.mdy) = (self.dmy && dmy, self.mdy && mdy);
                    self.date = dmy || mdy;
                }
                None => self.date = false,
            }
        }
    }

    /// The signs with which every value is a number, where it takes one to see that.
    pub fn numbers(&self) -> Vec<Decimal> {
        if self.values == 0 || !self.formatted {
            return Vec::new();
        }
        let signs = [(self.comma, Decimal::Comma), (self.point, Decimal::Point)];
        signs.iter().filter(|(fits, _)| *fits).map(|(_, sign)| *sign).collect()
    }

    /// The orders in which every value is a date, where it takes one to see that.
    pub fn dates(&self) -> Vec<DateOrder> {
        if self.values == 0 || !self.ordered || !self.date {
            return Vec::new();
        }
        let orders = [(self.dmy, DateOrder::Dmy), (self.mdy, DateOrder::Mdy)];
        orders
            .iter()
            .filter(|(fits, _)| *fits)
            .map(|(_, order)| *order)
            .collect()
    }

    /// Every value is a date, and no one order reads them all.
    pub fn mixed_dates(&self) -> bool {
        self.values > 0 && self.date && self.ordered && !self.dmy && !self.mdy
    }
}

/// A number as programs write it: digits, perhaps a point and a minus.
fn is_plain(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    all(whole) && all(fraction)
}

/// A number with this decimal sign, thousands perhaps grouped by the other one, a space or an apostrophe.
fn is_number(text: &str, sign: char) -> bool {
    if text.len() > 32 {
        return false;
    }
    let text = text.strip_prefix(['-', '+', '\u{2212}']).unwrap_or(text);
    let (whole, fraction) = match text.split_once(sign) {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (text, None),
    };
    if fraction.is_some_and(|f| f.is_empty() || !f.bytes().all(|b| b.is_ascii_digit())) {
        return false;
    }
    let group = if sign == ',' { '.' } else { ',' };
    let Some(mark) = whole.chars().find(|c| !c.is_ascii_digit()) else {
        return !whole.is_empty();
    };
    if mark != group && !matches!(mark, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}') {
        return false;
    }
    let mut groups = whole.split(mark);
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let first = groups.next().is_some_and(|g| (1..=3).contains(&g.len()) && digits(g));
    first && groups.all(|g| g.len() == 3 && digits(g))
}

enum Parts {
    /// It begins with the year, or is one.
    Year,
    /// The first two of three numbers, the last being a year of four digits.
    Three(u32, u32),
}

fn parts(text: &str) -> Option<Parts> {
    if text.len() > 10 {
        return None;
    }
    let numbers: Vec<&str> = text.split(['.', '/', '-']).map(str::trim).collect();
    let digits = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !numbers.iter().all(digits) {
        return None;
    }
    match numbers.as_slice() {
        [first, ..] if first.len() == 4 && numbers.len() <= 3 => Some(Parts::Year),
        [first, second, year] if year.len() == 4 && first.len() <= 2 && second.len() <= 2 => {
            Some(Parts::Three(first.parse().ok()?, second.parse().ok()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> Evidence {
        let mut evidence = Evidence::default();
        values.iter().for_each(|value| evidence.observe(value));
        evidence
    }

    #[test]
    fn numbers_say_their_sign_or_leave_it_open() {
        use Decimal::{Comma, Point};
        let cases: [(&[&str], &[Decimal]); 8] = [
            (&["3,75", "12", "1.234,50"], &[Comma]),
            (&["1,234.5", "7"], &[Point]),
            (&["1,234", "5,678"], &[Comma, Point]),
            (&["1 234,5", "\u{2212}3,0"], &[Comma]),
            (&["3.75", "12"], &[]),
            (&["3,75", "about 4"], &[]),
            (&["1,2,3"], &[]),
            (&[], &[]),
        ];
        for (values, want) in cases {
            assert_eq!(of(values).numbers(), want, "{values:?}");
        }
    }

    #[test]
    fn dates_say_their_order_or_leave_it_open() {
        use DateOrder::{Dmy, Mdy};
        let cases: [(&[&str], &[DateOrder], bool); 6] = [
            (&["31.12.1999", "1.2.2000", "1987"], &[Dmy], false),
            (&["12/31/1999"], &[Mdy], false),
            (&["1/2/1999", "3/4/2000"], &[Dmy, Mdy], false),
            (&["31/1/1999", "1/31/1999"], &[], true),
            (&["1999-12-31", "1987"], &[], false),
            (&["31.12.1999", "spring"], &[], false),
        ];
        for (values, want, mixed) in cases {
            let evidence = of(values);
            assert_eq!(
                (evidence.dates().as_slice(), evidence.mixed_dates()),
                (want, mixed),
                "{values:?}"
            );
        }
    }
}
