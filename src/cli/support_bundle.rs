//! `app support-bundle`: one file that helps others to help.

use std::path::PathBuf;

use futures_util::stream;

use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, output};
use crate::kernel::error::Result;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app support-bundle                       writes vitrine-support.json
  app support-bundle --output - | less     to read it first

It tells of the program, settings, health, processes, schedules, failed jobs, figures and the last lines of the log.
It holds no records, no payloads of jobs, and no passwords, tokens or links that let in.")]
pub struct Args {
    /// Where to write it; - is standard output
    #[arg(short, long, value_name = "FILE", default_value = "vitrine-support.json")]
    output: PathBuf,
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let bundle = session::with(settings.for_command()?, Need::default(), async |session| {
        session.client().get("/api/support-bundle").await
    })
    .await?;
    let text = format!("{}\n", serde_json::to_string_pretty(&bundle)?);
    let is_file = args.output.as_os_str() != "-";
    let file = is_file.then_some(args.output.as_path());
    output::save(stream::iter([Ok(text.into())]), file).await?;
    if is_file {
        output::note(&format!(
            "{} is written. Read it before you send it to somebody.",
            args.output.display()
        ));
    }
    Ok(Exit::Done)
}
