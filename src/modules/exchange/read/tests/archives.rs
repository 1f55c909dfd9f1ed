//! Zip archives: what is taken out of them, and what they may not do.

use super::books::{xlsx, zip};
use super::*;

const TABLE: &str = "id,title\n1,Bowl\n";

#[test]
fn one_file_is_taken_and_of_several_one_is_chosen() {
    let want = [json!({ "id": "1", "title": "Bowl" })];
    let one = zip(&[
        ("__MACOSX/._a.csv", "x"),
        ("folder/", ""),
        ("folder/a.csv", TABLE),
        ("readme.pdf", "x"),
        (".hidden", "x"),
    ]);
    assert_eq!(rows(&one, "a.zip"), want);
    let several = zip(&[
        ("a.csv", TABLE),
        ("../../etc/b.csv", TABLE),
        ("c.jsonl", "{\"id\":2}\n"),
    ]);
    let words = refusal(&several, "a.zip");
    assert!(
        words.contains("a.csv, ../../etc/b.csv, c.jsonl") && words.contains("Say which one"),
        "{words}"
    );
    let seen = look(input(&several), "a.zip", &Reading::default(), &limits()).unwrap();
    assert_eq!(
        (seen.choose.as_deref(), seen.entries.len(), seen.packed),
        (Some("entry"), 3, vec!["zip".to_owned()])
    );
    let chosen = |name: &str| Reading {
        entry: Some(name.to_owned()),
        ..Reading::default()
    };
    // A name is only a name.
    let seen = look(input(&several), "a.zip", &chosen("../../etc/b.csv"), &limits()).unwrap();
    assert_eq!((seen.rows.len(), seen.entry.as_deref()), (1, Some("../../etc/b.csv")));
    let seen = look(input(&several), "a.zip", &chosen("c.jsonl"), &limits()).unwrap();
    assert_eq!(seen.format, Format::Jsonl);
    let error = look(input(&several), "a.zip", &chosen("d.csv"), &limits()).unwrap_err();
    assert!(
        error.detail().contains("no file \"d.csv\". It has: a.csv"),
        "{}",
        error.detail()
    );
    assert!(refusal(&zip(&[("a.pdf", "x"), ("b.jpg", "y")]), "a.zip").contains("but a.pdf, b.jpg"));
    assert!(refusal(&zip(&[]), "a.zip").contains("nothing at all"));
    assert_eq!(
        rows(&zip(&[("data", TABLE)]), "a.zip"),
        want,
        "a single file needs no ending"
    );
}

fn nested(name: &str, content: &[u8]) -> Vec<u8> {
    let mut zip = crate::modules::exchange::export::zip::Zip::new();
    zip.start(name);
    zip.write(content).unwrap();
    zip.end().unwrap();
    zip.finish().unwrap();
    zip.take()
}

#[test]
fn what_is_packed_in_a_zip() {
    let sheet = "<row r=\"1\"><c t=\"inlineStr\"><is><t>id</t></is></c></row><row r=\"2\"><c><v>7</v></c></row>";
    assert_eq!(
        rows(&nested("a.xlsx", &xlsx(&[("S", sheet)])), "a.zip"),
        [json!({ "id": "7" })]
    );
    assert_eq!(rows(&nested("a.csv.gz", &gzip(TABLE.as_bytes())), "a.zip").len(), 1);
    let inner = zip(&[("a.csv", TABLE)]);
    assert!(refusal(&nested("a.csv", &inner), "a.zip").contains("an archive inside an archive. Unpack the outer one"));
    assert!(refusal(&nested("a.zip", &inner), "a.zip").contains("inside an archive"));
}

