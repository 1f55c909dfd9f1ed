//! To begin: sets of types that come with the program, and a collection with nothing but a title.

use askama::Template;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Pages;
use crate::contract::records::RecordType;
use crate::kernel::access::Level;
use crate::kernel::error::{Code, FieldIssue, Result};
use crate::kernel::http::Form;
use crate::kernel::i18n::Language;
use crate::kernel::ui::{Crumb, Flash, Html, Page, filters, label, said, view};
use crate::modules::records::model::outline_added::slug;
use crate::modules::records::model::reshape::plain;
use crate::modules::records::service::{Because, TypeSet, sets};

#[derive(Template)]
#[template(path = "modules/records/templates/begin.html")]
pub struct BeginPage {
    page: Page,
    trail: Vec<Crumb>,
    sets: Vec<SetView>,
    entered: Entered,
    issues: Vec<FieldIssue>,
}
view!(BeginPage);

struct SetView {
    name: String,
    label: String,
    about: String,
    types: Vec<TypeView>,
    /// All of its types are there.
    is_there: bool,
}

struct TypeView {
    label: String,
    fields: usize,
    /// Where it is looked at, if it is there.
    href: Option<String>,
}

/// What the form of an empty collection sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entered {
    #[serde(default)]
    label: String,
    #[serde(default)]
    name: String,
}

/// Which set is begun with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    set: String,
}

/// `GET /type-sets`
pub async fn begin_page(State(pages): State<Pages>, page: Page) -> Result<Html<BeginPage>> {
    Ok(Html(pages.begin_view(page, Entered::default(), Vec::new()).await?))
}

/// `POST /type-sets`
pub async fn begin(State(pages): State<Pages>, page: Page, Form(chosen): Form<Chosen>) -> Result<Response> {
    let why = Because {
        caller: &page.caller,
        reason: "",
        channel: "ui",
    };
    pages.service.begin_set(&why, &chosen.set).await?;
    let found = sets().iter().find(|set| set.name == chosen.set);
    let called = found
        .map(|set| label(&set.labels, &set.name, page.language))
        .unwrap_or_default();
    let place = [(header::LOCATION, "/types".to_owned())];
    Ok((
        StatusCode::SEE_OTHER,
        Flash::new("toast.set-begun").about(&called),
        place,
    )
        .into_response())
}

/// `POST /type-sets/own`: a collection with a title and nothing else; its editor is opened.
pub async fn begin_own(State(pages): State<Pages>, page: Page, Form(entered): Form<Entered>) -> Result<Response> {
    let definition = bare(&entered, page.language);
    let why = Because {
        caller: &page.caller,
        reason: "",
        channel: "ui",
    };
    match pages.service.create_type(&why, &definition).await {
        Ok(_) => {
            let place = [(header::LOCATION, format!("/types/{}/edit#add", definition.name))];
            let flash = Flash::new("toast.type-made").about(entered.label.trim());
            Ok((StatusCode::SEE_OTHER, flash, place).into_response())
        }
        Err(error) if matches!(error.code(), Code::Invalid | Code::Conflict) => {
            let mut issues = error.fields().to_vec();
            if issues.is_empty() {
                issues.push(FieldIssue {
                    path: "name".to_owned(),
                    message: error.detail().to_owned(),
                });
            }
            let view = pages.begin_view(page, entered, issues).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(view)).into_response())
        }
        Err(error) => Err(error),
    }
}

/// The smallest definition: its title is named in every language of the house.
fn bare(entered: &Entered, language: Language) -> RecordType {
    let called = entered.label.trim();
    let given = entered.name.trim();
    let name = if given.is_empty() {
        slug(called, '-')
    } else {
        given.to_owned()
    };
    let mut labels = Map::new();
    if !called.is_empty() {
        labels.insert(language.tag().to_owned(), Value::String(called.to_owned()));
    }
    let titles = Language::all().map(|one| (one.tag().to_owned(), Value::String(one.text("begin.title-field"))));
    let mut title = plain("title", Level::Public, false, titles.collect());
    (title.required, title.column) = (true, true);
    RecordType {
        name,
        labels,
        description: Map::new(),
        title: Some("title".to_owned()),
        key: None,
        image: None,
        parent: None,
        order: None,
        ranks: None,
        licence: None,
        credit: None,
        language: None,
        synonyms: Vec::new(),
        visibility: Level::Members,
        fields: vec![title],
    }
}

impl Pages {
    async fn begin_view(&self, page: Page, entered: Entered, issues: Vec<FieldIssue>) -> Result<BeginPage> {
        let language = page.language;
        let mut shown = Vec::with_capacity(sets().len());
        for set in sets() {
            shown.push(self.set_view(set, language).await?);
        }
        Ok(BeginPage {
            trail: vec![
                Crumb::to(language.text("nav.types"), "/types"),
                Crumb::here(language.text("begin.title")),
            ],
            sets: shown,
            entered,
            issues,
            page,
        })
    }

    async fn set_view(&self, set: &TypeSet, language: Language) -> Result<SetView> {
        let mut types = Vec::with_capacity(set.types.len());
        for definition in set.definitions() {
            let there = self.service.find_type(&definition.name).await?.is_some();
            types.push(TypeView {
                label: label(&definition.labels, &definition.name, language),
                fields: definition.leaves().len(),
                href: there.then(|| format!("/types/{}", definition.name)),
            });
        }
        Ok(SetView {
            name: set.name.clone(),
            label: label(&set.labels, &set.name, language),
            about: said(&set.description, language).unwrap_or_default().to_owned(),
            is_there: types.iter().all(|one| one.href.is_some()),
            types,
        })
    }
}
