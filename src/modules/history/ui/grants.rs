//! What the ledger calls by more than an id, in words: grants (`type:fungus#viewer@account:ID`) and what opens at a date
//! (`embargo:record:ID`, `embargo:type:fungus#donor`).

use serde_json::Value;

use crate::kernel::error::Result;
use crate::kernel::ledger::{self, Change, GRANT};
use crate::kernel::ui::{Page, readable, who};
use crate::modules::history::service::Service;

/// What a change of such a thing touched; `None` for anything else.
pub async fn title(service: &Service, page: &Page, change: &Change) -> Result<Option<String>> {
    if let Some(object) = change.entity.strip_prefix("embargo:") {
        return opens(service, page, object).await;
    }
    if change.kind != GRANT {
        return Ok(None);
    }
    let Some((place, rest)) = change.entity.split_once('#') else {
        return Ok(None);
    };
    let Some((relation, subject)) = rest.split_once('@') else {
        return Ok(None);
    };
    // What groups were called stands in the state that gave it.
    let mut names = Value::Null;
    for number in [change.version, change.version - 1] {
        let state = ledger::version(&service.db, &change.entity, number).await?;
        if let Some(text) = state.and_then(|state| state.document) {
            names = serde_json::from_str(&text)?;
            break;
        }
    }
    let group = |named: &str| {
        let id = named.strip_prefix("group:")?.split('#').next()?;
        Some(names.get(id).and_then(Value::as_str).unwrap_or(id).to_owned())
    };
    let holder = match group(subject) {
        Some(name) => name,
        None => who(page, &service.access, subject).await,
    };
    let language = page.language;
    if let Some(group) = group(place) {
        let words = [("name", &holder as &dyn std::fmt::Display), ("place", &group)];
        return Ok(Some(language.with("why.member", &words)));
    }
    let label = match place.split_once(':') {
        Some((_, name)) => {
            let known = service.access.collections().await?;
            let found = known.into_iter().find(|collection| collection.name == name);
            found.map_or_else(|| name.to_owned(), |collection| collection.called(language))
        }
        None => language.text("grants.house").to_owned(),
    };
    let role = language.get(&format!("role.{relation}"));
    let role = role.map_or_else(|| readable(relation), str::to_owned);
    let words = [
        ("name", &holder as &dyn std::fmt::Display),
        ("role", &role),
        ("place", &label),
    ];
    Ok(Some(language.with("changes.grant", &words)))
}

/// The record, or the collection with the field, that opens at a date.
async fn opens(service: &Service, page: &Page, object: &str) -> Result<Option<String>> {
    if let Some(id) = object.strip_prefix("record:") {
        let seen = service.seen(page, vec![id.to_owned()], false).await?;
        return Ok(seen.get(id).map(|(title, _)| title.clone()));
    }
    let field = object.strip_prefix("type:").and_then(|rest| rest.split_once('#'));
    Ok(field.map(|(name, field)| format!("{} · {}", readable(name), readable(field))))
}

/// The first thing that a change set touched, where it has no page of its own.
pub async fn first(service: &Service, page: &Page, changes: &[Change]) -> Result<Option<String>> {
    match changes.first() {
        Some(first) => title(service, page, first).await,
        None => Ok(None),
    }
}
