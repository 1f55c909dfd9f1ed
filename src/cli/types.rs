//! `app type` and `app sample`: collections as a whole, taken away.

use std::io::{BufRead, IsTerminal, Write as _};

use clap::Subcommand;
use serde_json::Value;

use super::client::{Client, encoded};
use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, job, output};
use crate::kernel::error::{Code, Error, Result};

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app export --type object --format jsonl --output object.jsonl    take a copy with you first
  app type delete object                                           asks for the name once more
  app type delete object --confirm object                          for scripts

The records go for good, with the content of their history and the files they came from.")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Delete a collection with all its records
    Delete {
        /// Its name, as `app type delete` and addresses write it
        name: String,
        /// The name once more, instead of being asked for it
        #[arg(long, value_name = "NAME")]
        confirm: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args)]
#[command(after_help = "\
Example:
  app sample remove    takes away what `app serve --sample` has loaded")]
pub struct SampleArgs {
    #[command(subcommand)]
    verb: SampleVerb,
}

#[derive(Subcommand)]
enum SampleVerb {
    /// Take the sample away: its collections, records and files
    Remove {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// The house, should this command have to start it, runs the jobs to their end.
const NEED: Need = Need {
    worker: true,
    index: false,
};

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let Verb::Delete { name, confirm, json } = args.verb;
    let typed = match confirm {
        Some(typed) => typed,
        None => ask(&name)?,
    };
    if typed.trim() != name {
        let text = format!("\"{}\" is not \"{name}\". Nothing was deleted.", typed.trim());
        return Err(Error::invalid("--confirm", text));
    }
    let done = session::with(settings.for_command()?, NEED, async |session| {
        let client = session.client();
        let path = format!("/api/types/{}", encoded(&name));
        let version = version_of(client, &name).await?;
        let begun = client.delete_at(&format!("{path}?records=true"), version).await?;
        follow(client, &begun["job"], &format!("deleting {name}")).await
    })
    .await?;
    say(&[done], json)
}

pub async fn sample(args: SampleArgs, settings: Settings) -> Result<Exit> {
    let SampleVerb::Remove { json } = args.verb;
    let done = session::with(settings.for_command()?, NEED, async |session| {
        let client = session.client();
        let begun = client.delete("/api/sample").await?;
        let mut done = Vec::new();
        for job in begun["jobs"].as_array().into_iter().flatten() {
            done.push(follow(client, job, "taking the sample away").await?);
        }
        Ok(done)
    })
    .await?;
    if done.is_empty() && !json {
        output::line("There is no sample here.")?;
        return Ok(Exit::Done);
    }
    say(&done, json)
}

/// Where a type stands.
async fn version_of(client: &Client, name: &str) -> Result<i64> {
    let types = client.get("/api/types").await?;
    let found = types["items"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|t| t["name"] == name);
    match found.and_then(|t| t["version"].as_i64()) {
        Some(version) => Ok(version),
        None => Err(Error::new(
            Code::NotFound,
            format!("There is no collection \"{name}\". GET /api/types lists them."),
        )),
    }
}

/// Watches a job to its end and answers its result.
async fn follow(client: &Client, id: &Value, what: &str) -> Result<Value> {
    let ended = job::watch(client, id.as_str().unwrap_or_default(), what).await?;
    if ended["state"] == "done" {
        Ok(ended["result"].clone())
    } else {
        Err(job::failure(&ended, what))
    }
}

fn say(done: &[Value], json: bool) -> Result<Exit> {
    if json {
        output::json(&done)?;
        return Ok(Exit::Done);
    }
    for result in done {
        let (name, records) = (result["type"].as_str().unwrap_or_default(), &result["records"]);
        output::line(&format!(
            "{name} is deleted: {records} records, {} files.",
            result["files"]
        ))?;
    }
    Ok(Exit::Done)
}

/// Asks for the name on a terminal.
fn ask(name: &str) -> Result<String> {
    if !std::io::stdin().is_terminal() {
        let text = format!("Say that you mean it: app type delete {name} --confirm {name}");
        return Err(Error::new(Code::Invalid, text));
    }
    let mut out = std::io::stderr();
    write!(
        out,
        "All records of \"{name}\" go for good. Write {name} to delete them: "
    )?;
    out.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}
