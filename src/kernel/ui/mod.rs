//! The design system: the page every template extends, the filters, the static files and the error page.
//!
//! Templates are server-rendered and work without scripts. Nothing is inline: styles and scripts are static files under
//! addresses that carry their hash, so that a strict Content-Security-Policy and long caching both hold.
//!
//! Components are macros of `templates/parts.html` (`{% import "kernel/ui/templates/parts.html" as parts %}`), form fields
//! ([`form`]) and plots ([`plot`]) are values that show themselves. The page `/style` shows each with the lines that make it.

pub mod assets;
mod changes;
mod error;
pub mod filters;
mod flash;
pub mod form;
mod html;
mod languages;
pub mod map;
mod page;
mod pager;
mod parts;
mod plate;
pub mod plot;
pub mod rich;
mod value;
pub mod words;

pub use changes::{Difference, HistoryEntry, actor, asker, differences, operation, set_name, who};
pub use error::error_page;
pub use flash::{Flash, Toast};
#[allow(unused_imports, reason = "a build without modules has no pages")]
pub(crate) use html::view;
pub use html::{Html, View};
pub use languages::LanguageLink;
pub use page::{Crumb, CsrfToken, NavItem, Page, Shell, Theme, Who, initials};
pub use pager::{PageLink, Pager, PagerLinks};
pub use parts::{Bar, Event, Step, Twig};
pub use plate::{Plate, host_of, may_load};
pub use value::{Piece, label, pieces, plain, readable, said, shorten, texts};

#[cfg(test)]
mod contrast;
#[cfg(test)]
mod tests;
