//! `app search`: upkeep of the search index.

use std::time::Duration;

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::Client;
use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, output};
use crate::kernel::error::Result;

/// How often the progress is asked for.
const LOOK_EVERY: Duration = Duration::from_millis(500);

#[derive(clap::Args)]
#[command(after_help = "\
Example:
  app search rebuild    builds the index anew beside the one that answers, and switches

On PostgreSQL every web process keeps an index of its own: all of them build it anew. The answer comes when
the one that was asked is done.")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build the index anew, without stopping
    Rebuild {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let Verb::Rebuild { json } = args.verb;
    let need = Need {
        index: true,
        ..Need::default()
    };
    let done = session::with(settings.for_command()?, need, async |session| {
        rebuild(session.client()).await
    })
    .await?;
    if json {
        output::json(&done)?;
    } else {
        let position = done.get("position").and_then(Value::as_str).unwrap_or_default();
        output::line(&format!("The index is built anew, up to {position} of the ledger."))?;
    }
    Ok(Exit::Done)
}

/// Asks for it and shows how far it is until the answer comes.
async fn rebuild(client: &Client) -> Result<Value> {
    let bar = output::progress(None, "building the search index");
    let body = json!({});
    let mut work = std::pin::pin!(client.post("/api/search/rebuild", &body));
    let done = loop {
        match tokio::time::timeout(LOOK_EVERY, &mut work).await {
            Ok(done) => break done,
            Err(_) => {
                bar.tick();
                if let Some(reason) = reason(client).await {
                    bar.set_message(reason);
                }
            }
        }
    };
    bar.finish_and_clear();
    done
}

async fn reason(client: &Client) -> Option<String> {
    let components = client.components().await.ok()?;
    let search = components.into_iter().find(|c| c.name == "search")?;
    search.reason
}
