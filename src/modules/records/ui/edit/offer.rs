//! What the form of a record offers beside what was entered: titles of linked records, values in use, and which records can
//! be made on the way by their title alone.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value};

use super::form::Offer;
use crate::contract::records::{FieldKind, RECORDS_WRITE, RecordType};
use crate::kernel::access::Object;
use crate::kernel::search::FacetRequest;
use crate::kernel::ui::Page;
use crate::modules::records::model::path;
use crate::modules::records::ui::Pages;

/// Fields whose values in use are offered, and values of each.
const OFFERED: usize = 12;
const VALUES: usize = 100;
/// Linked records whose titles are looked up.
const TITLES: usize = 200;

impl Pages {
    /// The types that links of this one lead to whose records are made by a title alone, by this caller.
    pub(in super::super) async fn makable(&self, page: &Page, definition: &RecordType) -> Vec<String> {
        let links = path::linking(definition);
        let targets: BTreeSet<&String> = links.iter().filter_map(|leaf| leaf.field.target.as_ref()).collect();
        let mut made = Vec::new();
        for target in targets {
            let Ok(Some(stored)) = self.service.find_type(target).await else {
                continue;
            };
            let title = stored.definition.title.as_deref();
            let fits = |field: &crate::contract::records::Field| {
                let words = matches!(field.kind, FieldKind::Text | FieldKind::Term | FieldKind::Identifier);
                if title == Some(field.name.as_str()) {
                    words && !field.repeated && field.values.is_empty()
                } else {
                    !field.required
                }
            };
            let may = self
                .access
                .check(&page.caller, RECORDS_WRITE, &Object::Type(target))
                .await;
            let is_named = title.is_some_and(|title| stored.definition.fields.iter().any(|f| f.name == title));
            if may.unwrap_or_default() && is_named && stored.definition.fields.iter().all(fits) {
                made.push(target.clone());
            }
        }
        made
    }

    /// Titles of the linked records, and the values in use of terms that anybody may add to.
    pub(super) async fn offer(&self, page: &Page, definition: &RecordType, entered: &Map<String, Value>) -> Offer {
        let links = path::pairs(&path::linking(definition), entered).into_iter();
        let ids = links.map(|(_, id)| id).take(TITLES).collect();
        // A picker without titles is better than no form.
        let titles = self.service.titles_of(&page.caller, ids).await.unwrap_or_default();
        let leaves = path::leaves(&definition.fields);
        let open = leaves.iter().filter(|l| {
            l.field.kind == FieldKind::Term && l.field.values.is_empty() && (l.field.facet || l.field.column)
        });
        let requests: Vec<FacetRequest> = open
            .take(OFFERED)
            .map(|leaf| FacetRequest {
                field: leaf.path.clone(),
                limit: VALUES,
            })
            .collect();
        let mut terms = HashMap::new();
        if !requests.is_empty()
            && let Some(answer) = self.answer(page, &definition.name, requests).await
        {
            for facet in answer.facets {
                let values = facet.values.into_iter().filter_map(|v| v.value).collect();
                terms.insert(facet.field, values);
            }
        }
        Offer {
            titles,
            terms,
            made: self.makable(page, definition).await,
        }
    }
}
