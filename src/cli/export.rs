//! `app export`.

use super::Exit;
use super::settings::Settings;
use crate::kernel::error::{Code, Error, Result};

#[derive(clap::Args)]
#[command(after_help = "Example:\n  app export --type object")]
pub struct Args {
    /// The type of the records
    #[arg(long = "type", value_name = "NAME")]
    type_name: String,
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    settings.for_command()?;
    Err(Error::new(
        Code::Unavailable,
        format!("This build cannot export records of the type {}.", args.type_name),
    ))
}
