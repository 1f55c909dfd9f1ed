//! `app import`: hands files to the house, shows how far it is, prints the report.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tokio::io::AsyncRead;

use super::Exit;
use super::client::Client;
use super::dina;
use super::folder;
use super::job;
use super::mapping;
use super::output;
use super::preview;
use super::reading::{Reading, in_flags};
use super::session::{self, Need, Session};
use super::settings::Settings;
use crate::kernel::error::{Code, Error, Result};

/// Seconds that an import waits until what it brought can be found.
const PATIENCE: u32 = 600;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app import objects.csv --type object --infer --key number
  app import objects.jsonl.gz --type object --key number    # again: only what changed is written
  app import objects.csv --type object --dry-run            # what would happen
  app import old-list.csv --type object --infer --encoding macintosh --decimal , --date-order dmy
  app import lists.xlsx --type object --infer --sheet Objects --header-row 3
  app import objects.csv --preview                          # how it is read and what it becomes, too
  app import archive.zip --from dwca                        # a Darwin Core Archive, extensions and all
  app import *.json --from dina --dry-run                   # the sets of DINA Collections, in any order
  app import new-list.csv --mapping herbarium               # as its columns were mapped before
  zcat dump.json.gz | app import - --type object --infer

Exit codes: 0 everything is in, 3 some rows were refused (see the report), 1 it failed.")]
pub struct Args {
    /// CSV, a workbook (.xlsx, .ods), a JSON array or JSON lines, plain, gzipped or in a zip or tar; a Darwin Core Archive or its folder;
    /// - for standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The type of the records; with --from it follows from the file where it is left out
    #[arg(long = "type", value_name = "NAME", required_unless_present_any = ["preview", "from", "mapping"])]
    pub(super) type_name: Option<String>,
    /// What the files come from: dwca reads Darwin Core Archives (zip or tar.gz) and makes the type of their core; dina reads
    /// the sets of DINA Collections (x.specimens.json and so on, or a zip of them), all together
    #[arg(long, value_name = "SOURCE", value_parser = ["dwca", "dina"], conflicts_with = "format")]
    from: Option<String>,
    /// Which column goes into which field: a mapping kept in the house, or a file (TOML, JSON)
    #[arg(long, value_name = "NAME|FILE", conflicts_with_all = ["type_name", "from", "infer", "preview", "key", "delete_missing", "visibility", "format"])]
    mapping: Option<String>,
    /// Make the type from the file, or add the fields it does not have yet
    #[arg(long)]
    infer: bool,
    /// Only say what would happen
    #[arg(long)]
    pub(super) dry_run: bool,
    /// Show how the file is read, what it becomes and what would happen, as the import page does
    #[arg(long, conflicts_with_all = ["dry_run", "delete_missing"])]
    preview: bool,
    /// The field by which a row is recognised; a type that has no key yet gets it
    #[arg(long, value_name = "FIELD")]
    pub(super) key: Option<String>,
    /// Delete the records of the type that the file does not have
    #[arg(long)]
    delete_missing: bool,
    /// Who may see records of a type that is made: public, members or restricted
    #[arg(long, value_name = "LEVEL")]
    pub(super) visibility: Option<String>,
    /// How the files are written, where their content does not say it: csv, json or jsonl
    #[arg(long, value_name = "FORMAT")]
    format: Option<String>,
    /// Why; kept with the change set
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// Where the report of refused rows goes (CSV)
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Print the outcome as JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) reading: Reading,
    /// A cell that says "no value", such as NA; repeatable
    #[arg(long, value_name = "TEXT")]
    pub(super) missing: Vec<String>,
}

