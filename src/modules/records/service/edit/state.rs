//! A state on its way into the database, with everything that is kept beside it: head, version, identifiers, links.

use serde_json::{Map, Value};

use crate::contract::records::{RecordType, StoredType};
use crate::kernel::access::Level;
use crate::kernel::db::Tx;
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::kernel::id::is_id;
use crate::kernel::ledger::{self, NewVersion, Operation, Position};
use crate::modules::records::service::trees::Hung;
use crate::modules::records::service::{Rules, Service, state_text};
use crate::modules::records::store::{self, Head, Identifier, LIVE, Row};

/// A state on its way into the database.
pub(in super::super) struct State<'a> {
    pub id: &'a str,
    pub version: i64,
    pub operation: Operation,
    pub visibility: Level,
    pub created_at: i64,
    pub source: Option<(String, i64)>,
    pub document: &'a Map<String, Value>,
}

impl Service {
    /// Writes a state with its head, version, identifiers and links. `before`: the document whose look-ups stand.
    pub(in super::super) async fn put_state(
        &self,
        tx: &mut Tx<'_>,
        set: &str,
        definition: &RecordType,
        state: &State<'_>,
        before: Option<&Map<String, Value>>,
    ) -> Result<Position> {
        let text = state_text(&definition.name, state.visibility, state.document)?;
        let hung = Hung {
            id: state.id,
            visibility: state.visibility,
            document: state.document,
        };
        self.check_place(tx, definition, &hung, state.version == 1, before)
            .await?;
        let head = state.head(&definition.name, tx.now());
        if state.version > 1 && store::advance_heads(tx, vec![head.clone()]).await? == 0 {
            return Err(Error::new(Code::Stale, String::new()));
        }
        let rules = Rules::of(definition);
        let old = before.map(|b| rules.identifiers(b)).unwrap_or_default();
        let new = rules.identifiers(state.document);
        let own = |(field, value): &(String, String)| Identifier {
            field: field.clone(),
            value: value.clone(),
            record_id: state.id.to_owned(),
        };
        for gone in old.iter().filter(|pair| !new.contains(pair)) {
            store::drop_identifier(tx, &definition.name, &own(gone)).await?;
        }
        let added: Vec<Identifier> = new.iter().filter(|pair| !old.contains(pair)).map(own).collect();
        let wanted = added.len() as u64;
        if wanted > 0 && store::take_identifiers(tx, &definition.name, added.clone()).await? < wanted {
            return Err(taken(tx, &definition.name, &added).await?);
        }
        let links = rules.links(state.document);
        if before.is_some_and(|b| rules.links(b) != links) {
            store::drop_links(tx, &[state.id.to_owned()]).await?;
        }
        if !links.is_empty() {
            check_links(tx, &rules, &links).await?;
            let own = links.into_iter().map(|(field, to)| (state.id.to_owned(), field, to));
            store::insert_links(tx, own.collect()).await?;
        }
        if state.version == 1 {
            store::insert_heads(tx, vec![head]).await?;
        }
        self.hang(tx, definition, &hung).await?;
        let version = NewVersion {
            entity: state.id.to_owned(),
            version: state.version,
            kind: ledger::RECORD,
            operation: state.operation,
            document: Some(text),
        };
        ledger::append(tx, set, vec![version]).await
    }
}

impl State<'_> {
    fn head(&self, type_name: &str, now: i64) -> Head {
        Head {
            id: self.id.to_owned(),
            type_name: type_name.to_owned(),
            version: self.version,
            state: LIVE,
            visibility: self.visibility,
            created_at: self.created_at,
            updated_at: now,
            source: self.source.clone(),
        }
    }

    /// What a reader would find now.
    pub(super) fn row(&self, stored: &StoredType, now: i64) -> Result<Row> {
        let (source_blob, source_row) = self.source.clone().unzip();
        Ok(Row {
            id: self.id.to_owned(),
            type_name: stored.definition.name.clone(),
            version: self.version,
            state: LIVE.to_owned(),
            visibility: self.visibility.as_str().to_owned(),
            created_at: self.created_at,
            updated_at: now,
            source_blob,
            source_row,
            document: Some(state_text(&stored.definition.name, self.visibility, self.document)?),
            type_id: stored.id.clone(),
            type_version: stored.version,
            type_state: LIVE.to_owned(),
        })
    }
}

async fn check_links(tx: &mut Tx<'_>, rules: &Rules<'_>, links: &[(String, String)]) -> Result<()> {
    let ids: Vec<String> = links.iter().map(|(_, to)| to.clone()).collect();
    let live = store::live_types(tx, &ids).await?;
    let mut issues = Vec::new();
    for (field, to) in links {
        let wanted = rules.target(field);
        if live.get(to).map(|(kind, _)| kind.as_str()) != wanted {
            issues.push(no_target(field.clone(), to, wanted));
        }
    }
    if issues.is_empty() {
        Ok(())
    } else {
        Err(Error::invalid_fields(issues))
    }
}

pub(in super::super) fn no_target(path: String, to: &str, wanted: Option<&str>) -> FieldIssue {
    let kind = wanted.map(|w| format!(" of the type \"{w}\"")).unwrap_or_default();
    FieldIssue {
        path,
        message: format!("leads to {to}, but there is no such record{kind}."),
    }
}

/// The error of values that other records hold; their ids go along for who may see them.
async fn taken(tx: &mut Tx<'_>, type_name: &str, wanted: &[Identifier]) -> Result<Error> {
    let mut issues = Vec::new();
    let mut owners: Vec<String> = Vec::new();
    for identifier in wanted {
        let found = store::owners(&mut *tx, type_name, &identifier.field, [identifier.value.as_str()]).await?;
        if let Some(owner) = found.into_values().find(|o| *o != identifier.record_id) {
            issues.push(clash(&identifier.field, &identifier.value));
            owners.push(owner);
        }
    }
    Ok(Error::invalid_fields(issues).with("records", owners))
}

pub(in super::super) fn clash(field: &str, value: &str) -> FieldIssue {
    let message = if is_id(value) {
        "leads to a record that another one leads to already; only one may.".to_owned()
    } else {
        let value = crate::modules::records::model::shorten(value, 60);
        format!("\"{value}\" belongs to another record; no two have the same.")
    };
    FieldIssue {
        path: field.to_owned(),
        message,
    }
}
