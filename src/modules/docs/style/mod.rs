//! `/style`: every component of the design system with its states, and the lines that make it.
//!
//! Samples stand here as data, so that the page shows what the components do with real names; nothing is stored.

mod code;

use askama::Template;

use crate::kernel::i18n::Language;
use crate::kernel::ui::form::{Field, Name, Wrong, wrongs};
use crate::kernel::ui::plot::{Column, Columns, Span, Spans, Spark};
use crate::kernel::ui::{Bar, Crumb, Difference, Event, Html, Page, Pager, PagerLinks, Step, Twig, filters, view};

#[derive(Template)]
#[template(path = "modules/docs/templates/style.html")]
pub(super) struct StylePage {
    page: Page,
    colours: &'static [&'static str],
    /// Each token with the class that uses it.
    sizes: &'static [(&'static str, &'static str)],
    crumbs: Vec<Crumb>,
    fields: Vec<Field>,
    refused: Vec<Field>,
    wrongs: Vec<Wrong>,
    views: Vec<(String, &'static str, bool)>,
    pager: PagerLinks,
    bars: Vec<Bar>,
    twigs: Vec<Twig>,
    events: Vec<Event>,
    steps: Vec<Step>,
    differences: Vec<Difference>,
    years: Columns,
    lives: Spans,
    spark: Spark,
    rows: &'static [(&'static str, &'static str, u64)],
}
view!(StylePage);

const COLOURS: &[&str] = &[
    "ink",
    "muted",
    "accent",
    "accent-soft",
    "brass",
    "paper",
    "surface",
    "sunk",
    "line",
    "control",
    "ok",
    "warn",
    "bad",
];
const SIZES: &[(&str, &str)] = &[
    ("--t-3xl", "size-3xl"),
    ("--t-2xl", "size-2xl"),
    ("--t-xl", "size-xl"),
    ("--t-l", "size-l"),
    ("--t-m", "size-m"),
    ("--t-s", "size-s"),
    ("--t-xs", "size-xs"),
];
const ROWS: &[(&str, &str, u64)] = &[
    ("Teapot with lid", "Stoneware, salt glaze", 1720),
    ("Salad plate", "Porcelain", 1954),
    ("Incense burner", "Bronze, gilt", 1810),
];
const LIVES: &[(&str, i32, i32)] = &[
    ("Josiah Wedgwood", 1730, 1795),
    ("Clarice Cliff", 1899, 1972),
    ("Bernard Leach", 1887, 1979),
    ("Lucie Rie", 1902, 1995),
];

pub(super) async fn style_page(page: Page) -> Html<StylePage> {
    let language = page.language;
    let refused = refused(language);
    Html(StylePage {
        colours: COLOURS,
        sizes: SIZES,
        crumbs: vec![
            Crumb::to(language.text("docs.title"), "/docs"),
            Crumb::here(language.text("style.title")),
        ],
        fields: fields(language),
        wrongs: wrongs(&refused),
        refused,
        views: views(language),
        pager: Pager { current: 4, last: 12 }.links(|n| format!("/style?page={n}#lists")),
        bars: bars(language),
        twigs: twigs(),
        events: events(language),
        steps: steps(language),
        differences: differences(),
        years: years(language),
        lives: lives(language),
        spark: Spark {
            label: language.text("style.spark"),
            values: vec![3, 4, 9, 6, 12, 18, 11, 24, 31],
        },
        rows: ROWS,
        page,
    })
}

fn fields(language: Language) -> Vec<Field> {
    let text = |key: &str| language.text(key);
    let materials = ["Bronze", "Porcelain", "Stoneware"].map(str::to_owned).to_vec();
    let makers = [("Lucie Rie", "1902"), ("Hans Coper", "1920")];
    vec![
        Field::text(&Name::of("title"), text("style.field-title"), "Teapot with lid")
            .required()
            .hint(text("style.field-title-hint")),
        Field::long(
            &Name::of("story"),
            text("style.field-story"),
            "Salt-glazed stoneware with enamel colours.",
        )
        .badge(text("level.members")),
        Field::number(&Name::of("height"), text("style.field-height"), "14.5"),
        Field::date(&Name::of("made"), text("style.field-made"), "1887-05"),
        Field::url(&Name::of("page"), text("style.field-url"), ""),
        Field::term(
            &Name::of("material"),
            text("style.field-material"),
            "Stoneware",
            materials,
            "",
        ),
        Field::select(
            &Name::of("state"),
            text("style.field-state"),
            "good",
            &[("good", "Good"), ("worn", "Worn")],
            true,
        ),
        Field::boolean(&Name::of("shown"), text("style.field-shown"), Some(true), language),
        Field::switch(&Name::of("open"), text("style.field-open"), true).hint(text("style.field-open-hint")),
        Field::record(&Name::of("person"), text("style.field-record"), "", "", "/api/suggest"),
        Field::repeated(
            &Name::of("number"),
            text("style.field-numbers"),
            &["1901.12", "L.88"],
            |name, value| Field::text(&name, text("style.field-number"), value.copied().unwrap_or_default()),
        ),
        Field::repeated(
            &Name::of("maker"),
            text("style.field-makers"),
            &makers,
            |name, maker| {
                let (called, born) = maker.copied().unwrap_or_default();
                let fields = vec![
                    Field::text(&name.field("name"), text("style.field-name"), called),
                    Field::date(&name.field("born"), text("style.field-born"), born),
                ];
                Field::group(&name, text("style.field-maker"), fields)
            },
        ),
    ]
}

