//! Words and phrases with what their signs say: `begin*`, `*within*`, `much~`, `"side by side"`, `"close"~2`, `"*ide by s*"`,
//! `=as it is`, `==called so`.

use super::super::text::{is_word, words};
use super::parse::Parser;
use super::tree::{How, Node, Phrase, Word};

/// Places that the words of a phrase may be moved by, at most.
const MAX_SLOP: u8 = 20;

impl Parser<'_, '_> {
    /// What stands in quotation marks, with `~2` or `*` behind it. Of a field with several paths, in any of them.
    pub fn phrase(&mut self, inside: &str, paths: Option<&[String]>) -> Option<Node> {
        let mut slop = 0;
        let mut begin = self.scan.take("*");
        if self.scan.take("~") {
            let digits = self.scan.rest.bytes().take_while(u8::is_ascii_digit).count();
            let given = self.scan.rest[..digits].parse::<u8>();
            slop = given.unwrap_or(if digits == 0 { 1 } else { MAX_SLOP }).min(MAX_SLOP);
            self.scan.pass(digits);
        }
        let inside = match inside.trim_end().strip_suffix('*') {
            // Stars within are part of what is looked for.
            Some(start) if words(start).len() > 1 && !start.contains('*') => {
                begin = true;
                start
            }
            _ => inside,
        };
        if words(inside).is_empty() {
            return None;
        }
        let phrase = |field: Option<&str>| {
            Node::Phrase(Phrase {
                text: inside.trim().to_owned(),
                field: field.map(str::to_owned),
                slop,
                begin: begin && slop == 0,
            })
        };
        match paths {
            None => Some(phrase(None)),
            Some(paths) => self.each(paths, |field| Some(phrase(Some(field)))),
        }
    }

    /// What stands after `==`: what is called so. After `=`: words in no other form.
    pub fn exactly(&mut self, depth: usize, called: bool) -> Option<Node> {
        let text = match self.scan.take_quoted() {
            Some(inside) => inside,
            None => {
                let chunk = self.scan.chunk(depth);
                self.scan.pass(chunk.len());
                chunk
            }
        };
        let text = text.trim();
        if words(text).is_empty() {
            return None;
        }
        if called {
            return Some(Node::Word(Word {
                text: text.to_owned(),
                field: None,
                how: How::Called,
            }));
        }
        Some(Node::Phrase(Phrase {
            text: text.to_owned(),
            field: None,
            slop: 0,
            begin: false,
        }))
    }

    /// A word, with what its stars and tildes say.
    pub fn word(&mut self, chunk: &str, paths: Option<&[String]>) -> Option<Node> {
        let node = self.bare(chunk)?;
        match paths {
            None => Some(node),
            Some(paths) => self.each(paths, |field| Some(in_field(&node, field))),
        }
    }

    pub fn bare(&self, chunk: &str) -> Option<Node> {
        let word = |text: &str, how| {
            Node::Word(Word {
                text: text.to_owned(),
                field: None,
                how,
            })
        };
        let plain = chunk.trim_end_matches('*');
        if plain.contains('*') {
            // Letters before or within: each part that has some is looked for within words.
            let parts = chunk.split(|c: char| c != '*' && !is_word(c));
            let parts = parts.filter(|part| !words(part).is_empty());
            return Node::all(
                parts
                    .map(|part| {
                        if part.contains('*') {
                            word(part, How::Pattern)
                        } else {
                            word(part, How::Plain)
                        }
                    })
                    .collect(),
            );
        }
        if words(plain).is_empty() {
            return None;
        }
        if plain.len() < chunk.len() {
            return Some(word(plain, How::Begin));
        }
        let (text, how) = match chunk.rsplit_once('~') {
            Some((text, "" | "1")) => (text, How::Fuzzy),
            Some((text, "2")) => (text, How::Fuzzier),
            _ => (chunk, How::Plain),
        };
        let single = words(text).len() == 1;
        Some(word(
            if single { text } else { chunk },
            if single { how } else { How::Plain },
        ))
    }
}

/// A condition on any field as one on this field.
pub(super) fn in_field(node: &Node, field: &str) -> Node {
    match node {
        Node::Word(word) => Node::Word(Word {
            field: Some(field.to_owned()),
            ..word.clone()
        }),
        Node::And(nodes) => Node::And(nodes.iter().map(|node| in_field(node, field)).collect()),
        node => node.clone(),
    }
}
