//! The design system: the page every template extends, the filters, the static files and the error page.
//!
//! Templates are server-rendered and work without scripts. Nothing is inline: styles and scripts are static files under
//! addresses that carry their hash, so that a strict Content-Security-Policy and long caching both hold.

pub mod assets;
mod error;
pub mod filters;
mod html;
mod page;
mod pager;
mod value;

pub use error::error_page;
pub use html::{Html, View};
pub use page::{CsrfToken, NavItem, Page, Shell, Theme};
pub use pager::Pager;
pub use value::{Piece, pieces, readable};

#[cfg(test)]
mod tests;
