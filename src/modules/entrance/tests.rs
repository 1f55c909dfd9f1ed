//! The start page from invented counts.

use askama::Template;
use scraper::{Html, Selector};

use super::ui::{EntrancePage, Newest, Step, Steps, TypeItem, Way, WayValue};
use crate::kernel::ui::{Page, Plate};

const HOSTILE: &str = "</title><script>alert(1)</script>\"'&";

fn home() -> EntrancePage {
    EntrancePage {
        ways_label: HOSTILE.to_owned(),
        ..EntrancePage::new(Page::bare("/"))
    }
}

fn count(html: &str, selector: &str) -> usize {
    Html::parse_document(html)
        .select(&Selector::parse(selector).unwrap())
        .count()
}

#[test]
fn an_empty_house_shows_three_ways_to_begin() {
    let html = home().render().unwrap();
    for words in ["/import", "app serve --sample", "/docs", "app setup-link", "--dry-run"] {
        assert!(html.contains(words), "{words}");
    }
    let operator = EntrancePage {
        may_import: true,
        ..home()
    };
    let html = operator.render().unwrap();
    assert_eq!(count(&html, "form[action='/sample'] [name=csrf]"), 1);
    assert!(!html.contains("setup-link"));
    for waiting in [
        EntrancePage { behind: true, ..home() },
        EntrancePage {
            loading: true,
            ..home()
        },
    ] {
        let html = waiting.render().unwrap();
        assert!(
            !html.contains("/import") && count(&html, "[data-live]") == 1,
            "not yet is not empty"
        );
    }
}

#[test]
fn a_full_house_shows_what_is_here() {
    let step = |what, done| Step {
        what,
        help: "home.do-import-help",
        action: "home.do-import-action",
        href: "/import",
        done,
    };
    let page = EntrancePage {
        total: 28_258,
        tour: true,
        steps: Some(Steps {
            steps: vec![step("home.do-import", true), step("home.do-look", false)],
            done: 1,
        }),
        types: vec![TypeItem {
            name: "a b".to_owned(),
            label: HOSTILE.to_owned(),
            about: HOSTILE.to_owned(),
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
            above: HOSTILE.to_owned(),
            about: Some(HOSTILE.to_owned()),
            created_at: 0,
            plate: Plate::of(HOSTILE, HOSTILE),
        }],
        ..home()
    };
    let html = page.render().unwrap();
    assert!(html.contains("28,258 records") && html.contains("/search?type=a%20b"));
    assert_eq!((count(&html, "main script"), count(&html, ".tour > li")), (0, 5));
    assert_eq!((count(&html, ".checks > li"), count(&html, ".checks > .done")), (2, 1));
    assert!(html.contains("1 of 2"));
}
