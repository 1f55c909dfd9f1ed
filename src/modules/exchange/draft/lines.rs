//! What the forms of the wizard show line by line: how a file is read, the fields it becomes, the questions it leaves open.

use super::form::shown_label;
use super::model::{Choices, Found, Plan, is_left_out, join};
use crate::contract::exchange::{DateOrder, Decimal, Quote};
use crate::contract::records::{Field, FieldKind, RecordType};
use crate::kernel::access::Level;
use crate::kernel::i18n::Language;
use crate::modules::exchange::read::Look;

/// Rows of the sample that are shown.
const ROWS: usize = 8;

/// One of a list.
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

pub fn choice(value: impl Into<String>, label: impl Into<String>, chosen: bool) -> Choice {
    Choice {
        value: value.into(),
        label: label.into(),
        chosen,
    }
}

/// A question the file leaves open.
pub struct Question {
    pub columns: String,
    pub examples: String,
    pub answers: Vec<Choice>,
}

/// A look at a file as the page shows it.
pub struct LookView {
    pub format: String,
    pub packed: String,
    pub encodings: Vec<Choice>,
    pub encoding_sure: bool,
    pub delimiters: Vec<Choice>,
    pub quotes: Vec<Choice>,
    pub header: Option<String>,
    pub header_found: String,
    pub sheets: Vec<Choice>,
    pub entries: Vec<Choice>,
    pub must_choose: bool,
    pub columns: Vec<String>,
    pub rows: Vec<SampleRow>,
    pub top: Vec<(usize, Vec<String>)>,
    pub warnings: Vec<String>,
}

pub struct SampleRow {
    pub row: i64,
    pub cells: Vec<Option<String>>,
    pub issue: Option<String>,
}

const ENCODINGS: [&str; 11] = [
    "utf-8",
    "windows-1252",
    "utf-16le",
    "utf-16be",
    "macintosh",
    "windows-1250",
    "windows-1251",
    "iso-8859-2",
    "shift_jis",
    "gb18030",
    "euc-kr",
];

impl LookView {
    pub fn of(look: Look, choices: &Choices, language: Language) -> Self {
        let reading = &choices.reading;
        let found = |text: &str| language.with("import.file.as-found", &[("what", &text)]);
        let encoding = look.encoding.as_ref();
        let mut encodings = Vec::new();
        if let Some(encoding) = encoding {
            encodings.push(choice("", found(&encoding.name), reading.encoding.is_none()));
            encodings.extend(ENCODINGS.map(|name| choice(name, name, reading.encoding.as_deref() == Some(name))));
        }
        let marks = [(',', "comma"), (';', "semicolon"), ('\t', "tab"), ('|', "bar")];
        let name = |c: char| {
            let known = marks.iter().find(|(mark, _)| *mark == c);
            known.map_or_else(
                || c.to_string(),
                |(_, name)| language.text(&format!("import.delimiter.{name}")),
            )
        };
        let mut delimiters = Vec::new();
        if let Some(delimiter) = look.delimiter {
            delimiters.push(choice("", found(&name(delimiter)), reading.delimiter.is_none()));
            delimiters.extend(marks.map(|(mark, _)| choice(mark, name(mark), reading.delimiter == Some(mark))));
        }
        let quotes = [
            (None, "", "found"),
            (Some(Quote::Double), "double", "double"),
            (Some(Quote::Single), "single", "single"),
            (Some(Quote::None), "none", "none"),
        ];
        let quotes = quotes.map(|(quote, value, key)| {
            choice(
                value,
                language.text(&format!("import.quote.{key}")),
                reading.quote == quote,
            )
        });
        let sheets = look.sheets.iter().map(|sheet| {
            let mut label = sheet.name.clone();
            if let (Some(rows), Some(columns)) = (sheet.rows, sheet.columns) {
                label = language.with(
                    "import.file.sheet-size",
                    &[("name", &sheet.name), ("rows", &rows), ("columns", &columns)],
                );
            }
            choice(&sheet.name, label, look.sheet.as_ref() == Some(&sheet.name))
        });
        let entries = look.entries.iter().map(|entry| {
            let size = language.bytes(entry.bytes);
            choice(
                &entry.name,
                format!("{} · {size}", entry.name),
                look.entry.as_ref() == Some(&entry.name),
            )
        });
        Self {
            format: format!("import.format.{}", look.format.as_str()),
            packed: look.packed.join(", "),
            encoding_sure: encoding.is_none_or(|e| e.certain),
            encodings,
            quotes: if look.delimiter.is_some() {
                quotes.into()
            } else {
                Vec::new()
            },
            delimiters,
            header: look
                .header_row
                .map(|_| reading.header_row.map_or_else(String::new, |n| n.to_string())),
            header_found: look.header_row.map(|n| n.to_string()).unwrap_or_default(),
            sheets: if look.sheets.len() > 1 {
                sheets.collect()
            } else {
                Vec::new()
            },
            entries: if look.entries.len() > 1 {
                entries.collect()
            } else {
                Vec::new()
            },
            must_choose: look.choose.is_some(),
            columns: look.columns.into_iter().map(|c| c.name).collect(),
            rows: look
                .rows
                .into_iter()
                .take(ROWS)
                .map(|row| SampleRow {
                    row: row.row,
                    cells: row.cells,
                    issue: row.issue,
                })
                .collect(),
            top: look
                .top
                .into_iter()
                .take(ROWS)
                .enumerate()
                .map(|(n, cells)| (n + 1, cells))
                .collect(),
            warnings: look.warnings.into_iter().map(|w| w.message).collect(),
        }
    }
}

