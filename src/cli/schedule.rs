//! `app schedule`: what runs by the clock; running one now, pausing it and letting it go on.

use clap::Subcommand;
use serde_json::{Value, json};

use super::answer::{self, cell};
use super::client::encoded;
use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, output};
use crate::kernel::error::Result;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app schedule list
  app schedule history blobs.sweep
  app schedule run blobs.sweep
  app schedule pause blobs.sweep")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List the schedules with their last and next time
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show the last due times of one and what came of them
    History {
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make its job now
    Run { name: String },
    /// Make no more jobs until it is resumed
    Pause { name: String },
    /// Let it go on; what was due meanwhile is not made up for
    Resume { name: String },
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    session::with(settings.for_command()?, Need::default(), async |session| {
        let client = session.client();
        let place = |name: &str, verb: &str| format!("/api/schedules/{}/{verb}", encoded(name));
        match &args.verb {
            Verb::List { json } => {
                let list = client.get("/api/schedules").await?;
                if *json { output::json(&list) } else { print_list(&list) }
            }
            Verb::History { name, json } => {
                let list = client.get(&place(name, "runs")).await?;
                if *json { output::json(&list) } else { print_runs(&list) }
            }
            Verb::Run { name } => {
                let made = client.post(&place(name, "run"), &json!({})).await?;
                let id = made["id"].as_str().unwrap_or_default();
                output::line(&format!("Its job is {id}. How it goes: app jobs show {id}"))
            }
            Verb::Pause { name } => {
                client.post(&place(name, "pause"), &json!({})).await?;
                output::line(&format!("{name} is paused."))
            }
            Verb::Resume { name } => {
                client.post(&place(name, "resume"), &json!({})).await?;
                output::line(&format!("{name} goes on."))
            }
        }
    })
    .await?;
    Ok(Exit::Done)
}

fn rows(list: &Value, row: impl Fn(&Value) -> Vec<String>) -> Vec<Vec<String>> {
    answer::list(list, "items").iter().map(row).collect()
}

fn print_list(list: &Value) -> Result<()> {
    let row = |one: &Value| {
        let state = if one["paused"].as_bool() == Some(true) {
            "paused"
        } else {
            "runs"
        };
        let words = ["name", "cron", "zone", "missed", "last_due", "next_due"].map(|name| cell(one, name).to_owned());
        let [name, cron, zone, missed, last, next] = words;
        vec![name, state.to_owned(), cron, zone, missed, last, next]
    };
    let headings = ["NAME", "STATE", "CRON", "ZONE", "IF MISSED", "LAST", "NEXT"];
    output::table(&headings, &rows(list, row))
}

fn print_runs(list: &Value) -> Result<()> {
    let row = |run: &Value| {
        let took = run["duration_ms"]
            .as_i64()
            .map_or("-".to_owned(), |ms| format!("{ms} ms"));
        let [due, outcome, state, job] = ["due_at", "outcome", "state", "job"].map(|name| cell(run, name).to_owned());
        vec![due, outcome, state, took, job]
    };
    output::table(&["DUE", "OUTCOME", "STATE", "TOOK", "JOB"], &rows(list, row))
}
