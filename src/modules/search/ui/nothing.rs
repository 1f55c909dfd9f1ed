//! Where nothing was found: what to leave out to find something, with counts.

use super::address::Address;
use super::facets::Chip;
use crate::kernel::i18n::Language;

/// Searches tried at most, and offered.
const TRIED: usize = 12;
pub const OFFERED: usize = 5;
/// Letters of a word that its beginning keeps.
const BEGINNING: usize = 3;

/// A search that may find something.
pub struct Try {
    pub label: String,
    pub address: Address,
    pub count: u64,
}

impl Try {
    pub fn href(&self) -> String {
        self.address.href("/search")
    }
}

/// What could be left out of an address, in the order in which it is worth trying.
pub fn tries(address: &Address, chips: &[Chip], many_types: bool, language: Language) -> Vec<Try> {
    let mut out = Vec::new();
    let mut offer = |label: String, change: &dyn Fn(&mut Address)| {
        let mut other = Address {
            page: 1,
            ..address.clone()
        };
        change(&mut other);
        if other != *address {
            out.push(Try {
                label,
                address: other,
                count: 0,
            });
        }
    };
    let words = chunks(&address.q);
    // The type's own chip stands before those of the values.
    let values = &chips[chips.len().saturating_sub(address.chosen.len())..];
    for (at, chip) in values.iter().enumerate() {
        let what = format!("{}: {}", chip.field, chip.value);
        offer(language.with("search.try-without", &[("what", &what)]), &|a| {
            a.chosen.remove(at);
        });
    }
    if address.area.is_some() {
        offer(language.text("search.try-anywhere"), &|a| a.area = None);
    }
    if words.len() > 1 {
        for (at, word) in words.iter().enumerate() {
            let rest: Vec<&str> = words
                .iter()
                .enumerate()
                .filter(|(n, _)| *n != at)
                .map(|(_, w)| w.as_str())
                .collect();
            let q = rest.join(" ");
            offer(language.with("search.try-without", &[("what", word)]), &|a| {
                a.q.clone_from(&q)
            });
        }
    }
    if words.len() > 2 {
        // What is only left out finds everything else.
        for word in words.iter().filter(|word| !word.starts_with('-')) {
            offer(language.with("search.try-only", &[("what", word)]), &|a| {
                a.q.clone_from(word)
            });
        }
    }
    if let Some(q) = beginnings(&words) {
        offer(language.with("search.try-begin", &[("what", &q)]), &|a| {
            a.q.clone_from(&q)
        });
    }
    if many_types && !address.type_name.is_empty() {
        offer(language.text("search.try-types"), &|a| {
            a.type_name.clear();
            a.chosen.clear();
            a.columns.clear();
        });
    }
    if address.chosen.len() > 1 {
        offer(language.text("search.try-clear"), &|a| a.chosen.clear());
    }
    out.truncate(TRIED);
    out
}

/// The parts of a question of which each must hold: words, and whatever stands in quotation marks or in brackets with what is
/// before it. Parts that others join with a word or a sign between them cannot be left out one by one; then there are none.
fn chunks(q: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let (mut quoted, mut open) = (false, 0usize);
    for c in q.chars() {
        quoted ^= c == '"';
        match c {
            '(' if !quoted => open += 1,
            ')' if !quoted => open = open.saturating_sub(1),
            _ => {}
        }
        if c.is_whitespace() && !quoted && open == 0 {
            out.push(String::new());
        } else if let Some(last) = out.last_mut() {
            last.push(c);
        }
    }
    out.retain(|chunk| !chunk.is_empty());
    if out
        .iter()
        .any(|chunk| matches!(chunk.as_str(), "|" | "OR" | "AND" | "NOT"))
    {
        out.clear();
    }
    out
}

/// The same question with the beginnings of its plain words, where it has any that are long enough.
fn beginnings(words: &[String]) -> Option<String> {
    let mut any = false;
    let cut = |word: &String| {
        let letters = word.chars().count();
        let plain = word.chars().all(char::is_alphanumeric);
        if !plain || letters <= BEGINNING {
            return word.clone();
        }
        any = true;
        let keep = (letters * 2 / 3).max(BEGINNING);
        format!("{}*", word.chars().take(keep).collect::<String>())
    };
    let out: Vec<String> = words.iter().map(cut).collect();
    any.then(|| out.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_apart() {
        assert_eq!(chunks("a  \"b c\" d:\"e f\" -g"), ["a", "\"b c\"", "d:\"e f\"", "-g"]);
        assert_eq!(chunks("\"a b"), ["\"a b"]);
        assert_eq!(chunks("(a | b c) -\"d e\" f~"), ["(a | b c)", "-\"d e\"", "f~"]);
        assert!(chunks("a OR b").is_empty() && chunks("a | b").is_empty());
        assert!(chunks(" \t").is_empty());
        let words = |q: &str| beginnings(&chunks(q));
        assert_eq!(words("teapots of glas").as_deref(), Some("teap* of gla*"));
        assert_eq!(words("a:b \"c d\" of*"), None);
    }

    #[test]
    fn what_can_be_left_out_is_offered_one_by_one() {
        let address = Address {
            q: "silver teapots".to_owned(),
            page: 1,
            ..Address::default()
        };
        let tries = tries(&address, &[], true, Language::default());
        let offered: Vec<&str> = tries.iter().map(|t| t.address.q.as_str()).collect();
        assert_eq!(offered, ["teapots", "silver", "silv* teap*"]);
    }
}
