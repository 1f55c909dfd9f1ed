//! A message and what is written in it, from the texts of a language. No I/O; time is an argument.
//!
//! What is filled in is plain text: it can neither begin a header nor a line of its own in one, nor markup.

use askama::Template as _;
use serde::{Deserialize, Serialize};

use crate::contract::messages::{MessageInfo, Template};
use crate::kernel::clock::rfc3339;
use crate::kernel::error::{Error, Result};
use crate::kernel::i18n::{Arg, Language};
use crate::kernel::ui::shorten;

/// How often a message is tried: the last time about two hours after the first.
pub(super) const ATTEMPTS: i64 = 9;
/// The most bytes of an address.
const ADDRESS_MOST: usize = 254;
/// The most characters of one value that is filled in.
const VALUE_MOST: usize = 300;

/// Where a message is in its life. Stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Waiting,
    Sent,
    /// The mail server refused it for good, or every try failed.
    Failed,
    /// Its time was over before it could be sent.
    Expired,
}

impl State {
    pub(super) const ALL: [State; 4] = [Self::Waiting, Self::Sent, Self::Failed, Self::Expired];
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Sent => "sent",
            Self::Failed => "failed",
            Self::Expired => "expired",
        }
    }
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == text)
    }
}

/// A row of the table `message`.
#[derive(Clone, Debug, PartialEq, Eq, sqlx::FromRow)]
pub(super) struct Message {
    pub id: String,
    pub address: String,
    pub template: String,
    pub language: Option<String>,
    pub content: Option<String>,
    pub state: String,
    pub error: Option<String>,
    pub attempts: i64,
    pub created_at: i64,
    pub sent_at: Option<i64>,
    pub expires_at: i64,
}

impl Message {
    pub(super) fn info(&self) -> MessageInfo {
        MessageInfo {
            id: self.id.clone(),
            to: self.address.clone(),
            template: self.template.clone(),
            state: self.state.clone(),
            error: self.error.clone(),
            created_at: rfc3339(self.created_at),
            sent_at: self.sent_at.map(rfc3339),
        }
    }
    pub(super) fn state(&self) -> Option<State> {
        State::parse(&self.state)
    }
}

/// What is filled into the texts of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Content {
    pub values: Vec<(String, String)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
}

impl Content {
    /// Every value on one line and of a bounded length.
    pub(super) fn new(values: &[(&'static str, String)], link: Option<String>) -> Self {
        Self {
            values: values
                .iter()
                .map(|(name, value)| ((*name).to_owned(), one_line(value)))
                .collect(),
            link: link.map(|link| link.chars().filter(|c| !c.is_control() && !c.is_whitespace()).collect()),
        }
    }
}

/// Text without line ends and other characters that are not seen.
fn one_line(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    shorten(plain.trim(), VALUE_MOST)
}

/// An address that mail can be sent to.
///
/// # Errors
/// `Invalid` with the field `to`.
pub(super) fn address(given: &str) -> Result<lettre::Address> {
    let given = given.trim();
    let wrong = || Error::invalid("to", "An address such as name@example.org.");
    if given.len() > ADDRESS_MOST || given.chars().any(char::is_control) {
        return Err(wrong());
    }
    given.parse().map_err(|_| wrong())
}

/// The form by which addresses are compared.
pub(super) fn address_key(given: &str) -> String {
    given.trim().to_lowercase()
}

/// A message in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mail {
    pub subject: String,
    pub text: String,
    pub html: String,
}

#[derive(askama::Template)]
#[template(path = "modules/messages/templates/mail.html")]
struct Page<'a> {
    language: &'a str,
    subject: &'a str,
    paragraphs: Vec<&'a str>,
    link: Option<&'a str>,
    button: &'a str,
    foot: &'a str,
}

/// Writes a message in a language. `house` is where people reach it.
///
/// # Errors
/// A template that cannot be rendered.
pub(super) fn written(language: Language, template: Template, content: &Content, house: &str) -> Result<Mail> {
    let mut args: Vec<Arg<'_>> = vec![("house", &house)];
    args.extend(content.values.iter().map(|(name, value)| (name.as_str(), value as _)));
    let words = |part: &str| language.with(&format!("mail.{}.{part}", template.as_str()), &args);
    let subject = one_line(&words("subject"));
    let body = words("text");
    let foot = language.with("mail.foot", &args);
    let paragraphs: Vec<&str> = body.split("\n\n").map(str::trim).filter(|p| !p.is_empty()).collect();
    let button = content.link.as_ref().map(|_| words("button")).unwrap_or_default();
    let mut text = paragraphs.join("\n\n");
    if let Some(link) = &content.link {
        text.push_str(&format!("\n\n{button}:\n{link}"));
    }
    text.push_str(&format!("\n\n-- \n{foot}\n"));
    let page = Page {
        language: language.tag(),
        subject: &subject,
        paragraphs,
        link: content.link.as_deref(),
        button: &button,
        foot: &foot,
    };
    let html = page.render().map_err(Error::internal)?;
    Ok(Mail { subject, text, html })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_has_its_texts() {
        let language = Language::default();
        for template in Template::ALL {
            assert_eq!(Template::parse(template.as_str()), Some(template));
            for part in ["subject", "text"] {
                let key = format!("mail.{}.{part}", template.as_str());
                assert!(language.get(&key).is_some(), "{key}");
            }
        }
    }

    #[test]
    fn what_is_filled_in_is_plain_text() {
        let values = [(
            "name",
            "Eve\r\nBcc: all@example.org\r\n\r\n<script>alert(1)</script>".to_owned(),
        )];
        let content = Content::new(&values, Some("https://x.example/a\r\nX: y".to_owned()));
        let mail = written(Language::default(), Template::Invitation, &content, "https://x.example").unwrap();
        assert!(!mail.subject.contains(['\r', '\n']), "{:?}", mail.subject);
        assert!(mail.text.contains("Eve  Bcc: all@example.org"), "{}", mail.text);
        assert!(mail.text.contains("https://x.example/aX:y"), "{}", mail.text);
        assert!(
            !mail.html.contains("<script>") && mail.html.contains("&#60;script"),
            "{}",
            mail.html
        );
    }

    #[test]
    fn addresses_are_checked() {
        for good in ["ada@example.org", " ada@example.org ", "a.b+c@x.example"] {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "ada",
            "ada@",
            "a@b\r\nBcc: c@d",
            "a@b\nX",
            "Ada <ada@example.org>",
            "a@b.example, c@d.example",
            "a\u{0}@b.example",
            "a b@c.example",
        ] {
            assert!(address(bad).is_err(), "{bad:?}");
        }
        assert!(address(&format!("{}@example.org", "x".repeat(1_000_000))).is_err());
    }
}
