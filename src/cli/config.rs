//! `app config`: shows, checks and explains the settings. Secrets are masked.

use clap::Subcommand;

use super::settings::Settings;
use super::{Exit, output};
use crate::kernel::config::DEFAULT;
use crate::kernel::error::Result;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app config show                         each value and where it came from
  app config check --config museum.toml   exit code 0 when it is safe to start with
  app config default > museum.toml        every key with its meaning, to start from")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Print each value and where it came from
    Show {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Say whether the settings are right and safe
    Check {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Print every key with its meaning and default
    Default,
}

pub fn run(args: &Args, settings: &Settings) -> Result<Exit> {
    match args.verb {
        Verb::Show { json } => {
            let loaded = settings.load()?;
            if json {
                output::json(&loaded.entries)?;
            } else {
                let row = |e: &crate::kernel::config::Entry| vec![e.key.clone(), e.value.to_string(), e.source.clone()];
                output::table(
                    &["KEY", "VALUE", "FROM"],
                    &loaded.entries.iter().map(row).collect::<Vec<_>>(),
                )?;
            }
        }
        Verb::Check { json } => {
            let outcome = settings.load().and_then(|loaded| loaded.config.check());
            if json {
                let fields = outcome
                    .as_ref()
                    .err()
                    .map(|e| serde_json::json!({ "detail": e.detail(), "fields": e.fields() }));
                output::json(&serde_json::json!({ "ok": outcome.is_ok(), "error": fields }))?;
            }
            outcome?;
            if !json {
                output::line("The settings are right.")?;
            }
        }
        Verb::Default => output::print(DEFAULT)?,
    }
    Ok(Exit::Done)
}
