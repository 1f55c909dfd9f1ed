//! What became of the look-ups of a file: how many led somewhere, how many to nothing, and each that had several answers,
//! with its row and field.

use std::collections::BTreeMap;

use super::Answer;

/// Questions with several answers that are named; the rest is counted.
const NAMED: usize = 25;
/// Characters of a question that are shown.
const SHOWN: usize = 80;

#[derive(Debug, Default)]
struct Count {
    found: u64,
    missing: u64,
    first: Option<(i64, String)>,
    several: u64,
}

/// See the module's text.
#[derive(Debug, Default)]
pub struct Tally {
    fields: BTreeMap<String, Count>,
    named: Vec<String>,
    others: Vec<(&'static str, String, u64)>,
}

impl Tally {
    pub fn note(&mut self, row: i64, field: &str, asked: &str, answer: &Answer) {
        if !self.fields.contains_key(field) {
            self.fields.insert(field.to_owned(), Count::default());
        }
        let Some(count) = self.fields.get_mut(field) else {
            return;
        };
        match answer {
            Answer::One(_) | Answer::Promised => count.found += 1,
            Answer::Nothing | Answer::Later => {
                count.missing += 1;
                if count.first.is_none() {
                    count.first = Some((row, short(asked)));
                }
            }
            Answer::Several(all) => {
                count.several += 1;
                if self.named.len() < NAMED {
                    let all = all.join("; ");
                    self.named.push(format!(
                        "Row {row}, {field}: \"{}\" has several answers and stays as text: {all}.",
                        short(asked)
                    ));
                }
            }
        }
    }

    /// Counts something else that is worth a word; the first words are told.
    pub fn count(&mut self, code: &'static str, words: impl FnOnce() -> String) {
        match self.others.iter_mut().find(|(known, _, _)| *known == code) {
            Some((_, _, times)) => *times += 1,
            None => self.others.push((code, words(), 1)),
        }
    }

    /// All of it in words.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (field, count) in &self.fields {
            let mut line = format!("{field}: {} found", count.found);
            if let Some((row, asked)) = &count.first {
                line.push_str(&format!(
                    ", {} lead to nothing and stay as text (first in row {row}: \"{asked}\")",
                    count.missing
                ));
            }
            if count.several > 0 {
                line.push_str(&format!(", {} have several answers", count.several));
            }
            lines.push(format!("{line}."));
        }
        lines.extend(self.named.iter().cloned());
        for (_, words, times) in &self.others {
            lines.push(if *times == 1 {
                words.clone()
            } else {
                format!("{words} ({times} times)")
            });
        }
        lines
    }
}

fn short(text: &str) -> String {
    let mut shown: String = text.chars().filter(|c| !c.is_control()).take(SHOWN).collect();
    if text.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
