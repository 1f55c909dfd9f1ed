//! Looking something up in the manual: the parts that have every word, in the reader's language, the nearest first.

use super::Chapter;
use crate::kernel::search::{Mark, Tongue, excerpt, highlight, marks_of};

/// Bytes of a question that are looked at.
const LONGEST: usize = 200;
/// Words of a question that are looked for.
const WORDS: usize = 8;
/// Places that are told.
const MOST: usize = 30;
/// Bytes of a place's text that are shown.
const SHOWN: usize = 220;

/// A place of the manual, its texts in pieces with whether each was looked for.
#[derive(Debug)]
pub(in crate::modules::docs) struct Found {
    pub href: String,
    /// The chapter it stands in; empty where it is the chapter itself.
    pub chapter: String,
    pub title: Vec<(String, bool)>,
    pub text: Vec<(String, bool)>,
    /// What it is written in.
    pub tag: &'static str,
}

/// The places that answer a question best. A word may be the beginning of one, or another form of it.
pub(in crate::modules::docs) fn find(chapters: &[Chapter], question: &str) -> Vec<Found> {
    let question = &question[..question.floor_char_boundary(LONGEST)];
    let mut found: Vec<(u32, Found)> = Vec::new();
    for chapter in chapters {
        let tongue = Tongue::find(chapter.language.tag()).unwrap_or(Tongue::English);
        let mut asked = marks_of(question, tongue);
        asked.truncate(WORDS);
        let all: Vec<Mark> = asked.iter().flatten().cloned().collect();
        if all.is_empty() {
            return Vec::new();
        }
        for part in &chapter.parts {
            let first = part.heading.is_empty();
            let (above, title) = if first {
                ("", chapter.title.as_str())
            } else {
                (chapter.title.as_str(), part.heading.as_str())
            };
            let Some(weight) = weight(&asked, above, title, &part.text) else {
                continue;
            };
            let hash = if first { "" } else { "#" };
            let place = Found {
                href: format!("/docs/{}{hash}{}", chapter.name, part.anchor),
                chapter: above.to_owned(),
                title: highlight(title, &all),
                text: shown(&part.text, &all),
                tag: chapter.language.tag(),
            };
            found.push((weight, place));
        }
    }
    found.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    found.into_iter().take(MOST).map(|(_, place)| place).collect()
}

/// How near a part is to what was asked; none where a word stands nowhere in it, or only in the name of its chapter.
fn weight(asked: &[Vec<Mark>], above: &str, title: &str, text: &str) -> Option<u32> {
    let (mut sum, mut own) = (0, false);
    for word in asked {
        let has = |place: &str| excerpt(place, word, 1).is_some();
        let (titled, said) = (has(title), has(text));
        if !titled && !said && !has(above) {
            return None;
        }
        own |= titled || said;
        // What is called by this word stands before what has it in its name.
        let first = titled && highlight(title, word).first().is_some_and(|(_, mark)| *mark);
        sum += 4 * u32::from(titled) + 2 * u32::from(first) + u32::from(said);
    }
    own.then_some(sum)
}

/// The text around the first word that was looked for, or its beginning.
fn shown(text: &str, marks: &[Mark]) -> Vec<(String, bool)> {
    if let Some(pieces) = excerpt(text, marks, SHOWN) {
        return pieces;
    }
    let beginning = crate::kernel::ui::shorten(text, SHOWN);
    vec![(beginning, false)]
}

#[cfg(test)]
mod tests {
    use super::super::chapters;
    use super::*;
    use crate::kernel::i18n::Language;

    fn hrefs(question: &str, tag: &str) -> Vec<String> {
        let found = find(&chapters(Language::find(tag).unwrap()), question);
        found.into_iter().map(|place| place.href).collect()
    }

    #[test]
    fn a_question_finds_its_part_in_either_language() {
        for (question, tag, want) in [
            ("second step", "en", "/docs/accounts#the-second-step"),
            ("passkey", "en", "/docs/accounts#passkeys"),
            ("import", "en", "/docs/import"),
            ("lösennyckel", "sv", "/docs/accounts#passkeys"),
            ("andra steget", "sv", "/docs/accounts#the-second-step"),
            ("etikett", "sv", "/docs/labels"),
        ] {
            let found = hrefs(question, tag);
            assert_eq!(found.first().map(String::as_str), Some(want), "{question}: {found:?}");
        }
        assert!(hrefs("dublettar zzzz", "sv").is_empty());
    }

    #[test]
    fn odd_questions_find_nothing_and_break_nothing() {
        let long = "é ".repeat(100_000);
        for question in ["", " ?!", "\0", "<script>", long.as_str()] {
            let found = find(&chapters(Language::default()), question);
            assert!(found.len() <= MOST, "{question:.40}");
        }
        assert!(hrefs("?", "en").is_empty());
        let place = &find(&chapters(Language::default()), "Darwin Core")[0];
        let text: String = place.text.iter().map(|(piece, _)| piece.as_str()).collect();
        assert!(text.len() < SHOWN + 20, "{text}");
        assert!(place.title.iter().chain(&place.text).any(|(_, mark)| *mark));
    }
}
