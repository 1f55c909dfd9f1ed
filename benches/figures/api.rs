//! The addresses of the program's API that the figures use, in one place.

use std::path::Path;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use super::load::Ask;
use super::server::{app, finish};

/// The fields counted beside every search.
pub const FACETS: [&str; 5] = [
    "classification",
    "department",
    "physical_location",
    "creator.nationality",
    "creator.party_type",
];

/// A token that may do everything.
pub fn token(folder: &Path, database: Option<&str>) -> Result<String> {
    let text = finish(app(folder, database).args(["token", "create", "--json"]))?;
    let answer: Value = serde_json::from_str(&text).context("token create --json prints JSON")?;
    let token = answer
        .get("token")
        .or_else(|| answer.get("secret"))
        .and_then(Value::as_str);
    token.map(str::to_owned).with_context(|| format!("no token in {text}"))
}

/// A search with all facets.
pub fn search(address: &str, words: &str) -> Ask {
    let mut url = format!("{address}/api/search?type=object&limit=25&q={words}");
    for facet in FACETS {
        url.push_str("&facet=");
        url.push_str(facet);
    }
    Ask { url, body: None }
}

/// One record.
pub fn record(address: &str, id: &str) -> Ask {
    Ask {
        url: format!("{address}/api/records/{id}"),
        body: None,
    }
}

/// Ids of some records.
pub async fn ids(address: &str, token: &str, count: usize) -> Result<Vec<String>> {
    let mut ids = Vec::new();
    let mut cursor: Option<String> = None;
    let http = reqwest::Client::new();
    while ids.len() < count {
        let after = cursor.as_ref().map(|c| format!("&cursor={c}")).unwrap_or_default();
        let url = format!("{address}/api/search?type=object&limit=200{after}");
        let page: Value = http
            .get(&url)
            .bearer_auth(token)
            .send()
            .await?
            .error_for_status()?
            .json()
            .await?;
        let items = page
            .get("items")
            .and_then(Value::as_array)
            .context("a search answers items")?;
        ids.extend(
            items
                .iter()
                .filter_map(|i| i.get("id").and_then(Value::as_str))
                .map(str::to_owned),
        );
        cursor = page.get("next").and_then(Value::as_str).map(str::to_owned);
        if cursor.is_none() {
            break;
        }
    }
    ids.truncate(count);
    Ok(ids)
}

/// A new record.
pub fn create(address: &str, n: usize) -> Ask {
    let body = json!({
        "type": "note",
        "document": { "title": format!("Note number {n}"), "body": "Some words that a person would type into a form." },
    });
    Ask {
        url: format!("{address}/api/records"),
        body: Some(body.to_string()),
    }
}

/// The type the new records are of.
pub fn note_type(address: &str) -> Ask {
    let body = json!({
        "name": "note",
        "title": "title",
        "fields": [{ "name": "title", "kind": "text" }, { "name": "body", "kind": "text" }],
    });
    Ask {
        url: format!("{address}/api/types"),
        body: Some(body.to_string()),
    }
}
