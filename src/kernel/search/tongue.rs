//! Languages: their tags, which of them have stems here, and the articles a title may begin with. Every one of them has an
//! order of its own, see `order`.

use tantivy::tokenizer::Language;

/// A language that texts are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tongue {
    English,
    French,
    German,
    Swedish,
    Spanish,
    Italian,
    Dutch,
    Danish,
    Norwegian,
    Finnish,
    Portuguese,
    Icelandic,
    Estonian,
    Latvian,
    Lithuanian,
    Polish,
    Czech,
    Slovak,
    Slovenian,
    Croatian,
    Hungarian,
    Romanian,
    Catalan,
    Welsh,
    Turkish,
    Greek,
    Russian,
    Ukrainian,
    Bulgarian,
    Japanese,
    Chinese,
    Korean,
}

impl Tongue {
    pub const ALL: [Self; 32] = [
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
        Self::Icelandic,
        Self::Estonian,
        Self::Latvian,
        Self::Lithuanian,
        Self::Polish,
        Self::Czech,
        Self::Slovak,
        Self::Slovenian,
        Self::Croatian,
        Self::Hungarian,
        Self::Romanian,
        Self::Catalan,
        Self::Welsh,
        Self::Turkish,
        Self::Greek,
        Self::Russian,
        Self::Ukrainian,
        Self::Bulgarian,
        Self::Japanese,
        Self::Chinese,
        Self::Korean,
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
            Self::Icelandic => "is",
            Self::Estonian => "et",
            Self::Latvian => "lv",
            Self::Lithuanian => "lt",
            Self::Polish => "pl",
            Self::Czech => "cs",
            Self::Slovak => "sk",
            Self::Slovenian => "sl",
            Self::Croatian => "hr",
            Self::Hungarian => "hu",
            Self::Romanian => "ro",
            Self::Catalan => "ca",
            Self::Welsh => "cy",
            Self::Turkish => "tr",
            Self::Greek => "el",
            Self::Russian => "ru",
            Self::Ukrainian => "uk",
            Self::Bulgarian => "bg",
            Self::Japanese => "ja",
            Self::Chinese => "zh",
            Self::Korean => "ko",
        }
    }

    /// How its words are stemmed, with the letter that stands for it in the index. Without one words are found as they are.
    pub(super) fn stemmed(self) -> Option<(char, Language)> {
        Some(match self {
            Self::English => ('e', Language::English),
            Self::French => ('f', Language::French),
            Self::German => ('d', Language::German),
            Self::Swedish => ('s', Language::Swedish),
            Self::Spanish => ('p', Language::Spanish),
            Self::Italian => ('i', Language::Italian),
            Self::Dutch => ('n', Language::Dutch),
            Self::Danish => ('k', Language::Danish),
            Self::Norwegian => ('o', Language::Norwegian),
            Self::Finnish => ('u', Language::Finnish),
            Self::Portuguese => ('r', Language::Portuguese),
            _ => return None,
        })
    }

    /// The language that a letter in the index stands for.
    pub(super) fn of_letter(letter: char) -> Option<Self> {
        let stands = |tongue: &Self| tongue.stemmed().is_some_and(|(own, _)| own == letter);
        Self::ALL.into_iter().find(stands)
    }

    /// Words that a title may begin with and is not put in order by.
    pub(super) fn articles(self) -> &'static [&'static str] {
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
            Self::Portuguese => &["o", "a", "os", "as", "um", "uma"],
            Self::Hungarian => &["a", "az", "egy"],
            Self::Catalan => &["el", "la", "els", "les", "l", "un", "una"],
            Self::Welsh => &["y", "yr"],
            _ => &[],
        }
    }
}
