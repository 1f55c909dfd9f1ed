//! From text to statements with their places. Knows form only; whether names lead anywhere is `check`'s.

use super::Fault;

/// Where something stands, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At {
    pub line: usize,
    pub column: usize,
}

impl At {
    pub fn fault(self, text: impl Into<String>) -> Fault {
        Fault {
            line: self.line,
            column: self.column,
            text: text.into(),
        }
    }
}

/// A name with its place.
#[derive(Clone, Debug)]
pub struct Word {
    pub text: String,
    pub at: At,
}

/// An expression as it is written.
#[derive(Clone, Debug)]
pub enum Written {
    Anyone,
    Members,
    Name(Word),
    Arrow(Word, Word),
    Union(Vec<Written>),
    Intersection(Vec<Written>),
    Exclusion(Box<Written>, Box<Written>),
}

/// What stands under a type.
#[derive(Clone, Debug)]
pub enum Member {
    Relation(Word, Vec<(Word, Option<Word>)>),
    Fixed(Word, Word),
    Given(Word, Word),
    Permission(Word, Written),
}

/// A type with what stands under it.
#[derive(Clone, Debug)]
pub struct TypeText {
    pub name: Word,
    pub members: Vec<Member>,
}

/// The most that a text may hold, its names and the parentheses inside each other.
const MAX_BYTES: usize = 1 << 20;
const MAX_NAME: usize = 100;
const MAX_DEPTH: usize = 32;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Name(String),
    Sign(&'static str),
    End,
}

const SIGNS: [&str; 11] = ["->", ":", "|", "=", "+", "&", "-", "(", ")", "#", "@"];

fn tokens(text: &str) -> Result<Vec<(Token, At)>, Fault> {
    let mut found = Vec::new();
    let mut last = At { line: 1, column: 1 };
    if text.len() > MAX_BYTES {
        return Err(last.fault(format!("a schema has at most {MAX_BYTES} bytes")));
    }
    for (number, line) in text.lines().enumerate() {
        let mut rest = line;
        loop {
            let trimmed = rest.trim_start();
            let is_first = trimmed.len() != rest.len() || rest.len() == line.len();
            rest = trimmed;
            last = At {
                line: number + 1,
                column: line[..line.len() - rest.len()].chars().count() + 1,
            };
            if rest.is_empty() || (is_first && rest.starts_with('#')) {
                break;
            }
            if let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) {
                found.push((Token::Sign(sign), last));
                rest = &rest[sign.len()..];
                continue;
            }
            let length = name_length(rest);
            if length == 0 {
                let sign = rest.chars().next().unwrap_or_default();
                return Err(last.fault(format!("\"{}\" means nothing here", sign.escape_debug())));
            }
            if length > MAX_NAME {
                return Err(last.fault(format!("a name has at most {MAX_NAME} characters")));
            }
            found.push((Token::Name(rest[..length].to_owned()), last));
            rest = &rest[length..];
        }
    }
    found.push((Token::End, last));
    Ok(found)
}

/// How long the name at the beginning is: small letters, digits, `_`, and `.` or `-` between those.
fn name_length(text: &str) -> usize {
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    let bytes = text.as_bytes();
    if !bytes.first().is_some_and(u8::is_ascii_lowercase) {
        return 0;
    }
    let mut length = 1;
    while let Some(byte) = bytes.get(length) {
        let joins = matches!(byte, b'.' | b'-') && bytes.get(length + 1).is_some_and(|next| plain(*next));
        if !plain(*byte) && !joins {
            break;
        }
        length += 1;
    }
    length
}

struct Reader {
    tokens: Vec<(Token, At)>,
    next: usize,
}

/// Every type of a text.
pub fn read(text: &str) -> Result<Vec<TypeText>, Fault> {
    let mut reader = Reader {
        tokens: tokens(text)?,
        next: 0,
    };
    let mut types = Vec::new();
    while reader.peek() != &Token::End {
        reader.keyword("type")?;
        let name = reader.word("the name of a type")?;
        let mut members = Vec::new();
        while let Token::Name(word) = reader.peek() {
            match word.as_str() {
                "relation" => members.push(reader.relation()?),
                "permission" => members.push(reader.permission()?),
                _ => break,
            }
        }
        types.push(TypeText { name, members });
    }
    Ok(types)
}

impl Reader {
    fn peek(&self) -> &Token {
        &self.tokens[self.next].0
    }

    fn at(&self) -> At {
        self.tokens[self.next].1
    }

    fn advance(&mut self) {
        if self.next + 1 < self.tokens.len() {
            self.next += 1;
        }
    }

