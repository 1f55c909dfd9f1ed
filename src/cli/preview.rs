//! `app import --preview`: what the import wizard shows, in a terminal: how the file is read, what it becomes, what would
//! happen to each row. The draft that it takes is thrown away again; nothing is left.

use std::path::Path;

use serde_json::{Value, json};

use super::import::{Args, opened, write_report};
use super::job;
use super::output;
use super::reading::with_flags;
use super::session::Session;
use crate::kernel::error::{Code, Error, Result};

/// Rows of the file and changed records that are printed.
const SAMPLE: usize = 5;
/// Characters of a cell.
const CELL: usize = 24;
/// Milliseconds that one request waits.
const WAIT: u64 = 10_000;

/// Previews one file and answers what it would come to.
pub async fn one(args: &Args, session: &Session, file: &Path) -> Result<Value> {
    let (id, name) = draft(session, file).await?;
    let outcome = whole(args, session, &id, &name).await;
    session.client().delete(&format!("/api/import-drafts/{id}")).await?;
    let outcome = outcome?;
    if !args.json {
        tell(&name, &outcome)?;
    }
    Ok(outcome)
}

/// How a file would be read.
pub async fn sample(session: &Session, file: &Path) -> Result<Value> {
    let client = session.client();
    let id = draft(session, file).await?.0;
    let path = format!("/api/import-drafts/{id}");
    let draft = client.get(&format!("{path}?sample=true")).await;
    client.delete(&path).await?;
    Ok(draft?["sample"].take())
}

/// Hands a file over; answers its draft and its name.
pub(super) async fn draft(session: &Session, file: &Path) -> Result<(String, String)> {
    let (name, content) = opened(file).await?;
    let query = serde_html_form::to_string([("name", name.as_str())]).map_err(Error::internal)?;
    let address = format!("/api/uploads?{query}");
    let draft = session
        .client()
        .upload(&address, "application/octet-stream", content)
        .await?;
    Ok((draft["id"].as_str().unwrap_or_default().to_owned(), name))
}

async fn whole(args: &Args, session: &Session, id: &str, name: &str) -> Result<Value> {
    let client = session.client();
    let path = format!("/api/import-drafts/{id}");
    client.patch(&path, &choices(args, session).await?).await?;
    let draft = loop {
        let draft = client.get(&format!("{path}?sample=true&wait={WAIT}")).await?;
        if draft["found"].is_object() {
            break draft;
        }
        match draft["looking"]["state"].as_str() {
            Some("failed" | "cancelled") => return Err(job::failure(&draft["looking"], name)),
            // Only a file that takes longer gets a bar.
            _ => {
                let looking = draft["looking"]["job"].as_str().unwrap_or_default();
                if !looking.is_empty() {
                    job::watch(client, looking, &format!("{name}: reading")).await?;
                }
            }
        }
    };
    let begun = client.post(&format!("{path}/preview"), &json!({})).await?;
    let preview = begun["job"].as_str().unwrap_or_default().to_owned();
    let ended = job::watch(client, &preview, &format!("{name}: trying every row")).await?;
    if ended["state"] != "done" {
        return Err(job::failure(&ended, name));
    }
    let preview_of = client.get(&format!("/api/imports/{preview}")).await?;
    if let Some(report) = &args.report {
        write_report(session, &preview, report).await?;
    }
    Ok(json!({
        "file": name, "sample": draft["sample"], "found": draft["found"],
        "imported_before": draft["imported_before"], "preview": preview_of,
    }))
}

async fn choices(args: &Args, session: &Session) -> Result<Value> {
    let mut choices = json!({});
    for (name, value) in args.reading.query() {
        choices["reading"][name] = match name {
            "header_row" => json!(value.parse::<u32>().ok()),
            "skip_empty_columns" => json!(true),
            _ => json!(value),
        };
    }
    if let Some(name) = &args.type_name {
        let path = format!("/api/types/{name}");
        let there = match session.client().get(&path).await {
            Ok(_) => true,
            Err(error) if error.code() == Code::NotFound => false,
            Err(error) => return Err(error),
        };
        choices[if there { "into" } else { "name" }] = json!(name);
    }
    if let Some(key) = &args.key {
        choices["key"] = json!(key);
    }
    if let Some(visibility) = &args.visibility {
        choices["visibility"] = json!(visibility);
    }
    if !args.missing.is_empty() {
        choices["missing"] = json!(args.missing);
    }
    Ok(choices)
}

