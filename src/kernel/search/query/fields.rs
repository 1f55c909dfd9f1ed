//! Conditions that name what they are about: `field:…`, `field>…`, `near:…`, `within:…`, `sort:…`, `type:…`. A name that nothing has is a
//! word like any other.

use super::super::text::cut;
use super::super::types::Sort;
use super::MAX_CLAUSES;
use super::parse::Parser;
use super::scan::is_space;
use super::tree::{Near, Node, Whole};
use super::value::{bound, comparison, place, range, unit_is_lost};
use super::words::in_field;

/// Bytes of the question that are repeated in a hint.
const SHOWN: usize = 60;

impl Parser<'_, '_> {
    /// A condition that names its field, or is for any.
    pub fn anywhere(&mut self, depth: usize) -> Option<Node> {
        self.scan.take("+");
        for (sign, called) in [("==", true), ("=", false)] {
            if self.scan.take(sign) {
                return self.exactly(depth, called);
            }
        }
        let mut ahead = self.scan;
        if let Some(inside) = ahead.take_quoted() {
            // A field whose name has spaces: "Object name":value.
            if is_sign(ahead.peek()) {
                let paths = self.names.fields(inside.trim());
                if !paths.is_empty() {
                    self.scan = ahead;
                    return self.of_field(depth, &paths, inside);
                }
            }
            self.scan = ahead;
            return self.phrase(inside, None);
        }
        let chunk = self.scan.chunk(depth);
        for (at, _) in chunk.match_indices([':', '<', '>', '=', '≤', '≥']) {
            let name = &chunk[..at];
            if name.is_empty() {
                continue;
            }
            match special(name) {
                Some(Special::Near) if chunk[at..].starts_with(':') => return self.near(at + 1, depth),
                Some(Special::Within) if chunk[at..].starts_with(':') => return self.within(at + 1, depth),
                Some(Special::Sort) if chunk[at..].starts_with(':') => return self.sort(at + 1, depth),
                Some(Special::In)
                    if chunk[at..].starts_with(':') && self.names.has_trees() && self.names.fields(name).is_empty() =>
                {
                    if let Some(node) = self.inside(at + 1, depth) {
                        return Some(node);
                    }
                    break;
                }
                Some(Special::Type) if chunk[at..].starts_with(':') && self.names.fields(name).is_empty() => {
                    if let Some(node) = self.of_type(at + 1, depth) {
                        return Some(node);
                    }
                    break;
                }
                _ => {}
            }
            let paths = self.names.fields(name);
            if !paths.is_empty() {
                self.scan.pass(at);
                return self.of_field(depth, &paths, name);
            }
        }
        self.unknown(chunk);
        self.scan.pass(chunk.len());
        self.word(chunk, None)
    }

    /// A name before a colon that no field has.
    fn unknown(&mut self, chunk: &str) {
        let Some((name, after)) = chunk.split_once(':') else {
            return;
        };
        let meant = name.chars().any(char::is_alphabetic) && !after.is_empty() && !after.starts_with('/');
        if meant && special(name).is_none() {
            self.hint(format!(
                "There is no field \"{}\" here; it was looked for as words.",
                cut(name, SHOWN)
            ));
        }
    }

    /// What stands after the name of a field, from its sign on.
    fn of_field(&mut self, depth: usize, paths: &[String], name: &str) -> Option<Node> {
        let mut after = self.scan;
        if after.take(":") {
            let mut value = after;
            value.skip_space();
            if value.at_end() || matches!(value.peek(), Some(')' | '|')) {
                // Nothing follows: the name itself is looked for.
                self.scan = value;
                return self.word(name, None);
            }
            self.scan = value;
            if self.scan.take("(") {
                return self.group(depth, Some(paths));
            }
        }
        self.values(depth, paths)
    }

