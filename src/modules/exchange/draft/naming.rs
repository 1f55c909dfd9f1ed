//! What a file that names nothing else calls its collection: a label for people, a name for the type.

/// What a file is called without its endings: `My objects` for `My_objects.csv.gz`.
pub fn file_label(file: &str) -> String {
    const ENDS: [&str; 14] = [
        ".gz", ".zip", ".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson", ".xlsx", ".xlsm", ".ods", ".xls",
        ".geojson",
    ];
    let mut name = file.rsplit(['/', '\\']).next().unwrap_or(file);
    while let Some(end) = ENDS.iter().find(|end| {
        name.len() > end.len()
            && name.is_char_boundary(name.len() - end.len())
            && name[name.len() - end.len()..].eq_ignore_ascii_case(end)
    }) {
        name = &name[..name.len() - end.len()];
    }
    let readable = crate::kernel::ui::readable(name);
    if readable.is_empty() {
        "Collection".to_owned()
    } else {
        readable.chars().take(80).collect()
    }
}

/// A label as the name of a type: `gemalde-und-zeichnungen`.
pub fn slug(label: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let mut out = String::new();
    for c in label.nfkd().filter(char::is_ascii) {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if c != '\'' && !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
        if out.len() >= 48 {
            break;
        }
    }
    let out = out.trim_end_matches('-');
    match out.chars().next() {
        None => "collection".to_owned(),
        Some(c) if c.is_ascii_digit() => format!("c-{out}"),
        Some(_) => out.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_name_their_collection() {
        for (file, label, name) in [
            ("My_objects.csv.gz", "My objects", "my-objects"),
            (
                "C:\\x\\Gemälde & Zeichnungen.XLSX",
                "Gemälde & Zeichnungen",
                "gemalde-zeichnungen",
            ),
            ("2024.csv", "2024", "c-2024"),
            (".csv", "Csv", "csv"),
            ("収蔵品.csv", "収蔵品", "collection"),
        ] {
            assert_eq!(file_label(file), label);
            assert_eq!(slug(label), name);
        }
    }
}
