//! The manual: chapters of `assets/docs`, in the order of their names, made from Markdown into pages of the house.
//!
//! The first heading is the chapter's title, the first paragraph what it is about. Commands in blocks marked `console` are
//! run by a test, so that none of them is a lie. HTML in a chapter is left out.

use std::sync::{Arc, LazyLock};

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html};
use rust_embed::RustEmbed;

use crate::kernel::i18n::Language;
use crate::kernel::ui::assets;
use crate::kernel::ui::filters::escape;

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/assets/docs"]
struct Files;

/// One page of the manual.
#[derive(Debug)]
pub(super) struct Chapter {
    /// In the address.
    pub name: String,
    pub title: String,
    /// What it is about, in a sentence.
    pub lead: String,
    pub html: String,
}

/// All chapters. A development build reads them again each time, so that writing needs no build.
pub(super) fn chapters() -> Arc<Vec<Chapter>> {
    static ALL: LazyLock<Arc<Vec<Chapter>>> = LazyLock::new(|| Arc::new(load()));
    if cfg!(debug_assertions) {
        return Arc::new(load());
    }
    ALL.clone()
}

fn load() -> Vec<Chapter> {
    let mut files: Vec<_> = Files::iter().collect();
    files.sort_unstable();
    let chapter = |file: &str| {
        let content = Files::get(file)?;
        let stem = file.strip_suffix(".md")?;
        let name = stem.trim_start_matches(|c: char| c.is_ascii_digit() || c == '-');
        Some(read(name, &String::from_utf8_lossy(&content.data)))
    };
    files.iter().filter_map(|file| chapter(file)).collect()
}

fn read(name: &str, text: &str) -> Chapter {
    let events: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let (title, rest) = take_block(&events, |tag| matches!(tag, Tag::Heading { .. }));
    let (lead, rest) = take_block(rest, |tag| matches!(tag, Tag::Paragraph));
    let mut out = String::new();
    html::push_html(&mut out, dressed(rest).into_iter());
    Chapter {
        name: name.to_owned(),
        title,
        lead,
        html: out,
    }
}

/// The words of the first block, if it is of this kind, and what comes after it.
fn take_block<'a, 'e>(events: &'e [Event<'a>], kind: impl Fn(&Tag<'a>) -> bool) -> (String, &'e [Event<'a>]) {
    let Some(Event::Start(tag)) = events
        .first()
        .filter(|first| matches!(first, Event::Start(tag) if kind(tag)))
    else {
        return (String::new(), events);
    };
    let end = tag.to_end();
    let last = events.iter().position(|event| *event == Event::End(end)).unwrap_or(0);
    (words(&events[..last]), &events[last + 1..])
}

fn words(events: &[Event<'_>]) -> String {
    let word = |event: &Event<'_>| match event {
        Event::Text(text) | Event::Code(text) => text.to_string(),
        Event::SoftBreak | Event::HardBreak => " ".to_owned(),
        _ => String::new(),
    };
    events.iter().map(word).collect()
}

/// The events with the marks of our design system: anchors, boxes that scroll, commands that can be copied.
fn dressed<'a>(events: &[Event<'a>]) -> Vec<Event<'a>> {
    let mut out = Vec::with_capacity(events.len());
    let mut at = 0;
    let mut boxes = 0;
    let mut heading = String::new();
    let mut tables: Vec<String> = Vec::new();
    while let Some(event) = events.get(at) {
        match event {
            Event::Html(_) | Event::InlineHtml(_) => {}
            Event::Start(Tag::Heading { level, .. }) => {
                let end = events[at..]
                    .iter()
                    .position(|e| matches!(e, Event::End(TagEnd::Heading(_))));
                let text = words(&events[at..at + end.unwrap_or(0)]);
                heading.clone_from(&text);
                out.push(html_of(format!("<{level} id=\"{}\">", escape(&anchor(&text)))));
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                let end = events[at..]
                    .iter()
                    .position(|e| matches!(e, Event::End(TagEnd::CodeBlock)));
                let end = at + end.unwrap_or(0);
                boxes += 1;
                let console = matches!(kind, CodeBlockKind::Fenced(mark) if mark.as_ref() == "console");
                out.push(html_of(code(&words(&events[at..end]), console, boxes)));
                at = end;
            }
            Event::Start(Tag::Image { dest_url, .. }) => {
                let end = events[at..].iter().position(|e| *e == Event::End(TagEnd::Image));
                let end = at + end.unwrap_or(0);
                out.push(html_of(picture(dest_url, &words(&events[at..end]))));
                at = end;
            }
            Event::Start(Tag::Table(columns)) => {
                // Tables of a page may begin alike; what they stand under tells them apart.
                let first = words(&events[at..(at + 4).min(events.len())]);
                tables.push(format!("{heading}: {first}"));
                let alike = tables.iter().filter(|label| tables.last() == Some(label)).count();
                let number = if alike > 1 {
                    format!(" ({alike})")
                } else {
                    String::new()
                };
                let label = escape(&format!("{heading}: {first}{number}"));
                out.push(html_of(format!(
                    "<div class=\"scroll\" role=\"region\" aria-label=\"{label}\" tabindex=\"0\">"
                )));
                out.push(Event::Start(Tag::Table(columns.clone())));
            }
            Event::End(TagEnd::Table) => {
                out.push(event.clone());
                out.push(html_of("</div>".to_owned()));
            }
            other => out.push(other.clone()),
        }
        at += 1;
    }
    out
}