/// A field as the form shows it.
pub struct FieldLine {
    pub index: usize,
    pub path: String,
    pub depth: usize,
    pub label: String,
    pub kinds: Vec<Choice>,
    /// Key of the kind, where it cannot be chosen.
    pub kind: String,
    pub keep: bool,
    pub can_leave_out: bool,
    /// It is part of the collection already.
    pub fixed: bool,
    pub group: bool,
    pub facet: bool,
    pub column: bool,
    pub levels: Vec<Choice>,
    pub filled: Option<i64>,
    pub empty: bool,
    pub examples: Vec<String>,
}

const KINDS: [FieldKind; 8] = [
    FieldKind::Text,
    FieldKind::Term,
    FieldKind::Identifier,
    FieldKind::Integer,
    FieldKind::Number,
    FieldKind::Boolean,
    FieldKind::Date,
    FieldKind::Url,
];

/// The name of a kind as documents have it.
fn kind_name(kind: FieldKind) -> String {
    serde_json::to_value(kind)
        .ok()
        .and_then(|v| v.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// The fields of the file in its order, those that are left out too.
pub fn field_lines(
    found: &Found,
    choices: &Choices,
    plan: &Plan,
    existing: Option<&RecordType>,
    language: Language,
) -> Vec<FieldLine> {
    let mut lines = Vec::new();
    for field in &found.definition.fields {
        let column = found.columns.iter().find(|c| c.name == field.name);
        let fixed = existing.is_some_and(|e| e.fields.iter().any(|f| f.name == field.name));
        let shown = plan
            .definition
            .fields
            .iter()
            .find(|f| f.name == field.name)
            .unwrap_or(field);
        let keep = !is_left_out(found, choices, &field.name);
        let mut line = field_line(shown, "", 0, fixed, language);
        line.keep = keep;
        line.can_leave_out = true;
        line.filled = column.map(|c| c.filled);
        line.empty = line.filled == Some(0);
        line.examples = column.map(|c| c.examples.clone()).unwrap_or_default();
        lines.push(line);
        if !fixed {
            below(&shown.fields, &field.name, 1, language, &mut lines);
        }
    }
    for (index, line) in lines.iter_mut().enumerate() {
        line.index = index;
    }
    lines
}

fn below(fields: &[Field], above: &str, depth: usize, language: Language, lines: &mut Vec<FieldLine>) {
    for field in fields {
        lines.push(field_line(field, above, depth, false, language));
        below(&field.fields, &join(above, &field.name), depth + 1, language, lines);
    }
}

fn field_line(field: &Field, above: &str, depth: usize, fixed: bool, language: Language) -> FieldLine {
    let kinds = KINDS.map(|kind| {
        let name = kind_name(kind);
        choice(&name, language.text(&format!("kind.{name}")), kind == field.kind)
    });
    let levels = Level::ALL.map(|level| {
        choice(
            level.as_str(),
            language.text(&format!("import.level.{}", level.as_str())),
            level == field.level,
        )
    });
    FieldLine {
        index: 0,
        path: join(above, &field.name),
        depth,
        label: shown_label(field, language),
        kinds: kinds.into(),
        kind: format!("kind.{}", kind_name(field.kind)),
        keep: true,
        can_leave_out: false,
        fixed,
        group: field.kind == FieldKind::Group,
        facet: field.facet,
        column: field.column,
        levels: levels.into(),
        filled: None,
        empty: false,
        examples: Vec::new(),
    }
}

/// The fields of which one is to be chosen, the empty choice first where there is one.
pub fn pick(
    definition: &RecordType,
    chosen: Option<&str>,
    none: Option<String>,
    language: Language,
    fits: impl Fn(&Field) -> bool,
) -> Vec<Choice> {
    let none = none.map(|label| choice("", label, chosen.is_none()));
    let fields = definition
        .fields
        .iter()
        .filter(|f| fits(f) || chosen == Some(f.name.as_str()));
    let fields = fields.map(|f| choice(&f.name, shown_label(f, language), chosen == Some(f.name.as_str())));
    none.into_iter().chain(fields).collect()
}

/// The question how numbers are written.
pub fn decimal_question(found: &Found, plan: &Plan, language: Language) -> Option<Question> {
    let doubt = found.decimal_doubt()?;
    let answer = |decimal: Decimal| match decimal {
        Decimal::Comma => (",", "import.decimal.comma"),
        Decimal::Point => (".", "import.decimal.point"),
    };
    let answers = doubt
        .allowed
        .iter()
        .map(|d| (answer(*d), plan.reading.decimal == Some(*d)));
    Some(question(
        &doubt.columns,
        &doubt.examples,
        &answers.collect::<Vec<_>>(),
        plan.reading.decimal.is_none(),
        language,
    ))
}

/// The question in which order dates are written.
pub fn date_question(found: &Found, plan: &Plan, language: Language) -> Option<Question> {
    let doubt = found.date_doubt()?;
    let answer = |order: DateOrder| match order {
        DateOrder::Dmy => ("dmy", "import.dates.dmy"),
        DateOrder::Mdy => ("mdy", "import.dates.mdy"),
        DateOrder::Ymd => ("ymd", "import.dates.ymd"),
    };
    let answers = doubt
        .allowed
        .iter()
        .map(|o| (answer(*o), plan.reading.date_order == Some(*o)));
    Some(question(
        &doubt.columns,
        &doubt.examples,
        &answers.collect::<Vec<_>>(),
        plan.reading.date_order.is_none(),
        language,
    ))
}

fn question(
    columns: &[String],
    examples: &[String],
    answers: &[((&'static str, &'static str), bool)],
    open: bool,
    language: Language,
) -> Question {
    let mut choices: Vec<Choice> = answers
        .iter()
        .map(|((value, key), chosen)| choice(*value, language.text(key), *chosen))
        .collect();
    if answers.len() > 1 {
        choices.push(choice("", language.text("import.keep-text"), open));
    }
    Question {
        columns: columns.join(", "),
        examples: examples.join(" · "),
        answers: choices,
    }
}