    /// Values of a field: `a`, `"a b"`, `a,b`, `>10`, `1850..1900`, `*`.
    pub fn values(&mut self, depth: usize, paths: &[String]) -> Option<Node> {
        let mut choices = Vec::new();
        loop {
            choices.extend(self.value(depth, paths));
            let mut ahead = self.scan;
            let more = ahead.take(",") && ahead.peek().is_some_and(|c| !is_space(c) && c != ')' && c != '|');
            if !more || self.clauses + choices.len() >= MAX_CLAUSES {
                // A comma at the end says nothing.
                self.scan.take(",");
                return Node::any(choices);
            }
            self.scan = ahead;
        }
    }

    fn value(&mut self, depth: usize, paths: &[String]) -> Option<Node> {
        let exactly = self.scan.take("==") || self.scan.take("=");
        if let Some(inside) = self.scan.take_quoted() {
            if self.scan.rest.starts_with(['~', '*']) || (!exactly && inside.contains('*')) {
                return self.phrase(inside, Some(paths));
            }
            let value = inside.trim();
            return self.each(paths, |field| {
                (!value.is_empty()).then(|| {
                    Node::Is(Whole {
                        field: field.to_owned(),
                        value: value.to_owned(),
                        exactly,
                    })
                })
            });
        }
        let chunk = self.scan.chunk(depth);
        let chunk = chunk.split(',').next().unwrap_or_default();
        self.scan.pass(chunk.len());
        if exactly {
            return self.each(paths, |field| {
                (!chunk.is_empty()).then(|| {
                    Node::Is(Whole {
                        field: field.to_owned(),
                        value: chunk.to_owned(),
                        exactly,
                    })
                })
            });
        }
        self.plain_value(chunk, paths)
    }

    fn plain_value(&mut self, chunk: &str, paths: &[String]) -> Option<Node> {
        let (names, today) = (self.names, self.today);
        let ends = chunk.trim_start_matches(['<', '>', '=', '≤', '≥']);
        for end in ends.split("..") {
            if paths.iter().any(|path| unit_is_lost(end, names.unit(path))) {
                self.hint(format!(
                    "What the field measures in is not known to fit \"{}\"; only the number was looked at.",
                    cut(end, SHOWN)
                ));
            }
        }
        let is_value = bound(chunk, true, today, None).is_some();
        let word = if is_value { None } else { self.bare(chunk) };
        self.each(paths, |field| {
            if chunk == "*" {
                return Some(Node::Filled(field.to_owned()));
            }
            let span = comparison(field, chunk, today).or_else(|| range(field, chunk, today));
            if let Some(span) = span {
                return Some(Node::Range(span));
            }
            match &word {
                // A number, year or date stands for itself and for the words it is written in.
                None if is_value => Some(Node::Is(Whole {
                    field: field.to_owned(),
                    value: chunk.to_owned(),
                    exactly: false,
                })),
                None => None,
                Some(node) => Some(in_field(node, field)),
            }
        })
    }

    /// The same for each field of a name.
    pub fn each(&self, paths: &[String], of: impl Fn(&str) -> Option<Node>) -> Option<Node> {
        Node::any(paths.iter().filter_map(|path| of(path)).collect())
    }

    /// `near:59.3,18.0~10km`
    fn near(&mut self, value: usize, depth: usize) -> Option<Node> {
        let chunk = self.scan.chunk(depth);
        self.scan.pass(chunk.len());
        match place(&chunk[value..]) {
            Some((latitude, longitude, km)) => Some(Node::Near(Near {
                latitude,
                longitude,
                km,
            })),
            None => {
                self.hint(
                    "A place is written near:LATITUDE,LONGITUDE~DISTANCE, such as near:59.3,18.0~10km.".to_owned(),
                );
                self.word(chunk, None)
            }
        }
    }

    /// `within:55.1,10.9,69.1,24.2`
    fn within(&mut self, value: usize, depth: usize) -> Option<Node> {
        let chunk = self.scan.chunk(depth);
        self.scan.pass(chunk.len());
        match chunk[value..].parse() {
            Ok(area) => Some(Node::Within(area)),
            Err(rule) => {
                self.hint(format!("After within: {rule}."));
                self.word(chunk, None)
            }
        }
    }