#[test]
fn archives_that_are_attacks_or_damaged() {
    let bomb = nested("a.csv", &vec![b'0'; 64 << 20]);
    assert!(refusal(&bomb, "a.zip").contains("200 times its size"));
    let tight = Limits {
        max_bytes: 1 << 20,
        ..limits()
    };
    let error = open(input(&bomb), "a.zip", None, &Reading::default(), &tight)
        .err()
        .unwrap();
    assert!(
        error.code() == Code::TooLarge && error.detail().contains("import.max_bytes"),
        "{}",
        error.detail()
    );
    let good = zip(&[("a.csv", TABLE)]);
    let table = good.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    // It says it is smaller than it is, larger, something else; it is protected; packed in an odd way.
    for (at, byte, says) in [
        (24, 3u8, "damaged"),
        (24, 200, "damaged"),
        (16, 0xaa, "damaged"),
        (8, 1, "password"),
        (10, 99, "method 99"),
    ] {
        let mut lying = good.clone();
        lying[table + at] ^= byte;
        if at == 10 {
            lying[table + at] = byte;
        }
        assert!(
            refusal(&lying, "a.zip").contains(says),
            "{at}: {}",
            refusal(&lying, "a.zip")
        );
    }
    for cut in 4..good.len() {
        let words = refusal(&good[..cut], "a.zip");
        assert!(!words.is_empty());
    }
    // A million entries are not even looked through.
    let mut many = Vec::new();
    for _ in 0..1_000_000u32 {
        many.extend_from_slice(b"PK\x01\x02");
        many.extend_from_slice(&[0; 42]);
    }
    let bytes = many.len() as u64;
    let place = bytes;
    many.extend_from_slice(b"PK\x06\x06");
    many.extend_from_slice(&44u64.to_le_bytes());
    many.extend_from_slice(&[0; 12]);
    for number in [1_000_000u64, 1_000_000, bytes, 0] {
        many.extend_from_slice(&number.to_le_bytes());
    }
    many.extend_from_slice(b"PK\x06\x07\0\0\0\0");
    many.extend_from_slice(&place.to_le_bytes());
    many.extend_from_slice(&[1, 0, 0, 0]);
    many.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    many.extend_from_slice(&[0xff; 12]);
    many.extend_from_slice(&[0; 2]);
    many[0..4].copy_from_slice(b"PK\x03\x04");
    assert!(
        refusal(&many, "a.zip").contains("holds 1000000 files; at most 10000"),
        "{}",
        refusal(&many, "a.zip")
    );
}

#[test]
fn archives_that_lie_about_places_and_names() {
    let good = zip(&[("a.csv", TABLE)]);
    let table = good.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    // Places that no file has: of a member, of the long end record.
    for place in [u64::MAX, u64::MAX - 30, 1 << 63, good.len() as u64 + 1] {
        let mut far = good[..table].to_vec();
        let mut entry = good[table..table + 46 + 5].to_vec();
        entry[30..32].copy_from_slice(&12u16.to_le_bytes());
        entry[42..46].copy_from_slice(&[0xff; 4]);
        entry.extend_from_slice(&[1, 0, 8, 0]);
        entry.extend_from_slice(&place.to_le_bytes());
        let mut end = good[good.len() - 22..].to_vec();
        end[12..16].copy_from_slice(&(entry.len() as u32).to_le_bytes());
        far.extend(entry);
        far.extend(&end);
        assert!(
            refusal(&far, "a.zip").contains("damaged"),
            "{place}: {}",
            refusal(&far, "a.zip")
        );
        let mut far = good[..good.len() - 22].to_vec();
        far.extend_from_slice(b"PK\x06\x07\0\0\0\0");
        far.extend_from_slice(&place.to_le_bytes());
        far.extend_from_slice(&[1, 0, 0, 0]);
        far.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        far.extend_from_slice(&[0xff; 12]);
        far.extend_from_slice(&[0; 2]);
        assert!(
            refusal(&far, "a.zip").contains("damaged"),
            "{place}: {}",
            refusal(&far, "a.zip")
        );
    }
    // Names that fill the memory: three hundred of the longest say it.
    let mut long = b"PK\x03\x04".to_vec();
    for _ in 0..300 {
        long.extend_from_slice(b"PK\x01\x02");
        long.extend_from_slice(&[0; 24]);
        long.extend_from_slice(&[0xff, 0xff]);
        long.extend_from_slice(&[0; 16]);
        long.extend(std::iter::repeat_n(b'a', 65_535));
    }
    let bytes = long.len() as u32 - 4;
    long.extend_from_slice(b"PK\x05\x06\0\0\0\0");
    long.extend_from_slice(&[44, 1, 44, 1]);
    long.extend_from_slice(&bytes.to_le_bytes());
    long.extend_from_slice(&[4, 0, 0, 0, 0, 0]);
    assert!(
        refusal(&long, "a.zip").contains("table of contents has"),
        "{}",
        refusal(&long, "a.zip")
    );
}

/// Nothing of a file that was laid down has a name, whatever becomes of its reader.
#[test]
fn nothing_is_left_in_the_spool() {
    let folder = tempfile::tempdir().unwrap();
    let spooled = |content: &[u8]| Input {
        spool: Spool::at(folder.path().to_owned()),
        ..input(content)
    };
    let left = || std::fs::read_dir(folder.path()).unwrap().count();
    let source = open(
        spooled(&zip(&[("a.csv", TABLE)])),
        "a.zip",
        None,
        &Reading::default(),
        &limits(),
    )
    .unwrap();
    assert_eq!(left(), 0, "also while it is read");
    assert_eq!(source.count(), 1);
    assert!(open(spooled(b"PK\x03\x04 no"), "a.zip", None, &Reading::default(), &limits()).is_err());
    assert_eq!(left(), 0);
}
