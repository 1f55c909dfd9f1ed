//! `app export`: records as the house streams them, to a file or standard output.

use std::path::PathBuf;

use super::Exit;
use super::output;
use super::session::{self, Need};
use super::settings::Settings;
use crate::kernel::error::Result;

const FORMATS: [&str; 4] = ["csv", "json", "jsonl", "xlsx"];

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app export --type object > objects.jsonl
  app export --type object --output objects.xlsx
  app export --type object --query 'classification:prints' --format csv > prints.csv")]
pub struct Args {
    /// The type of the records
    #[arg(long = "type", value_name = "NAME")]
    type_name: String,
    /// Only what this finds, as in the search box
    #[arg(long, value_name = "QUERY")]
    query: Option<String>,
    /// How it is written; told by the ending of --output where it is not said, else jsonl
    #[arg(long, value_name = "FORMAT", value_parser = FORMATS)]
    format: Option<String>,
    /// Where to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let ending = args.output.as_ref().and_then(|path| path.extension()?.to_str());
    let told = ending.filter(|ending| FORMATS.contains(ending)).unwrap_or("jsonl");
    let format = args.format.as_deref().unwrap_or(told);
    let mut query = vec![("type", args.type_name.as_str()), ("format", format)];
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
