//! What a question may cost: so many conditions, and of those that read much only a few. What is left out is told.

use super::query::{How, MAX_CLAUSES, Node};

/// Conditions that stand for many words or for anything in a tree.
const MAX_WIDE: usize = 12;
/// Conditions that read a column from its begin to its end.
const MAX_SPANS: usize = 64;
/// Letters from which on a beginning stands for few words.
const TELLING: usize = 3;

/// What is left.
struct Budget {
    clauses: usize,
    wide: usize,
    spans: usize,
}

/// Leaves out what is said twice, and what is beyond the limits.
pub(super) fn hold(tree: &mut Node, hints: &mut Vec<String>) {
    let mut left = Budget {
        clauses: MAX_CLAUSES,
        wide: MAX_WIDE,
        spans: MAX_SPANS,
    };
    let (mut wide, mut spans) = (0, 0);
    once(tree);
    tree.each(false, &mut |node, _| {
        wide += usize::from(is_wide(node));
        spans += usize::from(is_span(node));
    });
    if tree.size() > MAX_CLAUSES {
        hints.push(format!("Only the first {MAX_CLAUSES} conditions are looked for."));
    }
    if wide > MAX_WIDE {
        hints.push(format!(
            "Only the first {MAX_WIDE} words that stand for many others are looked for."
        ));
    }
    if spans > MAX_SPANS {
        hints.push(format!(
            "Only the first {MAX_SPANS} spans and distances are looked for."
        ));
    }
    shorten(tree, &mut left);
}

/// What stands twice side by side stands once.
fn once(node: &mut Node) {
    match node {
        Node::And(nodes) | Node::Or(nodes) => {
            nodes.iter_mut().for_each(once);
            let mut at = 1;
            // A body of the interface may bring more; those are cut without being compared.
            while at < nodes.len().min(2 * MAX_CLAUSES) {
                if nodes[..at].contains(&nodes[at]) {
                    nodes.remove(at);
                } else {
                    at += 1;
                }
            }
            if nodes.len() == 1
                && let Some(only) = nodes.pop()
            {
                *node = only;
            }
        }
        Node::Not(inner) => once(inner),
        _ => {}
    }
}

fn is_wide(node: &Node) -> bool {
    match node {
        Node::Word(word) => match word.how {
            How::Plain => false,
            How::Begin => word.text.chars().count() < TELLING,
            How::Called => word.text.contains('*'),
            How::Pattern | How::Fuzzy | How::Fuzzier => true,
        },
        Node::Phrase(phrase) => phrase.text.contains('*') || phrase.begin,
        Node::In(_) => true,
        _ => false,
    }
}

fn is_span(node: &Node) -> bool {
    match node {
        Node::Range(_) | Node::Near(_) | Node::Within(_) => true,
        // A number or date may be one.
        Node::Is(whole) => whole.value.contains(|c: char| c.is_ascii_digit()),
        _ => false,
    }
}

/// Keeps as much as is left.
fn shorten(node: &mut Node, left: &mut Budget) {
    match node {
        Node::And(nodes) | Node::Or(nodes) => nodes.retain_mut(|node| {
            let room = left.clauses > 0
                && (left.wide > 0 || !is_wide(within(node)))
                && (left.spans > 0 || !is_span(within(node)));
            if room {
                shorten(node, left);
            }
            room && !is_empty(node)
        }),
        Node::Not(node) => shorten(node, left),
        node => {
            left.clauses = left.clauses.saturating_sub(1);
            left.wide = left.wide.saturating_sub(usize::from(is_wide(node)));
            left.spans = left.spans.saturating_sub(usize::from(is_span(node)));
        }
    }
}

/// A group of which nothing was kept.
fn is_empty(node: &Node) -> bool {
    match node {
        Node::And(nodes) | Node::Or(nodes) => nodes.is_empty(),
        Node::Not(node) => is_empty(node),
        _ => false,
    }
}

/// What must not hold, or the condition itself.
fn within(node: &Node) -> &Node {
    match node {
        Node::Not(node) => within(node),
        node => node,
    }
}

#[cfg(test)]
mod tests {
    use super::super::query::Word;
    use super::*;

    fn word(text: &str, how: How) -> Node {
        Node::Word(Word {
            text: text.to_owned(),
            field: None,
            how,
        })
    }

    #[track_caller]
    fn check(mut tree: Node, size: usize, told: &str) {
        let mut hints = Vec::new();
        hold(&mut tree, &mut hints);
        assert_eq!(tree.size(), size, "{tree}");
        assert!(hints.join(" ").contains(told), "{hints:?}");
        assert_eq!(hints.is_empty(), told.is_empty(), "{hints:?}");
    }

    #[test]
    fn what_costs_much_is_asked_a_few_times() {
        let many = |how: How, count: usize| (0..count).map(|n| word(&format!("w{n}"), how)).collect::<Vec<_>>();
        check(Node::And(many(How::Plain, 100)), 100, "");
        check(Node::Or(many(How::Plain, 400)), MAX_CLAUSES, "256 conditions");
        check(Node::And(many(How::Pattern, 100)), MAX_WIDE, "stand for many");
        check(Node::Or(many(How::Fuzzier, 13)), MAX_WIDE, "stand for many");
        let group = Node::Or(many(How::Fuzzy, 30));
        let mut both = many(How::Pattern, MAX_WIDE);
        both.push(group);
        check(Node::And(both), MAX_WIDE, "stand for many");
        let nots = many(How::Pattern, 50).into_iter().map(|node| Node::Not(Box::new(node)));
        check(Node::And(nots.collect()), MAX_WIDE, "stand for many");
        let spans = (0..100).map(|n| {
            Node::Is(super::super::query::Whole {
                field: "year".to_owned(),
                value: n.to_string(),
                exactly: false,
            })
        });
        check(Node::Or(spans.collect()), MAX_SPANS, "spans and distances");
    }

    #[test]
    fn what_is_said_twice_is_asked_once() {
        let mut tree = Node::And(vec![
            word("a", How::Plain),
            Node::Or(vec![word("b", How::Fuzzy), word("b", How::Fuzzy)]),
            word("a", How::Plain),
        ]);
        hold(&mut tree, &mut Vec::new());
        assert_eq!(tree, Node::And(vec![word("a", How::Plain), word("b", How::Fuzzy)]));
        let mut tree = Node::Or(vec![word("a", How::Pattern); 500]);
        let mut hints = Vec::new();
        hold(&mut tree, &mut hints);
        assert_eq!((tree, hints), (word("a", How::Pattern), vec![]));
    }
}
