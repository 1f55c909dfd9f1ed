//! Which passwords are taken: long enough, not made of the person's own words or the house's, and not soon found by guessers who
//! go through stolen passwords, names and words by their frequency (the lists of `zxcvbn`).
//!
//! Length counts, not kinds of characters. No I/O.

use std::collections::HashSet;
use std::sync::LazyLock;

use unicode_normalization::UnicodeNormalization;

use super::names::folded;

/// The fewest characters.
const LEAST: usize = 12;
/// The most bytes that are looked at.
pub(super) const MOST_BYTES: usize = 1024;

/// Guesses that a password has to withstand, as a power of ten: with Argon2id thousands of years on one machine.
const LEAST_GUESSES: f64 = 10.0;

/// Words of houses like this one, of Swedish, and of sentences that everybody knows; names and words that stand together too often
/// to count as chance. One a line.
static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    include_str!("password-words.txt")
        .lines()
        .filter(|w| !w.is_empty() && !w.starts_with('#'))
        .collect()
});
/// Rows of keys and letters whose pieces are typed by running a finger along them.
const RUNS: &[&str] = &[
    "abcdefghijklmnopqrstuvwxyz",
    "zyxwvutsrqponmlkjihgfedcba",
    "01234567890",
    "09876543210",
    "qwertyuiop",
    "qwertzuiop",
    "azertyuiop",
    "asdfghjkl",
    "zxcvbnm",
    "yxcvbnm",
    "poiuytrewq",
    "lkjhgfdsa",
    "mnbvcxz",
    "1qaz2wsx3edc4rfv5tgb6yhn",
    "q1w2e3r4t5y6",
    "1q2w3e4r5t6y",
];

/// The password in the form in which it is kept and compared; none where it is too long to be one.
pub(super) fn prepared(given: &str) -> Option<String> {
    (given.len() <= MOST_BYTES).then(|| given.nfkc().collect())
}

/// What is wrong with a new password for somebody with these words (names, mail, house).
pub(super) fn problem(given: &str, own_words: &[&str]) -> Option<&'static str> {
    if given.len() > MOST_BYTES {
        return Some("At most 1,024 bytes.");
    }
    let text = folded(given);
    if given.chars().count() < LEAST {
        return Some("At least 12 characters. A few words in a row are easy to keep in mind.");
    }
    if text.chars().collect::<HashSet<_>>().len() < 5 {
        return Some("It repeats a few characters. Take others, too.");
    }
    let own: HashSet<String> = own_words
        .iter()
        .flat_map(|words| words.split(|c: char| !c.is_alphanumeric()))
        .map(folded)
        .filter(|word| word.chars().count() >= 3)
        .collect();
    // Known sentences stand in the list as one word.
    let bare: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    if [&text, &plainly(&text), &bare]
        .into_iter()
        .any(|form| is_covered(form, &own))
    {
        return Some(
            "Guessers try this first: it is made of common words, runs of keys or your own name. Add something that has nothing to do with it.",
        );
    }
    let own: Vec<&str> = own.iter().map(String::as_str).collect();
    if zxcvbn::zxcvbn(given, &own).guesses_log10() < LEAST_GUESSES {
        return Some(
            "Guessers find this soon: it is close to passwords that were stolen elsewhere. Take a few words that have nothing to do with each other.",
        );
    }
    None
}

/// Digits and signs that stand for letters, as letters.
fn plainly(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '0' => 'o',
            '1' | '!' => 'i',
            '3' => 'e',
            '4' | '@' => 'a',
            '5' | '$' => 's',
            '7' => 't',
            c => c,
        })
        .collect()
}

/// True where known words, runs of keys, single repeated characters, digits and signs make up all but three characters.
fn is_covered(text: &str, own: &HashSet<String>) -> bool {
    let chars: Vec<char> = text.chars().take(200).collect();
    // cost[n]: the fewest characters among the first n that nothing explains.
    let mut cost = vec![usize::MAX; chars.len() + 1];
    cost[0] = 0;
    for start in 0..chars.len() {
        let before = cost[start];
        let free = !chars[start].is_alphabetic();
        cost[start + 1] = cost[start + 1].min(before + usize::from(!free));
        for end in start + 3..=chars.len().min(start + 24) {
            let piece: String = chars[start..end].iter().collect();
            let known =
                WORDS.contains(piece.as_str()) || own.contains(&piece) || RUNS.iter().any(|run| run.contains(&piece));
            if known || chars[start..end].iter().all(|c| *c == chars[start]) {
                cost[end] = cost[end].min(before);
            }
        }
    }
    cost[chars.len()] <= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guessable_passwords_are_refused() {
        let own = ["Ada Lovelace", "ada.l", "ada@museum-of-machines.example", "vitrine"];
        for bad in [
            "short",
            "password1234",
            "P@ssw0rd2026!",
            "PasswordPassword",
            "qwertyuiop12",
            "123456789012",
            "aaaaaaaaaaaa",
            "abababababab",
            "lovelace-ada-1815",
            "Vitrine2026!!",
            "Summer2026Summer",
            "letmein-welcome",
            "1qaz2wsx3edc",
            "iloveyou12345",
            "MuseumMuseum1",
            "correct horse battery staple",
            "Sebastian-Liverpool-2019",
            "sommar2026stockholm!",
            "May The Force Be With You",
            // Stolen often; each stands in lists of frequency and in none of ours.
            "hunter2hunter2",
            "jordan23jordan23",
            "P4$$w0rd-p4$$w0rd",
            "nascar nascar",
            "aB3$aB3$aB3$aB3$",
            "drowssapdrowssap",
            "dragonmaster99",
        ] {
            assert!(problem(bad, &own).is_some(), "{bad}");
        }
        for good in [
            "copious hinge battens stapled",
            "zebra-kettle-47-river",
            "das Pferd frisst keinen Gurkensalat",
            "vR7#kq02Lmz!",
            "пять красных лошадей",
            "paste 日本語の長い合言葉です",
            "nio blå hästar under bron",
        ] {
            assert_eq!(problem(good, &own), None, "{good}");
        }
        assert!(problem(&"x y z w v ".repeat(200_000), &own).is_some());
        assert_eq!(prepared(&"x".repeat(1_000_000)), None);
    }
}
