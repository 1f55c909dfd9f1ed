//! Texts with the marks of Markdown, as HTML that can do no harm: what is HTML in them is shown as it was written, links
//! lead to web and mail addresses only, and images become links to where they lie.

use pulldown_cmark::{Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd, html as writer};

/// The text as HTML.
pub fn html(text: &str) -> String {
    // Of each link or image that is open, whether it leads anywhere.
    let mut open: Vec<bool> = Vec::new();
    let mut out = String::new();
    let events = Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH);
    writer::push_html(&mut out, events.filter_map(|event| shown(event, &mut open)));
    out
}

/// The words of a text without its marks, as they are searched.
pub fn words(text: &str) -> String {
    let mut out = String::new();
    for event in Parser::new_ext(text, Options::ENABLE_STRIKETHROUGH) {
        match event {
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => out.push_str(&text),
            Event::SoftBreak | Event::HardBreak => out.push(' '),
            Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough | TagEnd::Link | TagEnd::Image) => {}
            Event::End(_) if !out.ends_with(' ') => out.push(' '),
            _ => {}
        }
    }
    out.truncate(out.trim_end().len());
    out
}

fn shown<'t>(event: Event<'t>, open: &mut Vec<bool>) -> Option<Event<'t>> {
    Some(match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::HtmlBlock) => Event::Start(Tag::Paragraph),
        Event::End(TagEnd::HtmlBlock) => Event::End(TagEnd::Paragraph),
        Event::Start(Tag::Heading { level, .. }) => Event::Start(Tag::Heading {
            level: below(level),
            id: None,
            classes: Vec::new(),
            attrs: Vec::new(),
        }),
        Event::End(TagEnd::Heading(level)) => Event::End(TagEnd::Heading(below(level))),
        Event::Start(Tag::Link { dest_url, id, .. } | Tag::Image { dest_url, id, .. }) => {
            let leads = leads(&dest_url) && !open.contains(&true);
            open.push(leads);
            if !leads {
                return None;
            }
            Event::Start(Tag::Link {
                link_type: LinkType::Inline,
                dest_url,
                title: "".into(),
                id,
            })
        }
        Event::End(TagEnd::Link | TagEnd::Image) => {
            if !open.pop().unwrap_or_default() {
                return None;
            }
            Event::End(TagEnd::Link)
        }
        other => other,
    })
}

fn leads(address: &str) -> bool {
    ["https://", "http://", "mailto:"]
        .iter()
        .any(|start| address.starts_with(start) && address.len() > start.len())
}

/// The page has its own title and sections.
fn below(level: HeadingLevel) -> HeadingLevel {
    match level {
        HeadingLevel::H1 => HeadingLevel::H3,
        HeadingLevel::H2 => HeadingLevel::H4,
        HeadingLevel::H3 => HeadingLevel::H5,
        _ => HeadingLevel::H6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_become_html_and_html_does_not() {
        for (text, want) in [
            (
                "A *small* **bowl**.",
                "<p>A <em>small</em> <strong>bowl</strong>.</p>\n",
            ),
            (
                "# Use\n\n- one\n- two",
                "<h3>Use</h3>\n<ul>\n<li>one</li>\n<li>two</li>\n</ul>\n",
            ),
            (
                "[site](https://example.org/?a=1&b=\"2\")",
                "<p><a href=\"https://example.org/?a=1&amp;b=%222%22\">site</a></p>\n",
            ),
            ("[x](javascript:alert(1)) [y](//evil.example)", "<p>x y</p>\n"),
            (
                "![a *cup*](https://example.org/c.jpg)",
                "<p><a href=\"https://example.org/c.jpg\">a <em>cup</em></a></p>\n",
            ),
        ] {
            assert_eq!(html(text), want, "{text}");
        }
        for text in [
            "<script>alert(1)</script>",
            "a <img src=x onerror=alert(1)> b",
            "<div>\n<b>x</b>\n</div>",
            "[![x](https://a.example/1)](https://a.example/2)",
            "[a](data:text/html,<script>) <https://a.example/\"onmouseover=alert(1)>",
            "```<script>\n<b>\n```",
            "![<b>](x \"<b>\")",
        ] {
            let made = html(text);
            for bad in ["<script", "<img", "<div", "<b>", "href=\"data", "href=\"java"] {
                assert!(!made.contains(bad), "{text}: {made}");
            }
            assert_eq!(made.matches("<a ").count(), made.matches("</a>").count(), "{made}");
        }
    }

    #[test]
    fn words_are_searched_without_their_marks() {
        let text = "# A bowl\n\nof **blue** glass, see\n[the list](https://example.org).\n\n- one\n- two";
        assert_eq!(words(text), "A bowl of blue glass, see the list. one two");
        assert_eq!(words("a <b>c</b>"), "a <b>c</b>");
    }

    #[test]
    fn no_text_takes_long_or_breaks_it() {
        for piece in [
            ">",
            "*",
            "[",
            "![",
            "`",
            "- ",
            "<",
            "_a*b",
            "\n    ",
            "#",
            "&#x0;",
            "\u{0}\u{202e}",
        ] {
            let text = piece.repeat(40_000 / piece.len());
            assert!(html(&text).len() < 50_000_000 && words(&text).len() <= text.len() * 4);
        }
    }
}
