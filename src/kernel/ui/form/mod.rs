//! Form fields of every kind, built in Rust and shown by `{{ field }}` in a template: label, hint, error, required mark,
//! repeated values with add, remove and reorder, groups in groups.
//!
//! Labels and hints are texts already (of a type's definition, or `page.language.text("key")`). [`Name`] puts nested names
//! together, [`read`] takes what the form sends apart again, [`mark`] puts a refusal's messages at their fields. How each
//! one looks is shown on `/style`.

mod build;
mod name;
mod read;

pub use name::Name;
pub use read::read;

use askama::Template;
use askama::filters::Safe;

use super::filters;
use crate::kernel::error::FieldIssue;

/// One field. Make it with [`Field::text`] and its like, refine it with `required()`, `hint(…)`, `error(…)`.
#[derive(Template, Clone, Debug)]
#[template(path = "kernel/ui/templates/field.html")]
pub struct Field {
    pub id: String,
    pub name: String,
    /// As a refusal names the field: `maker.1.name`.
    pub path: String,
    pub label: String,
    pub hint: String,
    pub error: String,
    /// Worth another look, but nothing that keeps anybody from saving.
    pub warning: String,
    pub required: bool,
    /// A small word beside the label, such as who may see it.
    pub badge: String,
    /// The heading of the part of the form that begins here.
    pub section: String,
    /// How many fields of that part are wrong.
    pub section_wrong: usize,
    /// The label is there for those who hear it only: its group says it already.
    pub quiet: bool,
    pub control: Control,
}

impl askama::filters::HtmlSafe for Field {}

/// What the value is entered with.
#[derive(Clone, Debug)]
pub enum Control {
    Line(Line),
    /// A long text: value and rows.
    Long(String, u8),
    /// One of a list; the flag offers "not given" first.
    Select(Vec<Choice>, bool),
    /// One of a few, all in sight.
    Radios(Vec<Choice>),
    /// On or off; off sends nothing.
    Switch(bool),
    Record(Record),
    Group(Vec<Field>),
    Repeat(Repeat),
}

/// A text of one line.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// The `type` of the input.
    pub kind: &'static str,
    pub value: String,
    pub placeholder: String,
    /// Which keyboard a phone shows.
    pub mode: &'static str,
    /// Known values, offered while typing.
    pub list: Vec<String>,
    /// Where suggestions are asked for: `/api/suggest?field=maker`.
    pub suggest: String,
    /// A date as collections write them; the script says what was understood.
    pub date: bool,
    /// A latitude: the id of the control of its longitude, so that both can be chosen on a map.
    pub place: String,
}

/// One of the values to choose from.
#[derive(Clone, Debug)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

/// A link to another record. Without scripts its id is entered as it is.
#[derive(Clone, Debug, Default)]
pub struct Record {
    pub id: String,
    /// How the chosen record is called.
    pub title: String,
    /// Where records are looked for: `/api/suggest?type=person`.
    pub suggest: String,
    /// Where a record that is not there yet is made by its title; empty where it cannot be.
    pub make: String,
}

/// Values that are repeated.
#[derive(Clone, Debug)]
pub struct Repeat {
    pub items: Vec<Field>,
    /// An empty one, its place in names being [`name::NEW`].
    pub blank: Box<Field>,
    /// An empty one with a real place, for those without scripts.
    pub spare: Box<Field>,
    /// It stands in the spare of another list, where no scripts are: `noscript` ends at the first end of one.
    pub bare: bool,
}

/// A wrong field, for the list above a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub id: String,
    pub label: String,
    pub message: String,
}

