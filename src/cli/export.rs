//! `app export`: records as the house streams them, to a file or standard output.

use std::path::PathBuf;

use super::Exit;
use super::output;
use super::session::{self, Need};
use super::settings::Settings;
use crate::kernel::error::Result;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app export --type object > objects.jsonl
  app export --type object --query 'classification:prints' --format csv --output prints.csv")]
pub struct Args {
    /// The type of the records
    #[arg(long = "type", value_name = "NAME")]
    type_name: String,
    /// Only what this finds, as in the search box
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    /// csv or jsonl
    #[arg(long, value_name = "FORMAT", default_value = "jsonl")]
    format: String,
    /// Where to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let mut query = vec![("type", args.type_name.as_str()), ("format", args.format.as_str())];
    if let Some(text) = &args.query {
        query.push(("q", text));
    }
    let address = format!("/api/export?{}", serde_html_form::to_string(&query).unwrap_or_default());
    let need = Need {
        worker: false,
        // Without a query the rows come from the database alone.
        index: args.query.is_some(),
    };
    session::with(settings.for_command()?, need, async |session| {
        let pieces = session.client().stream(&address).await?;
        output::save(pieces, args.output.as_deref()).await?;
        Ok(Exit::Done)
    })
    .await
}
