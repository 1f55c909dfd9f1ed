//! Workbooks, made here piece by piece: every kind of cell, and every kind of trouble.

use super::*;
use crate::contract::exchange::Decimal;
use crate::modules::exchange::export::xlsx::{Cell, Workbook};
use crate::modules::exchange::export::zip::Zip;

pub(super) fn zip(members: &[(&str, &str)]) -> Vec<u8> {
    let mut zip = Zip::new();
    for (name, content) in members {
        zip.start(name);
        zip.write(content.as_bytes()).unwrap();
        zip.end().unwrap();
    }
    zip.finish().unwrap();
    zip.take()
}

const STYLES: &str = r#"<styleSheet><numFmts><numFmt numFmtId="164" formatCode="dd\.mm\.yyyy"/><numFmt numFmtId="165" formatCode="00000"/></numFmts>
<cellXfs><xf numFmtId="0"/><xf numFmtId="164"/><xf numFmtId="9"/><xf numFmtId="165"/><xf numFmtId="22"/></cellXfs></styleSheet>"#;
const STRINGS: &str = r#"<sst><si><t>id</t></si><si><r><t>ti</t></r><r><t>tle</t></r><rPh><t>no</t></rPh></si><si><t xml:space="preserve"> a &amp; b_x000D_ </t></si></sst>"#;

/// A workbook whose sheets have these rows: a name that begins with a dot is hidden.
pub(super) fn xlsx(sheets: &[(&str, &str)]) -> Vec<u8> {
    xlsx_with(STRINGS, sheets)
}

fn xlsx_with(strings: &str, sheets: &[(&str, &str)]) -> Vec<u8> {
    let mut book = String::from("<workbook><workbookPr/><sheets>");
    let mut relations = String::from(
        r#"<Relationships><Relationship Id="s" Type="x/styles" Target="/xl/styles.xml"/><Relationship Id="t" Type="x/sharedStrings" Target="sharedStrings.xml"/>"#,
    );
    let mut members = Vec::new();
    for (index, (name, rows)) in sheets.iter().enumerate() {
        let state = if name.starts_with('.') { " state=\"hidden\"" } else { "" };
        book.push_str(&format!(
            "<sheet name=\"{name}\" sheetId=\"1\"{state} r:id=\"r{index}\"/>"
        ));
        relations.push_str(&format!(
            "<Relationship Id=\"r{index}\" Type=\"x/worksheet\" Target=\"worksheets/../worksheets/{index}.xml\"/>"
        ));
        let (rows, after) = rows.split_once("|").unwrap_or((rows, ""));
        let sheet = format!("<worksheet><dimension ref=\"A1:E9\"/><sheetData>{rows}</sheetData>{after}</worksheet>");
        members.push((format!("xl/worksheets/{index}.xml"), sheet));
    }
    book.push_str("</sheets></workbook>");
    relations.push_str("</Relationships>");
    let mut all = vec![
        ("[Content_Types].xml", "<Types/>"),
        (
            "_rels/.rels",
            r#"<Relationships><Relationship Id="a" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>"#,
        ),
        ("xl/workbook.xml", &book),
        ("xl/_rels/workbook.xml.rels", &relations),
        ("xl/styles.xml", STYLES),
        ("xl/sharedStrings.xml", strings),
    ];
    all.extend(members.iter().map(|(name, content)| (name.as_str(), content.as_str())));
    zip(&all)
}

/// One long text and many cells that share it.
#[test]
fn a_sheet_that_repeats_one_text_without_end() {
    let text = format!("<sst><si><t>{}</t></si></sst>", "x".repeat(9_000));
    let sheet = |rows: usize| -> String {
        let row = |n: usize| format!("<row r=\"{n}\">{}</row>", "<c t=\"s\"><v>0</v></c>".repeat(20));
        let cell = |n: usize| format!("<c t=\"inlineStr\"><is><t>note {n}</t></is></c>");
        let head = (0..20).map(cell).collect::<String>();
        format!("<row r=\"1\">{head}</row>") + &(2..rows + 2).map(row).collect::<String>()
    };
    assert_eq!(rows(&xlsx_with(&text, &[("S", &sheet(20))]), "a.xlsx").len(), 20);
    let bomb = xlsx_with(&text, &[("S", &sheet(600))]);
    assert!(
        refusal(&bomb, "a.xlsx").contains("repeats texts"),
        "{}",
        refusal(&bomb, "a.xlsx")
    );
}

