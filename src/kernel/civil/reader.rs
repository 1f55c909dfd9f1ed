//! Dates as people write them, turned into the form that is stored: `c. 1850`, `1890s`, `19th century`, `before 1900`,
//! `1850-1900`, `Dec 1979`, `3.VI.1921`, `206 BC`. Words of English, Swedish, German and French. Nothing is guessed: what
//! could mean two things is refused and says so.

use super::{Civil, Fault, LONGEST, number};

const ABOUT: [&str; 16] = [
    "circa",
    "cirka",
    "approximately",
    "approx.",
    "approx",
    "about",
    "around",
    "omkring",
    "environ",
    "vers",
    "etwa",
    "ca.",
    "ca",
    "c.",
    "um",
    "c",
];
const PERHAPS: [&str; 6] = ["probably", "possibly", "perhaps", "prob.", "troligen", "wohl"];
const BEFORE: [&str; 9] = [
    "no later than",
    "not later than",
    "before",
    "until",
    "by",
    "före",
    "vor",
    "avant",
    "fore",
];
const AFTER: [&str; 10] = [
    "no earlier than",
    "not earlier than",
    "not before",
    "after",
    "since",
    "from",
    "efter",
    "nach",
    "après",
    "apres",
];
const EARLIER: [&str; 3] = ["or earlier", "or before", "and before"];
const LATER: [&str; 4] = ["or later", "or after", "and after", "onwards"];
/// What stands between two dates, the clearest first.
const BETWEEN: [&str; 10] = [" to ", " till ", " bis ", " until ", " - ", "..", "–", "—", "/", "-"];
const BEFORE_ERA: [&str; 8] = ["b.c.e.", "b.c.", "bce", "bc", "f.kr.", "f.kr", "v.chr.", "av. j.-c."];
const OF_ERA: [&str; 5] = ["a.d.", "ad", "c.e.", "ce", "e.kr."];

/// What the months are called, shortest first; a point behind is not looked at.
const MONTHS: [&[&str]; 12] = [
    &["jan", "january", "januari", "januar", "janvier", "janv", "i"],
    &[
        "feb", "february", "februari", "februar", "février", "fevrier", "févr", "ii",
    ],
    &["mar", "march", "mars", "märz", "marz", "mrz", "iii"],
    &["apr", "april", "avril", "avr", "iv"],
    &["may", "maj", "mai", "v"],
    &["jun", "june", "juni", "juin", "vi"],
    &["jul", "july", "juli", "juillet", "juil", "vii"],
    &["aug", "august", "augusti", "août", "aout", "viii"],
    &["sep", "sept", "september", "septembre", "ix"],
    &["oct", "october", "oktober", "okt", "octobre", "x"],
    &["nov", "november", "novembre", "xi"],
    &[
        "dec",
        "december",
        "dez",
        "dezember",
        "décembre",
        "decembre",
        "déc",
        "xii",
    ],
];

/// Any date in the stored form. One that stands in it already stays as it is.
///
/// # Errors
/// Why it is none.
pub fn read(text: &str) -> Result<String, Fault> {
    let text = text.trim();
    if text.len() > LONGEST {
        return Err(Fault::None);
    }
    let fault = match Civil::stored(text) {
        Ok(_) => return Ok(text.to_owned()),
        Err(fault) => fault,
    };
    let plain = text
        .to_lowercase()
        .replace(['−', '‑'], "-")
        .replace(['\u{a0}', '\u{202f}'], " ");
    let plain = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    let made = spanning(&plain).map_err(|other| clearer(fault, other))?;
    Civil::stored(&made).map(|_| made)
}

/// The one that says more.
fn clearer(one: Fault, other: Fault) -> Fault {
    if one == Fault::None { other } else { one }
}

/// What was said of a date before the date itself.
#[derive(Clone, Copy, Default)]
struct Said {
    about: bool,
    perhaps: bool,
    before_era: bool,
}

