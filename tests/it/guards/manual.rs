//! The manual says the same in every language: the same chapters with the same headings, samples, links, pictures and rows of
//! tables as the English ones, and what stands on the pages is called as the pages call it in that language.

use std::collections::{BTreeMap, BTreeSet};

use pulldown_cmark::{CodeBlockKind, Event, Options, Parser, Tag, TagEnd};
use vitrine::kernel::i18n::{Language, keys};

use super::sources::{Finding, files, refuse};

/// What of a chapter stays the same in every language, and the names it sets off from its text.
#[derive(Debug, Default)]
struct Shape {
    headings: Vec<String>,
    blocks: Vec<String>,
    codes: Vec<String>,
    links: Vec<String>,
    pictures: Vec<String>,
    rows: usize,
    /// In bold or in italics: mostly what pages call something.
    names: BTreeSet<String>,
}

impl Shape {
    fn of(text: &str) -> Self {
        let mut shape = Self::default();
        let (mut block, mut name): (Option<String>, Option<String>) = (None, None);
        for event in Parser::new_ext(text, Options::ENABLE_TABLES) {
            match event {
                Event::Start(Tag::Heading { level, .. }) => shape.headings.push(level.to_string()),
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(mark))) => block = Some(format!("{mark}: ")),
                Event::Start(Tag::CodeBlock(CodeBlockKind::Indented)) => block = Some(String::new()),
                Event::End(TagEnd::CodeBlock) => shape.blocks.extend(block.take()),
                Event::Start(Tag::Link { dest_url, .. }) => shape.links.push(dest_url.to_string()),
                Event::Start(Tag::Image { dest_url, .. }) => shape.pictures.push(dest_url.to_string()),
                Event::Start(Tag::TableRow) => shape.rows += 1,
                Event::Start(Tag::Strong | Tag::Emphasis) => name = Some(String::new()),
                Event::End(TagEnd::Strong | TagEnd::Emphasis) => shape.names.extend(name.take()),
                Event::Code(code) => shape.codes.push(code.to_string()),
                Event::Text(text) => {
                    if let Some(open) = block.as_mut().or(name.as_mut()) {
                        open.push_str(&text);
                    }
                }
                Event::SoftBreak => name.iter_mut().for_each(|open| open.push(' ')),
                _ => {}
            }
        }
        shape.codes.sort();
        shape.links.sort();
        shape
    }
}

/// What is in one list and not in the other, each as often as it is too much.
fn apart(english: &[String], own: &[String]) -> Vec<String> {
    let mut counts: BTreeMap<&String, i64> = BTreeMap::new();
    english.iter().for_each(|one| *counts.entry(one).or_default() += 1);
    own.iter().for_each(|one| *counts.entry(one).or_default() -= 1);
    let uneven = counts.into_iter().filter(|(_, count)| *count != 0);
    uneven
        .map(|(one, count)| format!("{} {one}", if count > 0 { "lacks" } else { "adds" }))
        .collect()
}

/// What a page calls something in another language, by what English calls it.
type Names = BTreeMap<String, BTreeSet<String>>;

fn names(language: Language) -> Names {
    let mut names = Names::new();
    let english = Language::default();
    for (said, own) in keys().filter_map(|key| Some((english.get(key)?, language.get(key)?))) {
        names.entry(said.to_owned()).or_default().insert(own.to_owned());
    }
    names
}

/// Where a chapter differs from the English one.
fn differences(path: &str, english: &str, own: &str, names: &Names) -> Vec<Finding> {
    let (english, own) = (Shape::of(english), Shape::of(own));
    let mut found = Vec::new();
    let mut say = |what: String| found.push(Finding::new(path, 1, what));
    if english.headings != own.headings {
        say(format!(
            "has the headings {:?} and not {:?}",
            own.headings, english.headings
        ));
    }
    for (what, one, other) in [
        ("block", &english.blocks, &own.blocks),
        ("picture", &english.pictures, &own.pictures),
    ] {
        if one != other {
            say(format!("has another {what} than English: {:?}", apart(one, other)));
        }
    }
    for (what, one, other) in [
        ("code", &english.codes, &own.codes),
        ("link", &english.links, &own.links),
    ] {
        for difference in apart(one, other) {
            say(format!("{difference}, a {what}"));
        }
    }
    if english.rows != own.rows {
        say(format!("has {} rows in tables and not {}", own.rows, english.rows));
    }
    for (name, called) in english.names.iter().filter_map(|name| Some((name, names.get(name)?))) {
        if called.is_disjoint(&own.names) {
            say(format!("calls \"{name}\" otherwise than pages do: {called:?}"));
        }
    }
    found
}

#[test]
fn every_language_has_the_whole_manual() {
    let mut all: BTreeMap<String, String> = files("assets/docs", &[".md"]).into_iter().collect();
    let is_english = |path: &str| path.matches('/').count() == 2;
    let english: Vec<(String, String)> = all
        .iter()
        .filter(|(path, _)| is_english(path))
        .map(|(path, text)| (path.clone(), text.clone()))
        .collect();
    all.retain(|path, _| !is_english(path));
    assert!(english.len() >= 24);
    let mut found = Vec::new();
    for language in Language::all().skip(1) {
        let names = names(language);
        for (path, text) in &english {
            let own = path.replacen("docs/", &format!("docs/{}/", language.tag()), 1);
            match all.remove(&own) {
                Some(there) => found.extend(differences(&own, text, &there, &names)),
                None => found.push(Finding::new(&own, 1, "is missing")),
            }
        }
    }
    let left = all
        .keys()
        .map(|path| Finding::new(path, 1, "belongs to no English chapter"));
    found.extend(left);
    refuse(&found);
}

#[test]
fn a_chapter_that_differs_is_found() {
    let english = "# A\n\nPress **Save** and `x`, see [b](/docs/b).\n\n## B\n\n```sh\na\n```\n\n| a |\n|---|\n| b |\n";
    let names = Names::from([("Save".to_owned(), BTreeSet::from(["Spara".to_owned()]))]);
    let same = "# Å\n\nTryck på **Spara** och `x`, se [b](/docs/b).\n\n## B\n\n```sh\na\n```\n\n| å |\n|---|\n| b |\n";
    assert!(differences("a.md", english, same, &names).is_empty());
    let other = "# Å\n\nTryck på **Lagra** och `y`, se [b](/docs/c).\n\n```sh\nb\n```\n";
    let said: Vec<String> = differences("a.md", english, other, &names)
        .iter()
        .map(|finding| finding.what.clone())
        .collect();
    assert_eq!(
        said,
        [
            "has the headings [\"h1\"] and not [\"h1\", \"h2\"]",
            "has another block than English: [\"lacks sh: a\\n\", \"adds sh: b\\n\"]",
            "lacks x, a code",
            "adds y, a code",
            "lacks /docs/b, a link",
            "adds /docs/c, a link",
            "has 0 rows in tables and not 1",
            "calls \"Save\" otherwise than pages do: {\"Spara\"}",
        ]
    );
}
