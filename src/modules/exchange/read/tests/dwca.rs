//! Darwin Core Archives in every dress: tables joined as their descriptor says, and each fault named.

use super::books::zip;
use super::*;
use crate::kernel::testing::tar;

const META: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<archive xmlns="http://rs.tdwg.org/dwc/text/" metadata="eml.xml">
  <core encoding="UTF-8" fieldsTerminatedBy="\t" linesTerminatedBy="\n" fieldsEnclosedBy="" ignoreHeaderLines="1" rowType="http://rs.tdwg.org/dwc/terms/Taxon">
    <files><location>taxa1.txt</location><location>./taxa2.txt</location></files>
    <id index="0"/>
    <field index="1" term="http://rs.tdwg.org/dwc/terms/scientificName"/>
    <field index="2" term="http://rs.tdwg.org/dwc/terms/taxonRank" default="species"/>
    <field index="3" term="http://rs.tdwg.org/dwc/terms/nomenclaturalStatus" delimitedBy=";"/>
    <field term="http://rs.tdwg.org/dwc/terms/kingdom" default="Plantae"/>
    <field term="http://purl.org/dc/terms/rights"/>
  </core>
  <extension fieldsTerminatedBy="," linesTerminatedBy="\n" fieldsEnclosedBy="&quot;" ignoreHeaderLines="1" rowType="http://rs.gbif.org/terms/1.0/VernacularName">
    <files><location>names.csv</location></files>
    <coreid index="0"/>
    <field index="1" term="http://rs.tdwg.org/dwc/terms/vernacularName"/>
    <field index="2" term="http://purl.org/dc/terms/language"/>
  </extension>
</archive>"#;
const EML: &str = "<eml:eml xmlns:eml=\"e\"><dataset><title xml:lang=\"en\">Trees of a park</title>\
    <intellectualRights><para>CC0</para></intellectualRights></dataset></eml:eml>";
const TAXA1: &str = "id\tname\trank\tstatus\nt1\tAcer\tgenus\t\nt2\tAcer rubrum\tNULL\tvalid; conserved\n";
const TAXA2: &str = "id\tname\nt3\tQuercus\n";
const NAMES: &str = "id,name,language\nt2,\"red maple, swamp\",en\nt2,érable rouge,fr\nt9,nobody's,en\n,nameless,en\nt3,\"oak\n(two lines)\",en\n";

fn archive<'a>(meta: &'a str, eml: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![
        ("meta.xml", meta),
        ("eml.xml", eml),
        ("taxa1.txt", TAXA1),
        ("taxa2.txt", TAXA2),
        ("names.csv", NAMES),
    ]
}

fn want() -> [Value; 3] {
    [
        json!({ "id": "t1", "scientificName": "Acer", "taxonRank": "genus", "kingdom": "Plantae" }),
        json!({
            "id": "t2", "scientificName": "Acer rubrum", "taxonRank": "species",
            "nomenclaturalStatus": ["valid", "conserved"], "kingdom": "Plantae",
            "vernacularName": [
                { "vernacularName": "red maple, swamp", "language": "en" },
                { "vernacularName": "érable rouge", "language": "fr" },
            ],
        }),
        json!({
            "id": "t3", "scientificName": "Quercus", "taxonRank": "species", "kingdom": "Plantae",
            "vernacularName": [{ "vernacularName": "oak\n(two lines)", "language": "en" }],
        }),
    ]
}

fn notes(content: &[u8], name: &str) -> Vec<String> {
    let mut source = source(content, name).unwrap();
    assert!(source.by_ref().all(|row| row.is_ok()));
    source.notes.list().into_iter().map(|note| note.code).collect()
}

#[test]
fn a_core_and_its_extensions_in_every_dress() {
    let plain = archive(META, EML);
    assert_eq!(rows(&zip(&plain), "park.zip"), want());
    assert_eq!(rows(&gzip(&tar(&plain)), "park.tar.gz"), want());
    assert_eq!(rows(&tar(&plain), "park.tar"), want());
    // In a folder, with what an operating system leaves beside.
    let inside = [
        "park/meta.xml",
        "park/eml.xml",
        "park/taxa1.txt",
        "park/taxa2.txt",
        "park/names.csv",
    ];
    let mut foldered = vec![("__MACOSX/park/._meta.xml", "x"), ("park/", "")];
    foldered.extend(inside.iter().zip(&plain).map(|(name, (_, content))| (*name, *content)));
    assert_eq!(rows(&zip(&foldered), "park.zip"), want());
    let told = notes(&zip(&plain), "park.zip");
    for code in [
        "data-set",
        "extension-rows-left",
        "extension-rows-nameless",
        "short-rows",
    ] {
        assert!(told.iter().any(|c| c == code), "{code}: {told:?}");
    }
    let seen = look(input(zip(&plain)), "park.zip", &Reading::default(), &limits()).unwrap();
    assert_eq!(
        (
            seen.format,
            seen.suggested_type.as_deref(),
            seen.suggested_key.as_deref()
        ),
        (Format::Dwca, Some("taxon"), Some("id"))
    );
    assert!(
        seen.columns.iter().any(|c| c.name == "vernacularName"),
        "{:?}",
        seen.columns
    );
    // One of its files by itself.
    let alone = Reading {
        entry: Some("names.csv".to_owned()),
        ..Reading::default()
    };
    let seen = look(input(zip(&plain)), "park.zip", &alone, &limits()).unwrap();
    assert_eq!((seen.format, seen.rows.len()), (Format::Csv, 5));
}

