//! Values as people read them: links found in texts, names made readable.

use serde_json::{Map, Value};

use crate::kernel::i18n::Language;

/// A part of a text: plain, or an address that may be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    /// An `http` or `https` address; nothing else ever becomes a link.
    Link(String),
}

/// Splits a text at the web addresses in it. Escaping is the template's.
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut out = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = next_address(rest) {
        let (before, from) = rest.split_at(at);
        let end = from
            .find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '"'))
            .unwrap_or(from.len());
        let address = trimmed(&from[..end]);
        plain.push_str(before);
        rest = &from[address.len()..];
        // "https://" alone is no address.
        if address.split_once("://").is_some_and(|(_, host)| !host.is_empty()) {
            if !plain.is_empty() {
                out.push(Piece::Text(std::mem::take(&mut plain)));
            }
            out.push(Piece::Link(address.to_owned()));
        } else {
            plain.push_str(address);
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        out.push(Piece::Text(plain));
    }
    out
}

/// The address without the sentence's mark at its end, and without a bracket that was opened before it.
fn trimmed(text: &str) -> &str {
    let mut address = text.trim_end_matches(['.', ',', ';', ':', '!', '?', '\'']);
    while address.ends_with(')') && address.matches(')').count() > address.matches('(').count() {
        address = address[..address.len() - 1].trim_end_matches(['.', ',', ';']);
    }
    address
}

fn next_address(text: &str) -> Option<usize> {
    let mut from = 0;
    loop {
        let at = from + text[from..].find("http")?;
        let tail = &text[at..];
        let starts = tail.starts_with("http://") || tail.starts_with("https://");
        let alone = !text[..at].ends_with(char::is_alphanumeric);
        if starts && alone {
            return Some(at);
        }
        from = at + "http".len();
    }
}

/// The label of a field or type: as [`said`], else its name made readable.
pub fn label(labels: &Map<String, Value>, name: &str, language: Language) -> String {
    said(labels, language).map_or_else(|| readable(name), str::to_owned)
}

/// A text that is kept by language: in this one, else in English, else in the one it was written in.
pub fn said(texts: &Map<String, Value>, language: Language) -> Option<&str> {
    let known = [language.tag(), "en"].into_iter().map(|tag| texts.get(tag));
    known
        .chain(texts.values().map(Some))
        .find_map(|text| text?.as_str().filter(|text| !text.trim().is_empty()))
}

