//! From a text to the tree: `a b` both, `a | b` one of them, `-a` not, `(…)` groups, `field:…` in a field.
//!
//! Words side by side bind more than `OR`. Whatever is no rule is a word; whatever has neither word nor value is left out.

use super::super::text::cut;
use super::dates::Day;
use super::scan::Scan;
use super::tree::Node;
use super::{MAX_CLAUSES, MAX_DEPTH, MAX_TEXT, Names, Parsed};

/// Hints told at most.
const MAX_HINTS: usize = 6;

/// Reads a question.
pub(crate) fn parse(text: &str, names: &dyn Names, today: Day) -> Parsed {
    let whole = text;
    let text = cut(text, MAX_TEXT);
    let mut parser = Parser {
        scan: Scan::new(text),
        names,
        today,
        parsed: Parsed::default(),
        clauses: 0,
        full: false,
    };
    if text.len() < whole.len() {
        parser.hint(format!(
            "Only the first {MAX_TEXT} bytes of the question are looked at."
        ));
    }
    let mut nodes = Vec::new();
    loop {
        nodes.extend(parser.alternatives(0, None));
        parser.scan.skip_space();
        if parser.scan.at_end() || parser.full {
            break;
        }
        // A bracket that nothing opened.
        parser.scan.pass(1);
        parser.hint("A bracket that was never opened is left out.".to_owned());
    }
    parser.parsed.tree = Node::all(flat(nodes));
    parser.parsed
}

pub(super) struct Parser<'t, 'n> {
    pub scan: Scan<'t>,
    pub names: &'n dyn Names,
    pub today: Day,
    pub parsed: Parsed,
    /// Conditions read so far.
    pub clauses: usize,
    /// No more conditions are followed.
    full: bool,
}

/// Conditions that hold together anyway stand side by side.
fn flat(nodes: Vec<Node>) -> Vec<Node> {
    let mut out = Vec::with_capacity(nodes.len());
    for node in nodes {
        match node {
            Node::And(inner) => out.extend(inner),
            node => out.push(node),
        }
    }
    out
}

impl Parser<'_, '_> {
    pub fn hint(&mut self, text: String) {
        let hints = &mut self.parsed.hints;
        if hints.len() < MAX_HINTS && !hints.contains(&text) {
            hints.push(text);
        }
    }

    /// `a b | c d`, up to the end or the bracket that closes.
    fn alternatives(&mut self, depth: usize, field: Option<&[String]>) -> Option<Node> {
        let mut choices = Vec::new();
        loop {
            choices.extend(self.together(depth, field));
            if !self.scan.take_or() {
                return Node::any(choices);
            }
        }
    }

    fn together(&mut self, depth: usize, field: Option<&[String]>) -> Option<Node> {
        let mut nodes = Vec::new();
        loop {
            self.scan.take_and();
            if self.scan.at_end() || self.full || self.is_or() {
                break;
            }
            if self.scan.peek() == Some(')') {
                if depth > 0 {
                    break;
                }
                self.scan.pass(1);
                self.hint("A bracket that was never opened is left out.".to_owned());
                continue;
            }
            let negated = self.scan.take_not();
            let node = self.condition(depth, field);
            nodes.extend(node.map(|node| if negated { Node::Not(Box::new(node)) } else { node }));
        }
        Node::all(flat(nodes))
    }

    fn is_or(&self) -> bool {
        let mut ahead = self.scan;
        ahead.take("|") || ahead.take_word("OR")
    }

    fn condition(&mut self, depth: usize, field: Option<&[String]>) -> Option<Node> {
        if self.scan.take("(") {
            return self.group(depth, field);
        }
        if self.clauses >= MAX_CLAUSES {
            self.full = true;
            self.hint(format!("Only the first {MAX_CLAUSES} conditions are looked for."));
            return None;
        }
        let node = match field {
            Some(paths) => self.values(depth, paths),
            None => self.anywhere(depth),
        };
        self.clauses += node.as_ref().map_or(0, Node::size);
        node
    }

    pub fn group(&mut self, depth: usize, field: Option<&[String]>) -> Option<Node> {
        if depth >= MAX_DEPTH {
            self.hint(format!("Groups more than {MAX_DEPTH} deep are taken as one."));
            return None;
        }
        let node = self.alternatives(depth + 1, field);
        self.scan.skip_space();
        if !self.scan.take(")") && !self.full {
            self.hint("A bracket is open at the end; it was closed there.".to_owned());
        }
        node
    }
}
