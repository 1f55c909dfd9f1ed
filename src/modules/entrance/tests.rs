//! The start page from invented counts.

use askama::Template;
use scraper::{Html, Selector};

use super::ui::{EntrancePage, Newest, TypeItem, Way, WayValue};
use crate::kernel::ui::Page;

const HOSTILE: &str = "</title><script>alert(1)</script>\"'&";

fn home() -> EntrancePage {
    EntrancePage {
        page: Page::bare("/"),
        total: 0,
        behind: false,
        types: vec![],
        ways_label: HOSTILE.to_owned(),
        ways: vec![],
        newest: vec![],
    }
}

#[test]
fn an_empty_house_tells_the_first_steps_with_their_commands() {
    let html = home().render().unwrap();
    for command in ["app serve --sample", "--dry-run", "app import"] {
        assert!(html.contains(command), "{command}");
    }
    let waiting = EntrancePage { behind: true, ..home() }.render().unwrap();
    assert!(
        !waiting.contains("app import"),
        "a house that is still opening is not empty"
    );
}

#[test]
fn a_full_house_shows_what_is_here() {
    let page = EntrancePage {
        total: 28_258,
        types: vec![TypeItem {
            name: "a b".to_owned(),
            label: HOSTILE.to_owned(),
            total: 28_258,
        }],
        ways: vec![Way {
            label: HOSTILE.to_owned(),
            values: vec![WayValue {
                label: HOSTILE.to_owned(),
                count: 3,
                href: "/search?q=x".to_owned(),
            }],
        }],
        newest: vec![Newest {
            id: "1".to_owned(),
            title: HOSTILE.to_owned(),
            about: Some(HOSTILE.to_owned()),
            created_at: 0,
        }],
        ..home()
    };
    let html = page.render().unwrap();
    assert!(html.contains("28,258 records") && html.contains("/search?type=a%20b"));
    let parsed = Html::parse_document(&html);
    assert_eq!(parsed.select(&Selector::parse("script").unwrap()).count(), 1);
}