#[test]
fn a_descriptor_in_another_encoding_and_signs_with_a_backslash() {
    let wide: Vec<u8> = [0xff, 0xfe]
        .into_iter()
        .chain(
            META.replace("UTF-8", "UTF-16")
                .encode_utf16()
                .flat_map(u16::to_le_bytes),
        )
        .collect();
    let mut zip = crate::modules::exchange::export::zip::Zip::new();
    let latin: Vec<u8> = NAMES
        .replace("érable", "\u{1}rable")
        .bytes()
        .map(|b| if b == 1 { 0xe9 } else { b })
        .collect();
    for (name, content) in [
        ("meta.xml", wide.as_slice()),
        ("eml.xml", b"no xml".as_slice()),
        ("taxa1.txt", TAXA1.as_bytes()),
        ("taxa2.txt", TAXA2.as_bytes()),
        ("names.csv", &latin),
    ] {
        zip.start(name);
        zip.write(content).unwrap();
        zip.end().unwrap();
    }
    zip.finish().unwrap();
    let content = zip.take();
    assert_eq!(rows(&content, "a.zip"), want());
    assert!(notes(&content, "a.zip").iter().any(|code| code == "metadata-broken"));
    let table = "id,note\n1,\"{\\\"a\\\":\\\"b, c\\\"}\"\n";
    let meta = r#"<archive><core fieldsTerminatedBy="," ignoreHeaderLines="1" rowType="x/Occurrence"><files><location>o.csv</location></files>
        <id index="0"/><field index="1" term="x/note"/></core></archive>"#;
    let found = rows(&super::books::zip(&[("meta.xml", meta), ("o.csv", table)]), "a.zip");
    assert_eq!(found, [json!({ "id": "1", "note": "{\"a\":\"b, c\"}" })]);
    // One that ends a cell is itself.
    let table = "id,note\n1,\"C:\\\"\n2,\"D:\\\"\n";
    let found = rows(&super::books::zip(&[("meta.xml", meta), ("o.csv", table)]), "a.zip");
    assert_eq!((found.len(), &found[1]["note"]), (2, &json!("D:\\")));
}

#[test]
fn what_is_wrong_with_an_archive_is_said() {
    let refused = |meta: &str, words: &str| {
        let said = refusal(&zip(&archive(meta, EML)), "a.zip");
        assert!(said.contains(words), "{words}: {said}");
    };
    refused(
        &META.replace("names.csv", "else.csv"),
        "\"else.csv\", which is not in the archive",
    );
    refused(
        &META.replace("<coreid index=\"0\"/>", ""),
        "VernacularName does not say which column",
    );
    refused(&META.replace("<id index=\"0\"/>", ""), "names no column of ids");
    refused(
        &META.replace("<id index=\"0\"/>", "<id index=\"-1\"/>"),
        "has the place \"-1\"",
    );
    refused(&META.replace("<location>names.csv</location>", ""), "names no file");
    refused(
        &META.replace("fieldsTerminatedBy=\",\"", "fieldsTerminatedBy=\"||\""),
        "only one ASCII sign",
    );
    refused("<archive/>", "names no core");
    refused("<archive><core>", "ends in the middle");
    refused(
        "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><archive>&x;</archive>",
        "document type",
    );
    let bad = tar(&archive(META, EML));
    let cut = &bad[..bad.len() - 1536];
    assert!(refusal(&gzip(cut), "a.tar.gz").contains("damaged or cut short"));
    // Cut or changed anywhere, it is refused or read, and never a panic.
    let whole = zip(&archive(META, EML));
    for at in (0..whole.len()).step_by(7) {
        let _ = source(&whole[..at], "a.zip").map(|source| source.count());
        let mut changed = whole.clone();
        changed[at] ^= 0x55;
        let _ = source(&changed, "a.zip").map(|source| source.count());
    }
    for at in (0..bad.len()).step_by(31) {
        let mut changed = bad.clone();
        changed[at] ^= 0x55;
        let _ = source(&changed, "a.tar").map(|source| source.count());
    }
}