impl Said {
    fn is_anything(self) -> bool {
        self.about || self.perhaps || self.before_era
    }
}

fn spanning(text: &str) -> Result<String, Fault> {
    let mut worst = Fault::None;
    let starts = BEFORE
        .iter()
        .map(|word| (word, true))
        .chain(AFTER.iter().map(|word| (word, false)));
    let ends = EARLIER
        .iter()
        .map(|word| (word, true))
        .chain(LATER.iter().map(|word| (word, false)));
    let started = starts.filter_map(|(word, before)| Some((after_word(text, word)?, before)));
    let ended = ends.filter_map(|(word, before)| Some((text.strip_suffix(*word)?.trim_end(), before)));
    for (rest, before) in started.chain(ended) {
        match single(rest, Said::default()) {
            Ok(date) if before => return Ok(format!("../{date}")),
            Ok(date) => return Ok(format!("{date}/..")),
            Err(fault) => worst = clearer(worst, fault),
        }
    }
    match single(text, Said::default()) {
        Ok(date) => Ok(date),
        Err(fault) => between(text).map_err(|other| clearer(clearer(worst, fault), other)),
    }
}

/// Two dates with something between them.
fn between(text: &str) -> Result<String, Fault> {
    let (said, rest) = leading(text);
    let inner = ["from ", "between ", "mellan ", "zwischen ", "von ", "från "];
    let opened = inner.iter().find_map(|word| rest.strip_prefix(word));
    let mut worst = Fault::None;
    let and = [" and ", " och ", " und "];
    let signs = and.iter().filter(|_| opened.is_some()).chain(&BETWEEN);
    for sign in signs {
        let mut parts = opened.unwrap_or(rest).split(sign);
        let (Some(from), Some(to), None) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        match pair(from.trim(), to.trim(), *sign != "-", said) {
            Ok((from, to)) => {
                let made = format!("{from}/{to}");
                return Civil::stored(&made).map(|_| made);
            }
            Err(fault) => worst = clearer(worst, fault),
        }
    }
    Err(worst)
}

/// Both ends. What is said before the first holds for the second, too; what the second says more (its century, month, era)
/// holds for the first.
fn pair(from: &str, to: &str, clear: bool, said: Said) -> Result<(String, String), Fault> {
    if from.is_empty() || to.is_empty() {
        return Err(Fault::None);
    }
    let digits = |text: &str, least: usize, most: usize| {
        (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit())
    };
    // 1850-51
    if digits(from, 4, 4) && digits(to, 2, 2) {
        let end = format!("{}{to}", &from[..2]);
        let number = to.parse::<i64>().unwrap_or_default();
        if !clear && (21..=41).contains(&number) {
            return Err(Fault::Season);
        }
        return Ok((single(from, said)?, single(&end, said)?));
    }
    let (era, _) = trailing(to);
    let last = single(to, said)?;
    let exact = last.trim_end_matches(['~', '?', '%']);
    let fewer = exact.rsplit_once('-').map_or(exact, |(above, _)| above);
    let first = if digits(from, 1, 2) && exact.len() >= 10 {
        // 3-5 May 1921
        format!("{fewer}-{from:0>2}")
    } else if let (Some(month), 7) = (month(from), exact.len()) {
        // May-June 1921
        format!("{fewer}-{month:02}")
    } else {
        let bare = digits(from.trim_start_matches(|c: char| !c.is_ascii_digit()), 1, 4);
        let before_era = bare && era.before_era;
        single(from, Said { before_era, ..said })?
    };
    Ok((first, last))
}

