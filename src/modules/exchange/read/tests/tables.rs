//! Tables as people have them: encodings, delimiters, headers in odd places, and what a look says of them.

use super::*;
use crate::contract::exchange::{DateOrder, Decimal, Quote};
use crate::modules::exchange::read::look::DoubtKind;

fn seen(content: &[u8], name: &str, reading: &Reading) -> Look {
    look(input(content), name, reading, &limits()).unwrap()
}

fn read(content: &[u8], reading: &Reading) -> Vec<Value> {
    let source = open(input(content), "a.csv", None, reading, &limits()).unwrap();
    source.map(|row| shown(row.unwrap())).collect()
}

fn codes(look: &Look) -> Vec<&str> {
    look.warnings.iter().map(|w| w.code.as_str()).collect()
}

fn names(look: &Look) -> Vec<&str> {
    look.columns.iter().map(|c| c.name.as_str()).collect()
}

#[test]
fn every_encoding_comes_in_as_it_was_meant() {
    let text = "Künstler;Größe\nÉtienne d’Été;5 €\nAnaïs Nin, señora;à côté\n";
    let want = [
        json!({ "Künstler": "Étienne d’Été", "Größe": "5 €" }),
        json!({ "Künstler": "Anaïs Nin, señora", "Größe": "à côté" }),
    ];
    let wide = |little: bool, mark: bool| -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units
            .flat_map(|u| if little { u.to_le_bytes() } else { u.to_be_bytes() })
            .collect()
    };
    let (windows, ..) = encoding_rs::WINDOWS_1252.encode(text);
    let mac: Vec<u8> = text
        .chars()
        .flat_map(|c| {
            let all: Vec<u8> = (0..=255).collect();
            let (table, ..) = encoding_rs::MACINTOSH.decode(&all);
            let at = table
                .chars()
                .position(|m| m == c)
                .or_else(|| (c == '€').then_some(0xdb))
                .unwrap();
            [u8::try_from(at).unwrap()]
        })
        .collect();
    let cases: [(&str, Vec<u8>, &str, bool); 7] = [
        ("utf-8", text.as_bytes().to_vec(), "utf-8", true),
        (
            "utf-8 with a mark",
            format!("\u{feff}{text}").into_bytes(),
            "utf-8",
            true,
        ),
        ("utf-16", wide(true, true), "utf-16le", true),
        ("utf-16 from a Mac", wide(false, true), "utf-16be", true),
        ("utf-16 without a mark", wide(true, false), "utf-16le", true),
        ("windows", windows.to_vec(), "windows-1252", false),
        ("macintosh", mac.clone(), "macintosh", false),
    ];
    for (what, bytes, name, certain) in cases {
        let look = seen(&bytes, "a.csv", &Reading::default());
        let encoding = look.encoding.clone().unwrap();
        assert_eq!((encoding.name.as_str(), encoding.certain), (name, certain), "{what}");
        assert_eq!(codes(&look).contains(&"encoding-guessed"), !certain, "{what}");
        assert_eq!(read(&bytes, &Reading::default()), want, "{what}");
        // What is said is done, and said to be odd where it is.
        let said = Reading {
            encoding: Some(name.to_owned()),
            ..Reading::default()
        };
        assert_eq!(read(&bytes, &said), want, "{what}");
    }
    let wrong = Reading {
        encoding: Some("windows-1252".to_owned()),
        ..Reading::default()
    };
    let look = seen(text.as_bytes(), "a.csv", &wrong);
    let warning = &look.warnings[0];
    assert!(
        warning.code == "encoding-doubtful" && warning.message.contains("looks like utf-8"),
        "{warning:?}"
    );
    assert!(look.rows[0].cells[0].as_deref().unwrap().starts_with("Ã"));
    let wrong = Reading {
        encoding: Some("klingon".to_owned()),
        ..Reading::default()
    };
    let error = super::look(input(text), "a.csv", &wrong, &limits()).unwrap_err();
    assert!(error.detail().contains("windows-1252"), "{}", error.detail());
    let half = Reading {
        encoding: Some("shift_jis".to_owned()),
        ..Reading::default()
    };
    let issue = read(b"a,b\n\x82\x60\xff,1\n", &half);
    assert!(
        issue[0]["message"]
            .as_str()
            .unwrap()
            .contains("no letters in shift_jis"),
        "{issue:?}"
    );
}

