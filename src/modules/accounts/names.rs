//! Names of people: what may stand in a sign-in name, a display name and a mail address, and by what they are compared.
//!
//! Two names that look alike are one: letters of other scripts that look Latin, zero and O, one and l. No I/O.

use unicode_normalization::UnicodeNormalization;

/// Letters of other scripts, and digits, that look like a Latin letter, in lower case.
const LOOKS: &[(&str, char)] = &[
    ("аàɑα", 'a'),
    ("в", 'b'),
    ("сϲ", 'c'),
    ("ԁ", 'd'),
    ("еєε", 'e'),
    ("ɡ", 'g'),
    ("нһ", 'h'),
    ("1|іїıιΙ", 'l'),
    ("i", 'l'),
    ("ј", 'j'),
    ("кκ", 'k'),
    ("м", 'm'),
    ("пηո", 'n'),
    ("0оοօσ", 'o'),
    ("рρ", 'p'),
    ("ԛ", 'q'),
    ("г", 'r'),
    ("ѕ", 's'),
    ("тτ", 't'),
    ("υս", 'u'),
    ("ѵν", 'v'),
    ("ѡω", 'w'),
    ("хχ", 'x'),
    ("уγ", 'y'),
];

/// The most characters of a sign-in name.
const LOGIN_MOST: usize = 64;
/// The most characters of a name to show.
const NAME_MOST: usize = 120;
/// The most bytes of a mail address.
const MAIL_MOST: usize = 254;

/// Characters that are not seen or turn the direction of the text around them.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Latin, Greek, Cyrillic or another script, as far as their letters can be taken for each other.
fn script(c: char) -> Option<u8> {
    match c {
        'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' | '\u{1e00}'..='\u{1eff}' => Some(0),
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some(1),
        '\u{400}'..='\u{52f}' => Some(2),
        '\u{530}'..='\u{58f}' => Some(3),
        _ => None,
    }
}

/// A sign-in name as it is kept, or what is wrong with it.
pub(super) fn login(given: &str) -> Result<String, &'static str> {
    const LETTERS: &str = "Letters, digits and . _ - only, without spaces.";
    let given = given.trim();
    if given.len() > LOGIN_MOST * 8 {
        return Err("At most 64 characters.");
    }
    let name: String = given.nfkc().collect();
    let length = name.chars().count();
    if length < 2 {
        return Err("At least 2 characters.");
    }
    if length > LOGIN_MOST {
        return Err("At most 64 characters.");
    }
    if !name
        .chars()
        .all(|c| c.is_alphanumeric() || matches!(c, '.' | '_' | '-'))
    {
        return Err(LETTERS);
    }
    if !name.chars().next().is_some_and(char::is_alphanumeric) {
        return Err("It begins with a letter or a digit.");
    }
    let mut scripts: Vec<u8> = name.chars().filter_map(script).collect();
    scripts.sort_unstable();
    scripts.dedup();
    if scripts.len() > 1 {
        return Err("It mixes letters of several scripts that look alike. Write it in one.");
    }
    Ok(name)
}

/// A name in the form in which upper and lower case and ways of writing a letter make no difference.
pub(super) fn folded(text: &str) -> String {
    text.trim().nfkc().flat_map(char::to_lowercase).nfkc().collect()
}

/// What a sign-in name is unique by: folded, accents dropped, letters that look alike made one.
pub(super) fn login_key(login: &str) -> String {
    let bare = folded(login);
    let bare = bare.nfd().filter(|c| !('\u{300}'..='\u{36f}').contains(c));
    bare.map(|c| {
        let looks = LOOKS.iter().find(|(alike, _)| alike.contains(c));
        looks.map_or(c, |(_, latin)| *latin)
    })
    .collect()
}

/// A name to show as it is kept, or what is wrong with it.
pub(super) fn name(given: &str) -> Result<String, &'static str> {
    if given.len() > NAME_MOST * 8 {
        return Err("At most 120 characters.");
    }
    if given.trim().chars().any(is_hidden) {
        return Err("It holds a character that cannot be seen. Type it anew.");
    }
    let name: String = given.split_whitespace().collect::<Vec<_>>().join(" ").nfc().collect();
    match name.chars().count() {
        0 => Err("Say how the person is called."),
        n if n > NAME_MOST => Err("At most 120 characters."),
        _ => Ok(name),
    }
}

/// A mail address as it is kept, or what is wrong with it.
pub(super) fn mail(given: &str) -> Result<String, &'static str> {
    const FORM: &str = "An address such as name@example.org.";
    let given = given.trim();
    if given.len() > MAIL_MOST {
        return Err("At most 254 characters.");
    }
    let Some((local, domain)) = given.rsplit_once('@') else {
        return Err(FORM);
    };
    let plain = |c: char| {
        !c.is_whitespace()
            && !is_hidden(c)
            && !matches!(
                c,
                '<' | '>' | ',' | ';' | ':' | '"' | '(' | ')' | '[' | ']' | '\\' | '@'
            )
    };
    let labels = || {
        domain
            .split('.')
            .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'))
    };
    if local.is_empty() || !local.chars().all(plain) || domain.is_empty() || !labels() {
        return Err(FORM);
    }
    Ok(format!("{local}@{}", domain.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sign_in_names_are_checked() {
        for good in ["ada", "Ada.Lovelace", "jörg-2", "мария", "Ａda"] {
            assert!(login(good).is_ok(), "{good}");
        }
        assert_eq!(login("Ａda").unwrap(), "Ada", "wide letters are the usual ones");
        for bad in [
            "",
            "a",
            "a b",
            "a@b",
            "../x",
            "a\u{200b}b",
            "ad\u{430}",
            "-a",
            "a\nb",
            "аdmin",
        ] {
            assert!(login(bad).is_err(), "{bad:?}");
        }
        assert!(login(&"x".repeat(1_000_000)).is_err());
    }

    #[test]
    fn look_alikes_are_one_name() {
        let same = |a: &str, b: &str| assert_eq!(login_key(a), login_key(b), "{a} {b}");
        same("admin", "АDMIN");
        same("admin", "adm1n");
        same("Jörg", "jorg");
        same("hello", "he11o");
        same("oscar", "0ѕсаг");
        same("Ａda", "ada");
        assert_ne!(login_key("ada"), login_key("adam"));
    }

    #[test]
    fn names_and_mails_are_checked() {
        assert_eq!(name("  Ada   Lovelace ").unwrap(), "Ada Lovelace");
        for bad in ["", "   ", "a\u{202e}b", "a\u{0}b"] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert_eq!(mail(" ada@Example.ORG ").unwrap(), "ada@example.org");
        for bad in [
            "ada",
            "@x",
            "a@",
            "a@x..y",
            "a@b\r\nBcc: c@d",
            "a b@c.d",
            "<a@b.c>",
            "a@b.c,d@e.f",
            "a\u{0}@b.c",
        ] {
            assert!(mail(bad).is_err(), "{bad:?}");
        }
    }
}
