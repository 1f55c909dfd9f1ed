//! Where files are brought: the operator's browser, files of their own, and the steps of the wizard that journeys share.

use std::io::Write as _;
use std::path::PathBuf;

use super::browser::{Browser, Look};
use super::house::house;

/// Semicolons, Windows-1252, a decimal comma, days before months. All journeys share one house: a column of its own
/// makes each table another collection.
pub fn messy(column: &str) -> Vec<u8> {
    let mut table = format!("Inv.-Nr.;Bezeichnung;Preis;Gekauft am;{column}\r\n").into_bytes();
    table.extend_from_slice(
        b"K001;K\xe4nnchen;3,75;31.12.1999;K\xf6ln\r\n\
        K002;\"Tasse; blau\";1.234,50;1.2.2000;K\xf6ln\r\n\
        K003;Teller;12;17.5.2001;Bonn\r\n\
        K004;Krug;8,1;3.3.2003;K\xf6ln\r\n\
        K005;Vase;99,99;4.4.2004;Bonn\r\n\
        K006;Schale;7;5.5.2005;Bonn\r\n",
    );
    table
}

/// A browser of the operator with files of its own. It counts clicks.
pub struct Desk {
    pub browser: Browser,
    folder: tempfile::TempDir,
    pub clicks: usize,
}

impl Desk {
    pub async fn new(look: Look) -> Self {
        let browser = Browser::start(look).await;
        house().go_in(&browser).await;
        let folder = tempfile::tempdir().unwrap();
        Self {
            browser,
            folder,
            clicks: 0,
        }
    }

    pub fn file(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::File::create(&path).unwrap().write_all(content).unwrap();
        path
    }

    /// Clicks, as a person would, and counts it.
    pub async fn click(&mut self, selector: &str) {
        self.clicks += 1;
        self.browser.click(selector).await;
    }

    /// Chooses a file: a click on the input, one in the dialog of the system.
    pub async fn choose(&mut self, path: &std::path::Path) {
        self.clicks += 2;
        self.browser.fill("#file", path.to_str().unwrap()).await;
    }

    /// Brings a file and goes on to what it becomes.
    pub async fn bring(&mut self, name: &str, content: &[u8]) {
        let path = self.file(name, content);
        self.browser.open("/import").await;
        self.choose(&path).await;
        self.browser.wait_for_text("h1", "How the file is read").await;
        self.click("button[value=next]").await;
        self.browser.wait_for_text("h1", "What it becomes").await;
    }

    /// From what it becomes to the end page.
    pub async fn import(&mut self) {
        self.click(".wizard-actions button").await;
        self.browser.wait_for_text("h1", "What would happen").await;
        self.browser.wait_for_text(".counts", "New").await;
        self.click(".wizard-actions button").await;
        self.browser.wait_for_text("h1", "is imported").await;
    }
}

/// New, changed, the same, refused.
pub async fn counts(desk: &Desk, wanted: [&str; 4]) {
    desk.browser.wait_for_text(".counts", "New").await;
    for (place, count) in wanted.iter().enumerate() {
        let selector = format!(".counts div:nth-child({}) dd", place + 1);
        assert_eq!(desk.browser.text(&selector).await, *count, "{selector}");
    }
}

/// A workbook of two sheets: the first is empty, the second has two lines above its header, a number, a day and a formula.
pub fn workbook(column: &str) -> Vec<u8> {
    let text = cell;
    let mut rows = format!(
        "<row r=\"1\">{}</row><row r=\"3\">{}{}{}{}{}</row>",
        text("A1", "Inventory of the kitchen"),
        text("A3", "No."),
        text("B3", "Thing"),
        text("C3", "Bought"),
        text("D3", "Price"),
        text("E3", column),
    );
    for (n, (thing, day)) in [("Jug", 36525), ("Plate", 36557), ("Vase", 37000), ("Bowl", 37900)]
        .iter()
        .enumerate()
    {
        let (row, price) = (n + 4, n * 3 + 2);
        let cells = format!(
            "{}{}<c r=\"C{row}\" s=\"1\"><v>{day}</v></c><c r=\"D{row}\"><f>B{row}*2</f><v>{price}.5</v></c>{}",
            text(&format!("A{row}"), &format!("X{n}")),
            text(&format!("B{row}"), thing),
            text(&format!("E{row}"), ["Oak", "Pine"][n % 2]),
        );
        rows.push_str(&format!("<row r=\"{row}\">{cells}</row>"));
    }
    book(&rows)
}