/// A spreadsheet with one sheet.
pub(super) fn ods(rows: &str) -> Vec<u8> {
    let content = format!(
        "<office:document-content><office:automatic-styles><style:style style:name=\"ta2\"><style:table-properties table:display=\"false\"/></style:style></office:automatic-styles>\
         <office:body><office:spreadsheet><table:table table:name=\"Old\" table:style-name=\"ta2\"><table:table-row><table:table-cell office:value-type=\"string\"><text:p>x</text:p></table:table-cell></table:table-row></table:table>\
         <table:table table:name=\"Things\"><table:table-column/>{rows}</table:table></office:spreadsheet></office:body></office:document-content>"
    );
    zip(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("content.xml", &content),
    ])
}

fn text(place: &str, text: &str) -> String {
    format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{text}</t></is></c>")
}

const GOOD: &str = r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c><c r="C1" t="inlineStr"><is><t>made</t></is></c><c r="D1" t="str"><v>share</v></c><c r="E1" t="inlineStr"><is><t>number</t></is></c><c r="F1" t="inlineStr"><is><t>seen</t></is></c></row>
<row r="2"><c r="A2"><v>1</v></c><c r="B2" t="s"><v>2</v></c><c r="C2" s="1"><v>7763</v></c><c r="D2" s="2"><v>0.25</v></c><c r="E2" s="3"><v>42</v></c><c r="F2" t="b"><v>1</v></c></row>
<row r="5" spans="1:6"><c r="A5"><f>A2+1.5</f><v>2.5</v></c><c r="B5"><f>NOW()</f><v/></c><c r="C5" s="4"><v>43861.5</v></c><c r="D5" t="e"><v>#REF!</v></c><c r="F5" t="b"><v>0</v></c></row>"#;

#[test]
fn every_kind_of_cell() {
    let book = xlsx(&[("Empty", ""), (".secret", GOOD), ("Objects", GOOD), ("More", GOOD)]);
    let want = [
        json!({ "id": "1", "title": " a & b\r ", "made": "1921-04-02", "share": "0.25", "number": "00042", "seen": "true" }),
        json!({ "id": "2.5", "made": "2020-01-31T12:00:00", "seen": "false" }),
    ];
    assert_eq!(rows(&book, "a.xlsx"), want);
    assert_eq!(rows(&gzip(&book), "a.csv"), want, "the content says what it is");
    let seen = look(input(&book), "a.xlsx", &Reading::default(), &limits()).unwrap();
    assert_eq!(
        (seen.format, seen.sheet.as_deref(), seen.header_row),
        (Format::Xlsx, Some("Objects"), Some(1))
    );
    let sheets: Vec<(&str, bool)> = seen.sheets.iter().map(|s| (s.name.as_str(), s.hidden)).collect();
    assert_eq!(
        sheets,
        [("Empty", false), (".secret", true), ("Objects", false), ("More", false)]
    );
    assert_eq!((seen.sheets[0].rows, seen.sheets[0].columns), (Some(9), Some(5)));
    assert_eq!(seen.rows[1].line, 5);
    let mut codes: Vec<&str> = seen.warnings.iter().map(|w| w.code.as_str()).collect();
    codes.sort_unstable();
    assert_eq!(
        codes,
        [
            "error-cells",
            "formulas-without-values",
            "percentages",
            "several-sheets"
        ]
    );
    assert!(
        seen.warnings
            .iter()
            .any(|w| w.message.contains("D5 holds the error #REF!"))
    );
    let reading = Reading {
        sheet: Some(".Secret".to_owned()),
        decimal: Some(Decimal::Comma),
        ..Reading::default()
    };
    let mut source = open(input(&book), "a.xlsx", None, &reading, &limits()).unwrap();
    assert_eq!(
        shown(source.nth(1).unwrap().unwrap())["id"],
        "2,5",
        "numbers get the sign that texts have"
    );
    let reading = Reading {
        sheet: Some("Objcts".to_owned()),
        ..Reading::default()
    };
    let error = look(input(&book), "a.xlsx", &reading, &limits()).unwrap_err();
    assert!(
        error.detail().contains("It has: Empty, .secret, Objects, More"),
        "{}",
        error.detail()
    );
}

