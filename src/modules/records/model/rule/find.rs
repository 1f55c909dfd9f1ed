//! Find and replace: plain words or a regular expression with groups. Expressions run in time linear in the text, and what
//! they are compiled to and what they make is limited, so that none can be a bomb.

use regex::{Regex, RegexBuilder};

use crate::kernel::error::{Error, Result};

/// Bytes of what is looked for (a term of the longest sort with its signs taken plainly fits) and of what is put in its place.
const MAX_FIND: usize = 1_100;
const MAX_WITH: usize = 10_000;
/// Bytes that an expression may be compiled to, and groups in groups.
const MAX_COMPILED: usize = 512 * 1024;
const MAX_NESTED: u32 = 50;
/// Bytes of a text that an expression goes through.
const MAX_SEARCHED: usize = 50_000;

/// See the module's text.
#[derive(Debug)]
pub struct Finder {
    found: Regex,
    with: String,
    /// Groups are named in `with`.
    expands: bool,
}

impl Finder {
    pub fn new(find: &str, with: &str, is_regex: bool, ignore_case: bool) -> Result<Self> {
        if find.is_empty() {
            return Err(Error::invalid("action.find", "is empty. Say what to look for."));
        }
        for (at, text, most) in [("action.find", find, MAX_FIND), ("action.with", with, MAX_WITH)] {
            if text.len() > most {
                return Err(Error::invalid(at, format!("has more than {most} bytes.")));
            }
            if text.contains('\0') {
                return Err(Error::invalid(at, "holds a NUL character, which cannot be stored."));
            }
        }
        let pattern = if is_regex { find.to_owned() } else { regex::escape(find) };
        let built = RegexBuilder::new(&pattern)
            .case_insensitive(ignore_case)
            .size_limit(MAX_COMPILED)
            .dfa_size_limit(MAX_COMPILED)
            .nest_limit(MAX_NESTED)
            .build();
        let found = built.map_err(|error| {
            let message = match error {
                regex::Error::CompiledTooBig(_) => {
                    "is an expression that grows too large. Repeat less: {1000} of {1000} is a million.".to_owned()
                }
                other => format!("is no regular expression: {}", last_line(&other.to_string())),
            };
            Error::invalid("action.find", message)
        })?;
        if is_regex {
            check_groups(&found, with)?;
        }
        Ok(Self {
            found,
            with: with.to_owned(),
            expands: is_regex,
        })
    }

    /// The text with everything found replaced.
    ///
    /// # Errors
    /// When it becomes longer than `most` bytes.
    pub fn replace(&self, text: &str, most: usize) -> Result<String, String> {
        if self.expands && text.len() > MAX_SEARCHED {
            return Err(format!(
                "A value has more than {MAX_SEARCHED} bytes, too many for a regular expression."
            ));
        }
        let mut out = String::new();
        let mut end = 0;
        let put = |out: &mut String, piece: &str| {
            out.push_str(piece);
            (out.len() <= most)
                .then_some(())
                .ok_or_else(|| format!("A value would become longer than {most} bytes."))
        };
        if self.expands {
            for found in self.found.captures_iter(text) {
                let Some(whole) = found.get(0) else { continue };
                put(&mut out, &text[end..whole.start()])?;
                let mut piece = String::new();
                found.expand(&self.with, &mut piece);
                put(&mut out, &piece)?;
                end = whole.end();
            }
        } else {
            for whole in self.found.find_iter(text) {
                put(&mut out, &text[end..whole.start()])?;
                put(&mut out, &self.with)?;
                end = whole.end();
            }
        }
        put(&mut out, &text[end..])?;
        Ok(out)
    }
}

/// A group that the expression does not have would vanish without a word: `$1a` names a group `1a`.
fn check_groups(found: &Regex, with: &str) -> Result<()> {
    let mut rest = with;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
            continue;
        }
        let name: String = match rest.strip_prefix('{') {
            Some(inner) => inner.split('}').next().unwrap_or_default().to_owned(),
            None => rest
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect(),
        };
        if name.is_empty() {
            continue;
        }
        let is_there = match name.parse::<usize>() {
            Ok(number) => number < found.captures_len(),
            Err(_) => found.capture_names().flatten().any(|known| known == name),
        };
        if !is_there {
            return Err(Error::invalid(
                "action.with",
                format!(
                    "names the group \"{name}\", which the expression does not have. Write ${{1}} before letters, $$ for a dollar sign."
                ),
            ));
        }
    }
    Ok(())
}

fn last_line(text: &str) -> &str {
    let line = text.lines().last().unwrap_or(text).trim();
    line.strip_prefix("error: ").unwrap_or(line)
}
