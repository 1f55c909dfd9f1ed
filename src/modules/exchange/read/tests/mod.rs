//! Good files in every dress, and each kind of bad one: a clear sentence, never a panic, never much memory.

mod archives;
mod books;
mod corpus;
mod dwca;
mod markup;
mod rubbish;
mod tables;

use std::io::Read;

use serde_json::{Value, json};

use super::*;
use crate::kernel::testing::gzip;

fn limits() -> Limits {
    Limits {
        max_bytes: 1 << 30,
        max_rows: 1_000_000,
        max_columns: 100,
        max_cell_bytes: 10_000,
        max_depth: 64,
        max_ratio: 200,
    }
}

fn input(content: impl AsRef<[u8]>) -> Input {
    Input {
        stream: Box::new(std::io::Cursor::new(content.as_ref().to_vec())),
        spool: Spool::at(std::env::temp_dir()),
    }
}

fn source(content: &[u8], name: &str) -> Result<Source> {
    open(input(content), name, None, &Reading::default(), &limits())
}

/// The rows' documents, and issues as `{"line", "path", "message"}`.
fn rows(content: &[u8], name: &str) -> Vec<Value> {
    source(content, name).unwrap().map(|row| shown(row.unwrap())).collect()
}

fn shown(row: SourceRow) -> Value {
    match row.content {
        Ok(map) => Value::Object(map),
        Err(issues) => json!({ "line": row.line, "path": issues[0].path, "message": issues[0].message }),
    }
}

/// The error that opening or reading to the end gives.
fn refusal(content: &[u8], name: &str) -> String {
    match source(content, name) {
        Err(error) => error.detail().to_owned(),
        Ok(source) => source
            .filter_map(Result::err)
            .next()
            .map(|e| e.detail().to_owned())
            .unwrap(),
    }
}

#[test]
fn one_collection_in_every_dress() {
    let table = "\u{feff}id,title,note\r\n1,\"Bowl, blue\",\"two\nlines and \"\"marks\"\"\"\r\n\r\n2,Vase,\n";
    let want = [
        json!({ "id": "1", "title": "Bowl, blue", "note": "two\nlines and \"marks\"" }),
        json!({ "id": "2", "title": "Vase" }),
    ];
    assert_eq!(rows(table.as_bytes(), "a.csv"), want);
    assert_eq!(rows(&gzip(table.as_bytes()), "-"), want);
    let mut zip = crate::modules::exchange::export::zip::Zip::new();
    zip.start("folder/a.csv");
    zip.write(table.as_bytes()).unwrap();
    zip.end().unwrap();
    zip.finish().unwrap();
    assert_eq!(rows(&zip.take(), "a.zip"), want);
    let array = "\u{feff} [ {\"id\": 1, \"t\": [\"]\", \"\\\"}\"]},\n{\"id\": 2}\n,{}] \n";
    let want = [json!({ "id": 1, "t": ["]", "\"}"] }), json!({ "id": 2 }), json!({})];
    assert_eq!(rows(array.as_bytes(), "a.json"), want);
    let lines = "\u{feff}{\"id\": 1, \"t\": [\"]\", \"\\\"}\"]}\r\n\n{\"id\": 2}\n  \n{}";
    assert_eq!(rows(lines.as_bytes(), "a.jsonl"), want);
    let (first, second) = lines.split_at(20);
    assert_eq!(
        rows(
            &[gzip(first.as_bytes()), gzip(second.as_bytes())].concat(),
            "two members"
        ),
        want
    );
    assert_eq!(rows(b"[]", "a.json"), Vec::<Value>::new());
}

#[test]
fn delimiters_line_ends_and_numbers_of_lines() {
    assert_eq!(rows(b"a;b\n1,5;2\n", "x"), [json!({ "a": "1,5", "b": "2" })]);
    assert_eq!(rows(b"a\tb\r1\t2\r", "x"), [json!({ "a": "1", "b": "2" })]);
    assert_eq!(rows(b"a|b\n\"1|1\"|\"2\"x\n", "x"), [json!({ "a": "1|1", "b": "2x" })]);
    let bad = rows(b"a,b\n\"1\n\n1\",2\r\n3\n4,5,6\n7,8", "x");
    assert_eq!(bad[1]["line"], 5);
    assert_eq!(bad[2]["line"], 6);
    assert!(
        bad[1]["message"]
            .as_str()
            .unwrap()
            .starts_with("The row has 1 cells, the header has 2.")
    );
    assert_eq!(bad[3], json!({ "a": "7", "b": "8" }));
}

