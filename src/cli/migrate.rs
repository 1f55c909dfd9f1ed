//! `app migrate`: moves the schema, or shows where it is.

use clap::Subcommand;

use super::settings::Settings;
use super::{Exit, output};
use crate::kernel::clock::Clock;
use crate::kernel::data::DataDir;
use crate::kernel::db::{Db, MigrationState, Options, Step};
use crate::kernel::error::Result;
use crate::kernel::program;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app migrate latest
  app migrate undo && app migrate one     take the newest back and apply it again
  app migrate status --json

`undo` drops what the migration made, with the data in it.")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Apply every pending migration
    Latest(Format),
    /// Apply the next pending migration
    One(Format),
    /// Take the newest applied migration back
    Undo(Format),
    /// Show every migration and whether it is applied
    Status(Format),
}

#[derive(clap::Args)]
struct Format {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let config = settings.for_command()?;
    let data = DataDir::open(&config.data.dir, !config.database.is_shared())?;
    let options = Options {
        readers: config.database.connections,
        ..Options::default()
    };
    let db = Db::open(&config.database.url, data.root(), Clock::system(), options).await?;
    let outcome = walk(&db, &args.verb).await;
    db.close().await;
    outcome.map(|()| Exit::Done)
}

async fn walk(db: &Db, verb: &Verb) -> Result<()> {
    let before = db.migrations().await?;
    let (step, format) = match verb {
        Verb::Latest(format) => (Some(Step::Latest), format),
        Verb::One(format) => (Some(Step::One), format),
        Verb::Undo(format) => (Some(Step::Undo), format),
        Verb::Status(format) => (None, format),
    };
    let after = match step {
        Some(step) => program::migrate(db, step).await?,
        None => before.clone(),
    };
    if format.json {
        return output::json(&after);
    }
    if step.is_none() {
        let rows: Vec<_> = after.iter().map(row).collect();
        return output::table(&["NUMBER", "NAME", "STATE"], &rows);
    }
    let mut moved = false;
    for (old, new) in before
        .iter()
        .zip(&after)
        .filter(|(old, new)| old.applied != new.applied)
    {
        moved = true;
        let done = if new.applied { "applied" } else { "taken back" };
        output::line(&format!("{done}: {:04} {}", old.number, old.name))?;
    }
    let applied = after.iter().filter(|m| m.applied).count();
    let nothing = if moved { "" } else { "nothing to do; " };
    output::line(&format!("{nothing}{applied} of {} migrations are applied", after.len()))
}

fn row(m: &MigrationState) -> Vec<String> {
    vec![
        format!("{:04}", m.number),
        m.name.clone(),
        if m.applied { "applied" } else { "pending" }.to_owned(),
    ]
}