impl Field {
    /// What `aria-describedby` names.
    fn described(&self) -> String {
        let hint = (!self.hint.is_empty()).then(|| format!("{}-hint", self.id));
        let error = (!self.error.is_empty()).then(|| format!("{}-error", self.id));
        let warning = (!self.warning.is_empty()).then(|| format!("{}-warning", self.id));
        [error, warning, hint]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" ")
    }
    /// The attributes that say what is so about the field.
    fn state(&self) -> Safe<String> {
        let whole = matches!(
            self.control,
            Control::Group(_) | Control::Repeat(_) | Control::Radios(_)
        );
        let mut out = String::new();
        if self.required && !whole {
            out.push_str(" required");
        }
        if !self.error.is_empty() && !whole {
            out.push_str(" aria-invalid=\"true\"");
        }
        let described = self.described();
        if !described.is_empty() {
            out.push_str(&format!(" aria-describedby=\"{}\"", filters::escape(&described)));
        }
        Safe(out)
    }
    /// A group, or a list of groups.
    fn holds_fields(&self) -> bool {
        match &self.control {
            Control::Group(_) => true,
            Control::Repeat(repeat) => matches!(repeat.blank.control, Control::Group(_)),
            _ => false,
        }
    }
    /// How many fields inside are wrong, for the heading of a section.
    fn wrong_within(&self) -> usize {
        wrongs(self.children()).len()
    }
    /// For those without scripts: lists within show their spare as it is.
    fn bare(&mut self) {
        if let Control::Repeat(repeat) = &mut self.control {
            repeat.bare = true;
            repeat.spare.bare();
        }
        self.children_mut().iter_mut().for_each(Self::bare);
    }
    fn children(&self) -> &[Field] {
        match &self.control {
            Control::Group(fields) => fields,
            Control::Repeat(repeat) => &repeat.items,
            _ => &[],
        }
    }
    fn children_mut(&mut self) -> &mut [Field] {
        match &mut self.control {
            Control::Group(fields) => fields,
            Control::Repeat(repeat) => &mut repeat.items,
            _ => &mut [],
        }
    }
}

/// Puts each message at its field. An issue about a part that has no field of its own goes to the nearest one around it;
/// what is about none of them is answered.
pub fn mark(fields: &mut [Field], issues: &[FieldIssue]) -> Vec<FieldIssue> {
    let homeless = issues
        .iter()
        .filter(|issue| !place(fields, issue, |field| &mut field.error));
    homeless.cloned().collect()
}

/// Puts what is worth another look at its field; what has none is left out.
pub fn warn(fields: &mut [Field], issues: &[FieldIssue]) {
    for issue in issues {
        place(fields, issue, |field| &mut field.warning);
    }
}

fn place(fields: &mut [Field], issue: &FieldIssue, into: fn(&mut Field) -> &mut String) -> bool {
    for field in fields {
        let Some(rest) = issue.path.strip_prefix(&field.path) else {
            continue;
        };
        if !(rest.is_empty() || rest.starts_with('.')) {
            continue;
        }
        if !rest.is_empty() && place(field.children_mut(), issue, into) {
            return true;
        }
        let said = into(field);
        if !said.is_empty() {
            said.push(' ');
        }
        said.push_str(&issue.message);
        return true;
    }
    false
}

/// A part of a form, for the list of its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// Where it stands on the page.
    pub anchor: String,
    pub heading: String,
    /// How many of its fields are wrong.
    pub wrong: usize,
}

/// The parts of a form in order: those with a heading, else its groups. Each heading is told how many fields are wrong below.
pub fn sections(fields: &mut [Field]) -> Vec<Section> {
    let begins: Vec<usize> = (0..fields.len()).filter(|at| !fields[*at].section.is_empty()).collect();
    for (n, begin) in begins.iter().enumerate() {
        let end = begins.get(n + 1).copied().unwrap_or(fields.len());
        fields[*begin].section_wrong = wrongs(&fields[*begin..end]).len();
    }
    let headed = |field: &Field| Section {
        anchor: format!("{}-section", field.id),
        heading: field.section.clone(),
        wrong: field.section_wrong,
    };
    let grouped = |field: &Field| Section {
        anchor: field.id.clone(),
        heading: field.label.clone(),
        wrong: wrongs(std::slice::from_ref(field)).len(),
    };
    if begins.is_empty() {
        fields
            .iter()
            .filter(|field| field.holds_fields())
            .map(grouped)
            .collect()
    } else {
        begins.iter().map(|begin| headed(&fields[*begin])).collect()
    }
}

