//! The archives, tables and descriptions that the library dwca-io tests itself with, one line of `corpus.txt` each: what is
//! read of it, or why it is refused. Looked for in `VITRINE_TEST_DATA`; without it there is nothing to compare.

use std::collections::BTreeMap;

use super::*;
use crate::modules::exchange::export::zip::Zip;
use crate::modules::exchange::read::archive::Archive;

const WANTED: &str = include_str!("corpus.txt");

#[expect(
    clippy::disallowed_methods,
    reason = "where the corpus lies is said to the tests, not to the program"
)]
fn files() -> Option<BTreeMap<String, Vec<u8>>> {
    let folder = std::env::var("VITRINE_TEST_DATA").unwrap_or_else(|_| "../shared/data".to_owned());
    let packed = std::fs::read(std::path::Path::new(&folder).join("dwca/dwca-io-corpus.tar.gz")).ok()?;
    let plain = flate2::read::MultiGzDecoder::new(packed.as_slice());
    let file = Spool::at(std::env::temp_dir()).keep(plain).unwrap();
    let archive: Archive = crate::modules::exchange::read::tar::open(file, Arc::default()).unwrap();
    let content = |member| {
        let mut content = Vec::new();
        let mut open = archive.open_member(member, &limits()).unwrap();
        open.read_to_end(&mut content).unwrap();
        content
    };
    let named = archive
        .members
        .iter()
        .map(|member| (member.name.clone(), content(member)));
    Some(named.collect())
}

/// What becomes of a file or archive, in a line.
fn outcome(content: &[u8], name: &str) -> String {
    let limits = Limits {
        max_cell_bytes: 1 << 20,
        ..limits()
    };
    let source = match open(input(content), name, None, &Reading::default(), &limits) {
        Err(error) => return format!("refused: {}", error.detail()),
        Ok(source) => source,
    };
    let (format, notes) = (source.format.as_str(), source.notes.clone());
    let (mut rows, mut inner, mut faulty) = (0, 0, 0);
    for row in source {
        match row.map(|row| row.content) {
            Err(error) => return format!("{format}, {rows} rows, then refused: {}", error.detail()),
            Ok(Err(_)) => faulty += 1,
            Ok(Ok(map)) => {
                rows += 1;
                let groups = map.values().filter_map(Value::as_array);
                inner += groups.flatten().filter(|item| item.is_object()).count();
            }
        }
    }
    let mut told: Vec<String> = notes.list().into_iter().map(|note| note.code).collect();
    told.sort_unstable();
    format!(
        "{format}, {rows} rows, {inner} of extensions, {faulty} faulty; {}",
        told.join(" ")
    )
}

#[test]
fn the_corpus_of_another_reader() {
    let Some(files) = files() else { return };
    let mut found = Vec::new();
    let folders: Vec<&str> = files.keys().filter_map(|name| name.strip_suffix("/meta.xml")).collect();
    for folder in &folders {
        let mut packed = Zip::new();
        for (name, content) in files.iter().filter(|(name, _)| name.starts_with(&format!("{folder}/"))) {
            packed.start(name);
            packed.write(content).unwrap();
            packed.end().unwrap();
        }
        packed.finish().unwrap();
        found.push(format!("{folder}/: {}", outcome(&packed.take(), "folder.zip")));
    }
    for (name, content) in &files {
        let line = match name {
            name if name.ends_with(".xml") && name.contains("meta") && !name.contains("metadata/") => {
                match super::super::dwca::descriptor::parse(content) {
                    Ok(parsed) => format!("descriptor of {} tables", 1 + parsed.extensions.len()),
                    Err(error) => format!("refused: {}", error.detail()),
                }
            }
            name if name.ends_with(".xml") => match super::super::dwca::metadata::parse(content) {
                Ok(about) => format!("description \"{}\"", about.title.unwrap_or_default()),
                Err(error) => format!("refused: {}", error.detail()),
            },
            name => outcome(content, name),
        };
        found.push(format!("{name}: {line}"));
        // Cut anywhere it is read or refused, and never a panic.
        for part in [5, 11] {
            let cut = &content[..content.len() * part / 16];
            let _ = outcome(cut, name);
            let _ = super::super::dwca::descriptor::parse(cut);
            let _ = super::super::dwca::metadata::parse(cut);
        }
    }
    let found = found.join("\n") + "\n";
    assert!(found == WANTED, "{found}");
}
