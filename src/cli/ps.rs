//! `app ps`: the processes of this installation, on all machines, with a line for each of their roles; then the queues of
//! jobs with how far they are behind, and the modules of the process that answers.

use serde_json::Value;

use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, jobs, output};
use crate::kernel::error::Result;

#[derive(clap::Args)]
#[command(after_help = "Examples:\n  app ps\n  app ps --json")]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let all: Value = session::with(settings.for_command()?, Need::default(), async |session| {
        let client = session.client();
        let mut all = client.get("/api/processes").await?;
        for name in ["queues", "modules"] {
            all[name] = client.get(&format!("/api/{name}")).await?["items"].take();
        }
        Ok(all)
    })
    .await?;
    if args.json {
        output::json(&all)?;
        return Ok(Exit::Done);
    }
    let list = |name: &str| all[name].as_array().cloned().unwrap_or_default();
    let rows: Vec<Vec<String>> = list("items").iter().flat_map(rows_of).collect();
    let headings = [
        "HOST",
        "PID",
        "ROLE",
        "STATE",
        "QUEUES",
        "BEHIND",
        "STARTED",
        "LAST BEAT",
    ];
    output::table(&headings, &rows)?;
    output::line("")?;
    jobs::print_queues(&list("queues"))?;
    output::line("")?;
    let module = |module: &Value| {
        let reasons = module["reasons"].as_array().into_iter().flatten();
        let reasons: Vec<&str> = reasons.filter_map(Value::as_str).collect();
        let text = |name: &str| module[name].as_str().unwrap_or("-").to_owned();
        vec![text("name"), text("state"), reasons.join("; ")]
    };
    let rows: Vec<Vec<String>> = list("modules").iter().map(module).collect();
    output::table(&["MODULE", "STATE", "WHY"], &rows)?;
    Ok(Exit::Done)
}

/// A line for each role of a process.
fn rows_of(process: &Value) -> Vec<Vec<String>> {
    let text = |name: &str| process.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
    let list = |name: &str| -> Vec<&str> {
        let words = process.get(name).and_then(Value::as_array);
        words.into_iter().flatten().filter_map(Value::as_str).collect()
    };
    let (paused, queues) = (list("paused"), list("queues").join(","));
    let line = |role: &&str| {
        let state = match process["alive"].as_bool() {
            Some(true) if paused.contains(role) => "pauses",
            Some(true) => "runs",
            _ => "silent",
        };
        let queues = if *role == "worker" { queues.as_str() } else { "-" };
        let behind = match process["index_lag"].as_i64() {
            Some(changes) if *role == "web" => format!("{changes} changes"),
            _ => "-".to_owned(),
        };
        vec![
            text("host"),
            process["pid"].to_string(),
            (*role).to_owned(),
            state.to_owned(),
            queues.to_owned(),
            behind,
            text("started_at"),
            text("beat_at"),
        ]
    };
    list("roles").iter().map(line).collect()
}
