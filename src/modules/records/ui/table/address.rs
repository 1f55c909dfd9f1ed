//! The address of a table: the question, the columns with their widths, the order and the row at the top. What it leaves out
//! is as its reader has kept it, else as the type says.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::contract::records::RecordType;
use crate::kernel::search::{MAX_DEPTH, Sort};
use crate::modules::records::model::path::{self, Leaf};
use crate::modules::records::service::Look;

/// Columns beside the title where none are chosen, and at most.
const COLUMNS: usize = 8;
pub const MOST_COLUMNS: usize = 40;
/// How wide a column may be, in pixels.
const NARROW: u16 = 48;
const WIDE: u16 = 900;

/// What stands after the question mark; the names are those of the search page where both have them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Params {
    pub q: String,
    /// `FIELD:VALUE`; `FIELD:` is "not given".
    pub filter: Vec<String>,
    pub sort: String,
    /// Fields to show, in their order.
    pub column: Vec<String>,
    /// `FIELD:PIXELS`
    pub width: Vec<String>,
    /// The first row that is shown, from 1.
    pub from: Option<usize>,
    /// A place in the ledger that the rows must have reached. No link carries it on.
    pub after: Option<String>,
}

/// See the module's text.
#[derive(Clone, Debug, PartialEq)]
pub struct Address {
    pub type_name: String,
    pub q: String,
    pub filter: Vec<String>,
    pub look: Look,
    pub from: usize,
}

impl Address {
    /// Reads an address for a type as its reader sees it.
    pub fn read(params: Params, definition: &RecordType, kept: Option<Look>) -> Self {
        let kept = kept.unwrap_or_default();
        let mut look = Look {
            columns: params.column,
            widths: widths(&params.width),
            sort: params.sort,
        };
        if look.columns.is_empty() {
            look.columns = kept.columns;
        }
        if look.widths.is_empty() {
            look.widths = kept.widths;
        }
        if look.sort.is_empty() && params.q.is_empty() {
            look.sort = kept.sort;
        }
        let mut address = Self {
            type_name: definition.name.clone(),
            q: params.q.trim().to_owned(),
            filter: params.filter,
            look,
            from: params.from.unwrap_or(1).clamp(1, MAX_DEPTH + 1),
        };
        address.fit(definition);
        address
    }

    /// Leaves out what the type has not, or its reader may not see.
    fn fit(&mut self, definition: &RecordType) {
        let leaves = path::leaves(&definition.fields);
        let known = |path: &str| leaves.iter().any(|leaf| leaf.path == path);
        let title = definition.title.clone().unwrap_or_default();
        let mut columns: Vec<String> = Vec::new();
        for column in std::mem::take(&mut self.look.columns) {
            if known(&column) && column != title && !columns.contains(&column) && columns.len() < MOST_COLUMNS {
                columns.push(column);
            }
        }
        if columns.is_empty() {
            let marked = leaves.iter().filter(|leaf| leaf.field.column && leaf.path != title);
            columns = marked.take(COLUMNS).map(|leaf| leaf.path.clone()).collect();
        }
        if columns.is_empty() {
            let others = leaves.iter().filter(|leaf| leaf.path != title);
            columns = others.take(COLUMNS).map(|leaf| leaf.path.clone()).collect();
        }
        self.look.columns = columns;
        self.look.widths.retain(|path, _| known(path));
        let sort = self.look.sort.trim_start_matches('-');
        if !matches!(sort, "created" | "updated") && !known(sort) {
            self.look.sort.clear();
        }
    }

