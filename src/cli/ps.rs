//! `app ps`: the processes of this installation, on all machines.

use serde_json::Value;

use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, output};
use crate::kernel::error::Result;

#[derive(clap::Args)]
#[command(after_help = "Examples:\n  app ps\n  app ps --json")]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let processes = session::with(settings.for_command()?, Need::default(), async |session| {
        session.client().get("/api/processes").await
    })
    .await?;
    if args.json {
        output::json(&processes)?;
        return Ok(Exit::Done);
    }
    let items = processes
        .get("items")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    let headings = [
        "HOST",
        "PID",
        "ROLES",
        "QUEUES",
        "STATE",
        "STARTED",
        "LAST BEAT",
        "INDEX AT",
    ];
    output::table(&headings, &rows)?;
    Ok(Exit::Done)
}

fn row(process: &Value) -> Vec<String> {
    let text = |name: &str| process.get(name).and_then(Value::as_str).unwrap_or("-").to_owned();
    let list = |name: &str| {
        let words = process.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let words: Vec<&str> = words.iter().filter_map(Value::as_str).collect();
        if words.is_empty() {
            "-".to_owned()
        } else {
            words.join(",")
        }
    };
    let alive = process.get("alive").and_then(Value::as_bool).unwrap_or(false);
    vec![
        text("host"),
        process
            .get("pid")
            .and_then(Value::as_i64)
            .unwrap_or_default()
            .to_string(),
        list("roles"),
        list("queues"),
        if alive { "alive" } else { "silent" }.to_owned(),
        text("started_at"),
        text("beat_at"),
        text("index_position"),
    ]
}
