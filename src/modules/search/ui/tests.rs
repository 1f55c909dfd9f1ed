//! The search page from an invented answer: what a reader sees, and that nothing of the data becomes markup.

use scraper::{Html, Selector};
use serde_json::json;

use super::address::{Address, Params};
use super::kind::Kind;
use super::view::{Findings, Look};
use crate::contract::records::{Record, RecordType, StoredType};
use crate::kernel::access::Level;
use crate::kernel::search::{Answer, Facet, FacetValue, Mark};
use crate::kernel::ui::{Page, View};
use crate::modules::search::service::Item;
use askama::Template;

pub(crate) const HOSTILE: &str = "</title><script>alert(1)</script><img src=x onerror=alert(2)>\"'&";

pub(crate) fn kind() -> Kind {
    let definition: RecordType = serde_json::from_value(json!({
        "name": "museum-object",
        "labels": {"en": "Museum objects"},
        "title": "title",
        "key": "id",
        "visibility": "public",
        "fields": [
            {"name": "title", "kind": "text", "column": true},
            {"name": "creation_date", "kind": "text", "column": true},
            {"name": "classification", "kind": "term", "facet": true, "column": true},
            {"name": "item_height", "kind": "number", "column": true},
            {"name": "made", "kind": "date"},
            {"name": "medium", "kind": "term", "facet": true},
            {"name": "donor", "kind": "term", "facet": true, "column": true, "level": "restricted"},
            {"name": "creator", "kind": "group", "repeated": true, "fields": [
                {"name": "full_name", "kind": "text", "column": true},
                {"name": "nationality", "kind": "term", "facet": true}
            ]},
            {"name": "provenance_text", "kind": "text"}
        ]
    }))
    .unwrap();
    let stored = StoredType {
        id: "1".to_owned(),
        version: 1,
        definition,
    };
    Kind::new(&(stored.into(), Level::Public))
}

fn facet(field: &str, values: &[(Option<&str>, u64)], distinct: u64) -> Facet {
    let values = values.iter().map(|(value, count)| FacetValue {
        value: value.map(str::to_owned),
        count: *count,
    });
    Facet {
        field: field.to_owned(),
        values: values.collect(),
        distinct,
    }
}

fn found(id: &str, title: &str) -> Item {
    let document = json!({
        "title": title,
        "creation_date": "c. 1860",
        "classification": "Textiles",
        "item_height": 13.5,
        "creator": [{"full_name": "unknown Austrian"}, {"full_name": "Georg Jensen Manufactory"}],
        "provenance_text": "Anonymous donor, until December 6, 1979; a teapot given to the museum.",
    });
    let record = Record {
        id: id.to_owned(),
        type_name: "museum-object".to_owned(),
        version: 1,
        deleted: false,
        visibility: Level::Public,
        created_at: 0,
        updated_at: 0,
        source: None,
        document: document.as_object().unwrap().clone(),
    };
    let pieces = [("; a ", false), ("teapot", true), (" given to the museum.", false)];
    let pieces = pieces.map(|(text, marked)| (text.to_owned(), marked)).into();
    Item {
        record,
        title: title.to_owned(),
        image: None,
        highlights: vec![
            ("title".to_owned(), vec![("other".to_owned(), true)]),
            ("provenance_text".to_owned(), pieces),
        ],
    }
}

fn render(question: &str, answer: &Answer, found: &[Item]) -> String {
    let kinds = [kind()];
    let params: Params = serde_html_form::from_str(question).unwrap();
    let address = Address::read(params, Some(kinds[0].definition()));
    let look = Look {
        cards: address.view == Some(super::address::View::Cards),
        columns: address.columns.clone(),
        ..Look::default()
    };
    let findings = Findings {
        address: &address,
        look: &look,
        answer,
        kinds: &kinds,
        items: found,
        named: std::collections::HashMap::new(),
        first: &[],
        may_save: false,
        types: &[],
        tries: Vec::new(),
        behind: false,
        implied: false,
        places: &super::trees::Places::new(),
        trees: Vec::new(),
        may_change: false,
    };
    let page = findings.page(Page::bare("/search"));
    assert_eq!(page.page().query, address.q);
    page.render().unwrap()
}

fn answer(total: u64) -> Answer {
    Answer {
        total,
        facets: vec![
            facet(
                "classification",
                &[(Some("Textiles"), 812), (Some("drawings"), 400), (None, 7)],
                40,
            ),
            facet("medium", &[(Some("silver"), 9)], 1),
            facet(
                "creator.nationality",
                &[(Some("American"), 20), (Some("Austrian"), 4)],
                2,
            ),
            facet(
                "made",
                &[
                    (Some("..1799"), 1),
                    (Some("1800..1849"), 600),
                    (Some("1850..1899"), 0),
                    (None, 3),
                ],
                90,
            ),
        ],
        marks: vec![Mark {
            token: "teapot".to_owned(),
            ..Mark::default()
        }],
        ..Answer::default()
    }
}

