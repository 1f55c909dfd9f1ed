//! How a question was understood, in words: a line for each of its parts, with fields by their labels.

use super::kind::{Kind, leaf_label};
use super::map::told;
use crate::kernel::i18n::Language;
use crate::kernel::search::{How, Node, Phrase, Span, Word};

/// Says trees in one language.
pub struct Told<'a> {
    pub kinds: &'a [Kind],
    pub language: Language,
}

impl Told<'_> {
    /// What must hold, each in a line.
    pub fn lines(&self, tree: &Node) -> Vec<String> {
        match tree {
            Node::And(nodes) => {
                let words: Vec<String> = nodes
                    .iter()
                    .filter_map(plain)
                    .map(|word| self.language.quoted(word))
                    .collect();
                let rest = nodes
                    .iter()
                    .filter(|node| plain(node).is_none())
                    .map(|node| self.node(node));
                let key = if words.len() == 1 {
                    "search.read-word"
                } else {
                    "search.read-words"
                };
                let words = (!words.is_empty()).then(|| self.language.with(key, &[("what", &words.join(", "))]));
                words.into_iter().chain(rest).collect()
            }
            node => match plain(node) {
                Some(word) => vec![
                    self.language
                        .with("search.read-word", &[("what", &self.language.quoted(word))]),
                ],
                None => vec![self.node(node)],
            },
        }
    }

    fn node(&self, node: &Node) -> String {
        let say = |key: &str, what: &str| self.language.with(key, &[("what", &what)]);
        match node {
            Node::And(nodes) => self.joined(nodes, "search.read-and"),
            Node::Or(nodes) => self.joined(nodes, "search.read-or"),
            Node::Not(inner) => say("search.read-not", &self.node(inner)),
            Node::Word(word) => self.of(word.field.as_deref(), &self.word(word)),
            Node::Phrase(phrase) => self.of(phrase.field.as_deref(), &self.phrase(phrase)),
            Node::Is(whole) => self.of(Some(&whole.field), &self.language.quoted(&whole.value)),
            Node::Range(span) => self.of(Some(&span.field), &self.span(span)),
            Node::Filled(field) => say("search.read-filled", &self.label(field)),
            Node::Near(near) => {
                let place = format!("{}, {}", near.latitude, near.longitude);
                let km = self.language.decimal(near.km, usize::from(near.km.fract() != 0.0));
                self.language
                    .with("search.read-place", &[("km", &km), ("place", &place)])
            }
            Node::Within(area) => say("search.read-within", &told(area, self.language)),
            Node::In(name) => say("search.read-in", &self.language.quoted(name)),
            Node::Text(text) => self.language.quoted(text),
        }
    }

    fn word(&self, word: &Word) -> String {
        let key = match word.how {
            How::Plain => return self.language.quoted(&word.text),
            How::Begin => "search.read-begin",
            How::Pattern => "search.read-pattern",
            How::Fuzzy | How::Fuzzier => "search.read-alike",
            How::Called => "search.read-called",
        };
        self.language.with(key, &[("what", &word.text)])
    }

    fn phrase(&self, phrase: &Phrase) -> String {
        let key = if phrase.slop > 0 {
            "search.read-close"
        } else {
            "search.read-phrase"
        };
        let star = if phrase.begin { "*" } else { "" };
        self.language.with(key, &[("what", &format!("{}{star}", phrase.text))])
    }

    fn span(&self, span: &Span) -> String {
        let say = |key: &str, value: &String| self.language.with(key, &[("value", value)]);
        match (&span.above, &span.below, &span.from, &span.to) {
            (Some(value), ..) => say("search.read-above", value),
            (_, Some(value), ..) => say("search.read-below", value),
            (_, _, Some(from), Some(to)) => format!("{from} – {to}"),
            (_, _, Some(from), None) => say("search.from", from),
            (_, _, None, Some(to)) => say("search.to", to),
            _ => String::new(),
        }
    }

    /// With the field before it.
    fn of(&self, field: Option<&str>, what: &str) -> String {
        match field {
            Some(field) => {
                let args: [(&str, &dyn std::fmt::Display); 2] = [("field", &self.label(field)), ("value", &what)];
                self.language.with("search.read-field", &args)
            }
            None => what.to_owned(),
        }
    }

    fn label(&self, path: &str) -> String {
        let of_kind = |kind: &Kind| {
            let leaves = kind.leaves();
            let leaf = leaves.iter().find(|leaf| leaf.path == path)?;
            Some(leaf_label(leaf, self.language))
        };
        self.kinds.iter().find_map(of_kind).unwrap_or_else(|| path.to_owned())
    }

    fn joined(&self, nodes: &[Node], key: &str) -> String {
        let texts: Vec<String> = nodes.iter().map(|node| self.node(node)).collect();
        texts.join(&format!(" {} ", self.language.text(key)))
    }
}

/// A word that may stand anywhere, as it is.
fn plain(node: &Node) -> Option<&str> {
    match node {
        Node::Word(word) if word.how == How::Plain && word.field.is_none() => Some(&word.text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_told() {
        let told = Told {
            kinds: &[],
            language: Language::default(),
        };
        let word = |text: &str, how| {
            Node::Word(Word {
                text: text.to_owned(),
                field: None,
                how,
            })
        };
        let tree = Node::And(vec![
            word("silver", How::Plain),
            Node::Or(vec![word("tea", How::Begin), word("pot", How::Plain)]),
            Node::Not(Box::new(word("gold", How::Plain))),
            Node::Range(Span {
                field: "year".to_owned(),
                from: Some("1850".to_owned()),
                to: Some("1900".to_owned()),
                ..Span::default()
            }),
        ]);
        assert_eq!(
            told.lines(&tree),
            [
                "“silver”, in any field",
                "words that begin with “tea” or “pot”",
                "without “gold”",
                "year: 1850 – 1900"
            ]
        );
    }
}