/// A workbook of one table of texts below an empty sheet.
pub fn texts(table: &[&[&str]]) -> Vec<u8> {
    let row = |(n, row): (usize, &&[&str])| {
        let columns = ('A'..='Z').zip(row.iter());
        let cells: String = columns
            .map(|(column, words)| cell(&format!("{column}{}", n + 1), words))
            .collect();
        format!("<row r=\"{}\">{cells}</row>", n + 1)
    };
    book(&table.iter().enumerate().map(row).collect::<String>())
}

fn cell(place: &str, words: &str) -> String {
    format!("<c r=\"{place}\" t=\"inlineStr\"><is><t>{words}</t></is></c>")
}

/// The file around the rows of its second sheet.
fn book(rows: &str) -> Vec<u8> {
    let sheet = |rows: &str| {
        format!(
            "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{rows}</sheetData></worksheet>"
        )
    };
    let relation = |id: usize, kind: &str, target: &str| {
        format!(
            "<Relationship Id=\"r{id}\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}\" Target=\"{target}\"/>"
        )
    };
    let relations = |inner: String| {
        format!(
            "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{inner}</Relationships>"
        )
    };
    stored(&[
        ("[Content_Types].xml", "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default Extension=\"xml\" ContentType=\"application/xml\"/><Default Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/></Types>".to_owned()),
        ("_rels/.rels", relations(relation(1, "officeDocument", "xl/workbook.xml"))),
        ("xl/_rels/workbook.xml.rels", relations(relation(1, "worksheet", "worksheets/sheet1.xml") + &relation(2, "worksheet", "worksheets/sheet2.xml") + &relation(3, "styles", "styles.xml"))),
        ("xl/workbook.xml", "<workbook xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\" xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"Notes\" sheetId=\"1\" r:id=\"r1\"/><sheet name=\"Kitchen\" sheetId=\"2\" r:id=\"r2\"/></sheets></workbook>".to_owned()),
        ("xl/styles.xml", "<styleSheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><cellXfs count=\"2\"><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/></cellXfs></styleSheet>".to_owned()),
        ("xl/worksheets/sheet1.xml", sheet("")),
        ("xl/worksheets/sheet2.xml", sheet(rows)),
    ])
}

/// A zip archive whose members are not packed.
fn stored(members: &[(&str, String)]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, content) in members {
        let mut sum = flate2::Crc::new();
        sum.update(content.as_bytes());
        let length = u32::try_from(content.len()).unwrap().to_le_bytes();
        let mut facts = vec![20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0x28];
        facts.extend_from_slice(&sum.sum().to_le_bytes());
        facts.extend_from_slice(&length);
        facts.extend_from_slice(&length);
        facts.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
        facts.extend_from_slice(&[0, 0]);
        let at = u32::try_from(archive.len()).unwrap();
        archive.extend_from_slice(b"PK\x03\x04");
        archive.extend_from_slice(&facts);
        archive.extend_from_slice(name.as_bytes());
        archive.extend_from_slice(content.as_bytes());
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&facts);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&at.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let (count, at) = (
        u16::try_from(members.len()).unwrap(),
        u32::try_from(archive.len()).unwrap(),
    );
    let length = u32::try_from(directory.len()).unwrap();
    archive.extend_from_slice(&directory);
    archive.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    archive.extend_from_slice(&count.to_le_bytes());
    archive.extend_from_slice(&count.to_le_bytes());
    archive.extend_from_slice(&length.to_le_bytes());
    archive.extend_from_slice(&at.to_le_bytes());
    archive.extend_from_slice(&[0, 0]);
    archive
}