#[test]
fn delimiters_are_found_and_can_be_said() {
    let cases: [(&[u8], char); 6] = [
        (b"a;b;c\n1,5;2,5;x\n3,5;4;y, z\n", ';'),
        (b"a\tb\n1,2,3\t4\n", '\t'),
        (b"a|b\n1|2\n", '|'),
        (b"Museum list, 2020\n\na;b;c\n1;2;3\n4;5;6\n", ';'),
        (b"sep=;\r\na;b\r\n1;2\r\n", ';'),
        (b"only\n1\n", ','),
    ];
    for (content, delimiter) in cases {
        assert_eq!(seen(content, "a.csv", &Reading::default()).delimiter, Some(delimiter));
    }
    let source = read(b"sep=;\r\na;b\r\n1;2\r\n", &Reading::default());
    assert_eq!(source, [json!({ "a": "1", "b": "2" })]);
    let wrong = Reading {
        delimiter: Some(','),
        ..Reading::default()
    };
    let look = seen(b"a;b\n1;2\n", "a.csv", &wrong);
    assert!(
        look.warnings[0].message.contains("\";\" stands in the first line"),
        "{:?}",
        look.warnings
    );
    let odd = Reading {
        delimiter: Some('·'),
        ..Reading::default()
    };
    assert!(
        super::look(input("a·b\n"), "a.csv", &odd, &limits())
            .unwrap_err()
            .detail()
            .contains("one ASCII character")
    );
    let single = Reading {
        quote: Some(Quote::Single),
        ..Reading::default()
    };
    assert_eq!(
        read(b"a,b\n'1,2','it''s'\n", &single),
        [json!({ "a": "1,2", "b": "it's" })]
    );
    let none = Reading {
        quote: Some(Quote::None),
        ..Reading::default()
    };
    assert_eq!(
        read(b"a,b\n6\" pot,\"x\n", &none),
        [json!({ "a": "6\" pot", "b": "\"x" })]
    );
    assert!(refusal(b"a,b\n\"x,y\n", "a.csv").contains("quote=none"));
}

#[test]
fn headers_are_found_where_they_are() {
    let report = "Collection report,,,\nprinted 3.4.2020,,,\n,,,\nDepartment,Prints,,\n,,,\n,,,\nid,title,maker,year\n1,Bowl,Ada,1900\n2,Vase,Bea,1901\n3,Cup,Cy,1902\n";
    let look = seen(report.as_bytes(), "a.csv", &Reading::default());
    assert_eq!(
        (look.header_row, names(&look)),
        (Some(7), vec!["id", "title", "maker", "year"])
    );
    assert!(codes(&look).contains(&"header-guessed") && look.top[0][0] == "Collection report");
    assert_eq!(look.rows.len(), 3);
    let short = "Collection report\n\nid,title,maker\n1,Bowl,Ada\n2,Vase,Bea\n";
    assert_eq!(seen(short.as_bytes(), "a.csv", &Reading::default()).header_row, Some(3));
    // A first row that is as wide as the others is the header, whatever stands in it.
    assert_eq!(
        seen(b"1990,1991,1992\na,b,c\nd,e,f\n", "a.csv", &Reading::default()).header_row,
        Some(1)
    );
    let said = Reading {
        header_row: Some(8),
        ..Reading::default()
    };
    assert_eq!(
        names(&seen(report.as_bytes(), "a.csv", &said)),
        ["1", "Bowl", "Ada", "1900"]
    );
    let none = Reading {
        header_row: Some(0),
        ..Reading::default()
    };
    assert_eq!(
        read(b"1,Bowl\n2,Vase\n", &none)[1],
        json!({ "column 1": "2", "column 2": "Vase" })
    );
    for (row, says) in [(99, "its last one is 10"), (5, "blank")] {
        let said = Reading {
            header_row: Some(row),
            ..Reading::default()
        };
        let error = super::look(input(report), "a.csv", &said, &limits()).unwrap_err();
        assert!(error.detail().contains(says), "{}", error.detail());
    }
    let deep = "x,y\n".repeat(5_000) + "id,title\n1,Bowl\n";
    let said = Reading {
        header_row: Some(5_001),
        ..Reading::default()
    };
    assert_eq!(read(deep.as_bytes(), &said), [json!({ "id": "1", "title": "Bowl" })]);
}

