//! The descriptor of a Darwin Core Archive, `meta.xml`: which files are the core and its extensions, how they are written,
//! and which column holds which term. After the Darwin Core text guide (<https://dwc.tdwg.org/text/>).

use std::collections::HashSet;
use std::io::Cursor;

use super::super::header::Taken;
use super::super::text;
use super::super::xml::{Event, Xml};
use crate::kernel::error::{Code, Error, Result};

/// Bytes that a descriptor may have; those of large archives have some tens of thousands.
pub(super) const MAX_DESCRIPTOR: u64 = 4 << 20;
/// Bytes of a text in it.
const MAX_TEXT: usize = 16 * 1024;
/// Files, and columns, that a table may name.
const MAX_LOCATIONS: usize = 1_000;
const MAX_FIELDS: usize = 2_000;
const MAX_TABLES: usize = 100;
/// The highest place of a column.
const MAX_INDEX: usize = 10_000;

/// What `meta.xml` says.
#[derive(Debug)]
pub(in super::super) struct Descriptor {
    /// The file that describes the data set.
    pub metadata: Option<String>,
    pub core: Table,
    pub extensions: Vec<Table>,
}

/// The core or an extension.
#[derive(Clone, Debug)]
pub(in super::super) struct Table {
    /// The address of what a row is.
    pub row_type: String,
    pub encoding: Option<String>,
    pub delimiter: u8,
    pub quote: Option<u8>,
    /// Rows at the beginning of each file that are none.
    pub header_lines: u64,
    /// Its files, by their names beside the descriptor.
    pub locations: Vec<String>,
    /// The column with the id of the core's row.
    pub id: Option<usize>,
    pub fields: Vec<Field>,
}

/// A term and where its values stand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Field {
    /// The last part of the term's address, made unique within the table.
    pub name: String,
    /// The column, from 0; `None` where every row has the default.
    pub index: Option<usize>,
    /// The value of rows that have none.
    pub default: Option<String>,
    /// What stands between the values of a list.
    pub between: Option<String>,
}

/// What a row is called: `Taxon` of `http://rs.tdwg.org/dwc/terms/Taxon`.
pub(super) fn last_part(address: &str) -> &str {
    let address = address.trim().trim_end_matches(['/', '#']);
    address.rsplit(['/', '#', ':']).next().unwrap_or(address)
}

/// The name of a group of extension rows: `vernacularName` of `…/VernacularName`.
pub(super) fn group_name(row_type: &str) -> String {
    let part = last_part(row_type);
    let mut letters = part.chars();
    let Some(first) = letters.next() else {
        return "rows".to_owned();
    };
    first.to_lowercase().chain(letters).collect()
}

fn broken(what: &str) -> Error {
    Error::new(
        Code::Invalid,
        format!(
            "The archive's descriptor (meta.xml) cannot be read: {what}. Mend it, or say which file of the archive to read by \
             itself (entry)."
        ),
    )
}