#[test]
fn merged_cells_are_filled_down() {
    let book = |after: &str| {
        let rows = format!(
            "<row r=\"1\">{}{}</row><row r=\"2\">{}{}</row><row r=\"3\">{}</row><row r=\"4\">{}</row>|{after}",
            text("A1", "box"),
            text("B1", "thing"),
            text("A2", "red"),
            text("B2", "a"),
            text("B3", "b"),
            text("B4", "c")
        );
        xlsx(&[("S", &rows)])
    };
    let merged = book("<mergeCells count=\"2\"><mergeCell ref=\"A2:A3\"/><mergeCell ref=\"C1:D1\"/></mergeCells>");
    let want = [
        json!({ "box": "red", "thing": "a" }),
        json!({ "box": "red", "thing": "b" }),
        json!({ "thing": "c" }),
    ];
    assert_eq!(rows(&merged, "x"), want);
    let seen = look(input(&merged), "x", &Reading::default(), &limits()).unwrap();
    assert!(
        seen.warnings[0].message.contains("A3 is merged with cells above"),
        "{:?}",
        seen.warnings
    );
    let cell = |text: &str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    let spanned = format!(
        "<table:table-row>{}{}</table:table-row><table:table-row><table:table-cell table:number-rows-spanned=\"2\" office:value-type=\"string\"><text:p>red</text:p></table:table-cell>{}</table:table-row>\
         <table:table-row><table:covered-table-cell/>{}</table:table-row><table:table-row><table:table-cell/>{}</table:table-row>",
        cell("box"),
        cell("thing"),
        cell("a"),
        cell("b"),
        cell("c")
    );
    assert_eq!(rows(&ods(&spanned), "x"), want);
}

pub(super) const GOOD_ODS: &str = r#"<table:table-header-rows><table:table-row><table:table-cell office:value-type="string"><text:p>id</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>note</text:p></table:table-cell><table:table-cell office:value-type="string"><text:p>made</text:p></table:table-cell></table:table-row></table:table-header-rows>
<table:table-row table:number-rows-repeated="2"><table:table-cell office:value-type="float" office:value="1.5"><text:p>1,50</text:p></table:table-cell><table:table-cell office:value-type="string"><office:annotation><text:p>remark</text:p></office:annotation><text:p>a<text:s text:c="2"/>b <text:span>c</text:span></text:p><text:p>d</text:p></table:table-cell><table:table-cell office:value-type="date" office:date-value="1921-04-03T00:00:00"><text:p>3.4.21</text:p></table:table-cell><table:table-cell table:number-columns-repeated="16381"/></table:table-row>
<table:table-row><table:table-cell office:value-type="percentage" office:value="0.25"><text:p>25 %</text:p></table:table-cell><table:table-cell calcext:value-type="error" office:value-type="string"><text:p>#REF!</text:p></table:table-cell><table:table-cell office:value-type="time" office:time-value="PT13H45M00S"><text:p>x</text:p></table:table-cell></table:table-row>
<table:table-row table:number-rows-repeated="1048000"><table:table-cell table:number-columns-repeated="16384"/></table:table-row>"#;

