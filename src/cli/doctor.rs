//! `app doctor`: what is wrong and what to do about it, one line each. Looks, and changes nothing.

use std::path::Path;

use serde::Serialize;

use super::client::{Client, Component};
use super::settings::Settings;
use super::{Exit, output, providers, surroundings};
use crate::kernel::clock::Clock;
use crate::kernel::config::{Config, listen_address};
use crate::kernel::control;
use crate::kernel::data::DataDir;
use crate::kernel::db::{Db, Engine, Options};
use crate::kernel::error::{Error, Result};
use crate::kernel::health;
use crate::kernel::module::Health;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app doctor
  app doctor --json

Exit code 0: all is well; 3: something needs a look; 1: something is broken.")]
pub struct Args {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    Ok,
    Warning,
    Failed,
}

#[derive(Debug, Serialize)]
struct Finding {
    name: String,
    state: State,
    detail: String,
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, name: &str, state: State, detail: impl Into<String>) {
        self.0.push(Finding {
            name: name.to_owned(),
            state,
            detail: detail.into(),
        });
    }
    /// What a check says; `well` where there is nothing to say.
    fn health(&mut self, name: &str, health: Health, well: &str) {
        match health {
            Health::Ok => self.add(name, State::Ok, well),
            Health::Warning { reason } | Health::Starting { reason } => self.add(name, State::Warning, reason),
            Health::Failed { reason } => self.add(name, State::Failed, reason),
        }
    }
    fn failed(&mut self, name: &str, error: &Error) {
        let fields = error.fields().iter().map(|f| format!("{}: {}", f.path, f.message));
        let detail = match error.fields() {
            [] => error.detail().to_owned(),
            _ => fields.collect::<Vec<_>>().join("; "),
        };
        self.add(name, State::Failed, detail);
    }
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    let mut findings = Findings::default();
    if let Some(config) = look_at_settings(&settings, &mut findings) {
        look_at_house(&config, &mut findings).await;
        for (name, answer) in providers::look(&config).await {
            match answer {
                Ok(detail) => findings.add(&name, State::Ok, detail),
                Err(why) => findings.add(
                    &name,
                    State::Warning,
                    format!("{why}. Until it does, nobody signs in through it"),
                ),
            }
        }
    }
    let worst = findings.0.iter().map(|f| f.state).max().unwrap_or(State::Ok);
    if args.json {
        output::json(&findings.0)?;
    } else {
        for finding in &findings.0 {
            let mark = match finding.state {
                State::Ok => "ok     ",
                State::Warning => "look   ",
                State::Failed => "BROKEN ",
            };
            output::line(&format!("{mark} {:<12} {}", finding.name, finding.detail))?;
        }
    }
    Ok(match worst {
        State::Ok => Exit::Done,
        State::Warning => Exit::Partly,
        State::Failed => Exit::Failed,
    })
}

fn look_at_settings(settings: &Settings, findings: &mut Findings) -> Option<Config> {
    let config = match settings.load() {
        Ok(loaded) => loaded.config,
        Err(error) => {
            findings.failed("settings", &error);
            return None;
        }
    };
    match config.check() {
        Ok(()) => findings.add("settings", State::Ok, "every value is right and safe"),
        Err(error) => findings.failed("settings", &error),
    }
    Some(config)
}

async fn look_at_house(config: &Config, findings: &mut Findings) {
    let mut live = None;
    for socket in control::sockets(&config.data.dir) {
        let client = Client::new(&socket);
        if client.is_alive().await {
            let name = socket.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            findings.add("process", State::Ok, format!("the process {name} answers"));
            live.get_or_insert(client);
        }
    }
    match &live {
        Some(client) => look_at_components(client, findings).await,
        None => {
            findings.add("process", State::Ok, "none runs in this data folder");
            look_at_port(config, findings).await;
        }
    }
    if live.is_none() || config.database.is_shared() {
        look_at_storage(config, findings).await;
    }
    let (state, detail) = surroundings::address(config).await;
    findings.add("address", state, detail);
    let (state, detail) = surroundings::mail(config).await;
    findings.add("mail-server", state, detail);
    findings.add("isolation", State::Ok, surroundings::isolation());
}

