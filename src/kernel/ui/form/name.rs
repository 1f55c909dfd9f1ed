//! Names of nested form fields: `maker/#0/name`. Segments are separated by slashes, items of a list begin with `#`; what a
//! field's own name holds of `/`, `#`, `%` and spaces is written in percent form, so that any name is safe.

/// Stands for the place of an item that does not exist yet; the script puts a number there.
pub(super) const NEW: &str = "new";

/// A name with the path that refusals use for the same field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    pub(super) wire: String,
    pub(super) path: String,
}

impl Name {
    /// As it stands in the attribute `name`.
    pub fn wire(&self) -> &str {
        &self.wire
    }
    /// A field of the form itself.
    pub fn of(name: &str) -> Self {
        Self {
            wire: encode(name),
            path: name.to_owned(),
        }
    }
    /// A field of this group.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        Self {
            wire: format!("{}/{}", self.wire, encode(name)),
            path: format!("{}.{name}", self.path),
        }
    }
    /// The item at a place of this list, from 0.
    #[must_use]
    pub fn item(&self, at: usize) -> Self {
        Self {
            wire: format!("{}/#{at}", self.wire),
            path: format!("{}.{at}", self.path),
        }
    }
    /// The item that does not exist yet.
    #[must_use]
    pub(super) fn new_item(&self) -> Self {
        Self {
            wire: format!("{}/#{NEW}", self.wire),
            path: format!("{}.{NEW}", self.path),
        }
    }
}

fn encode(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for c in name.chars() {
        if matches!(c, '/' | '#' | '%') || c.is_whitespace() || c.is_control() {
            let mut bytes = [0; 4];
            for byte in c.encode_utf8(&mut bytes).bytes() {
                out.push_str(&format!("%{byte:02X}"));
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// The name as it was before `encode`; what is no percent form stays.
pub(super) fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let code = text
            .get(at + 1..at + 3)
            .filter(|_| bytes[at] == b'%')
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
