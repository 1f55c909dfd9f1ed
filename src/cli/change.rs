//! `app change`: does the same to many records. Shows what would change; with `--apply` it is done, as one change that can be
//! undone as one.

use clap::ArgGroup;
use serde_json::{Value, json};

use super::client::Client;
use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, job, output};
use crate::kernel::error::{Error, Result};

/// Records shown.
const SHOWN: usize = 20;

#[derive(clap::Args)]
#[command(group = ArgGroup::new("action").required(true))]
#[command(after_help = "\
Examples:
  app change --type object --query 'maker:\"J. Smith\"' --give 'maker=Jane Smith'
  app change --type object --query 'maker:\"J. Smith\"' --give 'maker=Jane Smith' --apply --reason 'her letters'
  app change --type object --all --find '^(\\w+), (\\w+)$' --with '$2 $1' --regex --field title
  app change --type object --query 'keywords:old' --remove keywords=old --apply")]
pub struct Args {
    /// The type of the records
    #[arg(long = "type", value_name = "NAME")]
    type_name: String,
    /// Those that this finds, as in the search box
    #[arg(long, value_name = "QUERY", required_unless_present = "all")]
    query: Option<String>,
    /// Every record of the type
    #[arg(long)]
    all: bool,
    /// Give a field a value
    // Not `--set`: that sets a setting, everywhere.
    #[arg(long, value_name = "FIELD=VALUE", group = "action")]
    give: Option<String>,
    /// Empty a field
    #[arg(long, value_name = "FIELD", group = "action")]
    clear: Option<String>,
    /// Add a value to a field that takes several
    #[arg(long, value_name = "FIELD=VALUE", group = "action")]
    add: Option<String>,
    /// Take a value out of a field
    #[arg(long, value_name = "FIELD=VALUE", group = "action")]
    remove: Option<String>,
    /// Give a field what another one has
    #[arg(long, value_name = "FIELD=FROM", group = "action")]
    copy: Option<String>,
    /// Say who sees the records
    #[arg(long, value_name = "LEVEL", group = "action", value_parser = ["public", "members", "restricted"])]
    visibility: Option<String>,
    /// Delete the records
    #[arg(long, group = "action")]
    delete: bool,
    /// Replace this text, in the field of --field
    #[arg(long, value_name = "TEXT", group = "action", requires = "field")]
    find: Option<String>,
    /// The field of --find
    #[arg(long, value_name = "FIELD")]
    field: Option<String>,
    /// What is put in the place of what --find finds [default: nothing]
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    with: String,
    /// --find is a regular expression; $1 in --with is what its first group found
    #[arg(long)]
    regex: bool,
    /// Do it; without this it is only shown
    #[arg(long)]
    apply: bool,
    /// Why, for the history
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    reason: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

impl Args {
    fn action(&self) -> Result<Value> {
        let pair = |flag: &str, name: &str, text: &str, key: &str| {
            let (field, value) = text.split_once('=').ok_or_else(|| {
                Error::invalid(
                    format!("--{flag}"),
                    "is a field and what belongs to it, with = between them.",
                )
            })?;
            Ok(json!({ "do": name, "field": field, key: value }))
        };
        let pairs = [
            ("give", "set", &self.give),
            ("add", "add", &self.add),
            ("remove", "remove", &self.remove),
        ];
        if let Some((flag, name, Some(text))) = pairs.into_iter().find(|(_, _, text)| text.is_some()) {
            return pair(flag, name, text, "value");
        }
        if let Some(text) = &self.copy {
            return pair("copy", "copy", text, "from");
        }
        Ok(match (&self.clear, &self.visibility, &self.find) {
            (Some(field), _, _) => json!({ "do": "clear", "field": field }),
            (_, Some(to), _) => json!({ "do": "visibility", "to": to }),
            (_, _, Some(find)) => json!({
                "do": "replace", "field": self.field, "find": find, "with": self.with, "regex": self.regex,
            }),
            _ => json!({ "do": "delete" }),
        })
    }
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let select = json!({ "type": args.type_name, "q": args.query.clone().unwrap_or_default(), "all": args.all });
    let body = json!({ "select": select, "action": args.action()? });
    let need = Need {
        worker: args.apply,
        index: true,
    };
    session::with(settings.for_command()?, need, async |session| {
        let drawn = session.client().post("/api/batches", &body).await?;
        let path = format!("/api/batches/{}", drawn["id"].as_str().unwrap_or_default());
        if args.apply {
            return apply(session.client(), &args, &path).await;
        }
        session.client().delete(&path).await?;
        if args.json {
            output::json(&drawn)?;
        } else {
            show(&drawn["preview"])?;
        }
        Ok(Exit::Done)
    })
    .await
}

async fn apply(client: &Client, args: &Args, path: &str) -> Result<Exit> {
    let begun = client
        .post(&format!("{path}/run"), &json!({ "reason": args.reason }))
        .await?;
    let done = job::watch(client, begun["job"].as_str().unwrap_or_default(), "changing records").await?;
    if done["state"] != "done" {
        return Err(job::failure(&done, "changing records"));
    }
    let result = &done["result"];
    if args.json {
        output::json(result)?;
    } else {
        output::line(&format!(
            "{} changed, {} stayed the same, {} could not be changed.",
            result["changed"], result["unchanged"], result["refused"]
        ))?;
        if let Some(change) = result["change"].as_str() {
            output::line(&format!(
                "The change set is {change}; POST /api/changes/{change}/undo takes it back."
            ))?;
        }
    }
    Ok(if result["refused"].as_i64() == Some(0) {
        Exit::Done
    } else {
        Exit::Partly
    })
}

fn show(preview: &Value) -> Result<()> {
    output::line(&format!(
        "{} would change, {} would stay the same, {} cannot be changed. Nothing is done without --apply.",
        preview["changed"], preview["unchanged"], preview["refused"]
    ))?;
    let list = |name: &str| preview[name].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut rows = Vec::new();
    for record in list("changes").iter().take(SHOWN) {
        for field in record["fields"].as_array().into_iter().flatten() {
            rows.push(vec![
                text(&record["title"]),
                text(&field["field"]),
                text(&field["before"]),
                text(&field["after"]),
            ]);
        }
    }
    if !rows.is_empty() {
        output::table(&["RECORD", "FIELD", "BEFORE", "AFTER"], &rows)?;
    }
    let refusals = list("refusals");
    let refused = refusals
        .iter()
        .take(SHOWN)
        .map(|refusal| vec![text(&refusal["title"]), text(&refusal["reason"])]);
    let refused: Vec<Vec<String>> = refused.collect();
    if !refused.is_empty() {
        output::table(&["CANNOT BE CHANGED", "WHY"], &refused)?;
    }
    Ok(())
}
