//! The manual: chapters of `assets/docs`, in the order of their names, in the language of whoever reads them.
//!
//! The English chapters stand in the folder itself, those of another language in a folder of its tag under the same names; a
//! chapter that a language lacks is read in English. The first heading is the chapter's title, the first paragraph what it is
//! about. Commands in blocks marked `console` are run by a test, so that none of them is a lie.

mod find;
mod markdown;

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use rust_embed::RustEmbed;

pub(super) use find::{Found, find};

use crate::kernel::i18n::Language;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets/docs"]
struct Files;

/// One page of the manual.
#[derive(Debug)]
pub(super) struct Chapter {
    /// In the address, the same in every language.
    pub name: String,
    pub title: String,
    /// What it is about, in a sentence.
    pub lead: String,
    pub html: String,
    /// What it is written in.
    pub language: Language,
    /// Every language that there is this chapter in, English first.
    pub languages: Vec<Language>,
    pub parts: Vec<Part>,
}

/// What stands under one heading, as it is looked through.
#[derive(Debug)]
pub(super) struct Part {
    /// Empty before the first heading.
    pub anchor: String,
    pub heading: String,
    pub text: String,
}

/// All chapters for a reader. A development build reads them again each time, so that writing needs no build.
pub(super) fn chapters(language: Language) -> Arc<Vec<Chapter>> {
    static ALL: LazyLock<HashMap<&'static str, Arc<Vec<Chapter>>>> = LazyLock::new(|| {
        let each = Language::all().map(|language| (language.tag(), Arc::new(load(language))));
        each.collect()
    });
    if cfg!(debug_assertions) {
        return Arc::new(load(language));
    }
    let known = ALL.get(language.tag()).or_else(|| ALL.get(Language::default().tag()));
    known.cloned().unwrap_or_default()
}

fn load(language: Language) -> Vec<Chapter> {
    let mut files: Vec<_> = Files::iter().filter(|file| !file.contains('/')).collect();
    files.sort_unstable();
    files.iter().filter_map(|file| chapter(file, language)).collect()
}

/// The text of a chapter in a language, if there is one.
fn text(file: &str, language: Language) -> Option<String> {
    let path = if language.tag() == Language::default().tag() {
        file.to_owned()
    } else {
        format!("{}/{file}", language.tag())
    };
    Some(String::from_utf8_lossy(&Files::get(&path)?.data).into_owned())
}

fn chapter(file: &str, language: Language) -> Option<Chapter> {
    let stem = file.strip_suffix(".md")?;
    let name = stem.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
    let english = text(file, Language::default())?;
    let anchors = markdown::anchors(&english);
    let mut chapter = match text(file, language) {
        Some(own) => markdown::read(name, &own, language, &anchors),
        None => markdown::read(name, &english, Language::default(), &anchors),
    };
    chapter.languages = Language::all().filter(|one| text(file, *one).is_some()).collect();
    Some(chapter)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_chapter_says_what_it_is_and_leads_nowhere_wrong() {
        for language in Language::all() {
            let all = chapters(language);
            assert!(all.len() >= 12);
            let names: Vec<&str> = all.iter().map(|chapter| chapter.name.as_str()).collect();
            for chapter in all.iter() {
                let about = format!("{} in {}", chapter.name, language.tag());
                assert!(!chapter.title.is_empty() && !chapter.lead.is_empty(), "{about}");
                assert!(
                    !chapter.html.contains("/static/-/"),
                    "{about} shows a picture that is not there"
                );
                for link in chapter.html.split("href=\"/docs/").skip(1) {
                    let target = link.split(['"', '#']).next().unwrap_or_default();
                    assert!(target == "api" || names.contains(&target), "{about}: {target}");
                }
            }
        }
    }

    #[test]
    fn a_chapter_is_read_in_its_language_and_else_in_english() {
        let (en, sv) = (Language::default(), Language::find("sv").unwrap());
        let tags = |chapter: &Chapter| -> Vec<&str> { chapter.languages.iter().map(|l| l.tag()).collect() };
        let swedish = chapter("10-start.md", sv).unwrap();
        assert_eq!((swedish.language.tag(), tags(&swedish)), ("sv", vec!["en", "sv"]));
        assert_eq!(chapter("10-start.md", en).unwrap().language.tag(), "en");
        assert!(chapter("10-none.md", sv).is_none());
    }
}
