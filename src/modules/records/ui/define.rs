//! The definition of a type as a form: words, roles, and how each field is shown and asked for. Before a stricter rule is
//! saved it is said how many records do not keep it.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value};

use super::Pages;
use super::names::path_label;
use super::types::{FieldRow, rows};
use crate::contract::records::{Field as TypeField, FieldKind, RecordType};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::http::{Form, Path};
use crate::kernel::i18n::Language;
use crate::kernel::search::Tongue;
use crate::kernel::ui::form::{self, Field, Name, Wrong};
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, label, view};
use crate::modules::records::model::{definition, outline};
use crate::modules::records::service::{Because, Misfits};

/// What all names of the definition begin with.
const ROOT: &str = "def";
/// Terms of use that are offered.
const LICENCES: [&str; 5] = [
    "https://creativecommons.org/publicdomain/zero/1.0/",
    "https://creativecommons.org/licenses/by/4.0/",
    "https://creativecommons.org/licenses/by-sa/4.0/",
    "https://rightsstatements.org/vocab/InC/1.0/",
    "https://rightsstatements.org/vocab/NKC/1.0/",
];

#[derive(Template)]
#[template(path = "modules/records/templates/define.html")]
pub struct DefinePage {
    page: Page,
    trail: Vec<Crumb>,
    name: String,
    heading: String,
    version: i64,
    words: Vec<Field>,
    roles: Vec<Field>,
    fields: Vec<FieldForm>,
    wrongs: Vec<Wrong>,
    homeless: Vec<FieldIssue>,
    /// What the records say to the new rules.
    misfits: Option<Misfits>,
    /// Somebody else changed it meanwhile.
    stale: bool,
}
view!(DefinePage);

/// A field with its controls, folded.
struct FieldForm {
    row: FieldRow,
    open: bool,
    controls: Vec<Field>,
}

/// `GET /types/{name}/edit`
pub async fn define_page(State(pages): State<Pages>, page: Page, Path(name): Path<String>) -> Result<Html<DefinePage>> {
    let stored = pages.service.need_type(&name).await?;
    pages.service.require_whole(&page.caller, &name).await?;
    let shown = Shown {
        version: stored.version,
        definition: &stored.definition,
        issues: &[],
        misfits: None,
        stale: false,
    };
    Ok(Html(define_view(page, shown)))
}

/// A definition on its way to the page.
struct Shown<'a> {
    version: i64,
    definition: &'a RecordType,
    issues: &'a [FieldIssue],
    misfits: Option<Misfits>,
    stale: bool,
}

/// `POST /types/{name}/edit`
pub async fn define(
    State(pages): State<Pages>,
    page: Page,
    Path(name): Path<String>,
    Form(pairs): Form<Vec<(String, String)>>,
) -> Result<Response> {
    let stored = pages.service.need_type(&name).await?;
    pages.service.require_whole(&page.caller, &name).await?;
    let (version, action, entered) = sent(pairs)?;
    let new = outline::apply(&stored.definition, &entered, page.language.tag());
    let mut shown = Shown {
        version: stored.version,
        definition: &new,
        issues: &[],
        misfits: None,
        stale: stored.version != version,
    };
    let mut issues = definition::check(&new);
    if issues.is_empty() && !shown.stale {
        if outline::is_stricter(&stored.definition, &new) || action == "preview" {
            shown.misfits = Some(pages.service.misfits(&stored.definition, &new).await?);
        }
        let held_back = shown.misfits.as_ref().is_some_and(|m| m.count > 0) && action != "anyway";
        if action != "preview" && !held_back {
            let why = Because {
                caller: &page.caller,
                reason: "",
                channel: "ui",
            };
            match pages.service.replace_type(&why, &name, version, &new).await {
                Ok(_) => return Ok(saved(&new, &page)),
                Err(error) if error.code() == Code::Stale => shown.stale = true,
                Err(error) if error.code() == Code::Invalid => issues = error.fields().to_vec(),
                Err(error) => return Err(error),
            }
        }
    }
    let status = match (&shown.misfits, shown.stale, issues.is_empty()) {
        (_, true, _) => StatusCode::PRECONDITION_FAILED,
        (_, _, false) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::OK,
    };
    shown.issues = &issues;
    Ok((status, Html(define_view(page, shown))).into_response())
}