#[test]
fn names_become_usable_and_unique() {
    let look = seen(
        b" title,title,,\"date\nmade\",title (2)\n1,2,3,4,5\n",
        "a.csv",
        &Reading::default(),
    );
    assert_eq!(
        names(&look),
        ["title", "title (2)", "column 3", "date made", "title (2) (2)"]
    );
    assert_eq!(look.columns[0].original.as_deref(), Some(" title"));
    assert_eq!(codes(&look), ["columns-renamed", "columns-nameless"]);
    assert!(
        look.warnings[0].message.contains("more than once in the header: title"),
        "{:?}",
        look.warnings
    );
    // Columns without a name are columns if something stands in them.
    let columns = |content: &[u8], reading: &Reading| {
        let mut source = open(input(content), "a.csv", None, reading, &limits()).unwrap();
        assert!(source.by_ref().all(|row| row.is_ok()));
        source.columns.unwrap().names()
    };
    assert_eq!(columns(b"a,b,\n1,,\n", &Reading::default()), ["a", "b"]);
    assert_eq!(columns(b"a,b,\n1,,3\n", &Reading::default()), ["a", "b", "column 3"]);
    let skip = Reading {
        skip_empty_columns: true,
        ..Reading::default()
    };
    assert_eq!(columns(b"a,b,\n1,,\n", &skip), ["a"]);
    let wide = "x,".repeat(9_999) + "last\n" + &"1,".repeat(50) + &",".repeat(9_949) + "\n";
    let look = seen(wide.as_bytes(), "a.csv", &Reading::default());
    assert!(
        codes(&look).contains(&"columns-many") && codes(&look).contains(&"columns-empty"),
        "{:?}",
        look.warnings
    );
    assert_eq!(columns(wide.as_bytes(), &skip).len(), 50);
}

