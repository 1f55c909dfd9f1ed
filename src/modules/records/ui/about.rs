//! What stands beside a record's fields: its image, under which terms it may be used, whom to thank, what points at it.

use serde_json::{Map, Value};

use super::Pages;
use super::names::{path_label, title};
use crate::contract::records::RecordType;
use crate::kernel::error::Result;
use crate::kernel::i18n::Language;
use crate::kernel::ui::{Page, host_of, may_load, plain};
use crate::modules::records::model::validate::is_url;
use crate::modules::records::model::{path, shape};

/// Records shown that point at this one, and how many are looked at.
const LINKED: usize = 25;
const LOOKED_AT: i64 = 200;

/// A record's main image. The browser loads it only from hosts that the settings name; else it is a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    pub href: String,
    pub host: String,
    pub shown: bool,
}

/// Terms of use: what to call them, and where they stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Licence {
    pub text: String,
    pub href: Option<String>,
}

/// A record that points at this one.
#[derive(Clone, Debug)]
pub struct Linked {
    pub id: String,
    pub title: String,
    /// Label of the field that points here.
    pub field: String,
}

/// The first address in the type's image field.
pub fn image(definition: &RecordType, document: &Map<String, Value>, hosts: &[String]) -> Option<Image> {
    let href = shape::image(definition, document)?;
    let host = host_of(href)?.to_owned();
    Some(Image {
        href: href.to_owned(),
        shown: may_load(href, hosts),
        host,
    })
}

/// The type's terms of use. Those of Creative Commons and Rights Statements are called by their names.
pub fn licence(definition: &RecordType) -> Option<Licence> {
    let given = definition.licence.as_deref()?.trim();
    if !is_url(given) {
        let text = given.to_owned();
        return Some(Licence { text, href: None });
    }
    let text = name_of(given).unwrap_or_else(|| given.to_owned());
    let href = Some(given.to_owned());
    Some(Licence { text, href })
}

fn name_of(address: &str) -> Option<String> {
    let (_, rest) = address.split_once("://")?;
    let rest = rest.trim_start_matches("www.");
    let mut steps = rest.split('/').filter(|step| !step.is_empty());
    match (steps.next()?, steps.next()?) {
        ("creativecommons.org", "licenses") => {
            let (kind, version) = (steps.next()?.to_uppercase(), steps.next().unwrap_or_default());
            Some(format!("CC {kind} {version}").trim_end().to_owned())
        }
        ("creativecommons.org", "publicdomain") => match steps.next()? {
            "zero" => Some("CC0 1.0".to_owned()),
            "mark" => Some("Public Domain Mark 1.0".to_owned()),
            _ => None,
        },
        ("rightsstatements.org", "vocab") => Some(format!("Rights statement {}", steps.next()?)),
        _ => None,
    }
}

/// Whom to thank: the values of a field, or the type's text.
pub fn credit(definition: &RecordType, document: &Map<String, Value>, language: Language) -> Option<String> {
    let given = definition.credit.as_deref()?;
    let Some(leaf) = path::find(&definition.fields, given) else {
        return Some(given.to_owned());
    };
    let values = path::values(document, &leaf.steps);
    let texts: Vec<String> = values.into_iter().filter_map(|value| plain(value, language)).collect();
    (!texts.is_empty()).then(|| texts.join("; "))
}

impl Pages {
    /// Records that point at one, as far as the caller may see them; and whether there are more. What hangs below it by the
    /// field `child` is left out.
    pub async fn linked_from(&self, page: &Page, id: &str, child: Option<&str>) -> Result<(Vec<Linked>, bool)> {
        let found = self.service.linked_from(&page.caller, id, child, LOOKED_AT).await?;
        let more = found.len() > LINKED;
        let shown = found.into_iter().take(LINKED).map(|(seen, field)| Linked {
            field: path_label(&seen.stored_type.definition, &field, page.language),
            title: title(&seen),
            id: seen.record.id,
        });
        Ok((shown.collect(), more))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn definition(licence: &str, credit: &str) -> RecordType {
        let text = json!({ "name": "vase", "image": "picture", "licence": licence, "credit": credit, "fields": [
            { "name": "picture", "kind": "url", "repeated": true }, { "name": "giver", "kind": "text" } ] });
        serde_json::from_value(text).unwrap()
    }

    #[test]
    fn an_image_is_loaded_from_known_hosts_only() {
        let of = |address: &str| {
            let document = json!({ "picture": ["no address", address] });
            image(
                &definition("x", "y"),
                document.as_object().unwrap(),
                &["example.org".to_owned()],
            )
        };
        let found = of("https://a@Example.org:8080/a.jpg?x").unwrap();
        assert_eq!((found.host.as_str(), found.shown), ("Example.org", true));
        assert!(!of("https://example.org.evil.net/a.jpg").unwrap().shown);
        assert!(!of("https://evil.net/?@example.org/").unwrap().shown);
        assert_eq!(of("javascript:alert(1)"), None);
        assert_eq!(of("data:image/png;base64,AA"), None);
    }

    #[test]
    fn terms_and_thanks() {
        let of = |text: &str| licence(&definition(text, "y")).unwrap();
        assert_eq!(of("CC0").href, None);
        assert_eq!(
            of("https://creativecommons.org/licenses/by-sa/4.0/").text,
            "CC BY-SA 4.0"
        );
        assert_eq!(of("http://creativecommons.org/publicdomain/zero/1.0/").text, "CC0 1.0");
        assert_eq!(of("https://example.org/terms").text, "https://example.org/terms");
        let document = json!({ "giver": "Mrs. A" });
        let of = |credit: &str| credit_of(credit, document.as_object().unwrap());
        assert_eq!(of("giver").as_deref(), Some("Mrs. A"));
        assert_eq!(
            of("The friends of the museum").as_deref(),
            Some("The friends of the museum")
        );
        assert_eq!(of("picture"), None);
    }

    fn credit_of(text: &str, document: &Map<String, Value>) -> Option<String> {
        credit(&definition("x", text), document, Language::default())
    }
}
