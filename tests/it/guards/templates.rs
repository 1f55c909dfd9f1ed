//! No literal text in templates: every visible word comes through a key (`{{ "key"|t }}`), so that it can be said in
//! another language.

use super::sources::{Finding, files, refuse};

/// Attributes that people see or hear.
const SPOKEN: &[&str] = &[
    "title",
    "alt",
    "placeholder",
    "aria-label",
    "aria-description",
    "label",
    "summary",
];
/// Elements whose content is not shown as words.
const SILENT: &[&str] = &["script", "style"];

/// Replaces what the template engine eats with spaces, keeping lines; answers the expressions with their lines.
fn strip(text: &str) -> (String, Vec<(usize, String)>) {
    let mut plain = String::with_capacity(text.len());
    let mut expressions = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(at) = rest.find('{') {
        let kind = rest[at..].get(1..2).unwrap_or_default();
        let close = match kind {
            "{" => "}}",
            "%" => "%}",
            "#" => "#}",
            _ => {
                plain.push_str(&rest[..=at]);
                line += rest[..=at].matches('\n').count();
                rest = &rest[at + 1..];
                continue;
            }
        };
        plain.push_str(&rest[..at]);
        line += rest[..at].matches('\n').count();
        let end = rest[at + 2..].find(close).map_or(rest.len(), |e| at + 2 + e);
        let inside = &rest[at + 2..end];
        if kind == "{" {
            expressions.push((line, inside.trim_matches(['-', '~', '+', ' ', '\n']).to_owned()));
        }
        let newlines = inside.matches('\n').count();
        plain.push(' ');
        plain.push_str(&"\n".repeat(newlines));
        line += newlines;
        rest = rest.get(end + 2..).unwrap_or_default();
    }
    plain.push_str(rest);
    (plain, expressions)
}

/// Letters once entities (`&nbsp;`) are gone.
fn speaks(text: &str) -> bool {
    let mut rest = text.to_owned();
    while let Some(at) = rest.find('&') {
        let length = rest[at..].find(|c: char| c != '&' && c != '#' && !c.is_ascii_alphanumeric());
        match length {
            Some(n) if rest[at + n..].starts_with(';') && n > 1 => rest.replace_range(at..=at + n, " "),
            _ => rest.replace_range(at..=at, " "),
        }
    }
    rest.chars().any(char::is_alphabetic)
}

/// The attributes of a tag's inside: name and value.
fn attributes(tag: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = tag;
    while let Some(at) = rest.find('=') {
        let name = rest[..at]
            .split_whitespace()
            .last()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let after = rest[at + 1..].trim_start();
        let (value, next) = match after.chars().next() {
            Some(quote @ ('"' | '\'')) => {
                let end = after[1..].find(quote).map_or(after.len(), |e| e + 1);
                (&after[1..end.max(1)], after.get(end + 1..).unwrap_or_default())
            }
            _ => after.split_at(after.find(char::is_whitespace).unwrap_or(after.len())),
        };
        found.push((name, value.to_owned()));
        rest = next;
    }
    found
}

/// Where a tag that starts at the beginning of `text` ends, quotes respected.
fn tag_end(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '"' | '\'') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            (None, '>') => return at,
            _ => {}
        }
    }
    text.len()
}

fn spoken_attributes(tag: &str, name: &str) -> Option<String> {
    let all = attributes(tag);
    let button = name == "input"
        && all
            .iter()
            .any(|(n, v)| n == "type" && ["submit", "button", "reset"].contains(&v.as_str()));
    let description = name == "meta" && all.iter().any(|(n, v)| n == "name" && v == "description");
    all.iter()
        .find(|(n, v)| {
            let heard = SPOKEN.contains(&n.as_str()) || (button && n == "value") || (description && n == "content");
            heard && speaks(v)
        })
        .map(|(n, v)| format!("{n}=\"{v}\""))
}