/// Reads a descriptor, in whatever encoding it is written.
///
/// # Errors
/// `Invalid` where it is no sound XML, has no core, or a table lacks what it needs.
pub(in super::super) fn parse(bytes: &[u8]) -> Result<Descriptor> {
    let guess = text::guess(bytes, None)?;
    let (plain, _) = guess.encoding.decode_without_bom_handling(&bytes[guess.mark..]);
    let plain = plain.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let mut xml = Xml::of(Cursor::new(plain.as_bytes()), MAX_TEXT, broken);
    let (mut metadata, mut core, mut extensions) = (None, None, Vec::new());
    loop {
        match xml.next()? {
            Event::Start if xml.name() == b"archive" => {
                metadata = xml.attribute("metadata").filter(|name| !name.trim().is_empty());
            }
            Event::Start if xml.name() == b"core" => {
                let table = table(&mut xml, "core")?;
                if core.replace(table).is_some() {
                    return Err(broken("it has more than one core"));
                }
            }
            Event::Start if xml.name() == b"extension" => {
                extensions.push(table(&mut xml, "extension")?);
                if extensions.len() > MAX_TABLES {
                    return Err(broken("it names more extensions than any archive has"));
                }
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let core = core.ok_or_else(|| broken("it names no core"))?;
    if core.id.is_none() && !extensions.is_empty() {
        return Err(broken(
            "its core names no column of ids (<id index=…/>), so no extension can refer to it",
        ));
    }
    Ok(Descriptor {
        metadata,
        core: core.named(),
        extensions: extensions.into_iter().map(Table::named).collect(),
    })
}

/// Reads a `<core>` or `<extension>` whose start was just found.
fn table(xml: &mut Xml<Cursor<&[u8]>>, what: &str) -> Result<Table> {
    let mut table = Table {
        row_type: xml.attribute("rowType").unwrap_or_default(),
        encoding: xml.attribute("encoding").filter(|name| !name.trim().is_empty()),
        delimiter: sign(xml.attribute("fieldsTerminatedBy"), what, "fieldsTerminatedBy")?.unwrap_or(b','),
        quote: match xml.attribute("fieldsEnclosedBy") {
            None => Some(b'"'),
            Some(said) => sign(Some(said), what, "fieldsEnclosedBy")?,
        },
        header_lines: xml.number("ignoreHeaderLines").unwrap_or(0),
        locations: Vec::new(),
        id: None,
        fields: Vec::new(),
    };
    if table.quote == Some(table.delimiter) {
        table.quote = None;
    }
    let (mut open, mut location) = (1u32, false);
    while open > 0 {
        match xml.next()? {
            Event::Start => {
                open += 1;
                location = xml.name() == b"location";
                match xml.name() {
                    b"id" | b"coreid" | b"coreId" => table.id = index(xml, what)?,
                    b"field" => table.fields.extend(field(xml, what)?),
                    _ => {}
                }
                if table.fields.len() > MAX_FIELDS {
                    return Err(broken("it names more columns than any archive has"));
                }
            }
            Event::Text if location => {
                let name = xml.text().trim().to_owned();
                if !name.is_empty() {
                    table.locations.push(name);
                }
                if table.locations.len() > MAX_LOCATIONS {
                    return Err(broken("it names more files than any archive has"));
                }
            }
            Event::Text => {}
            Event::End => {
                open -= 1;
                location = false;
            }
            Event::Eof => break,
        }
    }
    if table.locations.is_empty() {
        return Err(broken(&format!("its {what} names no file (<location>)")));
    }
    if what == "extension" && table.id.is_none() {
        let kind = last_part(&table.row_type);
        return Err(broken(&format!(
            "its extension {kind} does not say which column refers to the core (<coreid index=…/>)"
        )));
    }
    Ok(table)
}

fn index(xml: &Xml<Cursor<&[u8]>>, what: &str) -> Result<Option<usize>> {
    let Some(said) = xml.attribute("index").filter(|text| !text.trim().is_empty()) else {
        return Ok(None);
    };
    let index = said.trim().parse().ok().filter(|index| *index <= MAX_INDEX);
    index
        .map(Some)
        .ok_or_else(|| broken(&format!("a column of its {what} has the place \"{}\"", shown(&said))))
}

/// A field; one that has neither a column nor a value says nothing.
fn field(xml: &Xml<Cursor<&[u8]>>, what: &str) -> Result<Option<Field>> {
    let index = index(xml, what)?;
    let default = xml.attribute("default").filter(|text| !text.is_empty());
    let term = xml.attribute("term").unwrap_or_default();
    let name = last_part(&term).replace('.', "_");
    if name.is_empty() || name.len() > super::super::header::MAX_NAME || name.chars().any(char::is_control) {
        return Err(broken(&format!(
            "a column of its {what} has the term \"{}\"",
            shown(&term)
        )));
    }
    let between = xml.attribute("delimitedBy").map(|text| unescape(&text));
    Ok((index.is_some() || default.is_some()).then_some(Field {
        name,
        index,
        default,
        between: between.filter(|text| !text.is_empty()),
    }))
}

/// One ASCII sign, written as itself or as `\t`, `\n`, `\r`; nothing where the text is empty.
fn sign(said: Option<String>, what: &str, attribute: &str) -> Result<Option<u8>> {
    let Some(said) = said else { return Ok(None) };
    let plain = unescape(&said);
    match plain.as_bytes() {
        [] => Ok(None),
        [one] if one.is_ascii() => Ok(Some(*one)),
        _ => Err(broken(&format!(
            "{attribute} of its {what} is \"{}\"; only one ASCII sign can be read",
            shown(&said)
        ))),
    }
}

fn unescape(text: &str) -> String {
    text.replace("\\t", "\t").replace("\\n", "\n").replace("\\r", "\r")
}

fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

impl Table {
    /// Gives each field a name of its own, and the column of ids a field where it has none.
    fn named(mut self) -> Self {
        if let Some(id) = self.id
            && !self.fields.iter().any(|field| field.index == Some(id))
        {
            let field = Field {
                name: "id".to_owned(),
                index: Some(id),
                default: None,
                between: None,
            };
            self.fields.insert(0, field);
        }
        let mut taken = Taken::default();
        for (index, field) in self.fields.iter_mut().enumerate() {
            field.name = taken.unique(&field.name, index);
        }
        self
    }

    /// The name of the field that holds the id.
    pub(super) fn id_field(&self) -> Option<&Field> {
        self.fields
            .iter()
            .find(|field| field.index.is_some() && field.index == self.id)
    }

    /// Columns that a row has at least.
    pub(super) fn width(&self) -> usize {
        let places = self.fields.iter().filter_map(|field| field.index).chain(self.id);
        places.max().map_or(0, |last| last + 1)
    }

    /// Names of its fields.
    pub(super) fn names(&self) -> HashSet<&str> {
        self.fields.iter().map(|field| field.name.as_str()).collect()
    }
}
