//! How fields are made: one constructor for each kind, refinements that are chained.

use super::{Choice, Control, Field, Line, Name, Record, Repeat};

impl Field {
    fn new(name: &Name, label: impl Into<String>, control: Control) -> Self {
        Self {
            id: format!("f-{}", name.wire),
            name: name.wire.clone(),
            path: name.path.clone(),
            label: label.into(),
            hint: String::new(),
            error: String::new(),
            warning: String::new(),
            required: false,
            badge: String::new(),
            section: String::new(),
            section_wrong: 0,
            quiet: false,
            control,
        }
    }
    fn line(name: &Name, label: impl Into<String>, value: impl Into<String>, line: Line) -> Self {
        let line = Line {
            value: value.into(),
            kind: if line.kind.is_empty() { "text" } else { line.kind },
            ..line
        };
        Self::new(name, label, Control::Line(line))
    }
    /// A text of one line.
    pub fn text(name: &Name, label: impl Into<String>, value: impl Into<String>) -> Self {
        Self::line(name, label, value, Line::default())
    }
    /// A text of many lines.
    pub fn long(name: &Name, label: impl Into<String>, value: impl Into<String>) -> Self {
        let value = value.into();
        let rows = value.len() / 70 + value.lines().count() + 1;
        let rows = u8::try_from(rows.clamp(3, 16)).unwrap_or(16);
        Self::new(name, label, Control::Long(value, rows))
    }
    /// A number. The browser does not change what is written, so that a value that is refused can be seen and corrected.
    pub fn number(name: &Name, label: impl Into<String>, value: impl Into<String>) -> Self {
        let line = Line {
            mode: "decimal",
            ..Line::default()
        };
        Self::line(name, label, value, line)
    }
    /// A date as collections write them.
    pub fn date(name: &Name, label: impl Into<String>, value: impl Into<String>) -> Self {
        let line = Line {
            date: true,
            ..Line::default()
        };
        Self::line(name, label, value, line)
    }
    /// The latitude of a place whose longitude has this name: both can be chosen on a map.
    #[must_use]
    pub fn on_map(mut self, longitude: &Name) -> Self {
        if let Control::Line(line) = &mut self.control {
            line.place = format!("f-{}", longitude.wire);
        }
        self
    }
    /// A web address.
    pub fn url(name: &Name, label: impl Into<String>, value: impl Into<String>) -> Self {
        let line = Line {
            kind: "url",
            placeholder: "https://".to_owned(),
            ..Line::default()
        };
        Self::line(name, label, value, line)
    }
    /// A term: `known` are offered, others may be entered. Where there are many, `suggest` says where they are asked for.
    pub fn term(
        name: &Name,
        label: impl Into<String>,
        value: impl Into<String>,
        known: Vec<String>,
        suggest: impl Into<String>,
    ) -> Self {
        let line = Line {
            list: known,
            suggest: suggest.into(),
            ..Line::default()
        };
        Self::line(name, label, value, line)
    }
    /// One of `(value, label)`; `optional` offers "not given" as well.
    pub fn select(
        name: &Name,
        label: impl Into<String>,
        chosen: &str,
        options: &[(&str, &str)],
        optional: bool,
    ) -> Self {
        Self::new(name, label, Control::Select(choices(chosen, options), optional))
    }
    /// One of a few `(value, label)`, all in sight.
    pub fn radios(name: &Name, label: impl Into<String>, chosen: &str, options: &[(&str, &str)]) -> Self {
        Self::new(name, label, Control::Radios(choices(chosen, options)))
    }
    /// Yes, no or not given: `true`, `false` or the empty text. The labels come from the caller's language.
    pub fn boolean(
        name: &Name,
        label: impl Into<String>,
        value: Option<bool>,
        language: crate::kernel::i18n::Language,
    ) -> Self {
        let (yes, no) = (language.text("value.yes"), language.text("value.no"));
        let none = language.text("value.missing");
        let chosen = value.map_or("", |value| if value { "true" } else { "false" });
        let options = [("true", yes.as_str()), ("false", no.as_str()), ("", none.as_str())];
        Self::radios(name, label, chosen, &options)
    }
    /// On or off. On sends `true`, off sends nothing.
    pub fn switch(name: &Name, label: impl Into<String>, on: bool) -> Self {
        Self::new(name, label, Control::Switch(on))
    }
    /// A link to another record: its id, and how it is called.
    pub fn record(
        name: &Name,
        label: impl Into<String>,
        id: impl Into<String>,
        title: impl Into<String>,
        suggest: impl Into<String>,
    ) -> Self {
        let record = Record {
            id: id.into(),
            title: title.into(),
            suggest: suggest.into(),
            make: String::new(),
        };
        Self::new(name, label, Control::Record(record))
    }
    /// The record can be made here, by its title: `/types/person/quick`.
    #[must_use]
    pub fn makes(mut self, address: impl Into<String>) -> Self {
        if let Control::Record(record) = &mut self.control {
            record.make = address.into();
        }
        self
    }
    /// Fields that belong together. Their names begin with this one: `name.field("…")`.
    pub fn group(name: &Name, label: impl Into<String>, fields: Vec<Field>) -> Self {
        Self::new(name, label, Control::Group(fields))
    }
    /// A list of values: `make` builds the field of one, or a blank one.
    pub fn repeated<T>(
        name: &Name,
        label: impl Into<String>,
        values: &[T],
        make: impl Fn(Name, Option<&T>) -> Field,
    ) -> Self {
        let quiet = |field: Field| Field { quiet: true, ..field };
        let items = values.iter().enumerate();
        let items = items.map(|(at, value)| quiet(make(name.item(at), Some(value))));
        let mut spare = quiet(make(name.item(values.len()), None));
        spare.bare();
        let repeat = Repeat {
            items: items.collect(),
            blank: Box::new(quiet(make(name.new_item(), None))),
            spare: Box::new(spare),
            bare: false,
        };
        Self::new(name, label, Control::Repeat(repeat))
    }

    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }
    #[must_use]
    pub fn hint(mut self, text: impl Into<String>) -> Self {
        self.hint = text.into();
        self
    }
    #[must_use]
    pub fn error(mut self, text: impl Into<String>) -> Self {
        self.error = text.into();
        self
    }
    /// A small word beside the label, such as who may see it.
    #[must_use]
    pub fn badge(mut self, text: impl Into<String>) -> Self {
        self.badge = text.into();
        self
    }
    /// A part of the form begins here, with a heading.
    #[must_use]
    pub fn section(mut self, text: impl Into<String>) -> Self {
        self.section = text.into();
        self
    }
    #[must_use]
    pub fn placeholder(mut self, text: impl Into<String>) -> Self {
        if let Control::Line(line) = &mut self.control {
            line.placeholder = text.into();
        }
        self
    }
}

fn choices(chosen: &str, options: &[(&str, &str)]) -> Vec<Choice> {
    let choice = |(value, label): &(&str, &str)| Choice {
        value: (*value).to_owned(),
        label: (*label).to_owned(),
        chosen: *value == chosen,
    };
    options.iter().map(choice).collect()
}
