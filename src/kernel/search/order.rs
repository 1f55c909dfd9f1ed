//! By what texts are put in order among others: the collation of their language, numbers by their size, without quotes and
//! an article before them. Words are found as if no letter had a mark; only order is decided here.

use std::collections::HashMap;
use std::sync::Mutex;

use icu_collator::options::CollatorOptions;
use icu_collator::preferences::CollationNumericOrdering;
use icu_collator::{Collator, CollatorBorrowed, CollatorPreferences};
use icu_locale_core::Locale;

use super::locked;
use super::text::{MAX_ORDER, cut, fold, is_word};
use super::tongue::Tongue;

/// Bytes of a key; what is alike so far is told apart by nothing.
const MAX_KEY: usize = 160;
/// Keys that are remembered of each language, so that a value that comes again is not put in order again.
const MAX_KNOWN: usize = 4_096;

/// The orders of all languages, and that of texts whose language nobody knows.
pub(super) struct Orders(Vec<Order>);

struct Order {
    tongue: Option<Tongue>,
    /// Never missing where its data are compiled in.
    collator: Option<CollatorBorrowed<'static>>,
    known: Mutex<HashMap<String, String>>,
}

impl Orders {
    pub fn new() -> Self {
        let known = Tongue::ALL.into_iter().map(Some);
        Self(std::iter::once(None).chain(known).map(Order::new).collect())
    }

    /// Byte by byte in order.
    pub fn key(&self, text: &str, tongue: Option<Tongue>) -> String {
        let told = told(text, tongue);
        let order = self.0.iter().find(|order| order.tongue == tongue);
        order.map_or_else(|| fold(told), |order| order.key(told))
    }
}

impl Order {
    fn new(tongue: Option<Tongue>) -> Self {
        let locale: Option<Locale> = tongue.map_or("und", Tongue::tag).parse().ok();
        let collator = locale.and_then(|locale| {
            let mut preferences = CollatorPreferences::from(&locale);
            preferences.numeric_ordering = Some(CollationNumericOrdering::True);
            Collator::try_new(preferences, CollatorOptions::default()).ok()
        });
        Self {
            tongue,
            collator,
            known: Mutex::default(),
        }
    }

    fn key(&self, text: &str) -> String {
        let Some(collator) = &self.collator else {
            return fold(text);
        };
        if let Some(known) = locked(&self.known).get(text) {
            return known.clone();
        }
        let mut bytes = Vec::with_capacity(2 * MAX_ORDER);
        let Ok(()) = collator.write_sort_key_to(text, &mut bytes);
        bytes.truncate(MAX_KEY);
        // Columns hold texts: each byte as the letter of its number, which keeps the order.
        let key: String = bytes.into_iter().map(char::from).collect();
        let mut known = locked(&self.known);
        if known.len() >= MAX_KNOWN {
            known.clear();
        }
        known.insert(text.to_owned(), key.clone());
        key
    }
}

/// What of a text is put in order: its beginning, without quotes and an article before it.
fn told(text: &str, tongue: Option<Tongue>) -> &str {
    let start = text.trim_start_matches(|c| !is_word(c));
    let articles = tongue.map_or(&[][..], Tongue::articles);
    if let Some((first, after)) = start.split_once([' ', '\'', '’'])
        && articles.iter().any(|article| article.eq_ignore_ascii_case(first))
        && after.chars().take(MAX_ORDER).any(is_word)
    {
        return cut(after.trim_start_matches(|c| !is_word(c)), MAX_ORDER);
    }
    cut(start, MAX_ORDER)
}

/// By what texts outside the index are put in order, byte by byte, whatever their language: without quotes before them, accents
/// and case aside, numbers by their size. It is stored, and so stays as it is whatever becomes of collations.
pub fn natural_key(text: &str) -> Vec<u8> {
    let folded = fold(cut(text, 2 * MAX_ORDER).trim_start_matches(|c| !is_word(c)));
    let mut rest = folded.as_str();
    let mut key = String::with_capacity(MAX_ORDER + 8);
    while let Some(c) = rest.chars().next() {
        if key.len() >= MAX_ORDER {
            break;
        }
        if c.is_ascii_digit() {
            let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
            let number = rest[..digits].trim_start_matches('0');
            // A longer number is a larger one. Before letters in any case.
            let length = u8::try_from(number.len()).unwrap_or(u8::MAX).min(40);
            key.push(char::from(b'0' + length));
            key.push_str(number);
            rest = &rest[digits..];
            continue;
        }
        if !c.is_control() {
            key.push(c);
        }
        rest = &rest[c.len_utf8()..];
    }
    key.truncate(key.floor_char_boundary(MAX_ORDER + 8));
    // Texts that differ in accents and case only stay together, each with its like.
    key.push('\0');
    key.push_str(cut(text, MAX_ORDER));
    key.into_bytes()
}

