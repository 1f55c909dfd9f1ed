//! Letters that have a place of their own in an alphabet: å, ä and ö stand behind z in Swedish and among a and o in German.
//! Only order is decided here; words are found as if no letter had a mark.

use unicode_normalization::UnicodeNormalization;

use super::text::fold;
use super::types::Tongue;

/// Behind z, one after another; no folded letter of the Latin alphabet stands there.
const FIRST: &str = "z{";
const SECOND: &str = "z|";
const THIRD: &str = "z}";

impl Tongue {
    /// The place of a letter in lower case, where it is not that of the letter below its mark.
    fn place(self, letter: char) -> Option<&'static str> {
        Some(match (self, letter) {
            (Self::Swedish | Self::Finnish, 'å') => FIRST,
            (Self::Swedish | Self::Finnish, 'ä' | 'æ') => SECOND,
            (Self::Swedish | Self::Finnish, 'ö' | 'ø') => THIRD,
            (Self::Danish | Self::Norwegian, 'æ' | 'ä') => FIRST,
            (Self::Danish | Self::Norwegian, 'ø' | 'ö') => SECOND,
            (Self::Danish | Self::Norwegian, 'å') => THIRD,
            (Self::Swedish | Self::Finnish | Self::Danish | Self::Norwegian, 'ü') => "y",
            (Self::Spanish, 'ñ') => "n{",
            _ => return None,
        })
    }

    /// Whether any letter has a place of its own.
    fn has_places(self) -> bool {
        self.place('å').or(self.place('ñ')).is_some()
    }
}

/// A text folded so that its bytes are in the order of the alphabet of a language.
pub(super) fn in_order(text: &str, tongue: Option<Tongue>) -> String {
    let Some(tongue) = tongue.filter(|tongue| tongue.has_places()) else {
        return fold(text);
    };
    let mut out = String::with_capacity(text.len() + 8);
    // A letter and its mark may be written as two.
    for letter in text.nfc().flat_map(char::to_lowercase) {
        match tongue.place(letter) {
            Some(place) => out.push_str(place),
            // These signs mark places here.
            None if matches!(letter, '{' | '|' | '}') => out.push(' '),
            None if letter.is_ascii() => out.push(letter),
            None => out.push_str(&fold(letter.encode_utf8(&mut [0; 4]))),
        }
    }
    if matches!(tongue, Tongue::Danish | Tongue::Norwegian) {
        // As names are written that are older than the letter.
        out = out.replace("aa", THIRD);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(tongue: Option<Tongue>, want: &[&str]) {
        let mut sorted = want.to_vec();
        sorted.reverse();
        sorted.sort_by_key(|text| in_order(text, tongue));
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
        check(Some(Tongue::German), &["Ader", "Ähre", "Zahn"]);
        check(None, &["Ader", "Ähre", "Zahn"]);
    }

    #[test]
    fn marks_may_stand_apart() {
        for text in ["Åäö", "{a|b}", "", "ñ~", "東京"] {
            let apart: String = text.nfd().collect();
            for tongue in Tongue::ALL {
                assert_eq!(in_order(text, Some(tongue)), in_order(&apart, Some(tongue)), "{text}");
            }
        }
    }
}