impl Args {
    fn address(&self, name: &str, into: &Target) -> String {
        let mut query = vec![("name", name.to_owned())];
        let flags = [
            ("infer", self.infer || self.from.is_some()),
            ("dry_run", self.dry_run),
            ("delete_missing", self.delete_missing),
        ];
        query.extend(
            flags
                .iter()
                .filter(|(_, on)| *on)
                .map(|(flag, _)| (*flag, "true".to_owned())),
        );
        let format = self.from.clone().or_else(|| self.format.clone());
        let options = [
            ("type", &into.type_name),
            ("key", &into.key),
            ("visibility", &self.visibility),
            ("format", &format),
            ("reason", &self.reason),
        ];
        query.extend(
            options
                .iter()
                .filter_map(|(name, value)| Some((*name, (*value).clone()?))),
        );
        query.extend(self.reading.query());
        query.extend(self.missing.iter().map(|text| ("missing", text.clone())));
        let query = serde_html_form::to_string(&query).unwrap_or_default();
        format!("/api/imports?{query}")
    }
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    if args.delete_missing && args.files.len() > 1 {
        return Err(Error::invalid(
            "--delete-missing",
            "goes with one file: each file would delete what the others brought",
        ));
    }
    let need = Need {
        worker: true,
        index: true,
    };
    let sets = args.from.as_deref() == Some("dina");
    if sets {
        dina::check(&[
            ("--type", args.type_name.is_some()),
            ("--key", args.key.is_some()),
            ("--infer", args.infer),
            ("--preview", args.preview),
            ("--delete-missing", args.delete_missing),
            ("--visibility", args.visibility.is_some()),
        ])?;
    }
    session::with(settings.for_command()?, need, async |session| {
        let done = if sets {
            dina::all(&args, &args.files, args.dry_run, args.reason.as_deref(), session).await
        } else {
            all(&args, session).await
        };
        done.map_err(in_flags)
    })
    .await
}

async fn all(args: &Args, session: &Session) -> Result<Exit> {
    let mut outcomes = Vec::new();
    let mapping = match &args.mapping {
        Some(name) => Some(mapping::named(session, name).await?),
        None => None,
    };
    for file in &args.files {
        outcomes.push(if let Some(mapping) = &mapping {
            mapping::one(args, session, file, mapping).await?
        } else if args.preview {
            preview::one(args, session, file).await?
        } else {
            one(args, session, file).await?
        });
    }
    let refused = |outcome: &Value| {
        let report = if args.preview { &outcome["preview"] } else { outcome };
        report["refused"].as_i64().unwrap_or(0) > 0
    };
    let exit = if outcomes.iter().any(refused) {
        Exit::Partly
    } else {
        Exit::Done
    };
    if args.json {
        let name = if args.preview { "previews" } else { "imports" };
        output::json(&json!({ name: outcomes }))?;
    }
    Ok(exit)
}

/// Where the rows of a file go.
struct Target {
    type_name: Option<String>,
    key: Option<String>,
}

/// The type and key that were named; where `--from` leaves them open, those that the file itself says.
async fn into(args: &Args, session: &Session, file: &Path) -> Result<Target> {
    let named = Target {
        type_name: args.type_name.clone(),
        key: args.key.clone(),
    };
    if args.from.is_none() || named.type_name.is_some() {
        return Ok(named);
    }
    if file == Path::new("-") {
        return Err(Error::invalid(
            "--type",
            "is needed where the file comes from standard input",
        ));
    }
    let sample = preview::sample(session, file).await?;
    let said = |name: &str| sample[name].as_str().map(str::to_owned);
    let type_name = said("suggested_type").ok_or_else(|| {
        let words = format!("{} does not say what its rows are; name their type", file.display());
        Error::invalid("--type", words)
    })?;
    Ok(Target {
        type_name: Some(type_name),
        key: named.key.or_else(|| said("suggested_key")),
    })
}

