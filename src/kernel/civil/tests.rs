//! Tables of what is read, what is refused and why, and texts put together at random.

use super::calendar::{date, day};
use super::*;
use crate::kernel::i18n::Language;
use crate::kernel::testing::Dice;

/// First and last day as `1850-01-01 1850-12-31`.
fn told(text: &str) -> Option<String> {
    let (from, to) = span(text)?;
    let one = |at: i64| match at {
        OPEN_FIRST | OPEN_LAST => "..".to_owned(),
        at => {
            let (year, month, day) = date(at);
            format!("{year}-{month}-{day}")
        }
    };
    Some(format!("{} {}", one(from), one(to)))
}

#[test]
fn what_is_stored_covers_its_days_and_is_told_in_words() {
    let en = Language::default();
    for (text, days, words) in [
        ("1979", "1979-1-1 1979-12-31", "1979"),
        ("1979-12", "1979-12-1 1979-12-31", "December 1979"),
        ("1979-12-06", "1979-12-6 1979-12-6", "6 December 1979"),
        ("2000-02-29", "2000-2-29 2000-2-29", "29 February 2000"),
        ("1979-XX", "1979-1-1 1979-12-31", "1979"),
        ("1979-12-XX", "1979-12-1 1979-12-31", "December 1979"),
        (
            "1979-12-06T04:57:37+02:00",
            "1979-12-6 1979-12-6",
            "6 December 1979, 04:57:37+02:00",
        ),
        ("185X", "1850-1-1 1859-12-31", "1850s"),
        ("18XX", "1800-1-1 1899-12-31", "19th century"),
        ("20XX", "2000-1-1 2099-12-31", "21st century"),
        ("10XX", "1000-1-1 1099-12-31", "11th century"),
        ("00XX", "1-1-1 99-12-31", "1st century"),
        ("-04XX", "-499-1-1 -400-12-31", "5th century BC"),
        ("1850~", "1845-1-1 1855-12-31", "about 1850"),
        ("1850?", "1850-1-1 1850-12-31", "perhaps 1850"),
        ("1850%", "1845-1-1 1855-12-31", "perhaps about 1850"),
        ("185X~", "1845-1-1 1864-12-31", "about 1850s"),
        ("1850-06~", "1850-5-1 1850-7-31", "about June 1850"),
        ("1850/1900", "1850-1-1 1900-12-31", "1850 to 1900"),
        ("1850~/1900-05", "1845-1-1 1900-5-31", "about 1850 to May 1900"),
        ("../1900", ".. 1900-12-31", "before 1900"),
        ("1850/..", "1850-1-1 ..", "after 1850"),
        ("1850/", "1850-1-1 ..", "1850 to an unknown date"),
        ("/1900", ".. 1900-12-31", "an unknown date to 1900"),
        ("-0206", "-206-1-1 -206-12-31", "206 BC"),
        ("0079-08-24", "79-8-24 79-8-24", "24 August AD 79"),
        ("0850", "850-1-1 850-12-31", "850"),
        ("Y-17000", "-17000-1-1 -17000-12-31", "17000 BC"),
    ] {
        assert_eq!(told(text).as_deref(), Some(days), "{text}");
        assert_eq!(say(text, en).as_deref(), Some(words), "{text}");
        assert_eq!(read(text).as_deref(), Ok(text), "what is stored is read as it is");
    }
}

#[test]
fn what_people_write_is_read() {
    for (text, stored) in [
        ("c. 1850", "1850~"),
        ("c1850", "1850~"),
        ("CIRCA 1850", "1850~"),
        ("ca 850", "0850~"),
        ("~1850", "1850~"),
        ("c. 1850?", "1850%"),
        ("possibly 1850", "1850?"),
        ("1850 (?)", "1850?"),
        ("1890s", "189X"),
        ("1890’s", "189X"),
        ("c. 1890s", "189X~"),
        ("1890-talet", "189X"),
        ("1800-talet", "18XX"),
        ("185x", "185X"),
        ("18xx", "18XX"),
        ("19th century", "18XX"),
        ("2nd c.", "01XX"),
        ("5th century BC", "-04XX"),
        ("19. Jahrhundert", "18XX"),
        ("before 1900", "../1900"),
        ("Before c. 1900", "../1900~"),
        ("före 1900", "../1900"),
        ("1900 or earlier", "../1900"),
        ("after 1850", "1850/.."),
        ("since May 1850", "1850-05/.."),
        ("from 1850", "1850/.."),
        ("1850 or later", "1850/.."),
        ("1850-1900", "1850/1900"),
        ("1850 – 1900", "1850/1900"),
        ("1850..1900", "1850/1900"),
        ("1850-51", "1850/1851"),
        ("1910–12", "1910/1912"),
        ("from 1850 to 1900", "1850/1900"),
        ("between 1850 and 1900", "1850/1900"),
        ("c. 1850-1900", "1850~/1900~"),
        ("c. 1850 - c. 1900", "1850~/1900~"),
        ("1850/c. 1900", "1850/1900~"),
        ("1890s-1900s", "189X/19XX"),
        ("Dec 1979", "1979-12"),
        ("Dec. 1979", "1979-12"),
        ("1979 December", "1979-12"),
        ("6 December 1979", "1979-12-06"),
        ("December 6, 1979", "1979-12-06"),
        ("3.VI.1921", "1921-06-03"),
        ("3 maj 1921", "1921-05-03"),
        ("1. März 1921", "1921-03-01"),
        ("31.12.1999", "1999-12-31"),
        ("12/31/1999", "1999-12-31"),
        ("5.5.1921", "1921-05-05"),
        ("1921/4/3", "1921-04-03"),
        ("3-5 May 1921", "1921-05-03/1921-05-05"),
        ("May-June 1921", "1921-05/1921-06"),
        ("c. May 1921", "1921-05~"),
        ("206 BC", "-0206"),
        ("206 BCE-220 CE", "-0206/0220"),
        ("c. 2500 BCE-2000 BCE", "-2500~/-2000~"),
        ("500-400 BC", "-0500/-0400"),
        ("AD 79", "0079"),
        ("  1979  ", "1979"),
    ] {
        let made = read(text).unwrap_or_default();
        assert_eq!(made, stored, "{text}");
        assert!(span(&made).is_some(), "{text}");
        assert_eq!(read(&made).as_deref(), Ok(stored), "{text} is read once");
    }
}

