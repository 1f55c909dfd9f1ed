//! Whatever stands in a file, reading ends with rows or an error, in bounded time: rubbish, and sound files that were cut,
//! changed and mixed up.

use super::books::{GOOD_ODS, ods, xlsx, zip};
use super::*;
use crate::contract::exchange::{DateOrder, Decimal};

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }
}

/// Reads to the end and looks: neither may panic, and there are no more rows than `most`.
fn survives(content: &[u8], name: &str) {
    let small = Limits {
        max_bytes: 8 << 20,
        max_rows: 2_000,
        ..limits()
    };
    let reading = Reading {
        decimal: Some(Decimal::Comma),
        date_order: Some(DateOrder::Dmy),
        ..Reading::default()
    };
    if let Ok(source) = open(input(content), name, None, &reading, &small) {
        let notes = source.notes.clone();
        assert!(source.take(3_000).count() < 3_000, "{name}");
        notes.list();
    }
    if let Ok(seen) = look(input(content), name, &Reading::default(), &small) {
        assert!(seen.rows.len() <= 50);
    }
}

#[test]
fn rubbish_never_panics() {
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    let alphabet = b"{}[]\",:;\\\n\r\t 01eE.-+ntfau\xff\xef\xbb\xbf\0x<>&/!PK\x03\x04";
    for _ in 0..3_000 {
        let length = chance.below(60);
        let content: Vec<u8> = (0..length).map(|_| alphabet[chance.below(alphabet.len())]).collect();
        for name in ["a.csv", "a.json", "x"] {
            if let Ok(source) = source(&content, name) {
                assert!(source.take(200).count() < 200);
            }
        }
    }
}

/// A sound file, changed somewhere: a byte, a stretch, its end, a piece doubled.
fn changed(sound: &[u8], chance: &mut Chance) -> Vec<u8> {
    let mut bytes = sound.to_vec();
    for _ in 0..=chance.below(4) {
        if bytes.is_empty() {
            break;
        }
        let at = chance.below(bytes.len());
        let end = (at + 1 + chance.below(40)).min(bytes.len());
        match chance.below(6) {
            0 => bytes.truncate(at),
            1 => bytes[at] = chance.below(256) as u8,
            2 => bytes[at] ^= 1 << chance.below(8),
            3 => drop(bytes.drain(at..end)),
            4 => bytes.extend_from_within(at..end),
            _ => {
                let piece = bytes[at..end].to_vec();
                let to = chance.below(bytes.len());
                bytes.splice(to..to, piece);
            }
        }
    }
    bytes
}

const SHEET: &str = r#"<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="s"><v>1</v></c></row><row r="2"><c r="A2" s="1"><v>7763</v></c><c r="B2" t="inlineStr"><is><t>x &amp; y</t></is></c></row><row r="3"><c r="A3" s="2"><v>0.5</v></c><c r="B3" t="b"><v>1</v></c></row>|<mergeCells><mergeCell ref="A2:A3"/></mergeCells>"#;

/// The same changes inside the packed parts of a workbook, which a change outside seldom gets through to.
fn repacked(sheet: &str, chance: &mut Chance) -> String {
    String::from_utf8_lossy(&changed(sheet.as_bytes(), chance)).into_owned()
}

#[test]
fn sound_files_that_were_damaged_never_panic() {
    let table = "id;title;made\n1;\"Bowl; blue\";3.4.1921\n2;Vase;1,5\n\n3;\"two\nlines\";x\n";
    let lines = "{\"id\":1,\"t\":[\"a\",{\"b\":1.50}]}\n{\"id\":2}\n";
    let array = "[{\"id\":1,\"t\":[\"a\",{\"b\":1.50}]},\n{\"id\":2}]";
    let wide: Vec<u8> = table.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let sound: [(&str, Vec<u8>); 9] = [
        ("a.csv", table.as_bytes().to_vec()),
        ("wide.csv", wide),
        ("a.jsonl", lines.as_bytes().to_vec()),
        ("a.json", array.as_bytes().to_vec()),
        ("a.csv.gz", gzip(table.as_bytes())),
        ("a.zip", zip(&[("a.csv", table), ("b.json", array)])),
        ("one.zip", zip(&[("a.csv", table)])),
        ("a.xlsx", xlsx(&[("S", SHEET)])),
        ("a.ods", ods(GOOD_ODS)),
    ];
    let mut chance = Chance(0x2545_f491_4f6c_dd1d);
    for (name, content) in &sound {
        assert!(
            look(input(content), name, &Reading::default(), &limits()).is_ok(),
            "{name}"
        );
        for _ in 0..2_000 {
            survives(&changed(content, &mut chance), name);
        }
    }
    for _ in 0..500 {
        survives(&xlsx(&[("S", &repacked(SHEET, &mut chance))]), "inside.xlsx");
        survives(&ods(&repacked(GOOD_ODS, &mut chance)), "inside.ods");
    }
}