pub(super) async fn opened(file: &Path) -> Result<(String, Box<dyn AsyncRead + Send + Sync + Unpin>)> {
    if file == Path::new("-") {
        return Ok(("standard input".to_owned(), Box::new(tokio::io::stdin())));
    }
    let open = tokio::fs::File::open(file).await.map_err(|e| {
        let text = match e.kind() {
            std::io::ErrorKind::NotFound => format!("There is no file {}.", file.display()),
            std::io::ErrorKind::PermissionDenied => format!("{} may not be read by this user.", file.display()),
            _ => format!("{} cannot be read: {e}.", file.display()),
        };
        Error::new(Code::NotFound, text).caused_by(e)
    })?;
    let name = file
        .file_name()
        .map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    if open.metadata().await?.is_dir() {
        if !tokio::fs::try_exists(file.join("meta.xml")).await? {
            return Err(Error::invalid(
                "FILE",
                format!("{} is a folder; name the files in it", file.display()),
            ));
        }
        return Ok((name, folder::packed(file).await?));
    }
    Ok((name, Box::new(open)))
}

async fn one(args: &Args, session: &Session, file: &Path) -> Result<Value> {
    let client = session.client();
    let into = into(args, session, file).await?;
    let (name, content) = opened(file).await?;
    let started = client
        .upload(&args.address(&name, &into), "application/octet-stream", content)
        .await?;
    let id = started["job"].as_str().unwrap_or_default().to_owned();
    let job = job::watch(client, &id, &name).await?;
    if job["state"] != "done" {
        return Err(job::failure(&job, &name));
    }
    let outcome = searchable(client, &id, &name).await?;
    if let Some(path) = &args.report {
        write_report(session, &id, path).await?;
    }
    if !args.json {
        tell(args, &name, &outcome)?;
    }
    Ok(outcome)
}

/// How an import is when what it brought can be found: done means that, too.
pub(super) async fn searchable(client: &Client, id: &str, name: &str) -> Result<Value> {
    let bar = output::progress(None, &format!("{name}: the search reads it"));
    let mut outcome = Value::Null;
    for _ in 0..PATIENCE {
        outcome = client.get(&format!("/api/imports/{id}?wait=1000")).await?;
        bar.tick();
        if outcome["searchable"] == true {
            break;
        }
    }
    bar.finish_and_clear();
    Ok(outcome)
}

pub(super) async fn write_report(session: &Session, id: &str, path: &Path) -> Result<()> {
    let address = format!("/api/imports/{id}/report");
    output::save(session.client().stream(&address).await?, Some(path)).await
}

pub(super) fn tell(args: &Args, name: &str, outcome: &Value) -> Result<()> {
    let count = |key: &str| outcome[key].as_i64().unwrap_or(0);
    let would = if args.dry_run { "would be " } else { "" };
    let mut text = format!(
        "{name}: {} new, {} changed, {} unchanged, {} refused",
        count("created"),
        count("updated"),
        count("unchanged"),
        count("refused"),
    );
    if args.delete_missing {
        text.push_str(&format!(", {} {would}deleted", count("deleted")));
    }
    if args.dry_run {
        text.push_str(" (nothing was written)");
    }
    output::line(&text)?;
    tell_details(outcome)?;
    if outcome["searchable"] == false {
        output::line("  The search is still catching up; what was imported can be found soon.")?;
    }
    match (&args.report, outcome["report_path"].as_str()) {
        (Some(path), _) => output::line(&format!("  report: {}", path.display())),
        (None, Some(path)) => output::line(&format!("  report: {path}")),
        (None, None) => Ok(()),
    }
}

/// The notes of an import and its first refusals, a line each.
pub(super) fn tell_details(outcome: &Value) -> Result<()> {
    let list = |key: &str| outcome[key].as_array().into_iter().flatten();
    for note in list("notes").filter_map(Value::as_str) {
        output::line(&format!("  {note}"))?;
    }
    for refusal in list("refusals") {
        let field = refusal["field"].as_str().filter(|field| !field.is_empty());
        let place = field.map_or_else(String::new, |field| format!(", {field}"));
        let message = refusal["message"].as_str().unwrap_or_default();
        output::line(&format!("  row {}{place}: {message}", refusal["row"]))?;
    }
    Ok(())
}