fn refused(language: Language) -> Vec<Field> {
    vec![
        Field::number(&Name::of("wrong"), language.text("style.field-height"), "fourteen")
            .error(language.text("style.field-wrong")),
    ]
}

fn views(language: Language) -> Vec<(String, &'static str, bool)> {
    vec![
        (language.text("style.view-table"), "#lists", true),
        (language.text("style.view-cards"), "#pictures", false),
    ]
}

fn bars(language: Language) -> Vec<Bar> {
    let bar = |label: &str, count, active| Bar {
        label: label.to_owned(),
        count,
        href: "#facets".to_owned(),
        active,
        missing: false,
    };
    vec![
        bar("Porcelain", 1_240, false),
        bar("Stoneware", 410, true),
        bar("Bronze", 37, false),
        Bar {
            missing: true,
            ..bar(&language.text("value.missing"), 12, false)
        },
    ]
}

fn twigs() -> Vec<Twig> {
    let twig = |label: &str, depth, count| Twig {
        label: label.to_owned(),
        href: Some("#trees".to_owned()),
        count: Some(count),
        depth,
        current: label == "Stoke-on-Trent",
    };
    vec![
        twig("Europe", 0, 1_840),
        twig("England", 1, 912),
        twig("Staffordshire", 2, 388),
        twig("Stoke-on-Trent", 3, 240),
        twig("Asia", 0, 655),
    ]
}

fn events(language: Language) -> Vec<Event> {
    let event = |key: &str, at, tone| Event {
        what: language.text(key),
        href: Some("#trees".to_owned()),
        at,
        by: language.text("actor.operator"),
        note: String::new(),
        tone,
    };
    vec![
        event("operation.update", 1_763_000_000_000, ""),
        event("operation.restore", 1_762_000_000_000, "ok"),
        event("operation.delete", 1_761_000_000_000, "bad"),
        event("operation.create", 1_760_000_000_000, ""),
    ]
}

fn steps(language: Language) -> Vec<Step> {
    let keys = [
        "style.step-file",
        "style.step-fields",
        "style.step-look",
        "style.step-done",
    ];
    let step = |(at, key): (usize, &str)| Step {
        label: language.text(key),
        href: (at < 2).then(|| "#flow".to_owned()),
        done: at < 2,
        current: at == 2,
    };
    keys.into_iter().enumerate().map(step).collect()
}

fn differences() -> Vec<Difference> {
    let difference = |label: &str, before: Option<&str>, after: Option<&str>| Difference {
        label: label.to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    vec![
        difference("Title", Some("Teapot with lid"), Some("Teapot with lid and stand")),
        difference("Made", Some("c. 1720"), Some("c. 1725")),
        difference("Credit line", None, Some("Gift of Ms. A. Smith")),
        difference("Old number", Some("L.88"), None),
    ]
}

fn years(language: Language) -> Columns {
    let counts = [2, 5, 0, 9, 14, 22, 41, 57, 33, 18, 12, 7, 3];
    let column = |(at, count): (i32, u64)| {
        let from = 1870 + at * 10;
        Column {
            label: format!("{from}–{}", from + 9),
            tick: from.to_string(),
            count,
            href: Some("#plots".to_owned()),
            active: at == 6,
            span: String::new(),
        }
    };
    Columns {
        title: language.text("style.plot-years"),
        columns: (0..).zip(counts).map(column).collect(),
        by: language.text("style.plot-decade"),
        small: false,
        brush: None,
    }
}

fn lives(language: Language) -> Spans {
    let span = |(label, from, to): &(&str, i32, i32)| Span {
        label: (*label).to_owned(),
        text: format!("{from}–{to}"),
        from: f64::from(*from),
        to: f64::from(*to),
        href: None,
    };
    Spans {
        title: language.text("style.plot-lives"),
        spans: LIVES.iter().map(span).collect(),
    }
}
