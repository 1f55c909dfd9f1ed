//! `app token`: tokens for programs.

use clap::Subcommand;
use serde_json::{Value, json};

use super::answer::{list, text};
use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, output};
use crate::kernel::error::Result;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app token create --name nightly-import --scope records.write,jobs.read --days 90
  TOKEN=$(app token create --json | jq -r .secret)
  curl -H \"Authorization: Bearer $TOKEN\" localhost:8080/api/me
  app token revoke ID")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make a token; its secret is shown this once
    Create {
        /// What it is for
        #[arg(long, default_value = "command line")]
        name: String,
        /// Permissions it has; * for all
        #[arg(long, value_delimiter = ',', default_value = "*")]
        scope: Vec<String>,
        /// Days until it expires; without it, it does not
        #[arg(long)]
        days: Option<u32>,
        /// The service account it speaks for, within what that may; without it, for itself
        #[arg(long)]
        account: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List every token, never with its secret
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// End a token at once
    Revoke {
        id: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let config = settings.for_command()?;
    session::with(config, Need::default(), async |session| {
        let client = session.client();
        match args.verb {
            Verb::Create {
                name,
                scope,
                days,
                account,
                json,
            } => {
                let mut wanted = json!({ "name": name, "scope": scope });
                if let Some(days) = days {
                    wanted["days"] = days.into();
                }
                let path = account.map_or_else(
                    || "/api/tokens".to_owned(),
                    |account| format!("/api/people/{}/tokens", super::client::encoded(&account)),
                );
                let made = client.post(&path, &wanted).await?;
                if json {
                    return output::json(&made);
                }
                output::line(text(&made, "secret"))?;
                eprint_hint(text(&made, "id"));
                Ok(())
            }
            Verb::List { json } => {
                let listed = client.get("/api/tokens").await?;
                if json { output::json(&listed) } else { show(&listed) }
            }
            Verb::Revoke { id, json } => {
                client
                    .delete(&format!("/api/tokens/{}", super::client::encoded(&id)))
                    .await?;
                if json {
                    output::json(&json!({ "id": id, "revoked": true }))
                } else {
                    output::line(&format!("The token {id} is ended."))
                }
            }
        }
    })
    .await?;
    Ok(Exit::Done)
}

/// Beside the secret, so that a script that reads standard output gets the secret alone.
fn eprint_hint(id: &str) {
    output::note(&format!("This is shown once. `app token revoke {id}` ends it."));
}

fn show(listed: &Value) -> Result<()> {
    let rows: Vec<Vec<String>> = list(listed, "items")
        .iter()
        .map(|token| {
            let scope: Vec<&str> = list(token, "scope").iter().filter_map(Value::as_str).collect();
            let state = if token.get("revoked_at").is_some_and(Value::is_string) {
                "ended"
            } else {
                "live"
            };
            let cell = |name| text(token, name).to_owned();
            vec![
                cell("id"),
                cell("name"),
                scope.join(","),
                state.to_owned(),
                cell("used_at"),
                cell("expires_at"),
            ]
        })
        .collect();
    output::table(&["ID", "NAME", "SCOPE", "STATE", "LAST USED", "EXPIRES"], &rows)
}
