//! Forms of one word taken as one: stems by the language of the text.
//!
//! A text whose language is known carries a mark at its begin, which the tokenizer reads. Beside each word that has
//! another stem the stem stands at the same place, marked by the language, so that the word itself is found as before.

use tantivy::tokenizer::{RawTokenizer, Stemmer, TokenFilter, TokenStream, Tokenizer};

use super::tongue::Tongue;

/// Stands before the language of a text, and before a stem. No word has it.
pub(super) const MARK: char = '\u{1}';
/// Shorter words have no other forms worth finding.
const SHORTEST: usize = 4;

/// A text with its language before it, for the tokenizer.
pub(super) fn marked(text: &str, tongue: Option<Tongue>) -> String {
    match tongue.and_then(Tongue::stemmed) {
        Some((letter, _)) => format!("{MARK}{letter}{text}"),
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
    /// How, and the letter of the language; `None` where it has no stems.
    filter: Option<(char, <Stemmer as TokenFilter>::Tokenizer<RawTokenizer>)>,
}

impl Stems {
    pub fn new(tongue: Tongue) -> Self {
        Self {
            tongue,
            filter: tongue
                .stemmed()
                .map(|(letter, how)| (letter, Stemmer::new(how).transform(RawTokenizer::default()))),
        }
    }

    /// The stem of a folded word; `None` for what has none: codes, numbers, short words.
    pub fn stem(&mut self, word: &str) -> Option<String> {
        if word.len() < SHORTEST || !word.bytes().all(|b| b.is_ascii_lowercase()) {
            return None;
        }
        let (_, filter) = self.filter.as_mut()?;
        let mut stream = filter.token_stream(word);
        stream.advance().then(|| stream.token().text.clone())
    }

    /// The term under which a stem stands in the index.
    pub fn term(&self, stem: &str) -> String {
        match self.filter {
            Some((letter, _)) => format!("{MARK}{letter}{stem}"),
            None => stem.to_owned(),
        }
    }
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
        assert_eq!(Stems::new(Tongue::Polish).stem("obrazy"), None);
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
        assert_eq!(marked("obrazy", Some(Tongue::Polish)), "obrazy");
    }
}
