//! A chapter made from Markdown: its title, what it is about, its page in the marks of our design system, and its parts as
//! they are looked through.
//!
//! HTML in a chapter is left out. The part of an address that leads to a heading is made of the English one in every
//! language, so that a link into a chapter leads to the same place whoever reads it.

use pulldown_cmark::{CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd, html};

use super::{Chapter, Part};
use crate::kernel::i18n::Language;
use crate::kernel::ui::assets;
use crate::kernel::ui::filters::escape;

/// The anchors of a chapter's headings below its title, in their order.
pub(super) fn anchors(text: &str) -> Vec<String> {
    let events = events(text);
    let (_, rest) = take_block(&events, |tag| matches!(tag, Tag::Heading { .. }));
    let starts = rest.iter().enumerate().filter(|(_, event)| is_heading(event));
    starts
        .map(|(at, _)| anchor(&words(&rest[at..end_of_heading(rest, at)])))
        .collect()
}

/// Reads a chapter in its language. `anchors` are those of the English one.
pub(super) fn read(name: &str, text: &str, language: Language, anchors: &[String]) -> Chapter {
    let events = events(text);
    let (title, rest) = take_block(&events, |tag| matches!(tag, Tag::Heading { .. }));
    let (lead, rest) = take_block(rest, |tag| matches!(tag, Tag::Paragraph));
    let mut out = String::new();
    html::push_html(&mut out, dressed(rest, language, anchors).into_iter());
    Chapter {
        name: name.to_owned(),
        parts: parts(&lead, rest, anchors),
        title,
        lead,
        html: out,
        language,
        languages: Vec::new(),
    }
}

fn events(text: &str) -> Vec<Event<'_>> {
    Parser::new_ext(text, Options::ENABLE_TABLES).collect()
}

fn is_heading(event: &Event<'_>) -> bool {
    matches!(event, Event::Start(Tag::Heading { .. }))
}

/// Where the heading that begins at `at` ends.
fn end_of_heading(events: &[Event<'_>], at: usize) -> usize {
    let end = events[at..]
        .iter()
        .position(|event| matches!(event, Event::End(TagEnd::Heading(_))));
    at + end.unwrap_or(0)
}

/// The anchor of the heading with this number; its own words where English has none.
fn anchor_of(number: usize, text: &str, anchors: &[String]) -> String {
    anchors.get(number).cloned().unwrap_or_else(|| anchor(text))
}

/// The chapter as it is looked through: what stands before its first heading, then what stands under each.
fn parts(lead: &str, events: &[Event<'_>], anchors: &[String]) -> Vec<Part> {
    let starts: Vec<usize> = (0..events.len()).filter(|at| is_heading(&events[*at])).collect();
    let first = starts.first().copied().unwrap_or(events.len());
    let mut parts = vec![Part {
        anchor: String::new(),
        heading: String::new(),
        text: [lead, &plain(&events[..first])].join(" ").trim_end().to_owned(),
    }];
    for (number, at) in starts.iter().enumerate() {
        let body = end_of_heading(events, *at);
        let end = starts.get(number + 1).copied().unwrap_or(events.len());
        let heading = words(&events[*at..body]);
        parts.push(Part {
            anchor: anchor_of(number, &heading, anchors),
            heading,
            text: plain(&events[body..end]),
        });
    }
    parts
}

/// The words of several blocks, with a space between what stands apart.
fn plain(events: &[Event<'_>]) -> String {
    let mut out = String::new();
    let space = |out: &mut String| {
        if !out.is_empty() && !out.ends_with(' ') {
            out.push(' ');
        }
    };
    for event in events {
        match event {
            Event::Text(text) | Event::Code(text) => out.push_str(&text.replace('\n', " ")),
            Event::SoftBreak | Event::HardBreak => space(&mut out),
            Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Link | TagEnd::Image) => {}
            Event::End(_) => space(&mut out),
            _ => {}
        }
    }
    out.truncate(out.trim_end().len());
    out
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
fn dressed<'a>(events: &[Event<'a>], language: Language, anchors: &[String]) -> Vec<Event<'a>> {
    let mut out = Vec::with_capacity(events.len());
    let mut at = 0;
    let (mut boxes, mut headings) = (0, 0);
    let mut heading = String::new();
    let mut tables: Vec<String> = Vec::new();
    while let Some(event) = events.get(at) {
        match event {
            Event::Html(_) | Event::InlineHtml(_) => {}
            Event::Start(Tag::Heading { level, .. }) => {
                heading = words(&events[at..end_of_heading(events, at)]);
                let anchor = anchor_of(headings, &heading, anchors);
                headings += 1;
                out.push(html_of(format!("<{level} id=\"{}\">", escape(&anchor))));
            }
            Event::Start(Tag::CodeBlock(kind)) => {
                let end = events[at..]
                    .iter()
                    .position(|e| matches!(e, Event::End(TagEnd::CodeBlock)));
                let end = at + end.unwrap_or(0);
                boxes += 1;
                let console = matches!(kind, CodeBlockKind::Fenced(mark) if mark.as_ref() == "console");
                out.push(html_of(code(&words(&events[at..end]), console, boxes, language)));
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
fn code(text: &str, console: bool, number: usize, language: Language) -> String {
    let line = |line: &str| match line.strip_prefix("$ ") {
        Some(command) if console => format!("<span class=\"command\">{}</span>", escape(command)),
        _ => escape(line),
    };
    let lines: Vec<String> = text.trim_end().lines().map(line).collect();
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

    const TEXT: &str = "# One & all\n\nA *short* lead.\n\n## Is it <well>?\n\n```console\n$ app a < b\n```\n\n| a | b |\n|---|---|\n| `x` | y |\n\n<script>alert(1)</script>\n";

    #[test]
    fn a_chapter_is_made_from_markdown() {
        let chapter = read("one", TEXT, Language::default(), &anchors(TEXT));
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
    fn a_chapter_in_another_language_keeps_its_addresses() {
        let text = "# Ett\n\nEn ingress.\n\nMer.\n\n## Är det bra?\n\nJa, *mycket*.\n\n- ett\n- två\n\n## Mer än förut\n\n`x`\n";
        let swedish = read("one", text, Language::find("sv").unwrap(), &anchors(TEXT));
        assert!(
            swedish.html.contains("<h2 id=\"is-it\">Är det bra?"),
            "{}",
            swedish.html
        );
        assert!(swedish.html.contains("<h2 id=\"mer-än-förut\">"), "{}", swedish.html);
        let parts: Vec<(&str, &str, &str)> = swedish
            .parts
            .iter()
            .map(|part| (part.anchor.as_str(), part.heading.as_str(), part.text.as_str()))
            .collect();
        assert_eq!(
            parts,
            [
                ("", "", "En ingress. Mer."),
                ("is-it", "Är det bra?", "Ja, mycket. ett två"),
                ("mer-än-förut", "Mer än förut", "x"),
            ]
        );
    }
}