fn saved(definition: &RecordType, page: &Page) -> Response {
    let place = format!("/types/{}", definition.name);
    let called = label(&definition.labels, &definition.name, page.language);
    let flash = Flash::new("toast.type-saved").about(&called);
    (StatusCode::SEE_OTHER, flash, [(header::LOCATION, place)]).into_response()
}

/// Version, button and definition of a form that arrived whole.
fn sent(pairs: Vec<(String, String)>) -> Result<(i64, String, Map<String, Value>)> {
    let value = |name: &str| pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone());
    let version = value("version").and_then(|v| v.parse().ok());
    let (Some(version), Some(_)) = (version, value("whole")) else {
        let text = "The form did not arrive whole, so nothing was saved. Load the page again and send it once more.";
        return Err(Error::new(Code::BadRequest, text));
    };
    let action = value("do").unwrap_or_default();
    let prefix = format!("{ROOT}/");
    let mut read = form::read(pairs.into_iter().filter(|(name, _)| name.starts_with(&prefix)))?;
    let entered = match read.get_mut(ROOT).map(Value::take) {
        Some(Value::Object(entered)) => entered,
        _ => Map::new(),
    };
    Ok((version, action, entered))
}

fn define_view(page: Page, shown: Shown<'_>) -> DefinePage {
    let (definition, language) = (shown.definition, page.language);
    let called = label(&definition.labels, &definition.name, language);
    let root = Name::of(ROOT);
    let mut words = words(definition, &root, language);
    let mut roles = roles(definition, &root, language);
    let mut homeless = Vec::new();
    for issue in shown.issues {
        let rooted = FieldIssue {
            path: format!("{ROOT}.{}", role_of(definition, &issue.path)),
            message: issue.message.clone(),
        };
        let left = form::mark(&mut words, std::slice::from_ref(&rooted));
        if !left.is_empty() && !form::mark(&mut roles, &left).is_empty() {
            homeless.push(issue.clone());
        }
    }
    let mut wrongs = form::wrongs(&words);
    wrongs.extend(form::wrongs(&roles));
    let fields_root = root.field("fields");
    let fields = rows(definition, language).into_iter().filter_map(|row| {
        let field = find(&definition.fields, &row.path)?;
        Some(FieldForm {
            controls: controls(field, &fields_root.field(&row.path), language),
            open: false,
            row,
        })
    });
    DefinePage {
        trail: vec![
            Crumb::to(language.text("nav.types"), "/types"),
            Crumb::to(called.clone(), format!("/types/{}", definition.name)),
            Crumb::here(language.text("entry.edit")),
        ],
        heading: language.with("entry.edit-of", &[("title", &called)]),
        name: definition.name.clone(),
        version: shown.version,
        fields: fields.collect(),
        words,
        roles,
        wrongs,
        homeless,
        misfits: shown.misfits,
        stale: shown.stale,
        page,
    }
}

/// A refusal of a field as key is shown at the control of the key.
fn role_of<'a>(definition: &RecordType, path: &'a str) -> &'a str {
    match path {
        "ranks.field" => "ranks",
        "ranks.order" => "rank-order",
        path if definition.key.as_deref() == Some(path) => "key",
        path => path,
    }
}

/// The field at a path, groups too.
fn find<'a>(fields: &'a [TypeField], path: &str) -> Option<&'a TypeField> {
    fields.iter().find_map(|field| {
        if field.name == path {
            return Some(field);
        }
        let rest = path.strip_prefix(field.name.as_str())?.strip_prefix('.')?;
        find(&field.fields, rest)
    })
}

fn own(words: &Map<String, Value>, language: Language) -> &str {
    words.get(language.tag()).and_then(Value::as_str).unwrap_or_default()
}

fn words(definition: &RecordType, root: &Name, language: Language) -> Vec<Field> {
    let text = |key: &str| language.text(key);
    vec![
        Field::text(
            &root.field("label"),
            text("define.label"),
            own(&definition.labels, language),
        )
        .placeholder(label(&definition.labels, &definition.name, language)),
        Field::long(
            &root.field("description"),
            text("define.description"),
            own(&definition.description, language),
        ),
    ]
}