fn cell(text: &str) -> String {
    let line = text.replace(['\n', '\r', '\t'], " ");
    if line.chars().nth(CELL).is_none() {
        return line;
    }
    format!("{}…", line.chars().take(CELL - 1).collect::<String>())
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => cell(text),
        other => cell(&other.to_string()),
    }
}

fn list<'v>(value: &'v Value, key: &str) -> impl Iterator<Item = &'v Value> + use<'v> {
    value[key].as_array().into_iter().flatten()
}

fn tell(name: &str, outcome: &Value) -> Result<()> {
    let (sample, found, preview) = (&outcome["sample"], &outcome["found"], &outcome["preview"]);
    let parts = ["format", "encoding", "delimiter", "sheet", "entry", "header_row"];
    let read: Vec<String> = parts
        .iter()
        .filter_map(|part| {
            let value = &sample[*part];
            let value = if value.is_object() { &value["name"] } else { value };
            (!value.is_null()).then(|| format!("{} {}", part.replace('_', " "), words(value).escape_debug()))
        })
        .collect();
    output::line(&format!("{name}: {}", read.join(", ")))?;
    let columns: Vec<String> = list(sample, "columns").map(|c| words(&c["name"])).collect();
    let headings: Vec<&str> = columns.iter().map(String::as_str).collect();
    let rows = list(sample, "rows").take(SAMPLE);
    let rows: Vec<Vec<String>> = rows.map(|row| list(row, "cells").map(words).collect()).collect();
    output::table(&headings, &rows)?;
    for warning in list(sample, "warnings") {
        output::line(&format!(
            "  {}",
            with_flags(warning["message"].as_str().unwrap_or_default())
        ))?;
    }
    for doubt in list(sample, "doubts") {
        let about: Vec<String> = list(doubt, "columns").map(words).collect();
        let examples: Vec<String> = list(doubt, "examples").map(words).collect();
        let message = with_flags(doubt["message"].as_str().unwrap_or_default());
        output::line(&format!("  {} ({}): {message}", about.join(", "), examples.join(", ")))?;
    }
    fields(found)?;
    let count = |key: &str| preview[key].as_i64().unwrap_or(0);
    output::line(&format!(
        "\n{} rows: {} new, {} changed, {} unchanged, {} refused (nothing was written)",
        found["rows"],
        count("created"),
        count("updated"),
        count("unchanged"),
        count("refused")
    ))?;
    if let Some(job) = outcome["imported_before"].as_str() {
        output::line(&format!("The same file was imported before, by the job {job}."))?;
    }
    changed(preview)?;
    let refusals = list(preview, "refusals").map(|r| {
        ["row", "field", "value", "message"]
            .map(|key| words_long(&r[key]))
            .to_vec()
    });
    let refusals: Vec<Vec<String>> = refusals.collect();
    if !refusals.is_empty() {
        output::line("\nRefused:")?;
        output::table(&["row", "field", "value", "why"], &refusals)?;
    }
    Ok(())
}

fn words_long(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| words(value), |text| text.replace(['\n', '\r', '\t'], " "))
}

fn fields(found: &Value) -> Result<()> {
    let definition = &found["definition"];
    let mark = |field: &Value| {
        let name = &field["name"];
        let marks = [
            (definition["key"] == *name, "key"),
            (definition["title"] == *name, "title"),
            (definition["image"] == *name, "image"),
            (field["facet"] == true, "filter"),
            (field["column"] == true, "column"),
        ];
        let set: Vec<&str> = marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect();
        set.join(", ")
    };
    let rows = list(definition, "fields").map(|f| vec![words(&f["name"]), words(&f["kind"]), mark(f)]);
    let rows: Vec<Vec<String>> = rows.collect();
    output::line(&format!(
        "\nBecomes \"{}\", seen by {}:",
        definition["name"].as_str().unwrap_or_default(),
        definition["visibility"].as_str().unwrap_or("members")
    ))?;
    output::table(&["field", "kind", ""], &rows)?;
    let left: Vec<String> = list(found, "left_out").map(words).collect();
    if !left.is_empty() {
        output::line(&format!("Left out, as no row has a value in it: {}", left.join(", ")))?;
    }
    Ok(())
}

fn changed(preview: &Value) -> Result<()> {
    let changes: Vec<Vec<String>> = list(preview, "changes")
        .take(SAMPLE)
        .flat_map(|record| {
            list(record, "fields").map(|field| {
                vec![
                    words(&record["title"]),
                    words(&field["field"]),
                    words(&field["before"]),
                    words(&field["after"]),
                ]
            })
        })
        .collect();
    if changes.is_empty() {
        return Ok(());
    }
    output::line("\nChanged:")?;
    output::table(&["record", "field", "before", "after"], &changes)
}
