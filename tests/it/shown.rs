//! What stands in a page, by selectors.

use scraper::{Html, Selector};

/// How much a selector finds.
pub fn count(page: &str, selector: &str) -> usize {
    let found = Selector::parse(selector).unwrap();
    Html::parse_document(page).select(&found).count()
}

/// The texts of everything a selector finds.
pub fn texts(page: &str, selector: &str) -> Vec<String> {
    let page = Html::parse_document(page);
    let found = Selector::parse(selector).unwrap();
    page.select(&found)
        .map(|one| one.text().collect::<String>().trim().to_owned())
        .collect()
}

/// An attribute of the first that a selector finds.
pub fn attribute(page: &str, selector: &str, name: &str) -> String {
    let page = Html::parse_document(page);
    let found = Selector::parse(selector).unwrap();
    let one = page.select(&found).next().unwrap_or_else(|| panic!("no {selector}"));
    one.attr(name).unwrap_or_default().to_owned()
}