fn roles(definition: &RecordType, root: &Name, language: Language) -> Vec<Field> {
    let text = |key: &str| language.text(key);
    let choose = |role: &str, chosen: &Option<String>| {
        let paths = outline::candidates(definition, role);
        let labelled: Vec<(String, String)> = paths
            .into_iter()
            .map(|path| (path.clone(), path_label(definition, &path, language)))
            .collect();
        let options: Vec<(&str, &str)> = labelled.iter().map(|(p, l)| (p.as_str(), l.as_str())).collect();
        let chosen = chosen.as_deref().unwrap_or_default();
        let control = Field::select(
            &root.field(role),
            text(&format!("define.{role}")),
            chosen,
            &options,
            true,
        );
        control.hint(text(&format!("define.{role}-hint")))
    };
    let licence = definition.licence.clone().unwrap_or_default();
    let known = LICENCES.iter().map(|l| (*l).to_owned()).collect();
    let credit = definition.credit.clone().unwrap_or_default();
    let fields = outline::candidates(definition, "credit");
    let mut roles = vec![
        choose("title", &definition.title),
        choose("key", &definition.key),
        choose("image", &definition.image),
    ];
    // A type without a link to itself is no tree.
    if !outline::candidates(definition, "parent").is_empty() {
        roles.push(choose("parent", &definition.parent));
        roles.push(choose("order", &definition.order));
        let ranks = definition.ranks.clone().unwrap_or_default();
        roles.push(choose("ranks", &Some(ranks.field)));
        let order = ranks.order.join("\n");
        roles.push(
            Field::long(&root.field("rank-order"), text("define.rank-order"), order)
                .hint(text("define.rank-order-hint")),
        );
    }
    roles.extend([
        Field::term(&root.field("licence"), text("define.licence"), licence, known, "")
            .hint(text("define.licence-hint")),
        Field::term(&root.field("credit"), text("define.credit"), credit, fields, "").hint(text("define.credit-hint")),
        language_of(definition, root, language),
        Field::long(
            &root.field("synonyms"),
            text("define.synonyms"),
            definition.synonyms.join("\n"),
        )
        .hint(text("define.synonyms-hint")),
    ]);
    roles
}

/// What the texts are written in: of the languages whose words are found in their forms.
fn language_of(definition: &RecordType, root: &Name, language: Language) -> Field {
    let tags = Tongue::ALL.map(Tongue::tag);
    let labelled = tags.map(|tag| (tag, language.text(&format!("define.in.{tag}"))));
    let mut options: Vec<(&str, &str)> = labelled.iter().map(|(tag, label)| (*tag, label.as_str())).collect();
    let chosen = definition.language.as_deref().unwrap_or_default();
    if !chosen.is_empty() && !tags.contains(&chosen) {
        options.push((chosen, chosen));
    }
    Field::select(
        &root.field("language"),
        language.text("define.language"),
        chosen,
        &options,
        true,
    )
    .hint(language.text("define.language-hint"))
}

fn controls(field: &TypeField, name: &Name, language: Language) -> Vec<Field> {
    let text = |key: &str| language.text(key);
    let levels =
        ["public", "members", "restricted"].map(|level| (level, language.text(&format!("level.of-record.{level}"))));
    let levels: Vec<(&str, &str)> = levels.iter().map(|(value, label)| (*value, label.as_str())).collect();
    let mut controls = vec![
        Field::text(
            &name.field("label"),
            text("define.field-label"),
            own(&field.labels, language),
        )
        .placeholder(label(&field.labels, &field.name, language)),
        Field::text(
            &name.field("hint"),
            text("define.field-hint"),
            own(&field.hints, language),
        ),
        Field::switch(&name.field("required"), text("define.required"), field.required),
    ];
    if field.kind != FieldKind::Group {
        controls.push(Field::switch(&name.field("facet"), text("define.facet"), field.facet));
        controls.push(Field::switch(
            &name.field("column"),
            text("define.column"),
            field.column,
        ));
    }
    if field.kind == FieldKind::Text {
        controls.push(Field::switch(&name.field("rich"), text("define.rich"), field.rich));
    }
    if matches!(field.kind, FieldKind::Integer | FieldKind::Number) {
        let unit = field.unit.as_deref().unwrap_or_default();
        controls.push(Field::text(&name.field("unit"), text("define.unit"), unit).hint(text("define.unit-hint")));
    }
    let level = name.field("level");
    controls.push(Field::select(
        &level,
        text("define.level"),
        field.level.as_str(),
        &levels,
        false,
    ));
    controls
}