#[test]
fn numbers_that_would_print_otherwise_stay_as_written() {
    let row = br#"{"a": 13.0, "b": 1e3, "c": 1.50, "d": -0, "e": 12345678901234567890123, "f": 0.1234567890123456789, "g": 5.875, "h": 0.00001, "i": [2.10]}"#;
    let want = json!({ "a": 13.0, "b": "1e3", "c": "1.50", "d": "-0", "e": "12345678901234567890123", "f": "0.1234567890123456789",
        "g": 5.875, "h": 0.00001, "i": ["2.10"] });
    let got = &rows(row, "x.jsonl")[0];
    for (name, value) in want.as_object().unwrap().iter().filter(|(name, _)| *name != "h") {
        assert_eq!(&got[name], value, "{name}");
    }
    assert_eq!(
        rows(b"[{\"a\":1e3},{\"a\":1.25}]", "x"),
        [json!({ "a": "1e3" }), json!({ "a": 1.25 })]
    );
}

#[test]
fn headers_that_cannot_be_used() {
    let long = format!("id,{}\n1,2\n", "x".repeat(300));
    assert!(refusal(long.as_bytes(), "a.csv").contains("Is this row the header?"));
    let wide = |columns: usize| "x,".repeat(columns) + "x\n" + &",".repeat(columns) + "\n";
    let words = refusal(wide(199).as_bytes(), "a.csv");
    assert!(
        words.contains("200 columns; at most 100") && words.contains("skip_empty_columns"),
        "{words}"
    );
    let words = refusal(wide(99_999).as_bytes(), "a.csv");
    assert!(
        words.contains("100000 columns") && words.contains("delimiter right"),
        "{words}"
    );
}

#[test]
fn files_that_are_no_collection() {
    for empty in [&b""[..], b"\xef\xbb\xbf", b" \n\n", &gzip(b"")] {
        assert!(refusal(empty, "a.csv").contains("empty"), "{empty:?}");
    }
    assert!(refusal(b"PK\x03\x04....", "a.xlsx").contains("cut short"));
    for name in ["a.json", "a.csv"] {
        assert!(refusal(b"%PDF-1.7\n%\xe2\xe3", name).contains("a PDF document. Export the data itself"));
    }
    assert!(refusal(b"<html><table>", "a.xls").contains("web page"));
    assert!(refusal(&[1u8; 5000], "a.csv").contains("no text"));
    let mut cut = gzip("id,t\n1,2\n".repeat(100_000).as_bytes());
    cut.truncate(cut.len() / 2);
    assert!(refusal(&cut, "a.csv").contains("cut short"));
    assert!(refusal(b"id,t\n1,\"2\n3,4\n", "a.csv").contains("opened in line 2 is never closed"));
    assert!(refusal(b"{\n \"id\": 1\n}\n", "a.jsonl").contains("does not end there"));
    assert!(refusal(b"[{\"id\": 1}", "a.json").contains("its end is missing"));
    assert!(refusal(b"[{\"id\": 1} {}]", "a.json").contains("comma between two rows"));
    assert!(refusal(b"[{\"id\": 1},]", "a.json").contains("comma stands before the end"));
    assert!(refusal(b"[{}] {}", "a.json").contains("after the end of the array"));
}

