//! `app import --from dina`: hands the sets over together, follows one import after another, reports each.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::Exit;
use super::import::{Args, searchable, tell_details, write_report};
use super::job;
use super::output;
use super::preview;
use super::session::Session;
use crate::kernel::error::{Error, Result};

/// Imports the sets in these files.
pub async fn all(
    args: &Args,
    files: &[PathBuf],
    dry_run: bool,
    reason: Option<&str>,
    session: &Session,
) -> Result<Exit> {
    let mut drafts = Vec::new();
    let outcome = sets(args, files, dry_run, reason, session, &mut drafts).await;
    // What was handed over is kept by what it became, or not at all.
    for id in &drafts {
        session.client().delete(&format!("/api/import-drafts/{id}")).await?;
    }
    let outcomes = outcome?;
    let refused = outcomes
        .iter()
        .any(|outcome| outcome["refused"].as_i64().unwrap_or(0) > 0);
    if args.json {
        output::json(&json!({ "imports": outcomes }))?;
    }
    Ok(if refused { Exit::Partly } else { Exit::Done })
}

async fn sets(
    args: &Args,
    files: &[PathBuf],
    dry_run: bool,
    reason: Option<&str>,
    session: &Session,
    drafts: &mut Vec<String>,
) -> Result<Vec<Value>> {
    let client = session.client();
    for file in files {
        drafts.push(preview::draft(session, file).await?.0);
    }
    let wanted = json!({ "drafts": drafts, "dry_run": dry_run, "reason": reason.unwrap_or_default() });
    let begun = client.post("/api/dina-imports", &wanted).await?;
    let mut next = begun["job"].as_str().map(str::to_owned);
    let mut outcomes: Vec<Value> = Vec::new();
    while let Some(id) = next.take() {
        let at = &begun["sets"][outcomes.len()];
        let set = at["set"].as_str().unwrap_or("set").to_owned();
        let ended = job::watch(client, &id, &set).await?;
        if ended["state"] != "done" {
            return Err(job::failure(&ended, &set));
        }
        let outcome = client.get(&format!("/api/imports/{id}")).await?;
        if let Some(path) = args
            .report
            .as_deref()
            .filter(|_| outcome["refused"].as_i64().unwrap_or(0) > 0)
        {
            write_report(session, &id, &beside(path, &set)).await?;
        }
        if !args.json {
            tell(&set, &outcome, dry_run)?;
        }
        next = outcome["next"].as_str().map(str::to_owned);
        outcomes.push(outcome);
    }
    if let Some(last) = outcomes.last_mut()
        && let Some(id) = last["job"].as_str().map(str::to_owned)
    {
        *last = searchable(client, &id, "the sets").await?;
    }
    Ok(outcomes)
}

/// The report of a set, beside the others: `refused-specimens.csv`.
fn beside(path: &Path, set: &str) -> PathBuf {
    let part = |part: Option<&std::ffi::OsStr>| part.map(|part| part.to_string_lossy().into_owned());
    let stem = part(path.file_stem()).unwrap_or_else(|| "refused".to_owned());
    let ending = part(path.extension()).unwrap_or_else(|| "csv".to_owned());
    path.with_file_name(format!("{stem}-{set}.{ending}"))
}

fn tell(set: &str, outcome: &Value, dry_run: bool) -> Result<()> {
    let count = |key: &str| outcome[key].as_i64().unwrap_or(0);
    let end = if dry_run { " (nothing was written)" } else { "" };
    output::line(&format!(
        "{set}, as {}: {} new, {} changed, {} unchanged, {} refused{end}",
        outcome["type"].as_str().unwrap_or_default(),
        count("created"),
        count("updated"),
        count("unchanged"),
        count("refused"),
    ))?;
    tell_details(outcome)
}

/// Refuses what a set says by itself.
pub fn check(said: &[(&'static str, bool)]) -> Result<()> {
    match said.iter().find(|(_, is)| *is) {
        Some((flag, _)) => Err(Error::invalid(
            *flag,
            "does not go with --from dina: the sets say themselves what they are",
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_set_has_a_report_of_its_own() {
        assert_eq!(
            beside(Path::new("/a/refused.csv"), "taxa"),
            Path::new("/a/refused-taxa.csv")
        );
        assert_eq!(beside(Path::new("r"), "taxa"), Path::new("r-taxa.csv"));
    }
}