/// One date with what is said around it.
fn single(text: &str, said: Said) -> Result<String, Fault> {
    let whole = text.to_uppercase();
    if let (Ok(Civil::Date(_)), false) = (Civil::stored(&whole), said.is_anything()) {
        return Ok(whole);
    }
    let (before, rest) = leading(text);
    let (era, rest) = trailing(rest);
    let rest = rest.trim();
    let (perhaps, rest) = match ["(?)", "?"].iter().find_map(|sign| rest.strip_suffix(sign)) {
        // 18?? is no 18 that is not certain.
        Some(known) if known.ends_with('?') || known.len() < 3 => return Err(Fault::Digits),
        Some(known) => (true, known.trim_end()),
        None => (false, rest),
    };
    let least = match (era.is_said || said.before_era, before.about || said.about) {
        (true, _) => 1,
        (false, true) => 3,
        (false, false) => 4,
    };
    let before_era = era.before_era || said.before_era;
    let made = bare(rest, before_era, least)?;
    let mark = match (said.about || before.about, said.perhaps || before.perhaps || perhaps) {
        (false, false) => "",
        (true, false) => "~",
        (false, true) => "?",
        (true, true) => "%",
    };
    let made = format!("{made}{mark}");
    Civil::stored(&made).map(|_| made)
}

/// `c.`, `probably` and their like.
fn leading(text: &str) -> (Said, &str) {
    let mut said = Said::default();
    let mut rest = text;
    loop {
        if let Some(found) = rest.strip_prefix('~') {
            (said.about, rest) = (true, found.trim_start());
        } else if let Some(found) = ABOUT.iter().find_map(|word| after_word(rest, word)) {
            (said.about, rest) = (true, found);
        } else if let Some(found) = PERHAPS.iter().find_map(|word| after_word(rest, word)) {
            (said.perhaps, rest) = (true, found);
        } else {
            return (said, rest);
        }
    }
}

struct Era {
    before_era: bool,
    is_said: bool,
}

/// The era, behind a date or before it.
fn trailing(text: &str) -> (Era, &str) {
    for (words, before_era) in [(BEFORE_ERA.as_slice(), true), (OF_ERA.as_slice(), false)] {
        for word in words {
            let behind = text
                .strip_suffix(word)
                .filter(|rest| rest.ends_with(|c: char| c == ' ' || c.is_ascii_digit()));
            let found = behind.or_else(|| text.strip_prefix(word)?.strip_prefix(' '));
            if let Some(rest) = found {
                let is_said = true;
                return (Era { before_era, is_said }, rest.trim());
            }
        }
    }
    let (before_era, is_said) = (false, false);
    (Era { before_era, is_said }, text)
}

/// What stands behind a word, which a digit may follow at once where the word ends with a point or is one letter.
fn after_word<'t>(text: &'t str, word: &str) -> Option<&'t str> {
    let rest = text.strip_prefix(word)?;
    let close = rest.starts_with(|c: char| c.is_ascii_digit());
    (rest.starts_with(' ') || close).then(|| rest.trim_start())
}

/// A date without what is said around it. A year has so many digits at least: fewer where it is clear that it is one.
fn bare(text: &str, before_era: bool, least: usize) -> Result<String, Fault> {
    let sign = if before_era { "-" } else { "" };
    if text.is_empty() {
        return Err(Fault::None);
    }
    if let Ok(civil) = Civil::stored(&text.to_uppercase()) {
        let date = matches!(civil, Civil::Date(_));
        let marked = text.ends_with(['~', '%', '?']);
        return if date && !marked && !(before_era && text.starts_with('-')) {
            Ok(format!("{sign}{}", text.to_uppercase()))
        } else {
            Err(Fault::None)
        };
    }
    let open = text.trim_end_matches(['?', '-', 'x', '_', '.']);
    if open.len() < text.len() && text.len() == 4 && number(open, 1, 3).is_some() {
        return Err(Fault::Digits);
    }
    if let Some(year) = number(text, least, 4) {
        return if year == 0 {
            Err(Fault::YearZero)
        } else {
            Ok(format!("{sign}{year:04}"))
        };
    }
    if let Some(made) = several(text) {
        return Ok(format!("{sign}{made}"));
    }
    named(text, sign).unwrap_or_else(|| {
        Err(match Civil::stored(&text.to_uppercase()) {
            Err(fault) => fault,
            Ok(_) => Fault::None,
        })
    })
}