#[test]
fn what_is_no_date_is_refused_with_its_cause() {
    for (text, fault) in [
        ("", Fault::None),
        ("79", Fault::None),
        ("blue", Fault::None),
        ("early 19th century", Fault::None),
        ("1979-1-1-1", Fault::None),
        ("1979-12-06 noon", Fault::None),
        ("1979-12-06T24:00", Fault::None),
        ("--1", Fault::None),
        ("١٩٧٩", Fault::None),
        ("1920-02-31", Fault::Day(1920, 2, 29)),
        ("31 February 1921", Fault::Day(1921, 2, 28)),
        ("1900-02-29", Fault::Day(1900, 2, 28)),
        ("1979-13", Fault::Month(13)),
        ("1979-00-10", Fault::Month(0)),
        ("0000", Fault::YearZero),
        ("-0000", Fault::YearZero),
        ("0000-00-00", Fault::YearZero),
        ("0 BC", Fault::YearZero),
        ("c. 18??", Fault::Digits),
        ("18--", Fault::Digits),
        ("1XXX", Fault::Digits),
        ("1900/1850", Fault::Backwards),
        ("1900-1850", Fault::Backwards),
        ("../..", Fault::Nothing),
        ("/", Fault::Nothing),
        ("3.4.1921", Fault::Order),
        ("1920-22", Fault::Season),
    ] {
        assert_eq!(read(text), Err(fault), "{text}");
        assert_eq!(span(text), None, "{text}");
    }
    assert_eq!(read(&"1850-".repeat(100)), Err(Fault::None));
    let fault = read("31 February 1921").unwrap_err().to_string();
    assert_eq!(
        fault,
        "names a day that is not in the calendar: February 1921 has 28 days."
    );
}

#[test]
fn dates_lie_where_they_did() {
    assert_eq!(span("1970-01-01"), Some((0, 0)));
    assert_eq!(span("1972-02"), Some((761, 789)));
    assert_eq!(span("0001-01-01"), Some((day(1, 1, 1), day(1, 1, 1))));
    for time in [
        "T04:57",
        "T04:57:37",
        " 04:57:37",
        "T23:59:60.999999Z",
        "T04:57Z",
        "T23:30-0500",
    ] {
        assert_eq!(span(&format!("1970-01-02{time}")), Some((1, 1)), "{time}");
    }
    for wrong in ["T", "T10:00+2", "T10:00.5", "Tnoon"] {
        assert_eq!(span(&format!("1970-01-02{wrong}")), None, "{wrong}");
    }
}

/// Texts put together of what dates are made of: none may panic, and what is read is stored, stays, and has its days in order.
#[test]
fn nothing_that_is_written_breaks_the_reader() {
    const PIECES: [&str; 40] = [
        "c. ",
        "ca",
        "before ",
        "after ",
        "from ",
        " to ",
        "-",
        "–",
        "/",
        "..",
        "~",
        "?",
        "%",
        "X",
        "x",
        "T",
        " ",
        ".",
        ",",
        "'s",
        "s",
        "th century",
        " BC",
        "AD ",
        "18",
        "1850",
        "0000",
        "00",
        "31",
        "2",
        "XX",
        "May",
        " février ",
        "é",
        "🕰",
        "Y",
        "12:30",
        "Z",
        "-talet",
        "٣",
    ];
    let mut dice = Dice::new(42);
    let mut found = 0;
    for _ in 0..40_000 {
        let text: String = (0..=dice.below(6)).map(|_| dice.pick(&PIECES)).collect();
        let Ok(stored) = read(&text) else { continue };
        found += 1;
        let (from, to) = span(&stored).unwrap_or_else(|| panic!("{text} was read as {stored}"));
        assert!(from <= to && from >= OPEN_FIRST && to <= OPEN_LAST, "{text}");
        assert_eq!(read(&stored).as_deref(), Ok(stored.as_str()), "{text}");
        assert!(say(&stored, Language::default()).is_some(), "{text}");
    }
    assert!(found > 500, "{found}");
}
