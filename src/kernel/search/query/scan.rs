//! Reads a question from left to right: signs, quotations and the ends of words. Knows nothing of fields.

/// Quotation marks of all sorts; each begins and each ends.
const QUOTES: [char; 6] = ['"', '“', '”', '„', '«', '»'];

/// What is left of a question.
#[derive(Clone, Copy)]
pub(super) struct Scan<'t> {
    pub rest: &'t str,
}

impl<'t> Scan<'t> {
    pub fn new(text: &'t str) -> Self {
        Self { rest: text }
    }

    /// Passes over what separates; marks of direction and the like separate, too.
    pub fn skip_space(&mut self) {
        self.rest = self.rest.trim_start_matches(is_space);
    }

    pub fn at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    /// Passes over this sign, if it comes next.
    pub fn take(&mut self, sign: &str) -> bool {
        match self.rest.strip_prefix(sign) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// Passes over a word in capitals that stands for itself.
    pub fn take_word(&mut self, word: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(word) else {
            return false;
        };
        let ends = rest
            .chars()
            .next()
            .is_none_or(|c| is_space(c) || matches!(c, '(' | ')' | '|'));
        if ends {
            self.rest = rest;
        }
        ends
    }

    /// `|`, `||` or `OR`
    pub fn take_or(&mut self) -> bool {
        let mut any = false;
        loop {
            self.skip_space();
            if !(self.take("|") || self.take_word("OR")) {
                return any;
            }
            any = true;
        }
    }

    /// `AND` and `&&` say what is so anyway.
    pub fn take_and(&mut self) {
        self.skip_space();
        while self.take_word("AND") || self.take_word("&&") || self.take_word("&") {
            self.skip_space();
        }
    }

    /// `-` before something, or `NOT`
    pub fn take_not(&mut self) -> bool {
        let mut rest = self.rest.chars();
        if rest.next() == Some('-') {
            let next = rest.next();
            let before = next.is_some_and(|c| !is_space(c) && !matches!(c, '-' | ')' | '|'));
            if before {
                self.rest = &self.rest[1..];
            }
            return before;
        }
        let mut ahead = *self;
        if ahead.take_word("NOT") {
            ahead.skip_space();
            let before = !ahead.at_end() && ahead.peek() != Some(')');
            if before {
                *self = ahead;
            }
            return before;
        }
        false
    }

    /// The text within quotation marks; an open quotation ends with the text.
    pub fn take_quoted(&mut self) -> Option<&'t str> {
        let inside = self.rest.strip_prefix(QUOTES)?;
        let (text, rest) = match inside.find(QUOTES) {
            Some(end) => {
                let mark = inside[end..].chars().next().map_or(1, char::len_utf8);
                (&inside[..end], &inside[end + mark..])
            }
            None => (inside, ""),
        };
        self.rest = rest;
        Some(text)
    }

    /// The text up to the next space, bar or bracket that was opened before; brackets within a word belong to it.
    pub fn chunk(&self, depth: usize) -> &'t str {
        let mut inner = 0usize;
        for (at, c) in self.rest.char_indices() {
            match c {
                '|' => return &self.rest[..at],
                '(' if at > 0 => inner += 1,
                ')' if inner > 0 => inner -= 1,
                ')' if depth > 0 => return &self.rest[..at],
                c if is_space(c) => return &self.rest[..at],
                _ => {}
            }
        }
        self.rest
    }

    /// Passes over so many bytes.
    pub fn pass(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }
}

pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace()
        || c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
