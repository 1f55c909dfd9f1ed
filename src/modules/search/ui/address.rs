//! The address of the search page: everything a reader chose stands in it, so that it can be shared and gone back to.

use serde::Deserialize;

use super::span::{end, is_span, year};
use crate::contract::records::RecordType;
use crate::kernel::geo::Area;

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
    /// `SOUTH,WEST,NORTH,EAST`: only what has a place in this box.
    #[serde(default, rename = "box")]
    pub area: String,
    /// The field of the timeline.
    #[serde(default)]
    pub time: String,
    /// Fields to count beside those that always are, repeatable.
    #[serde(default)]
    pub facet: Vec<String>,
    /// `cards`, `table`, `map` or `timeline`.
    #[serde(default)]
    pub view: String,
    /// `compact`, or as usual.
    #[serde(default)]
    pub density: String,
    /// Fields to show, repeatable.
    #[serde(default)]
    pub column: Vec<String>,
    #[serde(default)]
    pub page: Option<usize>,
    /// The facet of which all values are wanted, and what they must contain.
    #[serde(default)]
    pub more: String,
    #[serde(default)]
    pub find: String,
    /// A form for a span sends its field and both ends; the answer leads to the address that says the same as a filter.
    #[serde(default)]
    pub span: String,
    #[serde(default)]
    pub from: String,
    #[serde(default)]
    pub to: String,
    /// Not empty: how the list looks is to be kept.
    #[serde(default)]
    pub keep: String,
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
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Address {
    pub q: String,
    pub type_name: String,
    pub chosen: Vec<Chosen>,
    pub area: Option<Area>,
    pub time: String,
    pub facets: Vec<String>,
    pub sort: String,
    /// How the list looks, where the address says so; else what was kept, else what is usual.
    pub view: Option<View>,
    pub dense: Option<bool>,
    pub columns: Vec<String>,
    pub page: usize,
    pub more: String,
    pub find: String,
}

/// How records are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    Cards,
    Table,
    /// Cards below a map.
    Map,
    /// Cards below a timeline.
    Timeline,
}

impl View {
    pub fn read(text: &str) -> Option<Self> {
        match text {
            "cards" => Some(Self::Cards),
            "table" => Some(Self::Table),
            "map" => Some(Self::Map),
            "timeline" => Some(Self::Timeline),
            _ => None,
        }
    }
    /// A way to look at lists that may be kept for all of them. Not every collection has places or dates.
    pub fn is_kept(self) -> bool {
        matches!(self, Self::Cards | Self::Table)
    }
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Cards => "cards",
            Self::Table => "table",
            Self::Map => "map",
            Self::Timeline => "timeline",
        }
    }
}

/// `compact` and `roomy` as they stand in an address.
pub fn density(text: &str) -> Option<bool> {
    match text {
        "compact" => Some(true),
        "roomy" => Some(false),
        _ => None,
    }
}

pub fn density_name(dense: bool) -> &'static str {
    if dense { "compact" } else { "roomy" }
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
        let mut address = Self {
            q: params.q.trim().to_owned(),
            type_name: params.type_name,
            chosen,
            area: params.area.parse().ok(),
            time: params.time,
            facets: params.facet.into_iter().filter(|name| !name.is_empty()).collect(),
            sort: params.sort,
            view: View::read(&params.view),
            dense: density(&params.density),
            columns: params.column,
            page: params.page.unwrap_or(1).max(1),
            find: if params.more.is_empty() {
                String::new()
            } else {
                params.find.trim().to_owned()
            },
            more: params.more,
        };
        if !params.span.is_empty() {
            address.set_span(&params.span, &params.from, &params.to);
        }
        address
    }

    /// Puts a span in the place of every other span of the field. Ends that are no number or date leave the field as it
    /// was; two empty ones take the span away.
    fn set_span(&mut self, field: &str, from: &str, to: &str) {
        let (Some(from), Some(to)) = (end(from), end(to)) else {
            return;
        };
        self.page = 1;
        if from.is_empty() && to.is_empty() {
            return self.drop_span(field);
        }
        let swapped = matches!((year(&from), year(&to)), (Some(a), Some(b)) if a > b);
        let (from, to) = if swapped { (to, from) } else { (from, to) };
        self.put_span(field, &format!("{from}..{to}"));
    }

    /// Chooses a span of a field, and no other.
    pub fn put_span(&mut self, field: &str, span: &str) {
        self.drop_span(field);
        self.chosen.push(Chosen {
            field: field.to_owned(),
            value: Some(span.to_owned()),
        });
    }

    /// Chooses no span of a field.
    pub fn drop_span(&mut self, field: &str) {
        self.chosen
            .retain(|c| !(c.field == field && c.value.as_deref().is_some_and(is_span)));
    }

    /// The span that is chosen of a field.
    pub fn span(&self, field: &str) -> Option<(&str, &str)> {
        let mut values = self.chosen.iter().filter(|c| c.field == field);
        values.find_map(|c| c.value.as_deref().filter(|v| is_span(v))?.split_once(".."))
    }

    /// The years of the span chosen of a field, where it has both ends.
    pub fn years(&self, field: &str) -> Option<(i64, i64)> {
        self.span(field)
            .and_then(|(from, to)| Some((year(from)? as i64, year(to)? as i64)))
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
        given("box", &self.area.map(|area| area.to_string()).unwrap_or_default());
        given("time", &self.time);
        for facet in &self.facets {
            given("facet", facet);
        }
        given("sort", &self.sort);
        given("view", self.view.map_or("", View::as_str));
        given("density", self.dense.map_or("", density_name));
        for column in &self.columns {
            given("column", column);
        }
        given("more", &self.more);
        given("find", &self.find);
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

    /// The address with only this span of the field chosen, or with none if it was this one.
    pub fn with_span(&self, field: &str, span: &str) -> String {
        let chosen = self.is_chosen(field, Some(span));
        self.with(|a| {
            if chosen {
                a.drop_span(field);
            } else {
                a.put_span(field, span);
            }
        })
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
            area: "-10.5,170,20,-170".parse().ok(),
            time: "made".to_owned(),
            facets: vec!["page".to_owned()],
            sort: "-created".to_owned(),
            view: Some(View::Cards),
            dense: Some(true),
            columns: vec!["a,b".to_owned(), "c".to_owned()],
            page: 3,
            more: "medium".to_owned(),
            find: "sil&".to_owned(),
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

    #[test]
    fn a_span_from_a_form_becomes_a_filter_in_the_place_of_the_one_before() {
        let read = |question: &str| {
            let params: Params = serde_html_form::from_str(question).unwrap();
            Address::read(params, None).href("/search")
        };
        assert_eq!(
            read("span=made&from=1850&to=1900&page=4&filter=made:1700..1799&filter=made:x"),
            "/search?filter=made%3Ax&filter=made%3A1850..1900"
        );
        assert_eq!(read("span=made&from=&to=1900"), "/search?filter=made%3A..1900");
        assert_eq!(
            read("span=made&from=1900&to=1850-06"),
            "/search?filter=made%3A1850-06..1900"
        );
        assert_eq!(read("span=high&from=+2,5+&to="), "/search?filter=high%3A2.5..");
        assert_eq!(read("span=made&from=&to=&filter=made:1..2"), "/search");
        assert_eq!(
            read("span=made&from=soon&to=&filter=made:1..2"),
            "/search?filter=made%3A1..2"
        );
        assert_eq!(read("span=made&from=-&to=1...2"), "/search");
    }
}
