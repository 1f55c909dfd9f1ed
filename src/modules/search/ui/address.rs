//! The address of the search page: everything a reader chose stands in it, so that it can be shared and gone back to.

use serde::Deserialize;

use crate::contract::records::RecordType;

/// What stands after the question mark. The names are those of `/api/search` where both have them.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Params {
    #[serde(default)]
    pub q: String,
    #[serde(default, rename = "type")]
    pub type_name: String,
    /// `FIELD:VALUE`; `FIELD:` is "not given".
    #[serde(default)]
    pub filter: Vec<String>,
    #[serde(default)]
    pub sort: String,
    #[serde(default)]
    pub view: String,
    #[serde(default)]
    pub page: Option<usize>,
    /// The facet of which all values are wanted.
    #[serde(default)]
    pub more: String,
    /// A place in the ledger that the answer must have reached: for a page that follows a write. No link carries it on.
    #[serde(default)]
    pub after: Option<String>,
}

/// One chosen value; `None` is "not given".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chosen {
    pub field: String,
    pub value: Option<String>,
}

/// See the module's text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    pub q: String,
    pub type_name: String,
    pub chosen: Vec<Chosen>,
    pub sort: String,
    pub cards: bool,
    pub page: usize,
    pub more: String,
}

impl Address {
    /// Reads an address. A field's name may contain colons, so the names of the type decide where the value begins.
    pub fn read(params: Params, definition: Option<&RecordType>) -> Self {
        let paths: Vec<String> = definition
            .iter()
            .flat_map(|d| d.leaves())
            .map(|leaf| leaf.path)
            .collect();
        let mut chosen = Vec::new();
        for text in params.filter {
            let one = split(&text, &paths);
            if !chosen.contains(&one) {
                chosen.push(one);
            }
        }
        Self {
            q: params.q.trim().to_owned(),
            type_name: params.type_name,
            chosen,
            sort: params.sort,
            cards: params.view == "cards",
            page: params.page.unwrap_or(1).max(1),
            more: params.more,
        }
    }

    /// The pairs of the address, without what is as usual.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut given = |name, text: &str| {
            if !text.is_empty() {
                pairs.push((name, text.to_owned()));
            }
        };
        given("q", &self.q);
        given("type", &self.type_name);
        for one in &self.chosen {
            given(
                "filter",
                &format!("{}:{}", one.field, one.value.as_deref().unwrap_or_default()),
            );
        }
        given("sort", &self.sort);
        given("view", if self.cards { "cards" } else { "" });
        given("more", &self.more);
        if self.page > 1 {
            given("page", &self.page.to_string());
        }
        pairs
    }

    /// The address under `path`.
    pub fn href(&self, path: &str) -> String {
        match serde_html_form::to_string(self.pairs()) {
            Ok(query) if !query.is_empty() => format!("{path}?{query}"),
            _ => path.to_owned(),
        }
    }

    /// The same from its first page, changed.
    pub fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut other = Self {
            page: 1,
            ..self.clone()
        };
        change(&mut other);
        other.href("/search")
    }

    pub fn is_chosen(&self, field: &str, value: Option<&str>) -> bool {
        self.chosen
            .iter()
            .any(|c| c.field == field && c.value.as_deref() == value)
    }

    /// The address with a value chosen, or no longer chosen.
    pub fn toggled(&self, field: &str, value: Option<&str>) -> String {
        let chosen = self.is_chosen(field, value);
        self.with(|a| {
            if chosen {
                a.chosen.retain(|c| !(c.field == field && c.value.as_deref() == value));
            } else {
                a.chosen.push(Chosen {
                    field: field.to_owned(),
                    value: value.map(str::to_owned),
                });
            }
        })
    }
}

fn split(text: &str, paths: &[String]) -> Chosen {
    let known = paths.iter().filter(|path| {
        text.strip_prefix(path.as_str())
            .is_some_and(|rest| rest.starts_with(':'))
    });
    let (field, value) = match known.max_by_key(|path| path.len()) {
        Some(path) => (path.as_str(), &text[path.len() + 1..]),
        None => text.split_once(':').unwrap_or((text, "")),
    };
    Chosen {
        field: field.to_owned(),
        value: (!value.is_empty()).then(|| value.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_survives_being_written_and_read() {
        let address = Address {
            q: "tea & pots=?".to_owned(),
            type_name: "object".to_owned(),
            chosen: vec![
                Chosen {
                    field: "maker.name".to_owned(),
                    value: Some("A: B/C%20é".to_owned()),
                },
                Chosen {
                    field: "medium".to_owned(),
                    value: None,
                },
            ],
            sort: "-created".to_owned(),
            cards: true,
            page: 3,
            more: "medium".to_owned(),
        };
        let href = address.href("/search");
        let params: Params = serde_html_form::from_str(href.split_once('?').unwrap().1).unwrap();
        assert_eq!(Address::read(params, None), address);
    }

    #[test]
    fn names_with_colons_are_known_by_the_type() {
        let paths = ["dc".to_owned(), "dc:title".to_owned()];
        assert_eq!(
            split("dc:title:x:y", &paths),
            Chosen {
                field: "dc:title".to_owned(),
                value: Some("x:y".to_owned())
            }
        );
        assert_eq!(
            split("dc:other", &paths),
            Chosen {
                field: "dc".to_owned(),
                value: Some("other".to_owned())
            }
        );
        assert_eq!(
            split("odd", &paths),
            Chosen {
                field: "odd".to_owned(),
                value: None
            }
        );
    }

    #[test]
    fn choosing_goes_back_to_the_first_page_and_can_be_undone() {
        let address = Address {
            page: 7,
            ..Address::default()
        };
        assert_eq!(address.toggled("a", Some("b")), "/search?filter=a%3Ab");
        let chosen = Address {
            chosen: vec![Chosen {
                field: "a".to_owned(),
                value: Some("b".to_owned()),
            }],
            ..address
        };
        assert_eq!(chosen.toggled("a", Some("b")), "/search");
    }
}