fn html_of<'a>(text: String) -> Event<'a> {
    Event::Html(CowStr::from(text))
}

/// A picture of the program, made by `make screenshots`: a static file of its name.
fn picture(name: &str, alt: &str) -> String {
    format!(
        "<img class=\"shot\" src=\"{}\" alt=\"{}\" width=\"960\" height=\"600\" loading=\"lazy\" decoding=\"async\">",
        escape(&assets::href(name)),
        escape(alt)
    )
}

/// A block of code with a button that copies it; the mark before a command is not part of what is copied.
fn code(text: &str, console: bool, number: usize) -> String {
    let line = |line: &str| match line.strip_prefix("$ ") {
        Some(command) if console => format!("<span class=\"command\">{}</span>", escape(command)),
        _ => escape(line),
    };
    let lines: Vec<String> = text.trim_end().lines().map(line).collect();
    let language = Language::default();
    format!(
        "<div class=\"code-box\"><pre class=\"terminal\" tabindex=\"0\"><code id=\"code-{number}\">{}</code></pre>\
         <button type=\"button\" class=\"button small\" data-copy=\"#code-{number}\" data-done=\"{}\" hidden>{}</button></div>\n",
        lines.join("\n"),
        escape(&language.text("action.copied")),
        escape(&language.text("action.copy")),
    )
}

/// The part of an address that leads to a heading: `Is all well?` is `is-all-well`.
fn anchor(text: &str) -> String {
    let parts = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|part| !part.is_empty());
    parts.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chapter_is_made_from_markdown() {
        let text = "# One & all\n\nA *short* lead.\n\n## Is it <well>?\n\n```console\n$ app a < b\n```\n\n| a | b |\n|---|---|\n| `x` | y |\n\n<script>alert(1)</script>\n";
        let chapter = read("one", text);
        assert_eq!(
            (chapter.title.as_str(), chapter.lead.as_str()),
            ("One & all", "A short lead.")
        );
        for part in [
            "<h2 id=\"is-it\">Is it ",
            "<span class=\"command\">app a &lt; b</span>",
            "role=\"region\"",
            "data-copy=\"#code-1\"",
        ] {
            assert!(chapter.html.contains(part), "{part}: {}", chapter.html);
        }
        assert!(
            !chapter.html.contains("script") && !chapter.html.contains("style="),
            "{}",
            chapter.html
        );
    }

    #[test]
    fn every_chapter_says_what_it_is_and_leads_nowhere_wrong() {
        let all = chapters();
        assert!(all.len() >= 12);
        let names: Vec<&str> = all.iter().map(|chapter| chapter.name.as_str()).collect();
        for chapter in all.iter() {
            assert!(
                !chapter.title.is_empty() && !chapter.lead.is_empty(),
                "{}",
                chapter.name
            );
            assert!(
                !chapter.html.contains("/static/-/"),
                "{} shows a picture that is not there",
                chapter.name
            );
            for link in chapter.html.split("href=\"/docs/").skip(1) {
                let target = link.split(['"', '#']).next().unwrap_or_default();
                assert!(target == "api" || names.contains(&target), "{}: {target}", chapter.name);
            }
        }
    }
}
