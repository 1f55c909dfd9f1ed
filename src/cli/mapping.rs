//! `app import --mapping`: a file comes in by a mapping that is kept in the house, or that stands in a file of its own.

use std::path::Path;

use serde_json::{Value, json};

use super::client::encoded;
use super::import::{Args, searchable, tell, write_report};
use super::job;
use super::preview;
use super::session::Session;
use crate::kernel::error::{Code, Error, Result};

/// Bytes of a mapping.
const MOST: u64 = 200_000;

/// The mapping that was named: a file, TOML or JSON, or one that the house keeps.
pub async fn named(session: &Session, name: &str) -> Result<Value> {
    let file = Path::new(name);
    if !tokio::fs::try_exists(file).await? {
        return match session
            .client()
            .get(&format!("/api/import-mappings/{}", encoded(name)))
            .await
        {
            Ok(mut kept) => Ok(kept["mapping"].take()),
            Err(error) if error.code() == Code::NotFound => {
                let words = format!("\"{name}\" is neither a file nor a mapping that is kept here");
                Err(Error::invalid("--mapping", words))
            }
            Err(error) => Err(error),
        };
    }
    if tokio::fs::metadata(file).await?.len() > MOST {
        return Err(Error::invalid(
            "--mapping",
            format!("{name} has more than {MOST} bytes"),
        ));
    }
    let text = tokio::fs::read_to_string(file).await?;
    let wrong = |words: String| Error::invalid("--mapping", format!("{name} cannot be read: {words}"));
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(&text).map_err(|e| wrong(e.to_string()));
    }
    toml::from_str(&text).map_err(|e| wrong(e.to_string()))
}

/// Imports one file by a mapping.
pub async fn one(args: &Args, session: &Session, file: &Path, mapping: &Value) -> Result<Value> {
    let client = session.client();
    let (id, name) = preview::draft(session, file).await?;
    let path = format!("/api/import-drafts/{id}");
    let outcome = run(args, session, &path, &name, mapping).await;
    // What came of it keeps the file.
    client.delete(&path).await?;
    let outcome = outcome?;
    if !args.json {
        tell(args, &name, &outcome)?;
    }
    Ok(outcome)
}

async fn run(args: &Args, session: &Session, path: &str, name: &str, mapping: &Value) -> Result<Value> {
    let client = session.client();
    let mut choices =
        json!({ "mapping": mapping, "missing": args.missing, "reason": args.reason.as_deref().unwrap_or_default() });
    for (name, value) in args.reading.query() {
        choices["reading"][name] = match name {
            "header_row" => json!(value.parse::<u32>().ok()),
            "skip_empty_columns" => json!(true),
            _ => json!(value),
        };
    }
    client.patch(path, &choices).await?;
    let what = if args.dry_run { "preview" } else { "run" };
    let begun = client.post(&format!("{path}/{what}"), &json!({})).await?;
    let id = begun["job"].as_str().unwrap_or_default().to_owned();
    let job = job::watch(client, &id, name).await?;
    if job["state"] != "done" {
        return Err(job::failure(&job, name));
    }
    let outcome = searchable(client, &id, name).await?;
    if let Some(report) = &args.report {
        write_report(session, &id, report).await?;
    }
    Ok(outcome)
}