#[test]
fn rows_that_are_no_rows() {
    let bad = rows(b"{\"a\":\"\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\"}\n{\"a\":}\n{\"a\":1,\"a\":2}\n[1]\n{\"a\":\"\\u0000\"}\n{\"a\":[{\"b\":\"\\u0000\"}]}\n{\"a\":1}x\n{\"a\":\"\xff\"}\n{\"a\":2}", "a.jsonl");
    let text = |n: usize| bad[n]["message"].as_str().unwrap().to_owned();
    assert!(text(1).starts_with("Not valid JSON"));
    assert!(text(2).contains("\"a\" stands twice"));
    assert!(text(3).contains("this is a list"));
    assert_eq!(
        (bad[4]["path"].as_str(), bad[5]["path"].as_str()),
        (Some("a"), Some("a.0.b"))
    );
    assert!(text(6).contains("trailing characters") && text(7).contains("Not valid JSON"));
    assert_eq!((&bad[6]["line"], &bad[8]), (&json!(7), &json!({ "a": 2 })));
    assert_eq!(rows(b"[{\"a\":1},5,null,\"x\",[{}],{\"a\":2}]", "a.json").len(), 6);
    assert!(
        rows(b"a,b\nx\0y,2\n", "a.csv")[0]["message"]
            .as_str()
            .unwrap()
            .contains("NUL")
    );
    assert!(
        rows(b"a,b\nx,\xe9\n\xc3\xa9\xc3\xa9\xc3\xa9,\xc3\xa9\xc3\xa9\n", "a.csv")[0]["message"]
            .as_str()
            .unwrap()
            .contains("it looks like windows-1252")
    );
    let long = format!("a,b\n{},2\n1,2\n", "x".repeat(10_001));
    let long = rows(long.as_bytes(), "a.csv");
    assert!(long[0]["message"].as_str().unwrap().contains("10000 bytes") && long[1] == json!({ "a": "1", "b": "2" }));
}

#[test]
fn depth_is_counted_before_anything_is_parsed() {
    let deep = |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let lists = deep("[", "]");
    for content in [
        format!("{{\"a\":{lists}}}\n{{\"a\":1}}"),
        format!("[{{\"a\":{lists}}},{{\"a\":1}}]"),
    ] {
        let got = rows(content.as_bytes(), "x");
        assert!(got[0]["message"].as_str().unwrap().contains("64 levels"), "{}", got[0]);
        assert_eq!(got[1], json!({ "a": 1 }));
    }
    let got = rows(lists.as_bytes(), "x.json");
    assert!(got[0]["message"].as_str().unwrap().contains("64 levels"));
    assert!(refusal("[".repeat(100_000).as_bytes(), "x.json").contains("its end is missing"));
    let objects = deep("{\"a\":", "}").replace("{\"a\":}", "{\"a\":1}");
    assert!(
        rows(objects.as_bytes(), "x.jsonl")[0]["message"]
            .as_str()
            .unwrap()
            .contains("64 levels")
    );
}

/// Gives zeros for ever and counts how many were asked for.
struct Zeros(std::sync::Arc<std::sync::atomic::AtomicU64>);
impl Read for Zeros {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        buffer.fill(b'0');
        self.0
            .fetch_add(buffer.len() as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(buffer.len())
    }
}

#[test]
fn a_gzip_of_zeros_is_refused_early() {
    let packed = gzip(&vec![b'0'; 64 << 20]);
    assert!(refusal(&packed, "a.csv").contains("200 times its size"));
    let count = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let limits = Limits {
        max_bytes: 4 << 20,
        ..limits()
    };
    let error = open(
        Input {
            stream: Box::new(Zeros(count.clone())),
            ..input("")
        },
        "a.csv",
        None,
        &Reading::default(),
        &limits,
    )
    .and_then(|s| s.collect::<Result<Vec<_>>>())
    .unwrap_err();
    assert_eq!(error.code(), Code::TooLarge);
    assert!(count.load(std::sync::atomic::Ordering::Relaxed) < 5 << 20);
}

#[test]
fn too_many_rows_are_refused_with_their_number() {
    let limits = Limits {
        max_rows: 3,
        ..limits()
    };
    let content = b"a,b\n1,1\n2,2\n3,3\n4,4\n".to_vec();
    let last = open(input(content), "a.csv", None, &Reading::default(), &limits)
        .unwrap()
        .last()
        .unwrap();
    assert!(last.unwrap_err().detail().contains("more than 3 rows (line 5)"));
}
