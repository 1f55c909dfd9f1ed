//! Cells as spreadsheets put them on the clipboard: tabs between cells, a line for each row, quotes around what holds tabs,
//! line breaks or quotes. Read as they write it; a quote that is not at the beginning of a cell is a quote.

/// Rows and cells that are read at most.
pub const MOST_ROWS: usize = 2_000;
pub const MOST_CELLS: usize = 40_000;

/// The rows of a text, each with its cells; all as long as the longest. `None` where there are too many.
pub fn read(text: &str) -> Option<Vec<Vec<String>>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    let (mut row, mut cell, mut cells) = (Vec::new(), String::new(), 0);
    let (mut quoted, mut begun) = (false, false);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                cell.push('"');
            }
            '"' if quoted => quoted = false,
            // Only where the quote is closed again before a cell ends; else it is a letter like others.
            '"' if !begun && closes(letters.clone()) => quoted = true,
            '\r' if letters.peek() == Some(&'\n') => continue,
            '\t' | '\n' | '\r' if !quoted => {
                row.push(std::mem::take(&mut cell));
                cells += 1;
                begun = false;
                if letter != '\t' {
                    rows.push(std::mem::take(&mut row));
                }
                if rows.len() > MOST_ROWS || cells > MOST_CELLS {
                    return None;
                }
                continue;
            }
            letter => cell.push(letter),
        }
        begun = true;
    }
    if begun || !row.is_empty() {
        row.push(cell);
        rows.push(row);
    }
    let wide = rows.iter().map(Vec::len).max().unwrap_or_default();
    if rows.len() > MOST_ROWS || rows.len() * wide > MOST_CELLS {
        return None;
    }
    rows.iter_mut().for_each(|row| row.resize(wide, String::new()));
    Some(rows)
}

/// Whether a quote that was just opened ends where a cell ends.
fn closes(mut letters: std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    while let Some(letter) = letters.next() {
        if letter != '"' {
            continue;
        }
        match letters.peek() {
            Some('"') => {
                letters.next();
            }
            None | Some('\t' | '\n' | '\r') => return true,
            Some(_) => return false,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: &[&[&str]]) {
        let rows = read(text).unwrap();
        assert_eq!(
            rows,
            want.iter().map(|row| row.to_vec()).collect::<Vec<_>>(),
            "{text:?}"
        );
    }

    #[test]
    fn cells_are_read_as_spreadsheets_write_them() {
        check("", &[]);
        check("a", &[&["a"]]);
        check("a\tb\r\nc\td\r\n", &[&["a", "b"], &["c", "d"]]);
        check("a\n\nb\n", &[&["a"], &[""], &["b"]]);
        check("\"two\nlines\"\tx\n", &[&["two\nlines", "x"]]);
        check("\"two\r\nlines\"\n", &[&["two\nlines"]]);
        check("\"say \"\"so\"\"\"\t\"a\tb\"", &[&["say \"so\"", "a\tb"]]);
        check(
            "5\" high\t\"so\" said\n\"open",
            &[&["5\" high", "\"so\" said"], &["\"open", ""]],
        );
        check("a\t\n", &[&["a", ""]]);
        check("\t", &[&["", ""]]);
    }

    #[test]
    fn there_is_a_limit() {
        assert!(read(&"x\n".repeat(MOST_ROWS)).is_some());
        assert!(read(&"x\n".repeat(MOST_ROWS + 1)).is_none());
        assert!(read(&"\t".repeat(MOST_CELLS + 1)).is_none());
    }
}