#[cfg(test)]
mod tests {
    use unicode_normalization::UnicodeNormalization;

    use super::*;

    #[track_caller]
    fn check(tongue: Option<Tongue>, want: &[&str]) {
        let orders = Orders::new();
        let mut sorted = want.to_vec();
        sorted.reverse();
        sorted.sort_by_key(|text| orders.key(text, tongue));
        assert_eq!(sorted, want, "{tongue:?}");
    }

    #[test]
    fn letters_stand_where_their_alphabet_has_them() {
        check(
            Some(Tongue::Swedish),
            &["Adam", "Zorn", "Åmål", "Ängel", "Äpple", "Öland", "Örebro"],
        );
        check(Some(Tongue::Finnish), &["Aho", "Zetor", "Åbo", "Äänekoski", "Öjberget"]);
        check(
            Some(Tongue::Danish),
            &["Abel", "Zar", "Ærø", "Østerbro", "Aarhus", "Årup"],
        );
        check(Some(Tongue::Norwegian), &["Zoo", "Ære", "Østfold", "Ålesund"]);
        check(Some(Tongue::Spanish), &["nube", "nz", "ñandú", "oca"]);
        check(Some(Tongue::Polish), &["Lublin", "Łódź", "Poznań", "Zagrzeb", "Żary"]);
        check(Some(Tongue::Czech), &["cukr", "čaj", "hora", "chata", "jaro"]);
        check(Some(Tongue::Estonian), &["saun", "šokk", "zebra", "tuba", "õun", "äke"]);
        check(Some(Tongue::Russian), &["Вода", "Ёлка", "Жук", "Яма"]);
        check(Some(Tongue::German), &["Ader", "Ähre", "Zahn"]);
        check(None, &["Ader", "Ähre", "Zahn", "Ωμέγα", "Яма", "東京"]);
    }

    #[test]
    fn titles_are_ordered_as_people_expect() {
        check(None, &["1 cup", "Äther", "Box", "box 2", "Box 02b", "Box 10"]);
        check(None, &["79.7", "79.66.2", "79.66.115", "A/B-2", "A/B-12"]);
        check(None, &["New York", "Newark"]);
        check(Some(Tongue::English), &["A", "\"A Bowl\"", "The Cup", "Dish", "Theory"]);
        check(Some(Tongue::French), &["La Femme", "Garçon", "L'Homme", "L’Île"]);
        check(
            Some(Tongue::Swedish),
            &["Det nya", "Zebra 9", "Zebra 10", "Åka", "Ärta", "En öl"],
        );
        let orders = Orders::new();
        for long in ["9".repeat(500), "é9".repeat(500), "ﷺ".repeat(500), "東".repeat(500)] {
            for tongue in [None, Some(Tongue::Japanese)] {
                // Letters of the numbers from 128 on have two bytes.
                assert!(orders.key(&long, tongue).len() <= 2 * MAX_KEY);
            }
        }
    }

    #[test]
    fn marks_may_stand_apart() {
        let orders = Orders::new();
        for text in ["Åäö", "{a|b}", "", "ñ~", "東京"] {
            let apart: String = text.nfd().collect();
            for tongue in Tongue::ALL {
                assert_eq!(
                    orders.key(text, Some(tongue)),
                    orders.key(&apart, Some(tongue)),
                    "{text}"
                );
            }
        }
    }

    /// Keys stand in indexes. Where this fails, count up the version of the schema so that all are built anew.
    #[test]
    fn keys_are_those_that_stand_in_indexes() {
        let key = Orders::new().key("Teapot 12", Some(Tongue::English));
        assert_eq!(hex::encode(key), KEY);
        assert_eq!(natural_key("The Box 02b"), b"the box 12b\0The Box 02b");
    }

    const KEY: &str = "51332b49475104100e010c01c39c0b";
}