async fn look_at_components(client: &Client, findings: &mut Findings) {
    let components: Vec<Component> = match client.components().await {
        Ok(components) => components,
        Err(error) => return findings.failed("process", &error),
    };
    for component in components {
        let state = match component.state.as_str() {
            "ok" => State::Ok,
            "failed" => State::Failed,
            _ => State::Warning,
        };
        // The same subject has the same name whether something runs or not.
        let name = match component.name.as_str() {
            "search" => "index",
            "data-folder" => "permissions",
            name => name,
        };
        findings.add(name, state, component.reason.unwrap_or_else(|| well(name).to_owned()));
    }
}

/// What is said of a part of a running house that is well.
fn well(name: &str) -> &'static str {
    match name {
        "database" => "answers",
        "migrations" => "all are applied",
        "index" => "is there and follows what is written",
        "disk" => "there is room",
        "permissions" => "nobody else on this machine may look into the data folder",
        "clock" => "goes with the database's",
        "roles" => "none pauses",
        "followers" => "no long transaction holds them back",
        "write-ahead-log" => "is short",
        "workers" => "every queue with jobs is served",
        _ => "works",
    }
}

async fn look_at_port(config: &Config, findings: &mut Findings) {
    let Some(address) = listen_address(&config.http.bind) else {
        return;
    };
    match tokio::net::TcpListener::bind(address).await {
        Ok(_) => findings.add("port", State::Ok, format!("{address} is free")),
        Err(error) => findings.add(
            "port",
            State::Warning,
            format!("{address} cannot be listened on: {error}. Set http.bind to another one"),
        ),
    }
}

/// Opens folder and database as a process would, without migrating.
async fn look_at_storage(config: &Config, findings: &mut Findings) {
    if !config.data.dir.exists() {
        let text = format!(
            "{} does not exist yet; the first start makes it",
            config.data.dir.display()
        );
        return findings.add("data-folder", State::Ok, text);
    }
    let data = match DataDir::open(&config.data.dir, !config.database.is_shared()) {
        Ok(data) => data,
        Err(error) => return findings.failed("data-folder", &error),
    };
    findings.add("data-folder", State::Ok, data.root().display().to_string());
    findings.health(
        "permissions",
        health::folder(&data),
        "nobody else on this machine may look into it",
    );
    let (state, detail) = surroundings::disk(&data);
    findings.add("disk", state, detail);
    if !config.database.is_shared() && config.database.url == "sqlite:" && !data.root().join("vitrine.db").exists() {
        return findings.add("database", State::Ok, "is not made yet; the first start makes it");
    }
    let options = Options {
        readers: 2,
        ..Options::default()
    };
    match Db::open(&config.database.url, data.root(), Clock::system(), options).await {
        Ok(db) => {
            look_at_database(&db, data.root(), findings).await;
            db.close().await;
        }
        Err(error) => findings.failed("database", &error),
    }
}

async fn look_at_database(db: &Db, root: &Path, findings: &mut Findings) {
    match (db.migrations().await, db.size().await) {
        (Ok(states), Ok(bytes)) => {
            let pending = states.iter().filter(|m| !m.applied).count();
            let size = format!("{} answers and takes {} MB", db.engine().name(), bytes >> 20);
            findings.add("database", State::Ok, size);
            if pending == 0 {
                findings.add("migrations", State::Ok, format!("all {} are applied", states.len()));
            } else {
                let text = format!("{pending} of {} are pending: app migrate latest", states.len());
                findings.add("migrations", State::Warning, text);
            }
        }
        (Err(error), _) | (_, Err(error)) => findings.failed("database", &error),
    }
    findings.health("clock", health::clock(db).await, "goes with the database's");
    let index = std::fs::read_dir(root.join("index"))
        .map(Iterator::count)
        .unwrap_or_default();
    let text = if index == 0 {
        "is not built yet; the next start builds it"
    } else {
        "is there"
    };
    findings.add("index", State::Ok, text);
    if db.engine() == Engine::Postgres {
        match health::followers(db).await {
            Ok(Health::Warning { reason }) => findings.add("followers", State::Warning, reason),
            Ok(_) => findings.add("followers", State::Ok, "no long transaction holds them back"),
            Err(error) => findings.failed("followers", &error),
        }
    }
}
