//! Marks the words that were looked for in a text that is shown. Makes no HTML: the caller escapes each piece.

use std::cmp::Reverse;

use super::pattern::fits;
use super::stem::Stems;
use super::text::{fold, fold_word, next_word, pair, words};
use super::types::{Mark, Tongue};

/// Marked words of a text that are looked at for its best passage.
const LOOKED_AT: usize = 400;

/// The text in pieces, each with whether it is marked. Together they are the text again.
pub fn highlight(text: &str, marks: &[Mark]) -> Vec<(String, bool)> {
    let mut pieces: Vec<(String, bool)> = Vec::new();
    let mut push = |piece: &str, marked: bool| {
        if !piece.is_empty() {
            pieces.push((piece.to_owned(), marked));
        }
    };
    let (mut shown, mut at, mut word) = (0, 0, String::new());
    // Up to here neighbours without a space between them are marked together.
    let mut together = 0;
    let mut stems = Stemming::default();
    if !marks.is_empty() {
        while let Some(range) = next_word(text, at) {
            at = range.end;
            fold_word(&text[range.clone()], &mut word);
            let alone = marks.iter().any(|mark| match mark.stem {
                Some(tongue) => may_have(&word, &mark.token) && stems.is(tongue, &word, &mark.token),
                None => mark.then.is_empty() && is_meant(mark, &word),
            });
            if let Some((end, pair)) = pair(text, &range)
                && marks.iter().any(|mark| mark.stem.is_none() && mark.token == pair)
            {
                together = end;
            }
            let phrases = marks.iter().filter(|mark| !mark.then.is_empty() && mark.token == word);
            together = phrases
                .filter_map(|mark| end_of(text, at, mark))
                .fold(together, usize::max);
            if alone || range.start < together {
                push(&text[shown..range.start], false);
                push(&text[range.clone()], true);
                shown = range.end;
            }
        }
    }
    push(&text[shown..], false);
    pieces
}

/// Whether a word of a text is the one to be marked, whatever stands behind it.
fn is_meant(mark: &Mark, word: &str) -> bool {
    if mark.pattern {
        return fits(mark.token.as_bytes(), word.as_bytes());
    }
    if mark.typos > 0 {
        let most = usize::from(mark.typos);
        return word.len().abs_diff(mark.token.len()) <= LETTER * most
            && strsim::osa_distance(&mark.token, word) <= most;
    }
    if mark.prefix {
        word.starts_with(&mark.token)
    } else {
        word == mark.token
    }
}

/// Where a phrase ends whose first word ends at `at`; `None` where other words follow.
fn end_of(text: &str, at: usize, mark: &Mark) -> Option<usize> {
    let (mut end, mut word) = (at, String::new());
    let last = mark.then.len() - 1;
    for (n, token) in mark.then.iter().enumerate() {
        let range = next_word(text, end)?;
        fold_word(&text[range.clone()], &mut word);
        let is_next = if n == last && mark.prefix {
            word.starts_with(token)
        } else {
            word == *token
        };
        if !is_next {
            return None;
        }
        end = range.end;
    }
    Some(end)
}

/// What marks each word that somebody typed, where no index is asked: as the beginning of a word, and in its other forms.
pub fn marks_of(text: &str, tongue: Tongue) -> Vec<Vec<Mark>> {
    let mut stems = Stems::new(tongue);
    let marks = |word: String| {
        let form = stems.stem(&word).map(|token| Mark {
            token,
            stem: Some(tongue),
            ..Mark::default()
        });
        let beginning = Mark {
            token: word,
            prefix: true,
            ..Mark::default()
        };
        std::iter::once(beginning).chain(form).collect()
    };
    words(text).into_iter().map(marks).collect()
}

/// Bytes of a letter at most.
const LETTER: usize = 4;
/// Letters that a word and its stem have in common at their begin.
const COMMON: usize = 3;