    /// The fields of all columns, the title first where it is one.
    pub fn leaves<'a>(&self, definition: &'a RecordType) -> Vec<Leaf<'a>> {
        let title = definition.title.iter();
        let paths = title.chain(&self.look.columns);
        paths.filter_map(|path| path::find(&definition.fields, path)).collect()
    }

    /// The order of the rows: that of the address, else what fits best, else the newest first.
    pub fn sort(&self) -> Sort {
        let (field, descending) = match self.look.sort.strip_prefix('-') {
            Some(field) => (field, true),
            None => (self.look.sort.as_str(), false),
        };
        match field {
            "" if self.q.is_empty() => Sort::Created { descending: true },
            "" => Sort::Relevance,
            "created" => Sort::Created { descending },
            "updated" => Sort::Updated { descending },
            field => Sort::Field {
                field: field.to_owned(),
                descending,
            },
        }
    }

    /// The question alone.
    pub fn question(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        if !self.q.is_empty() {
            pairs.push(("q", self.q.clone()));
        }
        pairs.extend(self.filter.iter().map(|filter| ("filter", filter.clone())));
        pairs
    }

    /// Everything, so that whoever opens it sees the same.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = self.question();
        if !self.look.sort.is_empty() {
            pairs.push(("sort", self.look.sort.clone()));
        }
        pairs.extend(self.look.columns.iter().map(|column| ("column", column.clone())));
        let widths = self.look.widths.iter();
        pairs.extend(widths.map(|(path, width)| ("width", format!("{path}:{width}"))));
        if self.from > 1 {
            pairs.push(("from", self.from.to_string()));
        }
        pairs
    }

    /// The address of the page.
    pub fn href(&self) -> String {
        let path = format!("/types/{}/table", self.type_name);
        match serde_html_form::to_string(self.pairs()) {
            Ok(query) if !query.is_empty() => format!("{path}?{query}"),
            _ => path,
        }
    }

    /// The same from its first row, changed.
    pub fn with(&self, change: impl FnOnce(&mut Self)) -> String {
        let mut other = Self {
            from: 1,
            ..self.clone()
        };
        change(&mut other);
        other.href()
    }

    /// The same question on the search page.
    pub fn search(&self) -> String {
        let mut pairs = vec![("type", self.type_name.clone())];
        pairs.extend(self.question());
        format!("/search?{}", serde_html_form::to_string(pairs).unwrap_or_default())
    }
}

/// `FIELD:PIXELS`, as far as they are such.
pub fn widths(given: &[String]) -> BTreeMap<String, u16> {
    let read = |text: &String| {
        let (path, width) = text.rsplit_once(':')?;
        let width: u16 = width.parse().ok()?;
        Some((path.to_owned(), width.clamp(NARROW, WIDE)))
    };
    given.iter().take(MOST_COLUMNS + 1).filter_map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn definition() -> RecordType {
        serde_json::from_value(json!({ "name": "vase", "title": "title", "fields": [
            { "name": "title", "kind": "text" },
            { "name": "a", "kind": "text", "column": true },
            { "name": "b", "kind": "text" },
            { "name": "c:d", "kind": "number" } ] }))
        .unwrap()
    }

    #[test]
    fn an_address_survives_being_written_and_read() {
        let definition = definition();
        let text = "q=clay&filter=a:x&sort=-c:d&column=c:d&column=b&width=b:120&from=101";
        let read = |text: &str| {
            let params: Params = serde_html_form::from_str(text).unwrap();
            Address::read(params, &definition, None)
        };
        let address = read(text);
        assert_eq!(address.look.columns, ["c:d", "b"]);
        assert_eq!(read(address.href().split_once('?').unwrap().1), address);
        assert_eq!(
            address.sort(),
            Sort::Field {
                field: "c:d".to_owned(),
                descending: true
            }
        );
    }

    #[test]
    fn what_is_not_there_is_left_out_and_what_was_kept_holds() {
        let definition = definition();
        let kept = Look {
            columns: vec!["b".to_owned(), "gone".to_owned(), "title".to_owned()],
            widths: BTreeMap::from([("b".to_owned(), 90)]),
            sort: "gone".to_owned(),
        };
        let address = Address::read(Params::default(), &definition, Some(kept));
        assert_eq!(
            (address.look.columns.as_slice(), address.look.sort.as_str()),
            (["b".to_owned()].as_slice(), "")
        );
        assert_eq!(address.look.widths["b"], 90);
        let plain = Address::read(Params::default(), &definition, None);
        assert_eq!(plain.look.columns, ["a"]);
        assert_eq!(
            widths(&["b:1".to_owned(), "x".to_owned(), "c:d:9999".to_owned()]),
            BTreeMap::from([("b".to_owned(), NARROW), ("c:d".to_owned(), WIDE)])
        );
    }
}