/// A single value as text; `None` for nothing, lists and groups.
pub fn plain(value: &Value, language: Language) -> Option<String> {
    match value {
        Value::String(text) if text.trim().is_empty() => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(true) => Some(language.text("value.yes")),
        Value::Bool(false) => Some(language.text("value.no")),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The values of a document at a dotted path, lists and groups in lists followed; those that are no single value are
/// left out.
pub fn texts(document: &Map<String, Value>, path: &str, language: Language) -> Vec<String> {
    let mut out = Vec::new();
    gather(document, path, &mut |value| out.extend(plain(value, language)));
    out
}

fn gather(object: &Map<String, Value>, path: &str, each: &mut dyn FnMut(&Value)) {
    // A name may itself contain dots: the whole path is tried before its parts.
    if let Some(value) = object.get(path) {
        return spread(value, each);
    }
    for (at, _) in path.match_indices('.') {
        let (name, rest) = (&path[..at], &path[at + 1..]);
        match object.get(name) {
            Some(Value::Object(inner)) => return gather(inner, rest, each),
            Some(Value::Array(items)) => {
                return items
                    .iter()
                    .filter_map(Value::as_object)
                    .for_each(|inner| gather(inner, rest, each));
            }
            _ => {}
        }
    }
}

fn spread(value: &Value, each: &mut dyn FnMut(&Value)) {
    match value {
        Value::Array(items) => items.iter().for_each(each),
        value => each(value),
    }
}

/// At most `limit` characters, cut at a word, with a mark where something is left out.
pub fn shorten(text: &str, limit: usize) -> String {
    let Some((end, _)) = text.char_indices().nth(limit) else {
        return text.to_owned();
    };
    let cut = &text[..end];
    let cut = cut
        .rfind(char::is_whitespace)
        .filter(|at| *at > end / 2)
        .map_or(cut, |at| &cut[..at]);
    format!("{}…", cut.trim_end())
}

/// A field's name for people: `birth_date` becomes `Birth date`, `creditLine` becomes `Credit line`.
pub fn readable(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    let mut lower_before = false;
    let mut letters = name.chars().peekable();
    while let Some(c) = letters.next() {
        if matches!(c, '_' | '-' | '.' | ' ') {
            if !out.is_empty() && !out.ends_with(' ') {
                out.push(' ');
            }
            lower_before = false;
        } else if out.is_empty() {
            out.extend(c.to_uppercase());
            lower_before = c.is_lowercase();
        } else if c.is_uppercase() && lower_before {
            out.push(' ');
            // Capitals in a row are an abbreviation: `taxonID`.
            if letters.peek().is_some_and(|next| next.is_uppercase()) {
                out.push(c);
            } else {
                out.extend(c.to_lowercase());
            }
            lower_before = false;
        } else {
            out.push(c);
            lower_before = c.is_lowercase() || c.is_numeric();
        }
    }
    out.truncate(out.trim_end().len());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn links(text: &str, want: &[&str]) {
        let found = pieces(text);
        let got: Vec<&str> = found
            .iter()
            .filter_map(|p| if let Piece::Link(l) = p { Some(l.as_str()) } else { None })
            .collect();
        assert_eq!(got, want);
        let whole: String = found
            .iter()
            .map(|p| match p {
                Piece::Text(t) | Piece::Link(t) => t.as_str(),
            })
            .collect();
        assert_eq!(whole, text, "nothing is lost");
    }

    #[test]
    fn only_web_addresses_become_links() {
        links(
            "See http://example.org/a?b=1, and (https://example.org/x_(y)).",
            &["http://example.org/a?b=1", "https://example.org/x_(y)"],
        );
        links(
            "javascript:alert(1) data:text/html,x ftp://x xhttp://y https:// http",
            &[],
        );
        links("\"><script>http://a<b>", &["http://a"]);
        links("https://é.example/ü", &["https://é.example/ü"]);
    }

    #[test]
    fn values_are_found_through_lists_and_groups() {
        let document = r#"{"a.b":"dot","c":[{"n":"x"},{"n":["y","z"]},{"m":1}],"d":{"e":{"f":true}},"g":null}"#;
        let document = serde_json::from_str(document).unwrap();
        let found = |path: &str| texts(&document, path, Language::default()).join("|");
        assert_eq!(found("a.b"), "dot");
        assert_eq!(found("c.n"), "x|y|z");
        assert_eq!(found("d.e.f"), "Yes");
        assert_eq!(found("d.e") + &found("g") + &found("nothing.at.all") + &found("."), "");
    }

    #[test]
    fn labels_are_said_in_the_readers_language() {
        let (en, sv) = (Language::default(), Language::find("sv").unwrap());
        let labels = |text| serde_json::from_str(text).unwrap();
        let both: Map<String, Value> = labels(r#"{"sv":"Samling","en":"Collection"}"#);
        assert_eq!(
            (label(&both, "x", en), label(&both, "x", sv)),
            ("Collection".to_owned(), "Samling".to_owned())
        );
        let own: Map<String, Value> = labels(r#"{"en":" ","sv":"Samling"}"#);
        assert_eq!(label(&own, "x", en), "Samling", "better than a name");
        assert_eq!(label(&Map::new(), "made_by", sv), "Made by");
    }

    #[test]
    fn long_texts_are_cut_at_words() {
        assert_eq!(shorten("one two three", 9), "one two…");
        assert_eq!(shorten("éééééééééé", 3), "ééé…");
        assert_eq!(shorten("short", 9), "short");
    }

    #[test]
    fn names_are_made_readable() {
        for (name, want) in [
            ("birth_date", "Birth date"),
            ("creditLine", "Credit line"),
            ("ID", "ID"),
            ("taxonID", "Taxon ID"),
            ("web_url", "Web url"),
            ("__x__", "X"),
            ("", ""),
        ] {
            assert_eq!(readable(name), want);
        }
    }
}
