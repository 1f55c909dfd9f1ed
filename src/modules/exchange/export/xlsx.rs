//! A workbook of one sheet, written row by row and packed as it goes: its memory does not grow with its rows.
//!
//! Texts are texts, so nothing in a cell is taken for a formula. A number is a number if a sheet can hold it exactly, else
//! the text it is; lists and groups are JSON texts. A text that is longer than a cell can be ends the export: it says whose.

use serde_json::Value;

use super::zip::Zip;
use crate::kernel::error::{Code, Error, Result};

/// Rows of a sheet, the header too; UTF-16 units of a cell.
const MAX_ROWS: u32 = 1_048_576;
const MAX_CELL: usize = 32_767;

const TYPES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/styles.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.styles+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"#;
const ROOT: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="xl/workbook.xml"/></Relationships>"#;
const PARTS: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet" Target="worksheets/sheet1.xml"/><Relationship Id="rId2" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>"#;
const STYLES: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders><cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs><cellXfs count="2"><xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/><xf numFmtId="0" fontId="1" fillId="0" borderId="0" xfId="0" applyFont="1"/></cellXfs><cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>"#;
const SHEET: &str = r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><sheetFormatPr defaultRowHeight="15" baseColWidth="18"/><sheetData>"#;

/// What stands in a cell.
pub enum Cell {
    Empty,
    Text(String),
    Number(String),
    Boolean(bool),
}

impl Cell {
    /// A value as a cell; `text` is how it is written where it is neither number nor boolean.
    pub fn of(value: Option<&Value>, text: impl FnOnce() -> String) -> Self {
        match value {
            None | Some(Value::Null) => Self::Empty,
            Some(Value::Bool(value)) => Self::Boolean(*value),
            Some(Value::Number(number)) => {
                let written = number.to_string();
                // Sheets keep 15 digits: what would come back otherwise is a text.
                let digits = written.bytes().filter(u8::is_ascii_digit).count();
                let same = number.as_f64().is_some_and(|value| format!("{value}") == written);
                if same && digits <= 15 {
                    Self::Number(written)
                } else {
                    Self::Text(written)
                }
            }
            Some(_) => Self::Text(text()),
        }
    }
}

/// A workbook in the making.
pub struct Workbook {
    zip: Zip,
    rows: u32,
    row: String,
}

impl Workbook {
    /// Begins one, with the names of its columns.
    ///
    /// # Errors
    /// What the packer says.
    pub fn new(title: &str, header: &[String]) -> Result<Self> {
        let mut zip = Zip::new();
        let mut book = String::from(
            r#"<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets><sheet name=""#,
        );
        let title: String = title.chars().filter(|c| !r"[]:*?/\'".contains(*c)).take(31).collect();
        escape(&mut book, if title.is_empty() { "Records" } else { &title });
        book.push_str(r#"" sheetId="1" r:id="rId1"/></sheets></workbook>"#);
        let parts = [
            ("[Content_Types].xml", TYPES),
            ("_rels/.rels", ROOT),
            ("xl/workbook.xml", &book),
            ("xl/_rels/workbook.xml.rels", PARTS),
            ("xl/styles.xml", STYLES),
        ];
        for (name, content) in parts {
            zip.start(name);
            zip.write(content.as_bytes())?;
            zip.end()?;
        }
        zip.start("xl/worksheets/sheet1.xml");
        zip.write(SHEET.as_bytes())?;
        let mut workbook = Self {
            zip,
            rows: 0,
            row: String::new(),
        };
        let names = header.iter().map(|name| Cell::Text(name.clone())).collect::<Vec<_>>();
        workbook.line(&names, " s=\"1\"", "the header")?;
        Ok(workbook)
    }

    /// Writes a row. `who` says whose it is where it cannot be written.
    ///
    /// # Errors
    /// `TooLarge` for more rows or longer texts than a sheet can hold.
    pub fn row(&mut self, cells: &[Cell], who: &str) -> Result<()> {
        self.line(cells, "", who)
    }

    fn line(&mut self, cells: &[Cell], style: &str, who: &str) -> Result<()> {
        self.rows += 1;
        if self.rows > MAX_ROWS {
            let words = format!(
                "A sheet holds {} records at most, and there are more. Export them as CSV or JSON lines, or narrow them by a search.",
                MAX_ROWS - 1
            );
            return Err(Error::new(Code::TooLarge, words));
        }
        self.row.clear();
        self.row.push_str(&format!("<row r=\"{}\">", self.rows));
        for (index, cell) in cells.iter().enumerate() {
            let open = |kind: &str| format!("<c r=\"{}{}\"{style}{kind}>", letters(index), self.rows);
            match cell {
                Cell::Empty => {}
                Cell::Number(number) => self.row.push_str(&format!("{}<v>{number}</v></c>", open(""))),
                Cell::Boolean(value) => {
                    self.row
                        .push_str(&format!("{}<v>{}</v></c>", open(" t=\"b\""), u8::from(*value)));
                }
                Cell::Text(text) => {
                    if text.len() > MAX_CELL && text.encode_utf16().count() > MAX_CELL {
                        let words = format!(
                            "A text of {who} is longer than the {MAX_CELL} characters that a cell of a workbook holds. Export as \
                             CSV or JSON lines."
                        );
                        return Err(Error::new(Code::TooLarge, words));
                    }
                    let open = open(" t=\"inlineStr\"");
                    self.row.push_str(&open);
                    self.row.push_str("<is><t xml:space=\"preserve\">");
                    escape(&mut self.row, text);
                    self.row.push_str("</t></is></c>");
                }
            }
        }
        self.row.push_str("</row>");
        self.zip.write(self.row.as_bytes())
    }

    /// Ends the workbook.
    ///
    /// # Errors
    /// `TooLarge` beyond 4 GB.
    pub fn finish(&mut self) -> Result<()> {
        self.zip.write(b"</sheetData></worksheet>")?;
        self.zip.end()?;
        self.zip.finish()
    }

    /// What has come to be since it was last asked.
    pub fn take(&mut self) -> Vec<u8> {
        self.zip.take()
    }
}

/// The letters of a column, counted from 0.
fn letters(index: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = index + 1;
    while rest > 0 {
        letters.push(char::from(b'A' + ((rest - 1) % 26) as u8));
        rest = (rest - 1) / 26;
    }
    letters.iter().rev().collect()
}

/// A text as it stands in the sheet. What XML cannot hold, and what looks like the way to say so, is written as `_x000D_`.
fn escape(out: &mut String, text: &str) {
    for (at, letter) in text.char_indices() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(letter),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push_str(&format!("_x{:04X}_", u32::from(letter))),
            '_' if looks_coded(&text[at..]) => out.push_str("_x005F_"),
            other => out.push(other),
        }
    }
}

fn looks_coded(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() >= 7 && bytes[1] == b'x' && bytes[6] == b'_' && bytes[2..6].iter().all(u8::is_ascii_hexdigit)
}