fn texts(html: &Html, selector: &str) -> Vec<String> {
    let selector = Selector::parse(selector).unwrap();
    html.select(&selector)
        .map(|e| {
            e.text()
                .collect::<String>()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect()
}

#[test]
fn a_page_shows_what_was_found_and_how_to_narrow_it() {
    let question = "q=teapot&type=museum-object&filter=classification:Textiles&sort=-creation_date";
    let html = render(
        question,
        &answer(1_219),
        &[found("1", "Silver teapot"), found("2", "Bowl")],
    );
    assert!(html.len() < 50_000, "{}", html.len());
    let page = Html::parse_document(&html);
    assert_eq!(texts(&page, "h1"), ["Museum objects"]);
    assert_eq!(texts(&page, "[role=status]"), ["1,219 records for “teapot”"]);
    assert_eq!(
        texts(&page, ".results thead th"),
        [
            "Title",
            "Creation date ↓",
            "Classification",
            "Item height",
            "Creator › Full name"
        ]
    );
    assert_eq!(texts(&page, ".results tbody tr:first-child mark"), ["teapot"]);
    assert_eq!(
        texts(&page, ".results tbody tr:first-child td:last-child"),
        ["unknown Austrian, Georg Jensen Manufactory"]
    );
    assert_eq!(
        texts(&page, ".facet > summary"),
        ["Classification", "Medium", "Creator › Nationality", "Made"]
    );
    assert_eq!(texts(&page, ".facet-value[aria-current] .name"), ["Textiles"]);
    assert_eq!(texts(&page, ".facet-value.missing .name"), ["Not given", "Not given"]);
    assert_eq!(texts(&page, ".plot svg rect"), ["up to 1799: 1", "1800 – 1849: 600"]);
    assert!(html.contains("filter=made%3A1800..1849"), "each bar is a filter");
    assert_eq!(texts(&page, ".span-form label"), ["Made, from", "Made, to"]);
    assert!(texts(&page, ".chip.active")[0].starts_with("Classification: Textiles"));
    assert_eq!(texts(&page, ".facet > p"), ["38 more values"]);
    assert!(texts(&page, ".pager a").contains(&"49".to_owned()));
    assert_eq!(
        (texts(&page, ".jump label"), texts(&page, ".jump .num")),
        (vec!["Go to page".to_owned()], vec!["of 49".to_owned()])
    );
    assert!(html.contains("name=\"page\" type=\"number\" min=\"1\" max=\"49\""));
}

#[test]
fn cards_tell_where_the_words_were_found() {
    let html = render(
        "q=teapot&type=museum-object&view=cards",
        &answer(1),
        &[found("1", "Bowl")],
    );
    let page = Html::parse_document(&html);
    assert_eq!(texts(&page, ".snippet mark"), ["teapot"]);
    assert_eq!(texts(&page, ".tools .segmented [aria-current]"), ["Cards"]);
    assert_eq!(texts(&page, ".plate .eyebrow"), ["Textiles"]);
    assert_eq!(
        texts(&page, ".plate dt"),
        ["Creation date", "Item height", "Creator › Full name"]
    );
}

#[test]
fn cards_show_the_image_where_there_is_one() {
    let image = Some("https://example.org/a?b&c=\"d\"".to_owned());
    let with = Item {
        image: image.clone(),
        ..found("1", "Bowl")
    };
    let html = render(
        "q=teapot&type=museum-object&view=cards",
        &answer(2),
        &[with, found("2", "Jug")],
    );
    let page = Html::parse_document(&html);
    let shown = Selector::parse(".plate > img").unwrap();
    let shown: Vec<_> = page.select(&shown).map(|img| img.attr("src")).collect();
    assert_eq!(shown, [image.as_deref()]);
    assert_eq!(page.select(&Selector::parse(".plate > svg").unwrap()).count(), 1);
}

#[test]
fn chosen_columns_take_the_place_of_the_usual_ones() {
    let html = render(
        "type=museum-object&column=medium&column=donor&column=made",
        &answer(1),
        &[found("1", "Bowl")],
    );
    let page = Html::parse_document(&html);
    assert_eq!(
        texts(&page, ".results thead th")[1..],
        ["Made", "Medium"],
        "in the order of the type, and no hidden one"
    );
    assert_eq!(page.select(&Selector::parse(".choices [checked]").unwrap()).count(), 2);
}

#[test]
fn all_values_of_a_facet_can_be_looked_through() {
    let question = "type=museum-object&more=classification&find=TEX&filter=classification:prints";
    let page = Html::parse_document(&render(question, &answer(1), &[found("1", "Bowl")]));
    assert_eq!(
        texts(&page, ".facet .all .name"),
        ["Textiles", "prints"],
        "what is chosen stays"
    );
    assert_eq!(texts(&page, ".facet > p"), ["Show only the most frequent"]);
}

#[test]
fn what_the_level_hides_has_no_name_either() {
    let html = render("type=museum-object&sort=donor", &answer(1), &[found("1", "Bowl")]);
    assert!(!html.contains("Donor"));
}

#[test]
fn nothing_found_says_what_to_try() {
    let html = render("q=xyz&type=museum-object&filter=medium:silver", &Answer::default(), &[]);
    let page = Html::parse_document(&html);
    assert_eq!(texts(&page, ".empty h2"), ["Nothing was found"]);
    assert_eq!(texts(&page, ".chip.active").len(), 1, "the filter can be taken back");
}

#[test]
fn hostile_data_stays_text() {
    let mut answer = answer(1);
    answer.facets.push(facet("medium", &[(Some(HOSTILE), 3)], 1));
    answer.hints = vec![HOSTILE.to_owned()];
    let question = serde_html_form::to_string([
        ("q", HOSTILE),
        ("type", "museum-object"),
        ("filter", &format!("medium:{HOSTILE}")),
        ("sort", HOSTILE),
    ]);
    for view in ["", "&view=cards"] {
        let html = render(
            &format!("{}{view}", question.as_deref().unwrap()),
            &answer,
            &[found(HOSTILE, HOSTILE)],
        );
        let page = Html::parse_document(&html);
        let count = |s: &str| page.select(&Selector::parse(s).unwrap()).count();
        assert_eq!(
            (count("script"), count("img"), count("[onerror]"), count("style")),
            (1, 0, 0, 0)
        );
    }
}
