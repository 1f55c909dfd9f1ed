//! How files are read, as flags of the command line: what is not said is found out.

use crate::kernel::error::Error;

/// See the module's text.
#[derive(clap::Args)]
#[command(next_help_heading = "How the files are read, where what is found is wrong")]
pub struct Reading {
    /// Encoding of a text file: utf-8, utf-16le, windows-1252 (also Latin-1), macintosh and so on
    #[arg(long, value_name = "NAME")]
    encoding: Option<String>,
    /// What stands between cells: a character, or tab
    #[arg(long, value_name = "CHARACTER")]
    delimiter: Option<String>,
    /// What stands around cells
    #[arg(long, value_name = "MARK", value_parser = ["double", "single", "none"])]
    quote: Option<String>,
    /// The row that names the columns, from 1; 0 if none does
    #[arg(long, value_name = "ROW")]
    header_row: Option<u32>,
    /// The sheet of a workbook
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// The file in a zip archive
    #[arg(long, value_name = "NAME")]
    entry: Option<String>,
    /// The decimal sign of numbers: with a comma, 1.234,5 is 1234.5
    #[arg(long, value_name = "SIGN", value_parser = [".", ","])]
    decimal: Option<String>,
    /// The order of dates: with dmy, 3.4.1921 is 1921-04-03
    #[arg(long, value_name = "ORDER", value_parser = ["ymd", "dmy", "mdy"])]
    date_order: Option<String>,
    /// Leave out columns that have no value in the whole file
    #[arg(long)]
    skip_empty_columns: bool,
}

impl Reading {
    /// What was said, as the API takes it.
    pub fn query(&self) -> Vec<(&'static str, String)> {
        let delimiter = self.delimiter.as_ref().map(|said| match said.as_str() {
            "tab" | "\\t" => "\t".to_owned(),
            other => other.to_owned(),
        });
        let said = [
            ("encoding", self.encoding.clone()),
            ("delimiter", delimiter),
            ("quote", self.quote.clone()),
            ("header_row", self.header_row.map(|row| row.to_string())),
            ("sheet", self.sheet.clone()),
            ("entry", self.entry.clone()),
            ("decimal", self.decimal.clone()),
            ("date_order", self.date_order.clone()),
            ("skip_empty_columns", self.skip_empty_columns.then(|| "true".to_owned())),
        ];
        said.into_iter()
            .filter_map(|(name, value)| Some((name, value?)))
            .collect()
    }
}

/// What the API calls the flags above.
const NAMES: [&str; 10] = [
    "encoding",
    "delimiter",
    "quote",
    "header_row",
    "sheet",
    "entry",
    "decimal",
    "date_order",
    "missing",
    "skip_empty_columns",
];

/// A message that names what the API calls it, with the flags of this command instead: `(header_row)` is `(--header-row)`.
pub fn with_flags(message: &str) -> String {
    let mut message = message.to_owned();
    for name in NAMES {
        let flag = name.replace('_', "-");
        for (end, shown) in [(")", ")"), (" ", " "), ("=", " ")] {
            message = message.replace(&format!("({name}{end}"), &format!("(--{flag}{shown}"));
        }
    }
    message
}

/// An error in the words of this command.
pub fn in_flags(error: Error) -> Error {
    match with_flags(error.detail()) {
        same if same == error.detail() => error,
        said => Error::new(error.code(), said),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_the_flags_of_the_command() {
        for (message, want) in [
            ("say which row is (header_row).", "say which row is (--header-row)."),
            ("Say so (decimal \",\"), and", "Say so (--decimal \",\"), and"),
            ("in this file (quote=none), then", "in this file (--quote none), then"),
            ("stands in two (sheets)", "stands in two (sheets)"),
        ] {
            assert_eq!(with_flags(message), want);
        }
    }
}
