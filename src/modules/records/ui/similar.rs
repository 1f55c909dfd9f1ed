//! The quiet list at the end of a record's page: a few that are much like it. The page does without where no index answers.

use super::Pages;
use super::names::{summary, title};
use crate::kernel::ui::Page;
use crate::modules::records::model::named::named;

/// Records listed.
const SIMILAR: usize = 6;

/// A record much like the one shown.
pub struct Alike {
    pub id: String,
    pub title: String,
    pub about: String,
}

impl Pages {
    /// Records much like this one.
    pub(super) async fn similar(&self, page: &Page, id: &str) -> Vec<Alike> {
        let found = self.service.similar(&self.search, &page.caller, id, SIMILAR).await;
        let found = found.inspect_err(|error| tracing::debug!(?error, "no similar records are shown"));
        let mut alike = Vec::new();
        for other in found.unwrap_or_default() {
            let definition = &other.stored_type.definition;
            let document = &other.record.document;
            let called = self.service.called(&page.caller, definition, &[document]).await;
            let told = named(&definition.fields, document, &called.unwrap_or_default());
            let about = summary(definition, &told, other.level, page.language);
            alike.push(Alike {
                title: title(&other),
                about: about.unwrap_or_default(),
                id: other.record.id,
            });
        }
        alike
    }
}