/// Whether this may be the stem of a word: most words are told apart without being stemmed.
fn may_have(word: &str, stem: &str) -> bool {
    word.as_bytes().get(..COMMON) == stem.as_bytes().get(..COMMON)
}

/// The stemmers that are needed.
#[derive(Default)]
struct Stemming(Vec<Stems>);

impl Stemming {
    fn is(&mut self, tongue: Tongue, word: &str, stem: &str) -> bool {
        if !self.0.iter().any(|stems| stems.tongue == tongue) {
            self.0.push(Stems::new(tongue));
        }
        let mut known = self.0.iter_mut().filter(|stems| stems.tongue == tongue);
        known.any(|stems| stems.stem(word).as_deref() == Some(stem))
    }
}

/// False where no mark can stand in the text. Most fields of a record end here, before they are taken apart into words;
/// only of plain letters is it known that folding them is no more than lowering them.
fn may_hold(text: &str, marks: &[Mark]) -> bool {
    if !text.is_ascii() {
        return true;
    }
    let text = text.as_bytes();
    let holds = |token: &[u8]| {
        let Some(first) = token.first() else { return true };
        let starts = memchr::memchr2_iter(first.to_ascii_lowercase(), first.to_ascii_uppercase(), text);
        starts.map(|at| &text[at..]).any(|rest| {
            rest.get(..token.len())
                .is_some_and(|word| word.eq_ignore_ascii_case(token))
        })
    };
    let begin = |mark: &Mark| match mark.stem {
        Some(_) => mark.token.len().min(COMMON),
        None => mark.token.len(),
    };
    let is_open = |mark: &Mark| mark.pattern || mark.typos > 0 || !mark.token.is_ascii();
    marks
        .iter()
        .any(|mark| is_open(mark) || holds(&mark.token.as_bytes()[..begin(mark)]))
}

/// Where the passage begins that has most of what was looked for, nearest together; `None` if nothing is marked.
fn passage(pieces: &[(String, bool)], reach: usize) -> Option<usize> {
    let mut marked: Vec<(usize, String)> = Vec::new();
    let mut at = 0;
    for (piece, is_marked) in pieces {
        if *is_marked && marked.len() < LOOKED_AT {
            marked.push((at, fold(piece)));
        }
        at += piece.len();
    }
    let mut best: Option<(usize, Reverse<usize>, usize)> = None;
    for (n, (start, _)) in marked.iter().enumerate() {
        let (mut seen, mut span) = (Vec::new(), 0);
        for (at, word) in marked[n..].iter().take_while(|(at, _)| at - start <= reach) {
            if !seen.contains(&word) {
                seen.push(word);
                span = at - start;
            }
        }
        let better = best.is_none_or(|(words, known, _)| (seen.len(), Reverse(span)) > (words, known));
        if better {
            best = Some((seen.len(), Reverse(span), *start));
        }
    }
    best.map(|(.., start)| start)
}

