//! What every page knows of the request and the house: language, caller, navigation, address, form token, theme.

mod who;

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};

pub use who::{Who, initials};

use super::assets;
use super::flash::{Flash, Toast};
use crate::kernel::access::{Access, Caller, Object, Permission};
use crate::kernel::http::{RequestId, Viewing};
use crate::kernel::i18n::Language;
use crate::kernel::module::{NavEntry, NavPlace};

/// What the pages of one house share. Put into each request's extensions by the middleware; without it a page has no
/// navigation and relative addresses.
#[derive(Clone, Default)]
pub struct Shell {
    /// Entries of the main navigation, of all modules.
    pub navigation: Arc<[NavEntry]>,
    /// Where people reach the house, without a slash at the end.
    pub public_url: Arc<str>,
    pub access: Access,
    /// What the house speaks with readers who name no language.
    pub language: Language,
}

impl Shell {
    /// Sorts the entries by their order.
    pub fn new(mut navigation: Vec<NavEntry>, public_url: &str, access: Access) -> Self {
        navigation.sort_by_key(|entry| (entry.order, entry.href));
        Self {
            navigation: navigation.into(),
            public_url: public_url.trim_end_matches('/').into(),
            access,
            language: Language::default(),
        }
    }

    /// With the language of the house.
    #[must_use]
    pub fn speaking(self, language: Language) -> Self {
        Self { language, ..self }
    }
}

/// The token that forms of this caller carry. Put into the request's extensions by the middleware.
#[derive(Clone, Debug, Default)]
pub struct CsrfToken(pub String);

/// Light or dark as chosen by the reader; without a choice the device decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    Light,
    Dark,
}

impl Theme {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
    fn from_cookies(headers: &HeaderMap) -> Option<Self> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok());
        cookies
            .flat_map(|line| line.split(';'))
            .find_map(|pair| match pair.trim() {
                "theme=light" => Some(Self::Light),
                "theme=dark" => Some(Self::Dark),
                _ => None,
            })
    }
}

/// An entry of the navigation as this caller sees it.
#[derive(Clone, Debug)]
pub struct NavItem {
    /// Key of its label.
    pub label: &'static str,
    pub href: &'static str,
    /// The page shown is this entry's or below it.
    pub current: bool,
    pub place: NavPlace,
}

/// A step of the way to a page. Without an address it is the page itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crumb {
    pub label: String,
    pub href: Option<String>,
}

impl Crumb {
    pub fn to(label: impl Into<String>, href: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            href: Some(href.into()),
        }
    }
    pub fn here(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            href: None,
        }
    }
}

/// See the module's text. Every page template has a field `page: Page`.
#[derive(Clone, Debug)]
pub struct Page {
    pub language: Language,
    pub caller: Caller,
    pub navigation: Vec<NavItem>,
    /// For the hidden field `csrf` of every form that posts.
    pub csrf: String,
    /// The path, without the question.
    pub path: String,
    /// The whole address from the root: path and question.
    pub here: String,
    /// The address other sites should use.
    pub canonical: String,
    /// Where people reach the house.
    pub public_url: String,
    pub request_id: String,
    pub theme: Option<Theme>,
    /// Which picture the reader's account has, as signing in leaves it in a cookie beside the theme.
    pub face: Option<String>,
    /// What stands in the search box of the header.
    pub query: String,
    /// The page was asked for by its address alone, so that the address leads here again.
    pub reading: bool,
    /// People can sign in here: there are accounts.
    pub people: bool,
    /// Somebody looks as another: who that is.
    pub viewing: Option<Viewing>,
    /// What the form before this page did, in words.
    pub toast: Option<Toast>,
}

impl Page {
    /// A page of nothing in particular, where there is no request: tests and answers outside the house.
    pub fn bare(path: &str) -> Self {
        Self {
            language: Language::default(),
            caller: Caller::anonymous(),
            navigation: Vec::new(),
            csrf: String::new(),
            path: path.to_owned(),
            here: path.to_owned(),
            canonical: path.to_owned(),
            public_url: String::new(),
            request_id: String::new(),
            theme: None,
            face: None,
            query: String::new(),
            reading: true,
            people: false,
            viewing: None,
            toast: None,
        }
    }

