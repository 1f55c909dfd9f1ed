//! `app setup-link`: a one-time link that makes an administrator.

use serde_json::{Value, json};

use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, output};
use crate::kernel::error::Result;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  app setup-link        open what it prints in a browser, once")]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let made = session::with(settings.for_command()?, Need::default(), async |session| {
        session.client().post("/api/setup-links", &json!({})).await
    })
    .await?;
    if args.json {
        output::json(&made)?;
    } else {
        output::line(made.get("url").and_then(Value::as_str).unwrap_or_default())?;
    }
    Ok(Exit::Done)
}
