//! `app grant` and `app group`: who has which role where.

use clap::Subcommand;
use serde_json::{Value, json};

use super::answer::list;
use super::client::{Client, encoded};
use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, output};
use crate::kernel::error::{Error, Result};

#[derive(clap::Args)]
#[command(after_help = "\
Roles: viewer, contributor, editor, curator (of a collection or the house), administrator, operator (of the house).

Examples:
  app grant list
  app grant give account:ID editor museum-object
  app grant give group:Botanists viewer house
  app grant take account:ID editor museum-object
  app grant why account:ID record:ID")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// List who has which role where
    List {
        /// At this collection, or house
        place: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Give a role
    Give(What),
    /// Take a role away
    Take(What),
    /// Say why somebody sees something, or that they do not
    Why {
        /// account:ID, or anonymous
        who: String,
        /// house, a collection, or record:ID
        what: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// Who, which role, where.
#[derive(clap::Args)]
struct What {
    /// account:ID, or group:NAME
    who: String,
    role: String,
    /// A collection, or house
    place: String,
}

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app group create Botanists
  app group add Botanists account:ID
  app group add Botanists group:Interns
  app group list")]
pub struct GroupArgs {
    #[command(subcommand)]
    verb: GroupVerb,
}

#[derive(Subcommand)]
enum GroupVerb {
    /// List groups with their members
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a group
    Create {
        name: String,
        /// What it is for
        #[arg(long, default_value = "")]
        description: String,
    },
    /// Delete a group; its members lose what they have by it
    Delete { name: String },
    /// Put somebody into a group
    Add {
        name: String,
        /// account:ID, or group:NAME
        who: String,
    },
    /// Take somebody out of a group
    Remove {
        name: String,
        /// account:ID, or group:NAME
        who: String,
    },
}

fn text<'v>(value: &'v Value, path: &str) -> &'v str {
    value.pointer(path).and_then(Value::as_str).unwrap_or_default()
}

/// `house`, `type:NAME`, `record:ID` of what somebody typed.
fn place(text: &str) -> String {
    if text == "house" || text.contains(':') {
        text.to_owned()
    } else {
        format!("type:{text}")
    }
}

/// The id of a group by its name or id.
async fn group(client: &Client, name: &str) -> Result<String> {
    let all = client.get("/api/groups").await?;
    let wanted = name.to_lowercase();
    let found = list(&all, "items")
        .iter()
        .find(|group| text(group, "/id") == name || text(group, "/name").to_lowercase() == wanted);
    match found {
        Some(group) => Ok(text(group, "/id").to_owned()),
        None => Err(Error::not_found("group", name)),
    }
}

/// `account:ID` or `group:ID#member` of what somebody typed.
async fn subject(client: &Client, who: &str) -> Result<String> {
    match who.strip_prefix("group:") {
        Some(name) if !name.ends_with("#member") => Ok(format!("group:{}#member", group(client, name).await?)),
        _ => Ok(who.to_owned()),
    }
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    session::with(settings.for_command()?, Need::default(), async |session| {
        let client = session.client();
        match &args.verb {
            Verb::List { place: at, json } => {
                let path = match at {
                    Some(at) => format!("/api/grants?place={}", encoded(&place(at))),
                    None => "/api/grants".to_owned(),
                };
                let listed = client.get(&path).await?;
                if *json {
                    return output::json(&listed);
                }
                let row = |grant: &Value| {
                    let cells = [
                        "/place",
                        "/role",
                        "/holder/name",
                        "/holder/subject",
                        "/given_by",
                        "/given_at",
                    ];
                    cells.map(|cell| text(grant, cell).to_owned()).to_vec()
                };
                let rows: Vec<Vec<String>> = list(&listed, "items").iter().map(row).collect();
                output::table(&["PLACE", "ROLE", "NAME", "SUBJECT", "GIVEN BY", "GIVEN"], &rows)
            }
            Verb::Give(what) => {
                let wanted = json!({
                    "subject": subject(client, &what.who).await?, "role": what.role, "place": place(&what.place),
                });
                client.post("/api/grants", &wanted).await?;
                output::line(&format!("{} is {} of {}.", what.who, what.role, what.place))
            }
            Verb::Take(what) => {
                let path = format!(
                    "/api/grants?subject={}&role={}&place={}",
                    encoded(&subject(client, &what.who).await?),
                    encoded(&what.role),
                    encoded(&place(&what.place))
                );
                client.delete(&path).await?;
                output::line(&format!("{} is {} of {} no more.", what.who, what.role, what.place))
            }
            Verb::Why { who, what, json } => {
                let mut path = format!("/api/access/why?object={}", encoded(&place(what)));
                if who != "anonymous" {
                    path.push_str(&format!("&subject={}", encoded(who)));
                }
                let why = client.get(&path).await?;
                if *json { output::json(&why) } else { explain(&why) }
            }
        }
    })
    .await?;
    Ok(Exit::Done)
}

