//! What differs between two texts, word by word.

/// A stretch of a text, and whether the other text does not have it there.
pub type Stretch = (String, bool);

/// Words compared with each other at most; longer texts are shown as wholly different where their middles differ.
const MOST: usize = 600;

/// Both texts in stretches: what is the same, what is only here.
pub fn compare(before: &str, after: &str) -> (Vec<Stretch>, Vec<Stretch>) {
    let (old, new) = (split(before), split(after));
    let start = old.iter().zip(&new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - start;
    let end = old.iter().rev().zip(new.iter().rev()).take(rest);
    let end = end.take_while(|(a, b)| a == b).count();
    let (old_middle, new_middle) = (&old[start..old.len() - end], &new[start..new.len() - end]);
    let (old_same, new_same) = if old_middle.len() <= MOST && new_middle.len() <= MOST {
        common(old_middle, new_middle)
    } else {
        (vec![false; old_middle.len()], vec![false; new_middle.len()])
    };
    (stretches(&old, start, &old_same), stretches(&new, start, &new_same))
}

/// Words with what follows each: runs of letters and digits, runs of spaces, single marks.
fn split(text: &str) -> Vec<&str> {
    #[derive(PartialEq, Clone, Copy)]
    enum Kind {
        Word,
        Space,
        Mark,
    }
    let kind = |c: char| match c {
        c if c.is_alphanumeric() => Kind::Word,
        c if c.is_whitespace() => Kind::Space,
        _ => Kind::Mark,
    };
    let mut out = Vec::new();
    let (mut from, mut before) = (0, None);
    for (at, c) in text.char_indices() {
        let now = kind(c);
        if before.is_some_and(|before| before != now || now == Kind::Mark) {
            out.push(&text[from..at]);
            from = at;
        }
        before = Some(now);
    }
    if from < text.len() {
        out.push(&text[from..]);
    }
    out
}

/// Which words belong to the longest common sequence.
fn common(old: &[&str], new: &[&str]) -> (Vec<bool>, Vec<bool>) {
    let width = new.len() + 1;
    let mut length = vec![0u16; (old.len() + 1) * width];
    for a in (0..old.len()).rev() {
        for b in (0..new.len()).rev() {
            length[a * width + b] = if old[a] == new[b] {
                length[(a + 1) * width + b + 1] + 1
            } else {
                length[(a + 1) * width + b].max(length[a * width + b + 1])
            };
        }
    }
    let (mut old_same, mut new_same) = (vec![false; old.len()], vec![false; new.len()]);
    let (mut a, mut b) = (0, 0);
    while a < old.len() && b < new.len() {
        if old[a] == new[b] {
            (old_same[a], new_same[b]) = (true, true);
            (a, b) = (a + 1, b + 1);
        } else if length[(a + 1) * width + b] >= length[a * width + b + 1] {
            a += 1;
        } else {
            b += 1;
        }
    }
    // A space alone between two changes is part of the change: single spaces that stay would cut it in pieces.
    (join(old, old_same), join(new, new_same))
}

fn join(words: &[&str], mut same: Vec<bool>) -> Vec<bool> {
    for at in 1..words.len().saturating_sub(1) {
        if words[at].trim().is_empty() && !same[at - 1] && !same[at + 1] {
            same[at] = false;
        }
    }
    same
}

fn stretches(words: &[&str], start: usize, same: &[bool]) -> Vec<Stretch> {
    let mut out: Vec<Stretch> = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let differs = at >= start && same.get(at - start) == Some(&false);
        match out.last_mut() {
            Some((text, before)) if *before == differs => text.push_str(word),
            _ => out.push(((*word).to_owned(), differs)),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(stretches: &[Stretch]) -> String {
        let marked = stretches
            .iter()
            .map(|(text, differs)| if *differs { format!("[{text}]") } else { text.clone() });
        marked.collect()
    }

    #[track_caller]
    fn check(before: &str, after: &str, want: (&str, &str)) {
        let (old, new) = compare(before, after);
        assert_eq!((shown(&old).as_str(), shown(&new).as_str()), want);
        let plain = |stretches: &[Stretch]| stretches.iter().map(|(text, _)| text.as_str()).collect::<String>();
        assert_eq!((plain(&old), plain(&new)), (before.to_owned(), after.to_owned()));
    }

    #[test]
    fn words_that_differ_are_marked() {
        check("a red vase", "a blue vase", ("a [red] vase", "a [blue] vase"));
        check("c. 1850", "c. 1851–1860", ("c. [1850]", "c. [1851–1860]"));
        check("same", "same", ("same", "same"));
        check("", "new", ("", "[new]"));
        check(
            "one two three four",
            "one 2 3 four",
            ("one [two three] four", "one [2 3] four"),
        );
        check("naïve été", "naïve été!", ("naïve été", "naïve été[!]"));
        check("a a a", "a a", ("a a[ a]", "a a"));
    }

    #[test]
    fn long_texts_cost_little() {
        let (before, after) = ("word ".repeat(50_000), format!("{}end", "other ".repeat(50_000)));
        let (old, new) = compare(&before, &after);
        assert!(old.len() < 3 && new.len() < 3);
    }
}
