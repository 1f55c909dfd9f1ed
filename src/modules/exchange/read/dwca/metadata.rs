//! What describes a data set (EML, mostly): its title and licence, to be told. It may be missing or broken, as it often is.

use std::io::Cursor;

use super::super::archive::{Archive, shown};
use super::super::notes::Notes;
use super::super::text;
use super::super::xml::{Event, Xml};
use crate::kernel::config::Import as Limits;
use crate::kernel::error::{Code, Error, Result};

/// Bytes that it may have.
const MAX_METADATA: u64 = 8 << 20;
/// Bytes of a text in it that are kept, and characters of it that are told.
const MAX_TEXT: usize = 4 * 1024;
const TOLD: usize = 200;

/// What is told of a data set.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in super::super) struct About {
    pub title: Option<String>,
    pub licence: Option<String>,
}

/// Reads what describes the data set and notes what it says, or what is wrong with it.
pub(super) fn tell(archive: &Archive, folder: &str, name: &str, limits: &Limits, notes: &Notes) {
    if name.contains("://") {
        return;
    }
    let file = shown(name);
    let Some(member) = archive.find(&format!("{folder}{}", name.trim_start_matches("./"))) else {
        notes.add("metadata-missing", || {
            format!("The descriptor names \"{file}\" as what describes the data set, but the archive does not have it.")
        });
        return;
    };
    let read = archive
        .whole(member, MAX_METADATA, limits)
        .and_then(|bytes| parse(&bytes));
    match read {
        Err(error) => notes.add("metadata-broken", || {
            format!(
                "\"{file}\" describes the data set, but cannot be read: {}",
                error.detail()
            )
        }),
        Ok(about) => {
            if let Some(title) = about.title {
                notes.add("data-set", || match about.licence {
                    Some(licence) => format!("The data set is called \"{title}\". Its licence: {licence}"),
                    None => format!("The data set is called \"{title}\"."),
                });
            }
        }
    }
}

fn broken(what: &str) -> Error {
    Error::new(Code::Invalid, format!("{what}."))
}

/// The first title, and what is said of rights.
pub(in super::super) fn parse(bytes: &[u8]) -> Result<About> {
    let guess = text::guess(bytes, None)?;
    let (plain, _) = guess.encoding.decode_without_bom_handling(&bytes[guess.mark..]);
    let plain = plain.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if !plain.starts_with('<') {
        return Err(broken("it is no XML"));
    }
    let mut xml = Xml::of(Cursor::new(plain.as_bytes()), MAX_TEXT, broken);
    let mut about = About::default();
    let mut inside: Option<(&'static str, u32)> = None;
    let mut words = String::new();
    loop {
        match xml.next()? {
            Event::Start => match &mut inside {
                Some((_, open)) => *open += 1,
                None => {
                    inside = match xml.name() {
                        b"title" if about.title.is_none() => Some(("title", 1)),
                        b"intellectualRights" | b"rights" | b"license" if about.licence.is_none() => {
                            Some(("licence", 1))
                        }
                        _ => None,
                    };
                    words.clear();
                }
            },
            Event::Text if inside.is_some() && words.len() < MAX_TEXT => {
                words.push_str(&xml.text());
                words.push(' ');
            }
            Event::Text => {}
            Event::End => {
                if let Some((what, open)) = &mut inside {
                    *open -= 1;
                    if *open == 0 {
                        let told: String = words.split_whitespace().collect::<Vec<_>>().join(" ");
                        let told = Some(told.chars().take(TOLD).collect::<String>()).filter(|t| !t.is_empty());
                        match *what {
                            "title" => about.title = told,
                            _ => about.licence = told,
                        }
                        inside = None;
                    }
                }
            }
            Event::Eof => return Ok(about),
        }
    }
}
