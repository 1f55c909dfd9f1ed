//! The page in the other languages: what the switch in the footer offers.

use super::page::Page;
use crate::kernel::i18n::Language;

/// A language that the page can be read in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageLink {
    /// For `lang` and `hreflang`.
    pub tag: &'static str,
    /// As it calls itself.
    pub name: String,
    pub href: String,
    pub current: bool,
}

impl Page {
    /// The page in each language; none where its address does not lead to it again.
    pub fn languages(&self) -> Vec<LanguageLink> {
        if !self.reading {
            return Vec::new();
        }
        let joint = if self.here.contains('?') { '&' } else { '?' };
        Language::all()
            .map(|language| LanguageLink {
                tag: language.tag(),
                name: language.text("language.name"),
                href: format!("{}{joint}lang={}", self.here, language.tag()),
                current: language.tag() == self.language.tag(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_leads_to_itself_in_each_language() {
        let mut page = Page::bare("/search?q=vase");
        let offered: Vec<String> = page
            .languages()
            .iter()
            .map(|t| format!("{} {} {}", t.name, t.href, t.current))
            .collect();
        assert_eq!(
            offered,
            [
                "English /search?q=vase&lang=en true",
                "Svenska /search?q=vase&lang=sv false"
            ]
        );
        page.here = "/types".to_owned();
        assert_eq!(page.languages()[1].href, "/types?lang=sv");
        page.reading = false;
        assert!(page.languages().is_empty());
    }
}
