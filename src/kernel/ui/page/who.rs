//! Who has signed in, for the head of each page, and the way to the door for whoever has not.

use axum::http::{HeaderMap, header};

use super::Page;
use crate::kernel::access::Subject;
use crate::kernel::fetch::encoded;
use crate::kernel::id::is_id;

/// Who has signed in, for the head of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    pub name: String,
    /// Empty for the operator, who is nobody in particular.
    pub initials: String,
    /// The path of a picture in their place.
    pub picture: Option<String>,
}

/// One or two letters that stand for a person where there is no picture.
pub fn initials(name: &str) -> String {
    let mut words = name
        .split_whitespace()
        .filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    let last = words.next_back();
    first
        .into_iter()
        .chain(last)
        .flat_map(char::to_uppercase)
        .take(2)
        .collect()
}

/// Which picture somebody has, where a browser says so: an id and nothing else.
pub(super) fn face_of(headers: &HeaderMap) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
    cookies
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix("face=").map(str::to_owned))
        .filter(|version| is_id(version))
}

impl Page {
    /// Who has signed in with this browser; none for everybody.
    pub fn signed_in(&self) -> Option<Who> {
        if self.csrf.is_empty() {
            return None;
        }
        match &self.caller.subject {
            Subject::Operator => Some(Who {
                name: self.language.text("actor.operator"),
                initials: String::new(),
                picture: None,
            }),
            Subject::Account { id, name, .. } => Some(Who {
                picture: self
                    .face
                    .as_ref()
                    .filter(|_| self.viewing.is_none())
                    .map(|version| format!("/people/{id}/picture?v={version}")),
                initials: initials(name),
                name: name.clone(),
            }),
            _ => None,
        }
    }

    /// Where to sign in and come back from; none where nobody can, and for whoever has.
    pub fn sign_in(&self) -> Option<String> {
        if !self.people || !self.caller.is_anonymous() {
            return None;
        }
        let back = if self.reading && self.path != "/" {
            self.here.as_str()
        } else {
            "/"
        };
        let plain = !["/sign-in", "/sign-up", "/setup", "/welcome"]
            .iter()
            .any(|door| self.path.starts_with(door))
            && back != "/";
        if !plain {
            return Some("/sign-in".to_owned());
        }
        let steps: Vec<String> = back.split('/').map(encoded).collect();
        Some(format!("/sign-in?to={}", steps.join("/")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn initials_stand_for_a_name() {
        for (name, want) in [
            ("Ada Lovelace", "AL"),
            ("ada", "A"),
            ("Ada Maria King", "AK"),
            ("“x” y", "XY"),
            ("", ""),
        ] {
            assert_eq!(initials(name), want);
        }
    }

    #[test]
    fn signing_in_leads_back() {
        let mut page = Page::bare("/search?q=a&b=c");
        page.path = "/search".to_owned();
        assert_eq!(page.sign_in(), None, "nobody can sign in");
        page.people = true;
        assert_eq!(page.sign_in().as_deref(), Some("/sign-in?to=/search%3Fq%3Da%26b%3Dc"));
        assert_eq!(page.signed_in(), None);
    }
}