    /// `sort:title`, `sort:-year`, `sort:year-desc`
    fn sort(&mut self, value: usize, depth: usize) -> Option<Node> {
        let chunk = self.scan.chunk(depth);
        self.scan.pass(value);
        let name = match self.scan.take_quoted() {
            Some(inside) => inside,
            None => {
                self.scan.pass(chunk.len() - value);
                &chunk[value..]
            }
        };
        let first = name.split(',').next().unwrap_or_default();
        let (first, descending) = match first.strip_prefix('-') {
            Some(first) => (first, true),
            None => match first.strip_suffix("-desc") {
                Some(first) => (first, true),
                None => (first.strip_suffix("-asc").unwrap_or(first), false),
            },
        };
        let found = match first {
            "relevance" | "score" => Some(Sort::Relevance),
            _ => self
                .names
                .fields(first)
                .into_iter()
                .next()
                .map(|field| match field.as_str() {
                    "created" => Sort::Created { descending },
                    "updated" => Sort::Updated { descending },
                    _ => Sort::Field { field, descending },
                }),
        };
        match found {
            Some(sort) => {
                self.parsed.sort.get_or_insert(sort);
                None
            }
            None => {
                self.hint(format!("There is no field \"{}\" to sort by here.", cut(first, SHOWN)));
                None
            }
        }
    }

    /// `in:"Sweden"`, `in:Sweden,Norway`; `None` where nothing is named.
    fn inside(&mut self, value: usize, depth: usize) -> Option<Node> {
        let mut scan = self.scan;
        let chunk = scan.chunk(depth);
        scan.pass(value);
        let mut names: Vec<&str> = Vec::new();
        loop {
            if let Some(inside) = scan.take_quoted() {
                names.push(inside);
            } else {
                let chunk = scan.chunk(depth);
                let name = chunk.split(',').next().unwrap_or_default();
                scan.pass(name.len());
                names.push(name);
            }
            if names.len() >= MAX_CLAUSES || !scan.take(",") {
                break;
            }
        }
        names.retain(|name| !name.trim().is_empty());
        if names.is_empty() || chunk.is_empty() {
            return None;
        }
        self.scan = scan;
        self.each(&names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>(), |name| {
            Some(Node::In(name.trim().to_owned()))
        })
    }

    /// `type:museum-object`, also by its label; `None` where there is no such type, which is then words.
    fn of_type(&mut self, value: usize, depth: usize) -> Option<Node> {
        let mut scan = self.scan;
        let chunk = scan.chunk(depth);
        scan.pass(value);
        let mut found = Vec::new();
        if let Some(inside) = scan.take_quoted() {
            found.extend(self.names.types(inside));
        } else {
            scan.pass(chunk.len() - value);
            for name in chunk[value..].split(',') {
                found.extend(self.names.types(name));
            }
        }
        if found.is_empty() {
            self.hint(format!(
                "There is no collection \"{}\" here; it was looked for as words.",
                cut(&chunk[value..], SHOWN)
            ));
            return None;
        }
        self.scan = scan;
        self.each(&found, |name| {
            Some(Node::Is(Whole {
                field: "type".to_owned(),
                value: name.to_owned(),
                exactly: true,
            }))
        })
    }
}

/// What is no field and still says something before a colon.
enum Special {
    Near,
    Within,
    Sort,
    Type,
    In,
}

fn special(name: &str) -> Option<Special> {
    match name {
        "near" => Some(Special::Near),
        "within" => Some(Special::Within),
        "sort" => Some(Special::Sort),
        "type" => Some(Special::Type),
        "in" => Some(Special::In),
        _ => None,
    }
}

fn is_sign(c: Option<char>) -> bool {
    matches!(c, Some(':' | '<' | '>' | '=' | '≤' | '≥'))
}
