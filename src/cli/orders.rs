//! `app stop` and `app start`: a role of running processes pauses and goes on, without ending the process.

use serde_json::{Value, json};

use super::client::encoded;
use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, output};
use crate::kernel::error::Result;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app stop worker       no job begins; those that run are handed back and go on later
  app start worker
  app stop web          answers health checks and this command line only
  app ps                what runs and what pauses

A pause ends with the process: a new start begins with every role.")]
pub struct Args {
    #[arg(value_parser = ["web", "worker", "scheduler"])]
    role: String,
    /// Only the process with this id, as `app ps --json` tells it [default: every one that has the role]
    #[arg(long, value_name = "ID")]
    process: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args, settings: Settings, verb: &str) -> Result<Exit> {
    let mut path = format!("/api/roles/{}/{verb}", args.role);
    if let Some(process) = &args.process {
        path.push_str(&format!("?process={}", encoded(process)));
    }
    let told: Value = session::with(settings.for_command()?, Need::default(), async |session| {
        session.client().post(&path, &json!({})).await
    })
    .await?;
    if args.json {
        output::json(&told)?;
        return Ok(Exit::Done);
    }
    let how = if verb == "stop" { "pauses" } else { "goes on" };
    let role = &args.role;
    output::line(&match told["processes"].as_u64() {
        Some(1) => format!("The {role} {how} in one process."),
        _ => format!("The {role} {how} in {} processes.", told["processes"]),
    })?;
    Ok(Exit::Done)
}