    fn take(&mut self, sign: &str) -> bool {
        let is_it = matches!(self.peek(), Token::Sign(found) if *found == sign);
        if is_it {
            self.advance();
        }
        is_it
    }

    fn wanted(&self, what: &str) -> Fault {
        let found = match self.peek() {
            Token::Name(name) => format!("\"{name}\""),
            Token::Sign(sign) => format!("\"{sign}\""),
            Token::End => "the end".to_owned(),
        };
        self.at().fault(format!("{what} is wanted, not {found}"))
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), Fault> {
        match self.peek() {
            Token::Name(name) if name == keyword => {
                self.advance();
                Ok(())
            }
            _ => Err(self.wanted(&format!("\"{keyword}\""))),
        }
    }

    fn word(&mut self, what: &str) -> Result<Word, Fault> {
        let at = self.at();
        let Token::Name(text) = self.peek().clone() else {
            return Err(self.wanted(what));
        };
        if matches!(text.as_str(), "type" | "relation" | "permission" | "is" | "with") && what != "the name of a type" {
            return Err(self.wanted(what));
        }
        self.advance();
        Ok(Word { text, at })
    }

    fn relation(&mut self) -> Result<Member, Fault> {
        self.keyword("relation")?;
        let name = self.word("the name of a relation")?;
        if self.keyword("is").is_ok() {
            return Ok(Member::Fixed(name, self.word("an object")?));
        }
        if self.keyword("with").is_ok() {
            return Ok(Member::Given(name, self.word("the name of a type")?));
        }
        if !self.take(":") {
            return Err(self.wanted("\":\" with who may stand in it"));
        }
        let mut kinds = Vec::new();
        loop {
            let kind = self.word("the name of a type")?;
            let of = if self.take("#") {
                Some(self.word("the name of a relation")?)
            } else {
                None
            };
            kinds.push((kind, of));
            if !self.take("|") {
                return Ok(Member::Relation(name, kinds));
            }
        }
    }

    fn permission(&mut self) -> Result<Member, Fault> {
        self.keyword("permission")?;
        let name = self.word("the name of a permission")?;
        if !self.take("=") {
            return Err(self.wanted("\"=\" with what it follows from"));
        }
        Ok(Member::Permission(name, self.expression(0)?))
    }

    fn expression(&mut self, depth: usize) -> Result<Written, Fault> {
        if depth > MAX_DEPTH {
            let text = format!("parentheses stand at most {MAX_DEPTH} deep");
            return Err(self.at().fault(text));
        }
        let mut left = self.term(depth)?;
        let mut held: Option<&'static str> = None;
        loop {
            let Token::Sign(sign @ ("+" | "&" | "-")) = *self.peek() else {
                return Ok(left);
            };
            if held.is_some_and(|held| held != sign) {
                let text = "different signs need parentheses, so that nobody has to guess what comes first";
                return Err(self.at().fault(text));
            }
            held = Some(sign);
            self.advance();
            let right = self.term(depth)?;
            left = match (sign, left) {
                ("-", left) => Written::Exclusion(Box::new(left), Box::new(right)),
                ("+", Written::Union(mut all)) => {
                    all.push(right);
                    Written::Union(all)
                }
                ("+", left) => Written::Union(vec![left, right]),
                (_, Written::Intersection(mut all)) => {
                    all.push(right);
                    Written::Intersection(all)
                }
                (_, left) => Written::Intersection(vec![left, right]),
            };
        }
    }

    fn term(&mut self, depth: usize) -> Result<Written, Fault> {
        if self.take("(") {
            let inner = self.expression(depth + 1)?;
            if !self.take(")") {
                return Err(self.wanted("\")\""));
            }
            // In parentheses it is one thing: it does not melt into the list around it.
            return Ok(match inner {
                Written::Union(all) => Written::Union(vec![Written::Union(all)]),
                Written::Intersection(all) => Written::Intersection(vec![Written::Intersection(all)]),
                other => other,
            });
        }
        if self.take("@") {
            let at = self.at();
            let word = self.word("\"anyone\" or \"members\"")?;
            return match word.text.as_str() {
                "anyone" => Ok(Written::Anyone),
                "members" => Ok(Written::Members),
                other => Err(at.fault(format!("there is @anyone and @members, but no @{other}"))),
            };
        }
        let name = self.word("a relation or permission")?;
        if self.take("->") {
            return Ok(Written::Arrow(name, self.word("a relation or permission")?));
        }
        Ok(Written::Name(name))
    }
}