/// Ten or a hundred years: `1890s`, `1890's`, `1890-talet`, `1890er`, `1800s`, `19th century`.
fn several(text: &str) -> Option<String> {
    let ends = ["'s", "’s", "s", "-talet", "-tal", "talet", "er jahre", "er"];
    if let Some(year) = ends.iter().find_map(|end| number(text.strip_suffix(end)?, 3, 4)) {
        return match (year % 100, year % 10) {
            (0, _) => Some(format!("{:02}XX", year / 100)),
            (_, 0) => Some(format!("{:03}X", year / 10)),
            _ => None,
        };
    }
    let words = [" century", " cent.", " cent", " c.", " jahrhundert", " jh.", " jh"];
    let nth = words.iter().find_map(|end| text.strip_suffix(end))?;
    let digits = nth.trim_end_matches(|c: char| !c.is_ascii_digit());
    let fits = ["st", "nd", "rd", "th", "."].contains(&&nth[digits.len()..]);
    let n = number(digits, 1, 2).filter(|n| fits && *n >= 1)?;
    Some(format!("{:02}XX", n - 1))
}

/// Year, month and perhaps day in words or with signs between; `None` where it is nothing of the sort.
fn named(text: &str, sign: &str) -> Option<Result<String, Fault>> {
    let cut = |c: char| matches!(c, ' ' | ',' | '.' | '/' | '-');
    let parts: Vec<&str> = text.split(cut).filter(|part| !part.is_empty()).collect();
    let year = |part: &str| number(part, 4, 4);
    let day = |part: &str| {
        number(
            part.trim_end_matches(['s', 't', 'n', 'd', 'r', 'h', 'e', ':', 'a']),
            1,
            2,
        )
    };
    let made = |year: i64, month: i64, day: Option<i64>| match day {
        Some(day) => format!("{sign}{year:04}-{month:02}-{day:02}"),
        None => format!("{sign}{year:04}-{month:02}"),
    };
    Some(Ok(match *parts.as_slice() {
        [a, b] => match (month(a), month(b), year(a), year(b)) {
            (Some(month), _, _, Some(year)) => made(year, month, None),
            (_, Some(month), Some(year), _) => made(year, month, None),
            _ => return None,
        },
        [a, b, c] => match (month(a), month(b)) {
            (_, Some(month)) if year(c).is_some() => made(year(c)?, month, Some(day(a)?)),
            (_, Some(month)) => made(year(a)?, month, Some(day(c)?)),
            (Some(month), _) => made(year(c)?, month, Some(day(b)?)),
            (None, None) => return numbers(a, b, c).map(|made| made.map(|made| format!("{sign}{made}"))),
        },
        _ => return None,
    }))
}

/// Three numbers, as long as only one order fits.
fn numbers(a: &str, b: &str, c: &str) -> Option<Result<String, Fault>> {
    if let (Some(year), Some(month), Some(day)) = (number(a, 4, 4), number(b, 1, 2), number(c, 1, 2)) {
        return Some(Ok(format!("{year:04}-{month:02}-{day:02}")));
    }
    let (a, b, year) = (number(a, 1, 2)?, number(b, 1, 2)?, number(c, 4, 4)?);
    Some(match (a, b) {
        (a, b) if a == b || (a > 12 && b <= 12) => Ok(format!("{year:04}-{b:02}-{a:02}")),
        (a, b) if b > 12 && a <= 12 => Ok(format!("{year:04}-{a:02}-{b:02}")),
        (a, b) if a <= 12 && b <= 12 => Err(Fault::Order),
        _ => Err(Fault::None),
    })
}

fn month(text: &str) -> Option<i64> {
    let name = text.trim_end_matches('.');
    let at = MONTHS.iter().position(|names| names.contains(&name))?;
    i64::try_from(at + 1).ok()
}
