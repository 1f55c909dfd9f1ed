//! `app user`: accounts of people and programs. Passwords are chosen by link, so none stands on a command line.

use std::io::{BufRead, IsTerminal, Write as _};

use clap::Subcommand;
use serde_json::{Value, json};

use super::answer::{self, text};
use super::client::{Client, encoded};
use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, output};
use crate::kernel::error::{Code, Error, Result};

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app user create --login ada --name \"Ada Lovelace\" --role administrator
                                        prints a link; whoever opens it chooses the password
  app user create --login nightly --name \"Nightly import\" --service --role contributor
  app user list
  app user role ada curator --place type:painting
  app user disable ada                  signs out everywhere at once
  app user reset-link ada
  app user reset-link ada --mail        sends it to the address of the account
  app user delete ada                   asks for the name once more
  app user delete ada --confirm ada     for scripts")]
pub struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Make an account and print the link to choose its password with
    Create {
        /// The name to sign in with
        #[arg(long)]
        login: String,
        /// The name to show
        #[arg(long)]
        name: String,
        /// A mail address
        #[arg(long)]
        mail: Option<String>,
        /// A role in the whole house: viewer, contributor, editor, curator, administrator, operator
        #[arg(long)]
        role: Option<String>,
        /// A program's account: it has tokens and never signs in
        #[arg(long)]
        service: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// List accounts
    List {
        /// What the name or the address begins with
        text: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Switch an account off: it is signed out everywhere, its tokens rest
    Disable(Which),
    /// Switch an account on again
    Enable(Which),
    /// Print a link to choose a new password with
    ResetLink {
        /// The sign-in name or the id
        user: String,
        /// Mail it to the account's address instead
        #[arg(long)]
        mail: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Delete an account for good: who it was is forgotten, what it did stays
    Delete {
        /// The sign-in name or the id
        user: String,
        /// The same once more, instead of being asked for it
        #[arg(long, value_name = "USER")]
        confirm: Option<String>,
    },
    /// Give a role, or take it away
    Role {
        /// The sign-in name or the id
        user: String,
        /// viewer, contributor, editor, curator, administrator or operator
        role: String,
        /// Where: house, or type:NAME for one collection
        #[arg(long, default_value = "house")]
        place: String,
        /// Take it away
        #[arg(long)]
        remove: bool,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

#[derive(clap::Args)]
struct Which {
    /// The sign-in name or the id
    user: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let config = settings.for_command()?;
    session::with(config, Need::default(), async |session| {
        act(args.verb, session.client()).await
    })
    .await?;
    Ok(Exit::Done)
}

async fn act(verb: Verb, client: &Client) -> Result<()> {
    match verb {
        Verb::Create {
            login,
            name,
            mail,
            role,
            service,
            json,
        } => {
            let roles: Vec<Value> = role.iter().map(|role| json!({ "role": role })).collect();
            let wanted = json!({ "login": login, "name": name, "mail": mail, "roles": roles, "service": service });
            let made = client.post("/api/people", &wanted).await?;
            if json {
                return output::json(&made);
            }
            match (
                made.pointer("/link/url").and_then(Value::as_str),
                made.get("mailed_to").and_then(Value::as_str),
            ) {
                (Some(url), _) => {
                    output::line(url)?;
                    output::note("Hand this link over: whoever opens it first chooses the password.");
                }
                (None, Some(to)) => output::line(&format!("A link to choose a password is on its way to {to}."))?,
                (None, None) => output::line(text(&made, "id"))?,
            }
            Ok(())
        }
        Verb::List { text, json } => list(client, text.as_deref().unwrap_or_default(), json).await,
        Verb::Disable(which) => switch(client, &which, false).await,
        Verb::Enable(which) => switch(client, &which, true).await,
        Verb::ResetLink { user, mail, json } => {
            let way = if mail { "link/mail" } else { "link" };
            let made = client.post(&format!("{}/{way}", path(&user)), &json!({})).await?;
            match (json, mail) {
                (true, _) => output::json(&made),
                (false, true) => output::line(&format!("A link is on its way to {}.", text(&made, "mailed_to"))),
                (false, false) => output::line(text(&made, "url")),
            }
        }
        Verb::Delete { user, confirm } => delete(client, &user, confirm).await,
        Verb::Role {
            user,
            role,
            place,
            remove,
            json,
        } => {
            let told = if remove {
                let question = format!("role={}&place={}", encoded(&role), encoded(&place));
                client.delete(&format!("{}/roles?{question}", path(&user))).await?
            } else {
                client
                    .put(
                        &format!("{}/roles", path(&user)),
                        &json!({ "role": role, "place": place }),
                    )
                    .await?
            };
            if json {
                return output::json(&told);
            }
            output::line(&format!("{}: {}", text(&told, "login"), roles(&told)))
        }
    }
}

fn path(user: &str) -> String {
    format!("/api/people/{}", encoded(user))
}

/// Asks for the name on a terminal.
fn ask(user: &str, name: &str) -> Result<String> {
    if !std::io::stdin().is_terminal() {
        let text = format!("Say that you mean it: app user delete {user} --confirm {user}");
        return Err(Error::new(Code::Invalid, text));
    }
    let mut out = std::io::stderr();
    write!(
        out,
        "Who {name} was is forgotten for good. Write {user} to delete the account: "
    )?;
    out.flush()?;
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    Ok(line)
}

async fn delete(client: &Client, user: &str, confirm: Option<String>) -> Result<()> {
    let told = client.get(&path(user)).await?;
    let typed = match confirm {
        Some(typed) => typed,
        None => ask(user, text(&told, "name"))?,
    };
    if typed.trim() != user {
        let text = format!("\"{}\" is not \"{user}\". Nothing was deleted.", typed.trim());
        return Err(Error::invalid("--confirm", text));
    }
    client.delete(&path(user)).await?;
    output::line(&format!(
        "{} is deleted. What the account did stays.",
        text(&told, "login")
    ))
}

async fn switch(client: &Client, which: &Which, active: bool) -> Result<()> {
    let told = client.patch(&path(&which.user), &json!({ "active": active })).await?;
    if which.json {
        return output::json(&told);
    }
    output::line(&format!("{} is {}.", text(&told, "login"), text(&told, "state")))
}

/// The roles of an account in one line.
fn roles(account: &Value) -> String {
    let held = account
        .get("roles")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let held: Vec<String> = held
        .iter()
        .map(|one| match text(one, "place") {
            "house" => text(one, "role").to_owned(),
            place => format!("{} of {place}", text(one, "role")),
        })
        .collect();
    if held.is_empty() {
        "no role".to_owned()
    } else {
        held.join(", ")
    }
}

async fn list(client: &Client, text_given: &str, json: bool) -> Result<()> {
    let (mut items, mut after) = (Vec::new(), String::new());
    loop {
        let page = client
            .get(&format!("/api/people?limit=200&q={}{after}", encoded(text_given)))
            .await?;
        items.extend_from_slice(answer::list(&page, "items"));
        match page.get("next").and_then(Value::as_str) {
            Some(next) => after = format!("&after={next}"),
            None => break,
        }
    }
    if json {
        return output::json(&json!({ "items": items }));
    }
    let rows: Vec<Vec<String>> = items
        .iter()
        .map(|one| {
            let cell = |name| text(one, name).to_owned();
            vec![
                cell("login"),
                cell("name"),
                cell("state"),
                roles(one),
                cell("seen_at"),
                cell("id"),
            ]
        })
        .collect();
    output::table(&["SIGN-IN NAME", "NAME", "STATE", "ROLES", "LAST SEEN", "ID"], &rows)
}
