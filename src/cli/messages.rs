//! `app messages`: outgoing mail, and whether the mail server takes it.

use clap::Subcommand;
use serde_json::json;

use super::answer::{list, text};
use super::client::{Client, encoded};
use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, output};
use crate::kernel::error::Result;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app messages test ada@example.org     sends a mail at once and tells what the server said
  app messages list --state failed
  app messages retry ID")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Send a test mail at once and tell what the mail server said
    Test {
        /// Whom to
        address: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List what was sent, waits or failed, the newest first
    List {
        /// waiting, sent, failed or expired
        #[arg(long)]
        state: Option<String>,
        /// At most this many, up to 200
        #[arg(long, default_value_t = 50)]
        limit: u32,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Try a failed message again
    Retry {
        /// The message
        id: String,
    },
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let config = settings.for_command()?;
    session::with(config, Need::default(), async |session| {
        act(args.verb, session.client()).await
    })
    .await?;
    Ok(Exit::Done)
}

async fn act(verb: Verb, client: &Client) -> Result<()> {
    match verb {
        Verb::Test { address, json } => {
            let sent = client.post("/api/messages/test", &json!({ "to": address })).await?;
            if json {
                return output::json(&sent);
            }
            output::line(&format!("The mail server took a mail to {}.", text(&sent, "to")))
        }
        Verb::List { state, limit, json } => {
            let state = state.map_or_else(String::new, |state| format!("&state={}", encoded(&state)));
            let found = client.get(&format!("/api/messages?limit={limit}{state}")).await?;
            if json {
                return output::json(&found);
            }
            let rows: Vec<Vec<String>> = list(&found, "items")
                .iter()
                .map(|one| {
                    ["state", "template", "to", "created_at", "error", "id"].map(|name| text(one, name).to_owned())
                })
                .map(Vec::from)
                .collect();
            output::table(&["STATE", "WHAT", "TO", "MADE", "ERROR", "ID"], &rows)
        }
        Verb::Retry { id } => {
            client
                .post(&format!("/api/messages/{}/retry", encoded(&id)), &json!({}))
                .await?;
            output::line("It waits again.")
        }
    }
}