/// At most `max` bytes of a text around what was looked for, with an ellipsis where something is left out; `None` if
/// nothing is marked.
pub fn excerpt(text: &str, marks: &[Mark], max: usize) -> Option<Vec<(String, bool)>> {
    if !may_hold(text, marks) {
        return None;
    }
    let pieces = highlight(text, marks);
    let first = passage(&pieces, max / 2)?;
    if text.len() <= max {
        return Some(pieces);
    }
    let mut start = text.floor_char_boundary(first.saturating_sub(max / 3));
    if start > 0 {
        // Begin with a word, if one begins before the mark.
        start = text[start..first].find(' ').map_or(start, |space| start + space + 1);
    }
    let end = text.floor_char_boundary((start + max).min(text.len()));
    let mut part = highlight(&text[start..end], marks);
    if start > 0 {
        part.insert(0, ("… ".to_owned(), false));
    }
    if end < text.len() {
        part.push((" …".to_owned(), false));
    }
    Some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(token: &str, prefix: bool) -> Mark {
        Mark {
            token: token.to_owned(),
            prefix,
            ..Mark::default()
        }
    }

    #[test]
    fn what_was_looked_for_is_marked() {
        let pieces = highlight("Théière & <b>tea</b>pot", &[mark("theiere", false), mark("te", true)]);
        let marked: Vec<&str> = pieces.iter().filter(|(_, m)| *m).map(|(t, _)| t.as_str()).collect();
        assert_eq!(marked, ["Théière", "tea"]);
        assert_eq!(
            pieces.iter().map(|(t, _)| t.as_str()).collect::<String>(),
            "Théière & <b>tea</b>pot"
        );
        let pieces = highlight("東京の京都、京", &[mark("京都", false)]);
        let marked: String = pieces.iter().filter(|(_, m)| *m).map(|(t, _)| t.as_str()).collect();
        assert_eq!(marked, "京都", "neighbours are marked together, and neither alone");
        assert_eq!(highlight("", &[mark("a", true)]), []);
        let form = Mark {
            stem: Some(Tongue::English),
            ..mark("paint", false)
        };
        let pieces = excerpt("He painted pain with paint", &[form], 80).unwrap();
        let marked: Vec<&str> = pieces.iter().filter(|(_, m)| *m).map(|(t, _)| t.as_str()).collect();
        assert_eq!(marked, ["painted", "paint"]);
    }

    #[test]
    fn phrases_parts_and_other_spellings_are_marked() {
        let marked = |text: &str, mark: Mark| -> String {
            let pieces = highlight(text, &[mark]).into_iter().filter(|(_, marked)| *marked);
            pieces.map(|(piece, _)| piece).collect::<Vec<_>>().join("|")
        };
        let phrase = |words: &[&str], prefix: bool| Mark {
            then: words[1..].iter().map(|word| (*word).to_owned()).collect(),
            ..mark(words[0], prefix)
        };
        let text = "On oil, oil on board and Oil-on canvas";
        assert_eq!(marked(text, phrase(&["oil", "on", "canvas"], false)), "Oil|on|canvas");
        assert_eq!(marked(text, phrase(&["oil", "on", "bo"], true)), "oil|on|board");
        assert_eq!(
            marked("79.66.115, 66", phrase(&["79", "66", "115"], false)),
            "79|66|115"
        );
        assert_eq!(marked("oil on", phrase(&["oil", "on", "canvas"], false)), "");
        let pattern = Mark {
            pattern: true,
            ..mark("*stick*", false)
        };
        assert_eq!(marked("Candlesticks and a stock", pattern), "Candlesticks");
        let alike = |typos| Mark {
            typos,
            ..mark("candelstick", false)
        };
        assert_eq!(marked("A candlestick", alike(1)), "candlestick");
        assert_eq!(marked("Kandlestik ständ", alike(1)), "");
        assert!(excerpt("A candlestick", &[alike(1)], 80).is_some());
    }

    #[test]
    fn excerpts_are_short_and_hold_the_mark() {
        let text = format!("{}Tasse {}", "é b ".repeat(200), "x ".repeat(200));
        let part = excerpt(&text, &[mark("tasse", false)], 80).unwrap();
        assert!(part.iter().any(|(t, m)| *m && t == "Tasse"));
        assert!(part.iter().map(|(t, _)| t.len()).sum::<usize>() < 100);
        assert_eq!(excerpt(&text, &[mark("nothing", false)], 80), None);
        // Of several passages the one that has most of the words, nearest together.
        let words = ["oil", "on", "canvas"].map(|word| mark(word, false));
        let far = "x ".repeat(100);
        let text = format!("on {far}oil {far}canvas on oil paper, on {far}oil on canvas {far}on canvas");
        let part = excerpt(&text, &words, 60).unwrap();
        let shown: String = part.iter().map(|(piece, _)| piece.as_str()).collect();
        assert!(shown.contains("oil on canvas"), "{shown}");
    }
}
