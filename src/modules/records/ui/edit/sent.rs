//! What a form of a record sends: the document as texts, and what belongs to the form itself.

use serde_json::{Map, Value};

use super::form::ROOT;
use crate::contract::records::Field;
use crate::kernel::access::Level;
use crate::kernel::error::{Code, Error, Result};
use crate::kernel::ui::form;
use crate::modules::records::model::entry;
use crate::modules::records::model::merge::Side;

/// Reasons are sentences.
const MAX_REASON: usize = 2_000;

/// See the module's text.
#[derive(Clone, Debug, Default)]
pub struct Sent {
    pub entered: Map<String, Value>,
    /// The version that the form showed.
    pub version: Option<i64>,
    /// In a merge: the version that both sides began with.
    pub base: Option<i64>,
    pub visibility: Option<Level>,
    pub reason: String,
    /// The button.
    pub action: String,
    /// The name of a template to keep.
    pub template: String,
    /// Fields to carry forward to the next record.
    pub carry: Vec<String>,
    /// In a merge: the chosen side of each field, by path.
    pub picks: Vec<(String, Side)>,
}

impl Sent {
    /// Takes the pairs of a form apart.
    pub fn read(pairs: Vec<(String, String)>) -> Result<Self> {
        let mut sent = Self::default();
        let mut document = Vec::with_capacity(pairs.len());
        let mut is_whole = false;
        for (name, value) in pairs {
            if let Some(path) = name.strip_prefix("pick/") {
                sent.picks
                    .extend(Side::parse(&value).map(|side| (path.to_owned(), side)));
                continue;
            }
            match name.as_str() {
                "version" => sent.version = value.parse().ok(),
                "base" => sent.base = value.parse().ok(),
                "visibility" => sent.visibility = Level::parse(&value),
                "reason" => sent.reason = value.trim().to_owned(),
                "do" => sent.action = value,
                "template" => sent.template = value,
                "carry" => sent.carry.push(value),
                "whole" => is_whole = true,
                name if name.starts_with("doc/") => document.push((name.to_owned(), value)),
                _ => {}
            }
        }
        if !is_whole {
            let text = "The form did not arrive whole, so nothing was saved. Go back and send it once more.";
            return Err(Error::new(Code::BadRequest, text));
        }
        if sent.reason.len() > MAX_REASON {
            return Err(Error::invalid(
                "reason",
                format!("is a text of at most {MAX_REASON} bytes."),
            ));
        }
        let mut read = form::read(document)?;
        if let Some(Value::Object(entered)) = read.get_mut(ROOT).map(Value::take) {
            sent.entered = entered;
        }
        Ok(sent)
    }

    /// The version that the form is based on.
    pub fn based_on(&self) -> Result<i64> {
        self.version.ok_or_else(|| {
            Error::new(
                Code::PreconditionRequired,
                "The form does not say which version it shows. Load the page again and send it once more.",
            )
        })
    }

    /// Whether the button saves. Others only change the form.
    pub fn saves(&self) -> bool {
        !matches!(self.action.as_str(), "more" | "template")
    }

    /// Leaves the empty places out, so that places are those of the document to come.
    pub fn tidy(&mut self, fields: &[Field]) {
        entry::tidy(fields, &mut self.entered);
    }
}
