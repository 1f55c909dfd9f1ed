//! The archives, tables and descriptions that the library dwca-io tests itself with, one line of `corpus.txt` each: what is
//! read of it, or why it is refused. Looked for in `VITRINE_TEST_DATA`; without it there is nothing to compare.

use std::collections::BTreeMap;

use super::*;
use crate::kernel::testing::Dice;
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

/// The folders that are archives, packed.
fn folders(files: &BTreeMap<String, Vec<u8>>) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for folder in files.keys().filter_map(|name| name.strip_suffix("/meta.xml")) {
        let mut packed = Zip::new();
        for (name, content) in files.iter().filter(|(name, _)| name.starts_with(&format!("{folder}/"))) {
            packed.start(name);
            packed.write(content).unwrap();
            packed.end().unwrap();
        }
        packed.finish().unwrap();
        found.push((format!("{folder}/"), packed.take()));
    }
    found
}

#[test]
fn the_corpus_of_another_reader() {
    let Some(files) = files() else { return };
    let mut found = Vec::new();
    for (folder, packed) in folders(&files) {
        found.push(format!("{folder}: {}", outcome(&packed, "folder.zip")));
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
    }
    let found = found.join("\n") + "\n";
    assert!(found == WANTED, "{found}");
}

/// How often each file is cut.
const CUTS: usize = 12;

/// What is read of a file that ends too early: rows, and why the rest is refused. Each row that cannot be read says why.
fn read(content: &[u8], name: &str) -> (usize, Option<String>) {
    let source = match open(input(content), name, None, &Reading::default(), &limits()) {
        Err(error) => return (0, Some(error.detail().to_owned())),
        Ok(source) => source,
    };
    let mut rows = 0;
    for row in source {
        match row {
            Err(error) => return (rows, Some(error.detail().to_owned())),
            Ok(row) => {
                rows += 1;
                if let Err(issues) = row.content {
                    let named = issues.first().is_some_and(|issue| !issue.message.is_empty());
                    assert!(named && row.line > 0, "{name}: a row that is refused is named");
                }
            }
        }
    }
    (rows, None)
}

/// Cut anywhere it is read as far as it goes or refused in words, and never a panic. Of a packed file that is not whole
/// nothing is read at all.
#[test]
fn the_corpus_cut_at_chance() {
    let Some(files) = files() else { return };
    let mut dice = Dice::new(0x5eed);
    let packed = folders(&files)
        .into_iter()
        .map(|(folder, packed)| (format!("{folder}folder.zip"), packed));
    let all: Vec<(String, Vec<u8>)> = packed.chain(files).collect();
    for (name, content) in &all {
        for _ in 0..CUTS {
            let end = usize::try_from(dice.below(content.len().max(1) as u64)).unwrap();
            let cut = &content[..end];
            let _ = super::super::dwca::descriptor::parse(cut);
            let _ = super::super::dwca::metadata::parse(cut);
            let (rows, refused) = read(cut, name);
            let lines = cut.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() + 1;
            let is_packed = [".zip", ".gz"].iter().any(|end| name.ends_with(end));
            assert!(
                is_packed || rows <= lines,
                "{name} to {end}: {rows} rows of {lines} lines"
            );
            if let Some(words) = &refused {
                assert!(
                    words.len() > 20 && !words.contains("request id"),
                    "{name} to {end}: {words}"
                );
            }
            assert!(
                !is_packed || (rows == 0 && (refused.is_some() || end < 4)),
                "{name} to {end}: {rows} rows, {refused:?}"
            );
        }
    }
}
