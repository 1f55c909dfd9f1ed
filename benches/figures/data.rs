//! The collection the figures are measured on: the real museum file, or as many objects as asked for made from it by
//! repeating it with fresh ids and shuffled words. The same number always gives the same file.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::path::PathBuf;

use anyhow::{Context, Result};
use flate2::read::MultiGzDecoder;
use serde_json::{Map, Value, json};

/// A small generator of our own, so that a figure can be repeated years later.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }
    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap_or(0)
    }
}

/// Where the real file is, if it is there.
#[expect(clippy::disallowed_methods, reason = "benches have no configuration")]
pub fn museum_file() -> Option<PathBuf> {
    let folder = std::env::var("VITRINE_TEST_DATA").unwrap_or_else(|_| "../shared/data".to_owned());
    let file = PathBuf::from(folder).join("museum/cmoa-objects.jsonl.gz");
    file.exists().then_some(file)
}

/// Opens JSON lines, gzipped or not.
pub fn open(path: &std::path::Path) -> Result<Box<dyn BufRead>> {
    let file = std::fs::File::open(path).with_context(|| path.display().to_string())?;
    let reader: Box<dyn Read> = if path.extension().is_some_and(|e| e == "gz") {
        Box::new(MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    Ok(Box::new(BufReader::with_capacity(1 << 16, reader)))
}

/// Objects as they stand in the museum's file.
pub fn base() -> Result<Vec<Map<String, Value>>> {
    let Some(file) = museum_file() else {
        return Ok((0..2_000).map(invented).collect());
    };
    open(&file)?
        .lines()
        .map(|line| serde_json::from_str(&line?).context("the museum file holds one JSON object a line"))
        .collect()
}

/// An object of the same form, for machines without the real file.
fn invented(n: usize) -> Map<String, Value> {
    let mut dice = Dice::new(n as u64 + 1);
    let mut word = |words: &[&str]| words[dice.below(words.len())].to_owned();
    let kind = word(&[
        "prints",
        "photographs",
        "Ceramics",
        "Textiles",
        "drawings and watercolors",
    ]);
    let nation = word(&["American", "French", "Japanese", "German", "British"]);
    let title = format!(
        "{} {} {}",
        word(&["Blue", "Old", "Small", "Painted"]),
        word(&["teapot", "tree", "vase", "street"]),
        n % 997
    );
    let value = json!({
        "title": title, "creation_date": (1700 + n % 320).to_string(), "medium": word(&["etching", "ink on paper", "glazed clay"]),
        "accession_number": format!("{}.{}", n % 100, n), "id": format!("invented/{n}"), "credit_line": "Gift of a friend",
        "department": word(&["Fine Arts", "Contemporary Art", "Decorative Arts and Design"]), "classification": kind,
        "physical_location": word(&["Not on View", "Gallery 1", "Gallery 2"]), "item_width": 10.5, "item_height": 20.25,
        "provenance_text": null, "images": [],
        "creator": [{"full_name": format!("Maker {}", n % 211), "nationality": nation, "party_type": "Person", "role": null}],
    });
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// The object number `n`: the file's own first, then repeats with fresh ids and shuffled words.
pub fn object(base: &[Map<String, Value>], n: usize) -> Map<String, Value> {
    let mut object = base[n % base.len()].clone();
    let round = n / base.len();
    if round == 0 {
        return object;
    }
    let mut dice = Dice::new(n as u64);
    for key in ["id", "accession_number", "web_url"] {
        if let Some(Value::String(text)) = object.get_mut(key) {
            text.push_str(&format!("-{round}"));
        }
    }
    for key in ["title", "medium", "credit_line", "provenance_text"] {
        // Words of another object in another order: as many distinct combinations as a real collection has.
        let other = base[dice.below(base.len())]
            .get(key)
            .and_then(Value::as_str)
            .map(str::to_owned);
        if let (Some(Value::String(text)), Some(other)) = (object.get_mut(key), other) {
            let mut words: Vec<&str> = text.split(' ').chain(other.split(' ')).collect();
            for at in (1..words.len()).rev() {
                words.swap(at, dice.below(at + 1));
            }
            words.truncate(words.len().div_ceil(2));
            *text = words.join(" ");
        }
    }
    object
}

/// Writes `count` objects as JSON lines.
pub fn write(count: usize, to: impl Write) -> Result<()> {
    let base = base()?;
    let mut to = BufWriter::with_capacity(1 << 16, to);
    for n in 0..count {
        serde_json::to_writer(&mut to, &object(&base, n))?;
        to.write_all(b"\n")?;
    }
    to.flush()?;
    Ok(())
}

pub fn print(count: usize) -> Result<()> {
    write(count, std::io::stdout().lock())
}