#[test]
fn spreadsheets_of_the_open_kind() {
    let first = json!({ "id": "1.5", "note": "a  b c\nd", "made": "1921-04-03" });
    let want = [first.clone(), first, json!({ "id": "0.25", "made": "13:45:00" })];
    let book = ods(GOOD_ODS);
    assert_eq!(rows(&book, "a.ods"), want);
    let seen = look(input(&book), "a.ods", &Reading::default(), &limits()).unwrap();
    assert_eq!((seen.format, seen.sheet.as_deref()), (Format::Ods, Some("Things")));
    assert_eq!(
        (seen.sheets[1].rows, seen.sheets[1].columns, seen.sheets[0].hidden),
        (Some(4), Some(3), true)
    );
    assert_eq!(seen.columns.len(), 3);
    let bomb = "<table:table-row table:number-rows-repeated=\"1000000\"><table:table-cell office:value-type=\"string\" table:number-columns-repeated=\"90\"><text:p>x</text:p></table:table-cell></table:table-row>";
    assert!(refusal(&ods(bomb), "a.ods").contains("repeats cells"));
}

#[test]
fn what_goes_into_a_sheet_comes_out() {
    let texts = [
        "=1+1",
        "'=x",
        " a \n\tb\r\n",
        "<&>\"'",
        "_x000D_ _x41",
        "\u{1}\u{fffe}",
        "\u{1f3fa}é",
        "00042",
    ];
    let header: Vec<String> = (0..texts.len() + 3).map(|n| format!("column & {n}")).collect();
    let mut book = Workbook::new("a/b[c]", &header).unwrap();
    let mut cells: Vec<Cell> = texts.iter().map(|t| Cell::Text((*t).to_owned())).collect();
    for value in [json!(1.25), json!(12_345_678_901_234_567i64), json!(true)] {
        cells.push(Cell::of(Some(&value), String::new));
    }
    for _ in 0..3 {
        book.row(&cells, "x").unwrap();
    }
    let mut bytes = book.take();
    book.finish().unwrap();
    bytes.extend(book.take());
    let got = rows(&bytes, "a.xlsx");
    assert_eq!(got.len(), 3);
    for (name, text) in header.iter().zip(texts) {
        assert_eq!(got[2][name], text);
    }
    let last = |n: usize| got[0][format!("column & {}", texts.len() + n)].clone();
    assert_eq!(
        [last(0), last(1), last(2)],
        [json!("1.25"), json!("12345678901234567"), json!("true")]
    );
    let long = [Cell::Text("x".repeat(40_000))];
    assert!(
        book.row(&long, "the record m1")
            .unwrap_err()
            .detail()
            .contains("m1 is longer than the 32767")
    );
}

