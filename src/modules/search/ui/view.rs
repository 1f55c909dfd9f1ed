//! The search page as its template sees it: what was found with its facets, chips, controls and addresses.

use std::collections::HashMap;

use askama::Template;

use super::address::{Address, View};
use super::facets::{Chip, FacetView, Facets};
use super::kind::Kind;
use super::map::MapView;
use super::nothing::{self, Try};
use super::pieces::{
    about, choices, densities, fields, in_table, is_refined, more_facets, named, picked, question_of, shared,
};
use super::rows::{Column, Row, Rows};
use super::sorts::Sorts;
use super::timeline::{Dates, TimelineView, has_time};
use super::told::Told;
use super::trees::Places;
use crate::kernel::i18n::Language;
use crate::kernel::search::{Answer, INSIDE, MAX_OFFSET};
use crate::kernel::ui::{Page, Pager, PagerLinks, filters, view};
use crate::modules::search::service::Item;

#[derive(Template)]
#[template(path = "modules/search/templates/search.html")]
pub struct SearchPage {
    pub page: Page,
    pub q: String,
    pub heading: String,
    /// What the type says of itself.
    pub description: String,
    /// What the page is, for those who see only a link to it.
    pub about: String,
    pub total: u64,
    /// The address narrows or orders: not for the indexes of others.
    pub refined: bool,
    pub chips: Vec<Chip>,
    pub clear_href: String,
    pub facets: Vec<FacetView>,
    /// Fields that could be counted too, and the rest of the address for the form that adds one.
    pub more_facets: Vec<(String, String)>,
    pub more_fields: Vec<(&'static str, String)>,
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
    pub table: bool,
    /// What stands above the list.
    pub map: Option<MapView>,
    pub timeline: Option<TimelineView>,
    pub dense: bool,
    /// Label, address and whether it is the one in use.
    pub views: Vec<(&'static str, String, bool)>,
    pub densities: Vec<(&'static str, String, bool)>,
    pub choices: Vec<Choice>,
    pub choice_fields: Vec<(&'static str, String)>,
    pub sorts: Sorts,
    pub sort_fields: Vec<(&'static str, String)>,
    pub pager: Option<PagerLinks>,
    /// The last page and the rest of the address, where not every page has a link.
    pub jump: Option<(usize, Vec<(&'static str, String)>)>,
    /// There is more than can be paged to.
    pub far: bool,
    pub hints: Vec<String>,
    /// What was looked for, where nothing was found or more than words were asked for.
    pub understood: Vec<String>,
    /// The same question in words that are there, and its address.
    pub instead: Option<(String, String)>,
    pub tries: Vec<Try>,
    pub behind: bool,
    pub exports: Vec<(&'static str, String)>,
    pub api_href: String,
    pub share_href: String,
    /// Media type and address.
    pub feeds: Vec<(&'static str, String)>,
    /// What may be kept under a name.
    pub save: Option<Save>,
    /// What a form about the records of this list sends, for those who may change them.
    pub pick: Option<Vec<(&'static str, String)>>,
    /// Ticks are kept for so long as the list is of this type.
    pub picked_of: String,
    /// The same question as a table to write in.
    pub table_href: Option<String>,
}
view!(SearchPage);

/// A search to keep: its address, and the name that is offered.
pub struct Save {
    pub query: String,
    pub name: String,
}

/// A column that may be shown.
pub struct Choice {
    pub field: String,
    pub label: String,
    pub shown: bool,
}

/// How the list looks.
#[derive(Clone, Debug, Default)]
pub struct Look {
    pub cards: bool,
    pub above: Above,
    pub dense: bool,
    pub columns: Vec<String>,
}

/// What stands above a list of cards.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Above {
    #[default]
    Nothing,
    Map,
    Timeline,
}

impl Look {
    /// Records of a page: a number that fills rows of two, three and four cards, or a screen of rows.
    pub fn rows(&self) -> usize {
        match (self.cards, self.dense) {
            (true, _) => 24,
            (false, false) => 25,
            (false, true) => 50,
        }
    }
}

/// Everything the page is made of.
pub struct Findings<'a> {
    pub address: &'a Address,
    pub look: &'a Look,
    pub answer: &'a Answer,
    pub kinds: &'a [Kind],
    pub items: &'a [Item],
    /// Titles by id, of records that stand alone on a map.
    pub named: HashMap<String, String>,
    /// What a curator shows first.
    pub first: &'a [Item],
    /// The caller keeps searches.
    pub may_save: bool,
    /// Counts by type, where there is more than one.
    pub types: &'a [(String, u64)],
    pub tries: Vec<Try>,
    pub behind: bool,
    /// The type was not chosen: everything that was found is of it.
    pub implied: bool,
    /// What the records are called that something is looked for below.
    pub places: &'a Places,
    /// The trees beside the results.
    pub trees: Vec<FacetView>,
    /// The caller may change records of the type.
    pub may_change: bool,
}

impl Findings<'_> {
    fn kind(&self) -> Option<&Kind> {
        self.kinds.iter().find(|kind| kind.name() == self.address.type_name)
    }

    fn chips(&self, language: Language) -> Vec<Chip> {
        let facets = Facets {
            address: self.address,
            called: self.places,
            language,
        };
        let mut chips = facets.chips(self.kind(), self.kinds.len() > 1 && !self.implied);
        for chip in chips.iter_mut().filter(|chip| chip.field == INSIDE) {
            if let Some((title, _)) = self.places.get(&chip.value) {
                chip.value.clone_from(title);
            }
            chip.field = language.text("search.in");
        }
        chips
    }

    /// What to try where nothing was found, not yet counted.
    pub fn tries(&self, language: Language) -> Vec<Try> {
        nothing::tries(self.address, &self.chips(language), self.kinds.len() > 1, language)
    }

    /// Builds the page.
    pub fn page(mut self, mut page: Page) -> SearchPage {
        let trees = std::mem::take(&mut self.trees);
        let (address, look, language) = (self.address, self.look, page.language);
        let kind = self.kind();
        page.query.clone_from(&address.q);
        let facets = Facets {
            address,
            called: self.places,
            language,
        };
        let columns = kind.map(|kind| kind.columns(&look.columns)).unwrap_or_default();
        let rows = Rows {
            address,
            kinds: self.kinds,
            kind,
            columns: &columns,
            cards: look.cards,
            called: self.places,
            marks: &self.answer.marks,
            language,
        };
        let heading = kind.map_or_else(|| language.text("search.everything"), |kind| kind.label(language));
        let chips = self.chips(language);
        let reach = MAX_OFFSET + look.rows();
        let pager = Pager::new(address.page, self.answer.total, look.rows(), reach);
        let types = facets.types(self.types, self.kinds);
        let counted = kind.map(|kind| facets.of(kind, &self.answer.facets));
        SearchPage {
            q: address.q.clone(),
            about: about(&heading, address, &chips, self.answer.total, language),
            heading,
            description: kind.map(|kind| kind.description(language)).unwrap_or_default(),
            total: self.answer.total,
            refined: is_refined(address),
            clear_href: address.with(|a| {
                a.chosen.clear();
                a.area = None;
                a.more.clear();
                a.find.clear();
            }),
            facets: types
                .into_iter()
                .chain(trees)
                .chain(counted.into_iter().flatten())
                .collect(),
            more_facets: more_facets(kind, address, language),
            more_fields: fields(address, |_| {}),
            columns: rows.heads(),
            rows: rows.all(self.first, self.items),
            table: !look.cards,
            map: self.map(language),
            timeline: self.timeline(language),
            dense: look.dense,
            views: self.views(),
            densities: densities(address, look),
            choices: choices(kind, look, language),
            choice_fields: fields(address, |a| a.columns.clear()),
            sorts: Sorts::of(self.address, kind, &columns, language),
            sort_fields: fields(address, |a| a.sort.clear()),
            jump: pager
                .as_ref()
                .filter(|pager| pager.numbers().contains(&None))
                .map(|pager| (pager.last, fields(address, |_| {}))),
            pager: pager.map(|p| {
                p.links(|n| {
                    Address {
                        page: n,
                        ..address.clone()
                    }
                    .href("/search")
                })
            }),
            far: self.answer.total > reach as u64,
            hints: self.answer.hints.clone(),
            understood: self.understood(language),
            instead: self.instead(),
            behind: self.behind,
            exports: super::exports::links(address, kind.is_some()),
            api_href: super::exports::api(address),
            share_href: page.absolute(&shared(address, look)),
            feeds: crate::modules::search::feed::links(&question_of(address)),
            save: self.may_save.then(|| Save {
                query: question_of(address),
                name: named(address, &chips),
            }),
            pick: self.may_change.then(|| picked(address)),
            picked_of: address.type_name.clone(),
            table_href: self.may_change.then(|| in_table(address)),
            tries: self.tries,
            chips,
            page,
        }
    }

    fn map(&self, language: Language) -> Option<MapView> {
        let places = self.answer.places.as_ref()?;
        Some(MapView::of(
            self.address,
            places,
            self.answer.total,
            &self.named,
            language,
        ))
    }

    fn timeline(&self, language: Language) -> Option<TimelineView> {
        let dates = Dates::of(self.address, self.kind(), self.kinds, language);
        (self.look.above == Above::Timeline).then(|| dates.view(&self.answer.facets, self.answer.total, language))
    }

    /// Ways to look at the list: on a map and in time where the records may have a place and a time.
    fn views(&self) -> Vec<(&'static str, String, bool)> {
        let (address, look) = (self.address, self.look);
        let kinds = || {
            self.kinds
                .iter()
                .filter(|kind| self.kind().is_none_or(|one| one.name() == kind.name()))
        };
        let link = |view: View| {
            let keep = if view.is_kept() { "&keep=view" } else { "" };
            format!("{}{keep}", address.with(|a| a.view = Some(view)))
        };
        let plain = look.above == Above::Nothing;
        let mut views = vec![
            ("search.cards", link(View::Cards), plain && look.cards),
            ("search.table", link(View::Table), !look.cards),
        ];
        let mapped = look.above == Above::Map;
        if mapped || kinds().any(Kind::has_places) {
            views.push(("search.map", link(View::Map), mapped));
        }
        let timed = look.above == Above::Timeline;
        if timed || kinds().any(has_time) {
            views.push(("search.timeline", link(View::Timeline), timed));
        }
        views
    }

    fn understood(&self, language: Language) -> Vec<String> {
        let told = Told {
            kinds: self.kinds,
            language,
        };
        let tree = self.answer.understood.as_ref();
        let tree = tree.filter(|tree| self.answer.total == 0 || tree.is_more_than_words());
        tree.map(|tree| told.lines(tree)).unwrap_or_default()
    }

    fn instead(&self) -> Option<(String, String)> {
        let text = self.answer.instead.clone()?;
        let href = self.address.with(|a| a.q.clone_from(&text));
        Some((text, href))
    }
}