fn literal_text(path: &str, template: &str) -> Vec<Finding> {
    let (plain, expressions) = strip(template);
    let mut found = Vec::new();
    for (line, expression) in &expressions {
        if expression.starts_with('"')
            && !expression.contains("|t")
            && !expression.contains("| t")
            && speaks(expression)
        {
            found.push(Finding::new(
                path,
                *line,
                format!("a text without a key: {{{{ {expression} }}}}"),
            ));
        }
    }
    let mut rest = plain.as_str();
    let mut line = 1;
    let mut silent: Option<String> = None;
    loop {
        let at = rest.find('<').unwrap_or(rest.len());
        let text = &rest[..at];
        if silent.is_none() && speaks(text) {
            let first = line
                + text
                    .chars()
                    .take_while(|c| c.is_whitespace())
                    .filter(|c| *c == '\n')
                    .count();
            found.push(Finding::new(
                path,
                first,
                format!("a text without a key: {}", text.trim()),
            ));
        }
        line += text.matches('\n').count();
        rest = &rest[at..];
        if rest.is_empty() {
            return found;
        }
        let end = if rest.starts_with("<!--") {
            rest.find("-->").map_or(rest.len(), |e| e + 2)
        } else {
            tag_end(rest)
        };
        let tag = &rest[..end.min(rest.len())];
        let inside = tag.trim_start_matches('<');
        let name: String = inside
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '/')
            .collect::<String>()
            .to_ascii_lowercase();
        if let Some(open) = &silent {
            if name == format!("/{open}") {
                silent = None;
            }
        } else if SILENT.contains(&name.as_str()) {
            silent = Some(name.clone());
        } else if !tag.starts_with("<!")
            && let Some(spoken) = spoken_attributes(inside, &name)
        {
            found.push(Finding::new(path, line, format!("a text without a key: {spoken}")));
        }
        line += tag.matches('\n').count();
        rest = rest.get(end + 1..).unwrap_or_default();
    }
}

#[test]
fn templates_hold_no_text() {
    let findings: Vec<Finding> = files("src", &[".html"])
        .iter()
        .flat_map(|(path, text)| literal_text(path, text))
        .collect();
    refuse(&findings);
}

#[test]
fn template_texts_are_found() {
    #[track_caller]
    fn check(template: &str, lines: &[usize]) {
        let found = literal_text("a.html", template);
        assert_eq!(
            found.iter().map(|f| f.line).collect::<Vec<_>>(),
            lines,
            "{template}: {found:?}"
        );
    }
    check(r#"<p class="a">{{ "home.title"|t }} &middot; {{ n }}</p>"#, &[]);
    check("<p>\n  Welcome</p>", &[2]);
    check("{% if a %}\nyes{% endif %}", &[2]);
    check(r#"<img src="a.png" alt="A vase">"#, &[1]);
    check(r#"<input type="submit" value="Go"><input type="text" value="x">"#, &[1]);
    check("<meta name=\"description\" content=\"A house\">", &[1]);
    check(
        r#"{# a comment #}<!-- another --><a href="/x" title="{{ "a.b"|t }}">{{ name }}</a>"#,
        &[],
    );
    check("<script>let a = 1 < 2;</script><p>{{ \"Hello\" }}</p>", &[1]);
    check("<!doctype html>\n<a href=\"/a>b\">1 – 2</a>", &[]);
}

/// Regions that are called the same cannot be told apart by those who jump from one to the next: a section and the table
/// in it that scrolls need one name, not two.
fn names_given_twice(path: &str, text: &str) -> Vec<Finding> {
    let mut seen = std::collections::HashSet::new();
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for rest in line.split("aria-labelledby=\"").skip(1) {
            let name = rest.split('"').next().unwrap_or_default();
            if !name.contains('{') && !seen.insert(name) {
                found.push(Finding::new(path, at + 1, format!("two regions are called {name}")));
            }
        }
    }
    found
}

#[test]
fn regions_have_names_of_their_own() {
    let findings: Vec<Finding> = files("src", &[".html"])
        .iter()
        .flat_map(|(path, text)| names_given_twice(path, text))
        .collect();
    refuse(&findings);
    let planted = "<section aria-labelledby=\"a\">\n<div aria-labelledby=\"a\"><p aria-labelledby=\"{{ id }}-b\">";
    assert_eq!(names_given_twice("a.html", planted).len(), 1);
}