#[test]
fn sheets_as_wide_and_as_far_as_they_can_be() {
    let row = |number: u32, width: u32, text: &str| {
        let cells: String = (0..width)
            .map(|_| format!("<c t=\"inlineStr\"><is><t>{text}</t></is></c>"))
            .collect();
        format!("<row r=\"{number}\">{cells}</row>")
    };
    // All the columns that a sheet can have, each with a name, most without a value.
    let wide = xlsx(&[("S", &(row(1, 16_384, "n") + &row(2, 50, "1")))]);
    let words = refusal(&wide, "a.xlsx");
    assert!(
        words.contains("16384 columns; at most 100") && words.contains("50 of them have a value"),
        "{words}"
    );
    let seen = look(input(&wide), "a.xlsx", &Reading::default(), &limits()).unwrap();
    assert_eq!(
        (
            seen.columns.len(),
            seen.columns[1].name.as_str(),
            seen.columns[16_383].empty
        ),
        (16_384, "n (2)", true)
    );
    let skip = Reading {
        skip_empty_columns: true,
        ..Reading::default()
    };
    let mut source = open(input(&wide), "a.xlsx", None, &skip, &limits()).unwrap();
    assert_eq!(shown(source.next().unwrap().unwrap()).as_object().unwrap().len(), 50);
    assert_eq!(source.columns.unwrap().names().len(), 50);
    // A value in the last corner, and beyond it.
    let far = format!(
        "<row r=\"1\">{}{}</row><row r=\"1048576\">{}</row>",
        text("A1", "a"),
        text("B1", "b"),
        text("XFD1048576", "x")
    );
    assert_eq!(rows(&xlsx(&[("S", &far)]), "x"), [json!({ "column 16384": "x" })]);
    for beyond in ["XFE1", "ZZZZZZZZ1", "1", "A0", "é1"] {
        let beyond = format!("<row r=\"1\">{}</row>", text(beyond, "a"));
        assert!(
            refusal(&xlsx(&[("S", &beyond)]), "x").contains("no sheet has"),
            "{beyond}"
        );
    }
    let many = format!(
        "<row r=\"1\">{}</row><row r=\"1048576\">{}</row><row>{}</row>",
        text("A1", "a"),
        text("A2", "b"),
        text("A3", "c")
    );
    assert!(refusal(&xlsx(&[("S", &many)]), "x").contains("more rows"));
    let long = format!(
        "<row r=\"1\">{}</row><row r=\"2\">{}</row><row r=\"3\">{}</row>",
        text("A1", "a"),
        text("A2", &"x".repeat(5 << 20)),
        text("A3", "c")
    );
    let got = rows(&xlsx(&[("S", &long)]), "x");
    assert!(
        got[0]["message"].as_str().unwrap().contains("Longer than 10000"),
        "{}",
        got[0]
    );
    assert_eq!(got[1], json!({ "a": "c" }));
}

#[test]
fn workbooks_that_cannot_be_read_say_what_to_do() {
    let good = xlsx(&[("S", GOOD)]);
    for part in [1, 2, 3, 7] {
        let words = refusal(&good[..good.len() * part / 8], "a.xlsx");
        assert!(words.contains("cut short"), "{words}");
    }
    let cfb = |stream: &str| {
        let mut bytes = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1".to_vec();
        bytes.resize(2000, 0);
        bytes.extend(stream.encode_utf16().flat_map(u16::to_le_bytes));
        bytes
    };
    assert!(
        refusal(&cfb("EncryptedPackage"), "a.xlsx").contains("protected with a password. Open it, save it without one")
    );
    assert!(refusal(&cfb("Workbook"), "a.xls").contains("save it as .xlsx"));
    assert!(refusal(&cfb("WordDocument"), "a.xls").contains("text document"));
    let locked = zip(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        ("META-INF/manifest.xml", "<manifest:encryption-data/>"),
    ]);
    assert!(refusal(&locked, "a.ods").contains("password"));
    assert!(
        refusal(
            &zip(&[("[Content_Types].xml", ""), ("word/document.xml", "")]),
            "a.docx"
        )
        .contains("text document")
    );
    assert!(refusal(&zip(&[("[Content_Types].xml", "")]), "a.xlsx").contains("lacks its list of sheets"));
    assert!(refusal(&xlsx(&[("A", ""), (".B", GOOD)]), "a.xlsx").contains("hidden"));
    let bomb = "<?xml version=\"1.0\"?><!DOCTYPE x [<!ENTITY a \"aa\"><!ENTITY b \"&a;&a;\">]><workbook>&b;</workbook>";
    let bomb = zip(&[("[Content_Types].xml", "<Types/>"), ("xl/workbook.xml", bomb)]);
    assert!(
        refusal(&bomb, "a.xlsx").contains("document type"),
        "{}",
        refusal(&bomb, "a.xlsx")
    );
    let missing = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>99</v></c></row>";
    assert!(refusal(&xlsx(&[("S", missing)]), "a.xlsx").contains("the text of the cell A1 is missing"));
    assert!(refusal(&xlsx(&[("S", "")]), "a.xlsx").contains("No sheet of the workbook has anything in it"));
    let error = open(
        input("a,b\n1,2\n"),
        "a.xlsx",
        Some(Format::Xlsx),
        &Reading::default(),
        &limits(),
    )
    .err()
    .unwrap();
    assert!(error.detail().contains("no workbook"));
}