fn explain(why: &Value) -> Result<()> {
    let allowed = why.get("allowed").and_then(Value::as_bool).unwrap_or_default();
    let level = why.get("level").and_then(Value::as_str).unwrap_or("nothing");
    let answer = if allowed { "yes" } else { "no" };
    output::line(&format!(
        "{answer} ({}; reads fields up to: {level})",
        text(why, "/permission")
    ))?;
    for reason in why.get("way").and_then(Value::as_array).into_iter().flatten() {
        let line = match text(reason, "/step") {
            "tuple" => format!(
                "  {} is {} of {}, given by {}",
                text(reason, "/subject"),
                text(reason, "/relation"),
                text(reason, "/object"),
                text(reason, "/given_by")
            ),
            "anyone" => "  it is public".to_owned(),
            "members" => "  it is for whoever is signed in".to_owned(),
            _ => continue,
        };
        output::line(&line)?;
    }
    Ok(())
}

pub async fn groups(args: GroupArgs, settings: Settings) -> Result<Exit> {
    session::with(settings.for_command()?, Need::default(), async |session| {
        let client = session.client();
        match &args.verb {
            GroupVerb::List { json } => {
                let listed = client.get("/api/groups").await?;
                if *json {
                    return output::json(&listed);
                }
                let row = |group: &Value| {
                    let members = group.get("members").and_then(Value::as_array);
                    let names = members.into_iter().flatten().map(|m| match text(m, "/name") {
                        "" => text(m, "/subject"),
                        name => name,
                    });
                    vec![text(group, "/name").to_owned(), names.collect::<Vec<_>>().join(", ")]
                };
                let rows: Vec<Vec<String>> = list(&listed, "items").iter().map(row).collect();
                output::table(&["GROUP", "MEMBERS"], &rows)
            }
            GroupVerb::Create { name, description } => {
                let wanted = json!({ "name": name, "description": description });
                let made = client.post("/api/groups", &wanted).await?;
                output::line(&format!("The group {} is made.", text(&made, "/name")))
            }
            GroupVerb::Delete { name } => {
                let id = group(client, name).await?;
                client.delete(&format!("/api/groups/{id}")).await?;
                output::line(&format!("The group {name} is deleted."))
            }
            GroupVerb::Add { name, who } => {
                let id = group(client, name).await?;
                let wanted = json!({ "subject": subject(client, who).await? });
                client.post(&format!("/api/groups/{id}/members"), &wanted).await?;
                output::line(&format!("{who} is in {name}."))
            }
            GroupVerb::Remove { name, who } => {
                let id = group(client, name).await?;
                let who_is = encoded(&subject(client, who).await?);
                client
                    .delete(&format!("/api/groups/{id}/members?subject={who_is}"))
                    .await?;
                output::line(&format!("{who} is not in {name} any more."))
            }
        }
    })
    .await?;
    Ok(Exit::Done)
}
