//! What identifiers of a field look like, so that one that is written otherwise is seen: a digit left out, a letter for a digit.
//! What is told holds only what nearly all have in common. No I/O.

use std::collections::HashMap;

/// Values that make a form, and those of a hundred that have to have it.
const LEAST: usize = 20;
const NEARLY_ALL: usize = 95;
/// Characters of what is told.
const LONGEST: usize = 60;

/// The form that nearly all of these have and this one has not, with 9 for a digit and A for a letter that differ.
pub fn otherwise(others: &[String], value: &str) -> Option<String> {
    if others.len() < LEAST {
        return None;
    }
    // With each digit counted; else runs of digits and of letters are as good as one.
    for exact in [true, false] {
        let mut forms: HashMap<String, Vec<&str>> = HashMap::new();
        for other in others {
            forms.entry(form(other, exact)).or_default().push(other);
        }
        let most = forms.iter().max_by_key(|(_, of)| of.len());
        let Some((usual, of)) = most.filter(|(_, of)| of.len() * 100 >= others.len() * NEARLY_ALL) else {
            continue;
        };
        if *usual == form(value, exact) {
            return None;
        }
        let told = if exact { common(of) } else { usual.clone() };
        return Some(told.chars().take(LONGEST).collect());
    }
    None
}

fn sort_of(c: char) -> char {
    if c.is_ascii_digit() {
        '9'
    } else if c.is_alphabetic() {
        'A'
    } else {
        c
    }
}

fn form(text: &str, exact: bool) -> String {
    let mut made = String::new();
    for c in text.chars().map(sort_of) {
        let runs = !exact && matches!(c, '9' | 'A');
        if !(runs && made.ends_with(c)) {
            made.push(c);
        }
    }
    made
}

/// Place by place what all have, else of what sort it is.
fn common(of: &[&str]) -> String {
    let mut told: Vec<char> = of.first().map(|first| first.chars().collect()).unwrap_or_default();
    for other in of {
        for (have, c) in told.iter_mut().zip(other.chars()) {
            if *have != c {
                *have = sort_of(c);
            }
        }
    }
    told.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_otherwise_is_seen() {
        let numbers: Vec<String> = (100..150).map(|n| format!("HB2026{n:04}")).collect();
        assert_eq!(otherwise(&numbers, "HB20260151"), None);
        assert_eq!(otherwise(&numbers, "HB2026151").as_deref(), Some("HB20260199"));
        assert_eq!(otherwise(&numbers, "HB2O260151").as_deref(), Some("HB20260199"));
        assert_eq!(otherwise(&numbers[..10], "x"), None, "a few make no form");
        let lengths: Vec<String> = (0..50).map(|n| format!("B-{}", 7 * n)).collect();
        assert_eq!(otherwise(&lengths, "B-1234"), None);
        assert_eq!(otherwise(&lengths, "B 12").as_deref(), Some("A-9"));
        let wild: Vec<String> = (0..50)
            .map(|n| format!("{}{n}", if n % 2 == 0 { "a-" } else { "b/" }))
            .collect();
        assert_eq!(otherwise(&wild, "?"), None);
    }
}
