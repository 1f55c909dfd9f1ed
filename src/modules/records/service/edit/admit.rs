//! What stands in the way of a write: values its type does not allow, links that lead nowhere, a version that is not the
//! newest. What an editor may not see stays as it was, and is not told.

use serde_json::{Map, Value, json};

use super::state::no_target;
use crate::contract::records::RecordType;
use crate::kernel::access::{Caller, Level};
use crate::kernel::error::{Code, Error, FieldIssue, Result};
use crate::modules::records::model::{settle, shape, terms, validate};
use crate::modules::records::service::numbers::kept;
use crate::modules::records::service::{Rules, Service, parse_state};
use crate::modules::records::store;

impl Service {
    /// A link may lead only to what the caller can see; anything else is "not there". `own`: what is made along with it.
    pub(super) async fn check_targets(
        &self,
        caller: &Caller,
        definition: &RecordType,
        document: &Map<String, Value>,
        own: &[String],
    ) -> Result<()> {
        let links = Rules::of(definition).links(document);
        if links.is_empty() {
            return Ok(());
        }
        let ids: Vec<String> = links.iter().map(|(_, to)| to.clone()).collect();
        let sights = self.see(caller, &ids).await?;
        let hidden = links
            .into_iter()
            .filter(|(_, to)| !own.contains(to) && !sights.iter().any(|s| s.id == *to && !s.deleted));
        let issues: Vec<FieldIssue> = hidden.map(|(field, to)| no_target(field, &to, None)).collect();
        if issues.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid_fields(issues))
        }
    }

    /// The answer to a write that is based on an old version: all three states, as the caller may see them.
    pub(in super::super) async fn stale(
        &self,
        caller: &Caller,
        id: &str,
        base: i64,
        yours: Option<Map<String, Value>>,
    ) -> Error {
        let (row, stored, level) = match self.look_live(caller, id).await {
            Ok(found) => found,
            Err(error) => return error,
        };
        let version = row.version;
        let mut error = Error::new(
            Code::Stale,
            format!(
                "The record {id} stands at version {version}, not {base}. Compare both states, then repeat your change with If-Match: \"{version}\"."
            ),
        );
        let fields = &stored.definition.fields;
        let show = |version: i64, text: Option<&str>| {
            let state = parse_state(text).ok().flatten()?;
            Some(
                json!({ "version": version, "visibility": state.visibility, "document": shape::cut(fields, level, state.document) }),
            )
        };
        if let Some(current) = show(version, row.document.as_deref()) {
            error = error.with("current", current);
        }
        if let Ok(Some(text)) = store::document(&self.db, id, base).await
            && let Some(old) = show(base, Some(&text))
        {
            error = error.with("base", old);
        }
        match yours {
            Some(document) => error.with("yours", json!({ "document": shape::cut(fields, level, document) })),
            None => error,
        }
    }

    /// Names the records that hold a unique value, as far as the caller may see them.
    pub(super) async fn name_owners(&self, caller: &Caller, error: Error) -> Error {
        let Some(Value::Array(owners)) = error.extra().get("records") else {
            return error;
        };
        let ids: Vec<String> = owners.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect();
        let sights = self.see(caller, &ids).await.unwrap_or_default();
        let seen: Vec<String> = sights.into_iter().map(|s| s.id).collect();
        error.with("records", seen)
    }
}

/// Puts what was written into the form in which it is stored, checks an edited document and puts back what its editor could
/// not see.
pub(in super::super) fn admit(
    definition: &RecordType,
    level: Level,
    before: Option<&Map<String, Value>>,
    edited: &Map<String, Value>,
) -> Result<Map<String, Value>> {
    let cut = (level != Level::Restricted).then(|| shape::cut_definition(definition, level));
    let visible = cut.as_ref().unwrap_or(definition);
    let edited = settle::settled(&visible.fields, edited).into_owned();
    let retired = terms::newly_given(visible, before, &edited);
    if !retired.is_empty() {
        return Err(Error::invalid_fields(retired));
    }
    if level == Level::Restricted {
        let mut issues = validate::validate(definition, &edited);
        issues.extend(
            before
                .map(|before| kept(definition, before, &edited))
                .unwrap_or_default(),
        );
        return if issues.is_empty() {
            Ok(edited)
        } else {
            Err(Error::invalid_fields(issues))
        };
    }
    let mut issues = validate::validate(visible, &edited);
    if !issues.is_empty() {
        return Err(Error::invalid_fields(issues));
    }
    let nothing = Map::new();
    let whole = shape::keep_hidden(
        &definition.fields,
        level,
        before.unwrap_or(&nothing),
        edited,
        "",
        &mut issues,
    );
    if !issues.is_empty() {
        return Err(Error::invalid_fields(issues));
    }
    issues.extend(
        before
            .map(|before| kept(definition, before, &whole))
            .unwrap_or_default(),
    );
    if !issues.is_empty() {
        return Err(Error::invalid_fields(issues));
    }
    if validate::validate(definition, &whole).is_empty() {
        Ok(whole)
    } else {
        Err(unseen_fields())
    }
}

pub(super) fn unseen_fields() -> Error {
    Error::new(
        Code::Forbidden,
        "This record needs values in fields that you may not see. Ask somebody who may.",
    )
}
