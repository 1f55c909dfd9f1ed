//! Degrees as they are written: `59.33`, `59°19′46″N`, `N 59 19.77`, `-33,86`, one or two of them. The text is in capitals and
//! its signs are those of `plain`.

use super::{Fault, Place};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Axis {
    Latitude,
    Longitude,
}

/// The letters of the directions, with their axis and sign. Ö and V are the Swedish east and west; O is west in French and
/// east in German, so it is none.
const LETTERS: [(char, Axis, f64); 6] = [
    ('N', Axis::Latitude, 1.0),
    ('S', Axis::Latitude, -1.0),
    ('E', Axis::Longitude, 1.0),
    ('Ö', Axis::Longitude, 1.0),
    ('W', Axis::Longitude, -1.0),
    ('V', Axis::Longitude, -1.0),
];

fn letter(c: char) -> Option<(Axis, f64)> {
    LETTERS
        .iter()
        .find(|(letter, ..)| *letter == c)
        .map(|(_, axis, sign)| (*axis, *sign))
}

/// One angle, with the axis that its letter names.
pub fn read(text: &str) -> Result<(f64, Option<Axis>), Fault> {
    let text = text.trim();
    let first = text.chars().next().and_then(letter);
    let last = text.chars().last().and_then(letter);
    let (named, rest) = match (first, last) {
        (Some(_), Some(_)) => return Err(Fault::None),
        (Some(named), None) => (Some(named), text.trim_start_matches(|c| letter(c).is_some())),
        (None, Some(named)) => (Some(named), text.trim_end_matches(|c| letter(c).is_some())),
        (None, None) => (None, text),
    };
    let rest = rest.trim();
    let (minus, digits) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest.strip_prefix('+').unwrap_or(rest)),
    };
    // A sign beside a letter says it twice, perhaps differently.
    if minus && named.is_some() {
        return Err(Fault::None);
    }
    let sign = named.map_or(if minus { -1.0 } else { 1.0 }, |(_, sign)| sign);
    Ok((sign * size(digits.trim_start())?, named.map(|(axis, _)| axis)))
}

/// Degrees, minutes and seconds without a sign.
fn size(text: &str) -> Result<f64, Fault> {
    let marks = ['°', '\'', '"', ':', ' '];
    let parts: Vec<&str> = text.split(marks).filter(|part| !part.is_empty()).collect();
    // The signs stand in their order: 59'10° is none.
    let order: Vec<usize> = text
        .chars()
        .filter_map(|c| ['°', '\'', '"'].iter().position(|mark| *mark == c))
        .collect();
    if !(1..=3).contains(&parts.len()) || !order.is_sorted_by(|a, b| a < b) || order.len() > parts.len() {
        return Err(Fault::None);
    }
    let mut degrees = 0.0;
    let mut unit = 1.0;
    for (at, part) in parts.iter().enumerate() {
        let last = at + 1 == parts.len();
        let part = part.replace(',', ".");
        let whole = part.bytes().all(|b| b.is_ascii_digit());
        let plain =
            part.bytes().all(|b| b.is_ascii_digit() || b == b'.') && part.starts_with(|c: char| c.is_ascii_digit());
        let number = part
            .parse::<f64>()
            .ok()
            .filter(|_| plain && (whole || last))
            .ok_or(Fault::None)?;
        if at > 0 && number >= 60.0 {
            return Err(Fault::Sixty);
        }
        degrees += number / unit;
        unit *= 60.0;
    }
    Ok(degrees)
}

/// Two angles: apart by a comma, a semicolon, a letter or a space. The latitude stands first unless letters say otherwise.
pub fn pair(text: &str) -> Result<Place, Fault> {
    let (first, second) = halves(text).ok_or(Fault::None)?;
    let ((a, one), (b, other)) = (read(first)?, read(second)?);
    let (latitude, longitude) = match (one, other) {
        (Some(Axis::Latitude) | None, Some(Axis::Longitude) | None) => (a, b),
        (Some(Axis::Longitude), Some(Axis::Latitude)) => (b, a),
        _ => return Err(Fault::None),
    };
    Ok(Place {
        latitude,
        longitude,
        around: None,
        of_wgs84: false,
    })
}

fn halves(text: &str) -> Option<(&str, &str)> {
    for sign in [';', '/', ','] {
        if let Some((first, second)) = text.split_once(sign)
            && !second.contains(sign)
            && first.chars().any(|c| c.is_ascii_digit())
        {
            // 59,33 alone has a decimal comma; 59,33 18,07 has two and comes to the letters and spaces below.
            return Some((first, second));
        }
    }
    let letters: Vec<usize> = text
        .char_indices()
        .filter(|(_, c)| letter(*c).is_some())
        .map(|(at, _)| at)
        .collect();
    if let [first, second] = *letters.as_slice() {
        let length = |at: usize| text[at..].chars().next().map_or(1, char::len_utf8);
        return if first == 0 {
            Some(text.split_at(second))
        } else {
            Some(text.split_at(first + length(first)))
        };
    }
    let mut words = text.split(' ');
    match (words.next(), words.next(), words.next()) {
        (Some(first), Some(second), None) => Some((first, second)),
        _ => None,
    }
}
