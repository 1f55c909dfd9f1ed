//! `app types`: the types of the house as text in files, given and taken, and sets of types to begin with.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::client::{Client, encoded};
use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, output};
use crate::contract::records::RecordType;
use crate::kernel::error::{Code, Error, Result};

/// Bytes of a file with a type.
const MOST: u64 = 2_000_000;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app types begin art-museum             makes the types of a set that are not there yet
  app types export --output types        writes every type to types/NAME.toml
  app types plan types                   says what giving them back would change
  app types apply types                  changes it, as one change that can be undone

A type is a file of TOML, as `app types export` writes it. What would lose values of records is refused;
what moves values (another name or kind of a field) is done on the page of the collection.")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List the sets of types that a house can begin with
    Sets {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make the types of a set
    Begin {
        /// The set, as `app types sets` names it
        name: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Write types as text
    Export {
        /// The types; all of the house where none is named
        names: Vec<String>,
        /// A folder for a file of each type; without it they are printed
        #[arg(long, value_name = "FOLDER")]
        output: Option<PathBuf>,
    },
    /// Say what giving types to the house would change
    Plan {
        /// Files, or folders of files, with a type each
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give types to the house
    Apply {
        /// Files, or folders of files, with a type each
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Why, in your words; kept in the history
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

const NEED: Need = Need {
    worker: false,
    index: false,
};

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let Args { verb } = args;
    let given = match &verb {
        Verb::Plan { files, .. } | Verb::Apply { files, .. } => read(files).await?,
        _ => Vec::new(),
    };
    session::with(settings.for_command()?, NEED, async |session| {
        let client = session.client();
        match &verb {
            Verb::Sets { json } => list(client, *json).await,
            Verb::Begin { name, json } => begin(client, name, *json).await,
            Verb::Export { names, output } => export(client, names, output.as_deref()).await,
            Verb::Plan { json, .. } => plan(client, &given, *json).await,
            Verb::Apply { reason, json, .. } => apply(client, &given, reason.as_deref(), *json).await,
        }
    })
    .await
}

async fn list(client: &Client, json: bool) -> Result<Exit> {
    let sets = client.get("/api/type-sets").await?;
    if json {
        output::json(&sets)?;
        return Ok(Exit::Done);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let row = |set: &Value| {
        let types: Vec<&str> = strings(&set["types"]);
        vec![text(&set["name"]), text(&set["labels"]["en"]), types.join(", ")]
    };
    let rows: Vec<Vec<String>> = set_items(&sets).map(row).collect();
    output::table(&["SET", "WHAT", "TYPES"], &rows)?;
    Ok(Exit::Done)
}

fn set_items(answer: &Value) -> impl Iterator<Item = &Value> {
    answer["items"].as_array().into_iter().flatten()
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

async fn begin(client: &Client, set: &str, json: bool) -> Result<Exit> {
    let begun = client
        .post(&format!("/api/type-sets/{}", encoded(set)), &json!({}))
        .await?;
    if json {
        output::json(&begun)?;
        return Ok(Exit::Done);
    }
    let (made, kept) = (strings(&begun["made"]), strings(&begun["kept"]));
    if !made.is_empty() {
        output::line(&format!("Made: {}.", made.join(", ")))?;
    }
    if !kept.is_empty() {
        output::line(&format!("There already, left as they are: {}.", kept.join(", ")))?;
    }
    Ok(Exit::Done)
}

async fn export(client: &Client, names: &[String], folder: Option<&Path>) -> Result<Exit> {
    let mut wanted = names.to_vec();
    if wanted.is_empty() {
        let types = client.get("/api/types").await?;
        wanted.extend(set_items(&types).filter_map(|one| one["name"].as_str().map(str::to_owned)));
    }
    if let Some(folder) = folder {
        tokio::fs::create_dir_all(folder).await?;
    }
    for (at, name) in wanted.iter().enumerate() {
        let pieces = client.stream(&format!("/api/types/{}/text", encoded(name))).await?;
        if at > 0 && folder.is_none() {
            output::line("")?;
        }
        let file = folder.map(|folder| folder.join(format!("{name}.toml")));
        output::save(pieces, file.as_deref()).await?;
    }
    if let Some(folder) = folder {
        output::note(&format!("{} types are in {}.", wanted.len(), folder.display()));
    }
    Ok(Exit::Done)
}

async fn plan(client: &Client, given: &[Value], json: bool) -> Result<Exit> {
    let plan = client.post("/api/type-plan", &json!({ "types": given })).await?;
    let possible = plan["possible"] == true;
    if json {
        output::json(&plan)?;
    } else {
        tell(&plan)?;
    }
    Ok(if possible { Exit::Done } else { Exit::Partly })
}

/// What would become of each type, a line for each difference.
fn tell(plan: &Value) -> Result<()> {
    for item in set_items(plan) {
        let name = item["name"].as_str().unwrap_or_default();
        let what = match item["action"].as_str() {
            Some("create") => "is new",
            Some("change") => "changes",
            _ => "stays as it is",
        };
        output::line(&format!("{name} {what}"))?;
        for one in item["differences"].as_array().into_iter().flatten() {
            let side = |side: &str| one[side].as_str();
            let line = match (side("before"), side("after")) {
                (None, Some(after)) => format!("  + {}: {after}", path(one)),
                (Some(before), None) => format!("  - {}: {before}", path(one)),
                (before, after) => {
                    let (before, after) = (before.unwrap_or_default(), after.unwrap_or_default());
                    format!("  ~ {}: {before} -> {after}", path(one))
                }
            };
            output::line(&line)?;
        }
        for issue in item["issues"].as_array().into_iter().flatten() {
            let message = issue["message"].as_str().unwrap_or_default();
            output::line(&format!("  ! {}: {message}", path(issue)))?;
        }
        if item["misfits"].as_i64().is_some_and(|n| n > 0) {
            let text = format!(
                "  ? {} records do not keep the new rules; they stay as they are",
                item["misfits"]
            );
            output::line(&text)?;
        }
    }
    output::line(&match (plan["changes"].as_u64(), plan["possible"] == true) {
        (Some(0), true) => "Nothing changes.".to_owned(),
        (Some(1), true) => "1 type changes. `app types apply` does it.".to_owned(),
        (n, true) => format!("{} types change. `app types apply` does it.", n.unwrap_or_default()),
        (_, false) => "This cannot be done as it is; see the lines that begin with \"!\".".to_owned(),
    })
}

fn path(one: &Value) -> &str {
    one["path"].as_str().unwrap_or_default()
}

async fn apply(client: &Client, given: &[Value], reason: Option<&str>, json: bool) -> Result<Exit> {
    let query = reason
        .map(|reason| format!("?reason={}", encoded(reason)))
        .unwrap_or_default();
    let done = client
        .post(&format!("/api/type-plan/apply{query}"), &json!({ "types": given }))
        .await?;
    if json {
        output::json(&done)?;
        return Ok(Exit::Done);
    }
    let changed = strings(&done["changed"]);
    output::line(&if changed.is_empty() {
        "Nothing changes.".to_owned()
    } else {
        format!("Changed: {}.", changed.join(", "))
    })?;
    Ok(Exit::Done)
}

/// The types of some files. Each is read here, so that what is wrong is named with its file and line.
async fn read(paths: &[PathBuf]) -> Result<Vec<Value>> {
    let mut files = Vec::new();
    for path in paths {
        if tokio::fs::metadata(path).await.map_err(|e| lost(path, &e))?.is_dir() {
            let mut found = Vec::new();
            let mut entries = tokio::fs::read_dir(path).await?;
            while let Some(entry) = entries.next_entry().await? {
                if entry.path().extension().is_some_and(|ending| ending == "toml") {
                    found.push(entry.path());
                }
            }
            found.sort();
            files.extend(found);
        } else {
            files.push(path.clone());
        }
    }
    let mut types = Vec::with_capacity(files.len());
    for file in &files {
        if tokio::fs::metadata(file).await?.len() > MOST {
            let text = format!("{} has more than {MOST} bytes", file.display());
            return Err(Error::invalid("FILES", text));
        }
        let text = tokio::fs::read_to_string(file).await.map_err(|e| lost(file, &e))?;
        let read: std::result::Result<RecordType, String> = if text.trim_start().starts_with('{') {
            serde_json::from_str(&text).map_err(|e| e.to_string())
        } else {
            toml::from_str(&text).map_err(|e: toml::de::Error| e.to_string())
        };
        let read = read.map_err(|e| Error::invalid("FILES", format!("{} is no type: {e}", file.display())))?;
        types.push(serde_json::to_value(read)?);
    }
    if types.is_empty() {
        return Err(Error::invalid(
            "FILES",
            "hold no type: a type is a file that ends with .toml",
        ));
    }
    Ok(types)
}

fn lost(path: &Path, error: &std::io::Error) -> Error {
    Error::new(Code::NotFound, format!("{} cannot be read: {error}", path.display()))
}
