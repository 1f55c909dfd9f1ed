//! Forms of one word taken as one: stems by the language of the text, and the order people expect of titles.
//!
//! A text whose language is known carries a mark at its begin, which the tokenizer reads. Beside each word that has
//! another stem the stem stands at the same place, marked by the language, so that the word itself is found as before.

use tantivy::tokenizer::{Language, RawTokenizer, Stemmer, TokenFilter, TokenStream, Tokenizer};

use super::alphabet::in_order;
use super::text::{MAX_ORDER, cut, is_word};
use super::types::Tongue;

/// Stands before the language of a text, and before a stem. No word has it.
pub(super) const MARK: char = '\u{1}';
/// Shorter words have no other forms worth finding.
const SHORTEST: usize = 4;

impl Tongue {
    pub const ALL: [Self; 11] = [
        Self::English,
        Self::French,
        Self::German,
        Self::Swedish,
        Self::Spanish,
        Self::Italian,
        Self::Dutch,
        Self::Danish,
        Self::Norwegian,
        Self::Finnish,
        Self::Portuguese,
    ];

    /// The language of a tag: `en`, `de-CH`.
    pub fn find(tag: &str) -> Option<Self> {
        let main = tag.split(['-', '_']).next().unwrap_or_default();
        // Both ways to write Norwegian have one set of endings.
        let main = if main.eq_ignore_ascii_case("no") || main.eq_ignore_ascii_case("nn") {
            "nb"
        } else {
            main
        };
        Self::ALL
            .into_iter()
            .find(|tongue| tongue.tag().eq_ignore_ascii_case(main))
    }

    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::French => "fr",
            Self::German => "de",
            Self::Swedish => "sv",
            Self::Spanish => "es",
            Self::Italian => "it",
            Self::Dutch => "nl",
            Self::Danish => "da",
            Self::Norwegian => "nb",
            Self::Finnish => "fi",
            Self::Portuguese => "pt",
        }
    }

    /// One letter in marks.
    pub(super) fn letter(self) -> char {
        match self {
            Self::English => 'e',
            Self::French => 'f',
            Self::German => 'd',
            Self::Swedish => 's',
            Self::Spanish => 'p',
            Self::Italian => 'i',
            Self::Dutch => 'n',
            Self::Danish => 'k',
            Self::Norwegian => 'o',
            Self::Finnish => 'u',
            Self::Portuguese => 'r',
        }
    }

    pub(super) fn of_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|tongue| tongue.letter() == letter)
    }

    fn stemmer(self) -> Language {
        match self {
            Self::English => Language::English,
            Self::French => Language::French,
            Self::German => Language::German,
            Self::Swedish => Language::Swedish,
            Self::Spanish => Language::Spanish,
            Self::Italian => Language::Italian,
            Self::Dutch => Language::Dutch,
            Self::Danish => Language::Danish,
            Self::Norwegian => Language::Norwegian,
            Self::Finnish => Language::Finnish,
            Self::Portuguese => Language::Portuguese,
        }
    }

    /// Words that a title may begin with and is not put in order by.
    fn articles(self) -> &'static [&'static str] {
        match self {
            Self::English => &["the", "a", "an"],
            Self::French => &["le", "la", "les", "l", "un", "une"],
            Self::German => &["der", "die", "das", "ein", "eine"],
            Self::Swedish => &["den", "det", "de", "en", "ett"],
            Self::Spanish => &["el", "la", "los", "las", "un", "una"],
            Self::Italian => &["il", "lo", "la", "i", "gli", "le", "l", "un", "uno", "una"],
            Self::Dutch => &["de", "het", "een"],
            Self::Danish => &["den", "det", "de", "en", "et"],
            Self::Norwegian => &["den", "det", "de", "en", "et", "ei"],
            Self::Finnish => &[],
            Self::Portuguese => &["o", "a", "os", "as", "um", "uma"],
        }
    }
}

/// A text with its language before it, for the tokenizer.
pub(super) fn marked(text: &str, tongue: Option<Tongue>) -> String {
    match tongue {
        Some(tongue) => format!("{MARK}{}{text}", tongue.letter()),
        None => text.trim_start_matches(MARK).to_owned(),
    }
}

/// The language a text is marked with, and the text.
pub(super) fn unmarked(text: &str) -> (Option<Tongue>, &str) {
    let mut chars = text.chars();
    if chars.next() == Some(MARK)
        && let Some(tongue) = chars.next().and_then(Tongue::of_letter)
    {
        return (Some(tongue), chars.as_str());
    }
    (None, text)
}