/// The wrong fields in order, for `parts::wrongs`.
pub fn wrongs(fields: &[Field]) -> Vec<Wrong> {
    let mut out = Vec::new();
    for field in fields {
        if !field.error.is_empty() {
            out.push(Wrong {
                id: field.id.clone(),
                label: field.label.clone(),
                message: field.error.clone(),
            });
        }
        out.extend(wrongs(field.children()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::i18n::Language;
    use crate::kernel::ui::filters::Spoken;

    fn makers() -> Field {
        let known = [("Ann", "a"), ("<b>", "b")];
        Field::repeated(&Name::of("maker"), "Maker", &known, |name, known| {
            let (first, id) = known.copied().unwrap_or_default();
            Field::group(
                &name,
                "Maker",
                vec![
                    Field::text(&name.field("name"), "Name", first).required(),
                    Field::record(&name.field("person"), "Person", id, first, "/api/suggest?type=person"),
                ],
            )
        })
    }

    #[test]
    fn a_message_finds_its_field_through_lists_and_groups() {
        let mut fields = vec![makers(), Field::long(&Name::of("makers"), "Other", "")];
        let issue = |path: &str| FieldIssue {
            path: path.to_owned(),
            message: "is wrong.".to_owned(),
        };
        let homeless = mark(
            &mut fields,
            &[
                issue("maker.1.name"),
                issue("makers"),
                issue("none"),
                issue("maker.9.x"),
            ],
        );
        assert_eq!(homeless.len(), 1);
        let found: Vec<String> = wrongs(&fields).into_iter().map(|wrong| wrong.id).collect();
        assert_eq!(found, ["f-maker", "f-maker/#1/name", "f-makers"]);
    }

    #[test]
    fn parts_of_a_form_tell_what_is_wrong_below_them() {
        let line = |name: &str| Field::text(&Name::of(name), name, "");
        let mut fields = vec![
            makers(),
            line("a").section("First"),
            line("b"),
            line("c").section("Last"),
        ];
        let issue = FieldIssue {
            path: "b".to_owned(),
            message: "is wrong.".to_owned(),
        };
        mark(&mut fields, std::slice::from_ref(&issue));
        let told: Vec<(String, usize)> = sections(&mut fields)
            .into_iter()
            .map(|one| (one.anchor, one.wrong))
            .collect();
        assert_eq!(told, [("f-a-section".to_owned(), 1), ("f-c-section".to_owned(), 0)]);
        let mut groups = vec![makers(), line("b")];
        let told: Vec<String> = sections(&mut groups).into_iter().map(|one| one.heading).collect();
        assert_eq!(told, ["Maker"], "without headings the groups are the parts");
    }

    #[test]
    fn a_list_within_a_list_is_one_without_scripts_too() {
        let part = |name: Name, known: Option<&&str>| Field::text(&name, "Part", *known.unwrap_or(&""));
        let none: [&str; 0] = [];
        let find = |name: Name, _: Option<&&str>| {
            let parts = Field::repeated(&name.field("part"), "Parts", &none, part);
            Field::group(&name, "Find", vec![parts])
        };
        let list = Field::repeated(&Name::of("find"), "Find", &none, find);
        let html = list.render_with_values(&Spoken(Language::default())).unwrap();
        // As a browser with scripts reads it: what stands in a noscript is a text up to the first end of one.
        let outside: String = html
            .split("<noscript>")
            .map(|piece| piece.split_once("</noscript>").map_or(piece, |(_, rest)| rest))
            .collect();
        assert!(!outside.contains("find/#0"), "{html}");
        assert!(outside.contains("find/#new/part/#new"), "{html}");
        assert!(html.contains("name=\"find/#0/part/#0\""), "{html}");
    }

    #[test]
    fn fields_are_shown_with_everything_that_belongs_to_them() {
        let mut fields = [makers().hint("In order.")];
        mark(
            &mut fields,
            &[FieldIssue {
                path: "maker.1.name".to_owned(),
                message: "is \"odd\".".to_owned(),
            }],
        );
        let html = fields[0].render_with_values(&Spoken(Language::default())).unwrap();
        let parsed = scraper::Html::parse_fragment(&html);
        let count = |s: &str| parsed.select(&scraper::Selector::parse(s).unwrap()).count();
        assert_eq!(
            count("[name='maker/#1/name'][aria-invalid=true][value='<b>']"),
            1,
            "{html}"
        );
        assert_eq!(count("[aria-describedby='f-maker/#1/name-error']"), 1);
        assert_eq!(count("[data-repeat='maker'] > ol > li"), 2);
        assert!(html.contains("maker/#new/name"), "a blank one waits");
        assert!(!html.contains("<b>"));
    }
}
