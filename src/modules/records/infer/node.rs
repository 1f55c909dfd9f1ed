//! What is remembered of one field while documents pass: counts, what its texts could be, and distinct values up to a
//! bound.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use serde_json::{Map, Number, Value};

use crate::kernel::civil::Civil;
use crate::modules::records::model::validate::is_url;

/// Distinct values of one field that are remembered.
const MAX_DISTINCT: usize = 65_536;
/// Once values repeat, more distinct ones than this are no vocabulary and need no memory.
pub(super) const MAX_TERMS: usize = 1_000;
/// Distinct values of all fields together.
const MAX_REMEMBERED: usize = 2_000_000;
/// Names in one group above which it is a table of data and not a set of fields.
const MAX_NAMES: usize = 1_000;
/// Fields of all groups together.
const MAX_NODES: usize = 20_000;
/// Groups in groups.
const MAX_DEPTH: usize = 4;
/// Values in one list.
const MAX_ITEMS: usize = 10_000;
const MAX_NAME: usize = 200;

/// What all fields share.
pub(super) struct Budget {
    distinct: usize,
    nodes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self {
            distinct: MAX_REMEMBERED,
            nodes: MAX_NODES,
        }
    }
}

/// What a text could be, as long as every text could.
#[derive(Clone, Copy)]
pub(super) struct Could {
    pub integer: bool,
    pub number: bool,
    pub boolean: bool,
    pub date: bool,
    pub url: bool,
    /// Without a space.
    pub code: bool,
    /// A code that may have spaces in it, as numbers of inventories have: `K 1923-04 a`.
    pub mark: bool,
}

/// See the module's text.
pub(super) struct Node {
    pub children: Vec<(String, Node)>,
    next: usize,
    /// Documents or groups in which it says something.
    pub present: u64,
    pub objects: u64,
    pub lists: u64,
    /// Scalars that say something, of all kinds.
    pub values: u64,
    pub texts: u64,
    pub integers: u64,
    pub numbers: u64,
    pub booleans: u64,
    /// Something that fields cannot hold: lists in lists, nothing in a list, too many names, too deep.
    pub odd: bool,
    pub could: Could,
    /// Dates with a month, so that a bare number of four digits is not taken for one.
    pub months: u64,
    pub digits: u64,
    /// Values that are mostly letters, as what people call things is.
    pub wordy: u64,
    pub bytes: u64,
    pub longest: usize,
    pub lines: bool,
    distinct: Option<HashSet<u64>>,
    /// Distinct values that were seen, as far as they were counted.
    pub known: usize,
    pub repeats: bool,
}

impl Default for Node {
    fn default() -> Self {
        let could = Could {
            integer: true,
            number: true,
            boolean: true,
            date: true,
            url: true,
            code: true,
            mark: true,
        };
        Self {
            children: Vec::new(),
            next: 0,
            present: 0,
            objects: 0,
            lists: 0,
            values: 0,
            texts: 0,
            integers: 0,
            numbers: 0,
            booleans: 0,
            odd: false,
            could,
            months: 0,
            digits: 0,
            wordy: 0,
            bytes: 0,
            longest: 0,
            lines: false,
            distinct: Some(HashSet::new()),
            known: 0,
            repeats: false,
        }
    }
}

impl Node {
    /// Looks at an object: each value goes to its field.
    pub(super) fn object(&mut self, map: &Map<String, Value>, depth: usize, cells: bool, budget: &mut Budget) {
        for (name, value) in map {
            let Some(child) = self.child(name, depth, budget) else {
                self.odd = true;
                self.children.clear();
                return;
            };
            child.field(value, depth, cells, budget);
        }
    }

    /// The field of that name; documents mostly have their names in the same order.
    fn child(&mut self, name: &str, depth: usize, budget: &mut Budget) -> Option<&mut Node> {
        let count = self.children.len();
        let found = (self.next..count)
            .chain(0..self.next.min(count))
            .find(|i| self.children[*i].0 == name);
        let index = match found {
            Some(index) => index,
            None => {
                let unusable = name.trim().is_empty()
                    || name.len() > MAX_NAME
                    || name.starts_with('.')
                    || name.ends_with('.')
                    || name.chars().any(char::is_control);
                // The names of the document itself stay as they are: a type with an unusable one is refused by name.
                if depth > 0 && (unusable || count >= MAX_NAMES || budget.nodes == 0) {
                    return None;
                }
                budget.nodes = budget.nodes.saturating_sub(1);
                self.children.push((name.to_owned(), Node::default()));
                count
            }
        };
        self.next = index + 1;
        Some(&mut self.children[index].1)
    }