    /// The page of a request. Never fails: what is missing is left out.
    pub async fn of(parts: &Parts) -> Self {
        let shell = parts.extensions.get::<Shell>().cloned().unwrap_or_default();
        let caller = parts
            .extensions
            .get::<Caller>()
            .cloned()
            .unwrap_or_else(Caller::anonymous);
        // Nested routers see a shortened address; people see the original one.
        let uri = parts
            .extensions
            .get::<axum::extract::OriginalUri>()
            .map_or(&parts.uri, |original| &original.0);
        let path = uri.path().to_owned();
        let language = Language::of_request(parts);
        Self {
            language,
            navigation: navigation(&shell, &caller, &path).await,
            csrf: parts
                .extensions
                .get::<CsrfToken>()
                .map(|t| t.0.clone())
                .unwrap_or_default(),
            here: uri
                .path_and_query()
                .map_or_else(|| path.clone(), |p| p.as_str().to_owned()),
            canonical: format!("{}{path}", shell.public_url),
            public_url: shell.public_url.to_string(),
            request_id: parts
                .extensions
                .get::<RequestId>()
                .map(|id| id.0.to_string())
                .unwrap_or_default(),
            theme: Theme::from_cookies(&parts.headers),
            face: who::face_of(&parts.headers),
            query: String::new(),
            reading: parts.method.is_safe(),
            people: shell.access.knows_people(),
            viewing: parts.extensions.get::<Viewing>().cloned(),
            toast: Flash::of(&parts.headers, language),
            caller,
            path,
        }
    }

    /// May the caller of this page do this anywhere in the house? For showing or hiding a control; the service decides again.
    pub async fn may(&self, access: &Access, permission: Permission) -> bool {
        self.may_of(access, permission, &Object::Anywhere).await
    }

    /// As [`Page::may`], to one thing.
    pub async fn may_of(&self, access: &Access, permission: Permission, object: &Object<'_>) -> bool {
        access.check(&self.caller, permission, object).await.unwrap_or(false)
    }

    /// The entries of a place in the header.
    fn at(&self, place: NavPlace) -> Vec<&NavItem> {
        self.navigation.iter().filter(|item| item.place == place).collect()
    }

    /// What everybody sees in the line.
    pub fn line(&self) -> Vec<&NavItem> {
        self.at(NavPlace::Line)
    }

    /// The menu of those who look after the house.
    pub fn house(&self) -> Vec<&NavItem> {
        self.at(NavPlace::House)
    }

    /// The page shown is one of that menu.
    pub fn in_house(&self) -> bool {
        self.house().iter().any(|item| item.current)
    }

    /// The menu of one's own account, above signing out.
    pub fn account(&self) -> Vec<&NavItem> {
        self.at(NavPlace::Account)
    }

    /// The address of a static file.
    pub fn asset(&self, name: &str) -> String {
        assets::href(name)
    }

    /// A whole address for a path.
    pub fn absolute(&self, path: &str) -> String {
        format!("{}{path}", self.public_url)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Page {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts).await)
    }
}

async fn navigation(shell: &Shell, caller: &Caller, path: &str) -> Vec<NavItem> {
    let mut items = Vec::with_capacity(shell.navigation.len());
    for entry in shell.navigation.iter() {
        // A navigation without an entry is better than no page: an error of the check hides the entry.
        if !shell
            .access
            .check(caller, entry.permission, &Object::Anywhere)
            .await
            .unwrap_or(false)
        {
            continue;
        }
        let below = path
            .strip_prefix(entry.href)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        items.push(NavItem {
            label: entry.label,
            href: entry.href,
            current: below,
            place: entry.place(),
        });
    }
    items
}
