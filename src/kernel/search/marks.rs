//! From a question to what is marked in the texts that are shown: each word as it was looked for, those of a phrase only where
//! they stand beside each other, with other spellings, parts of words and what means the same.

use super::compile::Compiler;
use super::pattern::starred;
use super::query::{How, Node};
use super::stem::Stems;
use super::types::Mark;
use super::words::{phrase_words, placed_words};

/// Marked at most.
const MAX_MARKS: usize = 64;

/// What to mark: what was looked for, not what must be absent.
pub(super) fn marks(compiler: &Compiler<'_>, tree: Option<&Node>) -> Vec<Mark> {
    let mut marks = Marks(Vec::new());
    if let Some(tree) = tree {
        tree.each(false, &mut |node, negated| {
            if !negated {
                marks.of(compiler, node);
            }
        });
    }
    marks.0
}

struct Marks(Vec<Mark>);

impl Marks {
    fn add(&mut self, mark: Mark) {
        if self.0.len() < MAX_MARKS && !self.0.contains(&mark) {
            self.0.push(mark);
        }
    }

    fn of(&mut self, compiler: &Compiler<'_>, node: &Node) {
        match node {
            Node::Word(word) => match word.how {
                How::Pattern => self.patterns(&word.text),
                How::Called if word.text.contains('*') => self.patterns(&word.text),
                How::Called => self.phrase(&word.text, false),
                How::Begin => self.phrase(&word.text, true),
                How::Fuzzy => self.alike(&word.text, 1),
                How::Fuzzier => self.alike(&word.text, 2),
                How::Plain => self.forms(compiler, &word.text),
            },
            Node::Phrase(phrase) if phrase.text.contains('*') => self.patterns(&phrase.text),
            Node::Phrase(phrase) if phrase.slop > 0 => self.each(&phrase.text, false),
            Node::Phrase(phrase) => self.phrase(&phrase.text, phrase.begin),
            Node::Is(whole) => self.phrase(&whole.value, false),
            _ => {}
        }
    }

    /// A word with its other forms and what means the same.
    fn forms(&mut self, compiler: &Compiler<'_>, text: &str) {
        self.phrase(text, false);
        let tokens = phrase_words(text);
        if let [token] = tokens.as_slice() {
            for tongue in &compiler.tongues {
                if let Some(token) = Stems::new(*tongue).stem(token) {
                    self.add(Mark {
                        token,
                        stem: Some(*tongue),
                        ..Mark::default()
                    });
                }
            }
        }
        let placed = placed_words(text);
        for named in compiler.named_types() {
            for words in named.synonyms.others(&placed) {
                let words: Vec<&str> = words.iter().map(|(_, word)| word.as_str()).collect();
                self.phrase(&words.join(" "), false);
            }
        }
    }

    /// Words beside each other. In scripts without spaces, pairs of neighbours, each by itself.
    fn phrase(&mut self, text: &str, prefix: bool) {
        let mut words = phrase_words(text);
        let is_plain = placed_words(text).iter().map(|(_, word)| word).eq(&words);
        if !is_plain || words.len() < 2 {
            return self.each(text, prefix);
        }
        let then = words.split_off(1);
        self.add(Mark {
            token: words.remove(0),
            then,
            prefix,
            ..Mark::default()
        });
    }

    fn each(&mut self, text: &str, prefix: bool) {
        let tokens = placed_words(text);
        let last = tokens.len().saturating_sub(1);
        for (at, (_, token)) in tokens.into_iter().enumerate() {
            self.add(Mark {
                token,
                prefix: prefix && at == last,
                ..Mark::default()
            });
        }
    }

    fn alike(&mut self, text: &str, typos: u8) {
        match phrase_words(text).as_slice() {
            [token] => self.add(Mark {
                token: token.clone(),
                typos,
                ..Mark::default()
            }),
            _ => self.phrase(text, false),
        }
    }

    fn patterns(&mut self, text: &str) {
        for token in starred(text) {
            self.add(Mark {
                pattern: token.contains('*'),
                token,
                ..Mark::default()
            });
        }
    }
}