    fn field(&mut self, value: &Value, depth: usize, cells: bool, budget: &mut Budget) {
        let before = self.values + self.objects;
        match value {
            Value::Array(items) => {
                self.lists += 1;
                self.odd |= items.len() > MAX_ITEMS;
                for item in items {
                    self.odd |= matches!(item, Value::Null | Value::Array(_));
                    self.value(item, depth, cells, budget);
                }
            }
            other => self.value(other, depth, cells, budget),
        }
        self.present += u64::from(self.values + self.objects > before);
    }

    fn value(&mut self, value: &Value, depth: usize, cells: bool, budget: &mut Budget) {
        match value {
            Value::Null | Value::Array(_) => {}
            Value::Object(map) => {
                self.objects += 1;
                self.odd |= depth >= MAX_DEPTH;
                if !self.odd {
                    self.object(map, depth + 1, cells, budget);
                }
            }
            Value::String(text) if text.is_empty() => {}
            Value::String(text) => {
                self.texts += 1;
                self.text(text, budget);
            }
            Value::Bool(flag) => {
                self.booleans += 1;
                self.text(if *flag { "true" } else { "false" }, budget);
            }
            Value::Number(number) => {
                if number.is_i64() {
                    self.integers += 1;
                } else if number.is_f64() {
                    self.numbers += 1;
                } else {
                    // Beyond what a whole number can be here: kept as text.
                    self.could.integer = false;
                    self.could.number = false;
                    self.odd = true;
                }
                self.text(&number.to_string(), budget);
            }
        }
    }

    fn text(&mut self, text: &str, budget: &mut Budget) {
        self.values += 1;
        self.bytes += text.len() as u64;
        self.longest = self.longest.max(text.len());
        self.lines |= text.contains('\n');
        let could = &mut self.could;
        could.integer = could.integer && text.parse::<i64>().is_ok_and(|n| n.to_string() == text);
        could.number = could.number && prints_back(text);
        could.boolean = could.boolean && matches!(text, "true" | "false");
        could.url = could.url && is_url(text);
        could.code = could.code && text.len() <= 200 && !text.chars().any(|c| c.is_whitespace() || c.is_control());
        could.mark = could.mark && is_mark(text);
        if could.date {
            let civil = Civil::stored(text).ok();
            could.date = civil.is_some();
            self.months += u64::from(civil.is_some_and(|civil| civil.is_fine()));
        }
        self.digits += u64::from(text.bytes().any(|b| b.is_ascii_digit()));
        self.wordy += u64::from(is_wordy(text));
        self.remember(text, budget);
    }

    fn remember(&mut self, text: &str, budget: &mut Budget) {
        let Some(distinct) = &mut self.distinct else { return };
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = hasher.finish();
        if distinct.contains(&hash) {
            self.repeats = true;
        } else if distinct.len() < MAX_DISTINCT {
            if budget.distinct == 0 {
                // No memory left to tell: then it counts as a text with many values.
                self.forget(budget);
                self.repeats = true;
                return;
            }
            budget.distinct -= 1;
            distinct.insert(hash);
            self.known += 1;
        }
        if self.repeats && self.known > MAX_TERMS {
            self.forget(budget);
        }
    }

    fn forget(&mut self, budget: &mut Budget) {
        if let Some(distinct) = self.distinct.take() {
            budget.distinct += distinct.len();
            self.known = self.known.max(MAX_TERMS + 1);
        }
    }

    /// No value stood twice, as far as was remembered.
    pub(super) fn unique(&self) -> bool {
        self.distinct.is_some() && !self.repeats && self.values > 0
    }

    /// Bytes of a value on average.
    pub(super) fn usual(&self) -> u64 {
        self.bytes / self.values.max(1)
    }
}

/// Short, in one line, of a few parts.
fn is_mark(text: &str) -> bool {
    text.len() <= 60 && !text.chars().any(char::is_control) && text.split_whitespace().count() <= 4
}

/// Two thirds of what is written are letters, and there are at least three of them in a row. The name of a file is none.
fn is_wordy(text: &str) -> bool {
    let (mut letters, mut others, mut run, mut longest) = (0usize, 0usize, 0usize, 0usize);
    for c in text.chars().take(400).filter(|c| !c.is_whitespace()) {
        if c.is_alphabetic() {
            (letters, run) = (letters + 1, run + 1);
            // One sign of these scripts is a word.
            longest = longest.max(if c as u32 >= 0x2E80 { 3 } else { run });
        } else {
            (others, run) = (others + 1, 0);
        }
    }
    let file = !text.contains(' ')
        && text
            .rsplit_once('.')
            .is_some_and(|(_, end)| (2..=5).contains(&end.len()));
    longest >= 3 && letters >= others * 2 && !file
}

/// A number that is written as it would be printed.
fn prints_back(text: &str) -> bool {
    let first = text.bytes().next();
    if !first.is_some_and(|b| b == b'-' || b.is_ascii_digit()) {
        return false;
    }
    serde_json::from_str::<Number>(text)
        .is_ok_and(|number| (number.is_i64() || number.is_f64()) && number.to_string() == text)
}