/// Stems folded words of one language.
#[derive(Clone)]
pub(super) struct Stems {
    pub tongue: Tongue,
    filter: <Stemmer as TokenFilter>::Tokenizer<RawTokenizer>,
}

impl Stems {
    pub fn new(tongue: Tongue) -> Self {
        Self {
            tongue,
            filter: Stemmer::new(tongue.stemmer()).transform(RawTokenizer::default()),
        }
    }

    /// The stem of a folded word; `None` for what has none: codes, numbers, short words.
    pub fn stem(&mut self, word: &str) -> Option<String> {
        if word.len() < SHORTEST || !word.bytes().all(|b| b.is_ascii_lowercase()) {
            return None;
        }
        let mut stream = self.filter.token_stream(word);
        stream.advance().then(|| stream.token().text.clone())
    }

    /// The term under which a stem stands in the index.
    pub fn term(&self, stem: &str) -> String {
        format!("{MARK}{}{stem}", self.tongue.letter())
    }
}

/// By what a text is put in order among others: without quotes and an article before it, letters by their alphabet, other
/// accents and case aside, numbers by their size.
pub(super) fn sort_key(text: &str, tongue: Option<Tongue>) -> String {
    let start = cut(text, 2 * MAX_ORDER).trim_start_matches(|c| !is_word(c));
    let folded = in_order(start, tongue);
    let mut rest = folded.as_str();
    if let Some(tongue) = tongue
        && let Some((first, after)) = rest.split_once([' ', '\'', '’'])
        && tongue.articles().contains(&first)
        && after.chars().any(is_word)
    {
        rest = after.trim_start_matches(|c| !is_word(c));
    }
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
    key
}

/// By what texts outside the index are put in order, byte by byte: as sorting by a field does, whatever the language.
pub fn natural_key(text: &str) -> Vec<u8> {
    sort_key(text, None).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_stems() {
        for (tongue, one, other) in [
            (Tongue::English, "teapots", "teapot"),
            (Tongue::English, "painting", "painted"),
            (Tongue::French, "assiettes", "assiette"),
            (Tongue::German, "hauser", "haus"),
            (Tongue::Swedish, "malningar", "malning"),
            (Tongue::Spanish, "pinturas", "pintura"),
            (Tongue::Italian, "quadri", "quadro"),
            (Tongue::Dutch, "schilderijen", "schilderij"),
            (Tongue::Danish, "malerierne", "malerier"),
            (Tongue::Norwegian, "bilder", "bildet"),
            (Tongue::Portuguese, "pinturas", "pintura"),
        ] {
            let mut stems = Stems::new(tongue);
            assert_eq!(stems.stem(one), stems.stem(other), "{one} {other}");
            assert!(stems.stem(one).is_some());
        }
        let mut stems = Stems::new(Tongue::English);
        for word in ["1979", "a12b", "cup", "", "東京", "θεα"] {
            assert_eq!(stems.stem(word), None, "{word}");
        }
    }

    #[test]
    fn texts_carry_their_language() {
        let text = marked("Théière", Some(Tongue::French));
        assert_eq!(unmarked(&text), (Some(Tongue::French), "Théière"));
        assert_eq!(unmarked(&marked("\u{1}evil", None)), (None, "evil"));
        assert_eq!(unmarked("plain"), (None, "plain"));
    }

    #[test]
    fn titles_are_ordered_as_people_expect() {
        let order = |titles: &[&str], tongue| {
            let mut sorted = titles.to_vec();
            sorted.sort_by_key(|title| sort_key(title, tongue));
            sorted.join(" < ")
        };
        assert_eq!(
            order(&["Box 10", "box 2", "Box 02b", "Box", "1 cup", "Äther"], None),
            "1 cup < Äther < Box < box 2 < Box 02b < Box 10"
        );
        assert_eq!(
            order(&["The Cup", "\"A Bowl\"", "Dish", "Theory", "A"], Some(Tongue::English)),
            "A < \"A Bowl\" < The Cup < Dish < Theory"
        );
        assert_eq!(
            order(&["L'Homme", "La Femme", "Garçon"], Some(Tongue::French)),
            "La Femme < Garçon < L'Homme"
        );
        assert_eq!(
            order(
                &["Det nya", "Åka", "En öl", "Zebra 10", "Zebra 9", "Ärta"],
                Some(Tongue::Swedish)
            ),
            "Det nya < Zebra 9 < Zebra 10 < Åka < Ärta < En öl"
        );
        assert!(sort_key(&"9".repeat(500), None).len() <= 2 * MAX_ORDER + 9);
        assert!(sort_key(&"é9".repeat(500), None).len() <= 2 * MAX_ORDER + 9);
    }
}