#[test]
fn doubts_are_named_with_what_the_sample_says() {
    let doubts = |content: &str| seen(content.as_bytes(), "a.csv", &Reading::default()).doubts;
    let found = doubts("w;d\n1,5;3.4.1921\n12,25;31.12.1920\n");
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].what, found[0].decimal, found[0].columns.as_slice()),
        (DoubtKind::Decimal, Some(Decimal::Comma), &["w".to_owned()][..])
    );
    assert_eq!(
        (found[1].what, found[1].date_order),
        (DoubtKind::DateOrder, Some(DateOrder::Dmy))
    );
    let found = doubts("w;d\n1,234;03/04/1921\n");
    assert_eq!(
        (found[0].decimal, found[1].date_order),
        (None, None),
        "nothing says which"
    );
    let found = doubts("w;d\n1,234.5;12/31/1921\n");
    assert_eq!(
        (found[0].decimal, found[1].date_order),
        (Some(Decimal::Point), Some(DateOrder::Mdy))
    );
    let found = doubts("d\n31/12/1921\n12/31/1921\n1921-12-31\n03/04/1921\n");
    assert!(
        found[0]
            .message
            .contains("some dates begin with the day and some with the month"),
        "{found:?}"
    );
    assert_eq!(doubts("title;n;y\nBowl, blue;5;1921-04-03\nCup, red;1.5;1921\n"), []);
    let said = Reading {
        decimal: Some(Decimal::Comma),
        date_order: Some(DateOrder::Dmy),
        ..Reading::default()
    };
    assert_eq!(seen(b"w;d\n1,5;3.4.1921\n", "a.csv", &said).doubts, []);
    let undivided = |content: &str| {
        let warnings = seen(content.as_bytes(), "a.csv", &Reading::default()).warnings;
        warnings
            .iter()
            .any(|warning| warning.message.contains("\"^\" stands in each row"))
    };
    assert!(undivided("a^b^c\n1^2^3\n4^5^6\n"));
    assert!(!undivided("a^b\n1\n2\n3\n"));
    let warned = |content: &str| {
        let warnings = seen(content.as_bytes(), "a.csv", &Reading::default()).warnings;
        warnings
            .iter()
            .any(|warning| warning.code == "missing-likely" && warning.message.contains("w"))
    };
    assert!(warned("w,t\n1.5,a\nNA,NA\n2,b\n3,c\n"));
    assert!(warned("w;t\n1,5;a\n-;b\n2;c\n3;d\n"));
    assert!(
        !warned("w,t\n1.5,a\nlarge,b\n2,c\n3,d\n"),
        "a word that may say something"
    );
    assert!(!warned("w,t\n1.5,a\n2,NA\n3,c\n4,d\n"), "a word among words");
}

/// One cell of many megabytes costs its row, not the memory or the file.
#[test]
fn a_huge_cell_is_one_bad_row() {
    struct Long(u64);
    impl Read for Long {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            let most = (buffer.len() as u64).min(self.0);
            buffer[..most as usize].fill(b'x');
            self.0 -= most;
            Ok(most as usize)
        }
    }
    let stream = std::io::Cursor::new(b"a,b\n".to_vec())
        .chain(Long(100 << 20))
        .chain(&b",1\nc,d\n"[..]);
    let input = Input {
        stream: Box::new(stream),
        ..input("")
    };
    let rows: Vec<Value> = open(input, "a.csv", None, &Reading::default(), &limits())
        .unwrap()
        .map(|row| shown(row.unwrap()))
        .collect();
    assert!(
        rows[0]["message"].as_str().unwrap().contains("Longer than 10000 bytes"),
        "{}",
        rows[0]
    );
    assert_eq!(rows[1], json!({ "a": "c", "b": "d" }));
}

/// Programs leave out blank cells at the end of a row, or write some too many; a line break in a cell that is not quoted
/// makes two rows of one, and neither is taken.
#[test]
fn rows_that_are_short_or_long_or_broken_in_two() {
    let found = rows(
        b"id,title,note,place\n1,Bowl\n3,Pot,red,Rome,,\n2,Vase,blue\n4,Jug,,Oslo\n5,Cup,a,b,c\n",
        "x",
    );
    assert_eq!(found[0], json!({ "id": "1", "title": "Bowl" }));
    assert_eq!(
        found[1],
        json!({ "id": "3", "title": "Pot", "note": "red", "place": "Rome" })
    );
    assert_eq!(
        found[4]["message"].as_str().unwrap().split('.').next(),
        Some("The row has 5 cells, the header has 4")
    );
    let torn = rows(
        b"id,title,note,place\n1,Bowl,first\nsecond,Rome\n2,Vase,blue,Oslo\n",
        "x",
    );
    for row in &torn[..2] {
        assert!(
            row["message"].as_str().unwrap().contains("made two rows of one"),
            "{row}"
        );
    }
    assert_eq!(torn[2]["id"], "2");
    // So many rows alike are no accident, although two of them would make a whole one.
    let table = format!("id,title,note\n{}", "1,Bowl\n".repeat(50));
    let mut source = source(table.as_bytes(), "x").unwrap();
    assert!(source.by_ref().all(|row| row.unwrap().content.is_ok()));
    assert_eq!(source.notes.list()[0].code, "short-rows");
}
