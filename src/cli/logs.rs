//! `app logs`: the lines that the house keeps, of every process on this machine; following them as they come.

use std::time::Duration;

use serde_json::Value;

use super::answer;
use super::client::encoded;
use super::session::{self, Need};
use super::settings::Settings;
use super::{Exit, output};
use crate::kernel::error::Result;

/// How often new lines are looked for.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app logs -f                     what happens right now
  app logs --level warn --tail 100
  app logs --request 0190c0de-0000-7000-8000-000000000001
  app logs level                  how much is logged
  app logs level debug            log more from now on, until the next start
  app logs level \"\"               as the settings say")]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    verb: Option<Verb>,
    /// Go on showing lines as they come
    #[arg(short, long)]
    follow: bool,
    /// The last lines, at most 1,000
    #[arg(long, default_value_t = 50)]
    tail: u32,
    /// Only lines of a part of the program, such as schedule
    #[arg(long)]
    module: Option<String>,
    /// Only lines of this level and louder: error, warn, info, debug, trace
    #[arg(long)]
    level: Option<String>,
    /// Everything about one request, by the id that stands on error pages and in the header X-Request-Id: its lines, jobs,
    /// deliveries and changes in the order of time. With other conditions, or with -f, its lines only
    #[arg(long)]
    request: Option<String>,
    /// Only lines of one job
    #[arg(long)]
    job: Option<String>,
    /// Only lines with these words
    #[arg(long)]
    text: Option<String>,
    /// Print each line as JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Show or change how much running processes log
    Level {
        /// Such as `debug`, or `info,vitrine::kernel::jobs=trace`
        level: Option<String>,
    },
}

impl Args {
    /// One request without any other condition.
    fn is_about_all_of_it(&self) -> bool {
        let others = [&self.module, &self.level, &self.job, &self.text];
        !self.follow && others.into_iter().all(Option::is_none)
    }
    fn path(&self, limit: u32, after: Option<&str>) -> String {
        let mut path = format!("/api/logs?limit={limit}");
        let asked = [
            ("module", self.module.as_deref()),
            ("level", self.level.as_deref()),
            ("request", self.request.as_deref()),
            ("job", self.job.as_deref()),
            ("q", self.text.as_deref()),
            ("after", after),
        ];
        for (name, value) in asked {
            if let Some(value) = value {
                path.push_str(&format!("&{name}={}", encoded(value)));
            }
        }
        path
    }
}

/// Shows what happened for one request.
async fn story(request: &str, json: bool, settings: &Settings) -> Result<Exit> {
    let path = format!("/api/requests/{}", encoded(request));
    let story = session::with(settings.for_command()?, Need::default(), async |session| {
        session.client().get(&path).await
    })
    .await?;
    let items = answer::list(&story, "items");
    if items.is_empty() {
        output::note("Nothing is known of this request: there is none with this id, or it is forgotten.");
    }
    if story["is_cut"] == true {
        output::note("There is more than is shown.");
    }
    let mut out = String::new();
    for item in items {
        if json {
            out.push_str(&item.to_string());
        } else {
            out.push_str(&happening(item));
        }
        out.push('\n');
    }
    output::print(&out)?;
    Ok(Exit::Done)
}

/// One thing that happened as a line: when, what kind, what, and what it is about.
fn happening(item: &Value) -> String {
    let text = |name: &str| item.get(name).and_then(Value::as_str).unwrap_or_default();
    if text("what") == "log" {
        return line(item, text("state"), text("text"));
    }
    let about = ["job", "change"].into_iter().filter(|name| !text(name).is_empty());
    let about: String = about.map(|name| format!(" {name}={}", text(name))).collect();
    let state = match text("state") {
        "" => String::new(),
        state => format!(" {state}"),
    };
    format!("{} {:8} {}{state}{about}", text("at"), text("what"), text("text"))
}

/// Shows how much is logged, or changes it.
async fn level(wanted: Option<&str>, settings: &Settings) -> Result<Exit> {
    let now = session::with(settings.for_command()?, Need::default(), async |session| match wanted {
        Some(level) => {
            let body = serde_json::json!({ "level": level });
            session.client().post("/api/log-level", &body).await
        }
        None => session.client().get("/api/log-level").await,
    })
    .await?;
    output::line(now["level"].as_str().unwrap_or_default())?;
    Ok(Exit::Done)
}

pub async fn run(args: Args, settings: Settings) -> Result<Exit> {
    if let Some(Verb::Level { level: wanted }) = &args.verb {
        return level(wanted.as_deref(), &settings).await;
    }
    if let Some(request) = args.request.as_deref().filter(|_| args.is_about_all_of_it()) {
        return story(request, args.json, &settings).await;
    }
    let shown = session::with(settings.for_command()?, Need::default(), async |session| {
        let client = session.client();
        let list = client.get(&args.path(args.tail, None)).await?;
        let mut lines = list["items"].as_array().cloned().unwrap_or_default();
        lines.reverse();
        print(&lines, args.json)?;
        let mut last = list["newest"].as_str().map(str::to_owned);
        if !args.follow {
            if lines.is_empty() {
                output::note("No line fits. Fewer conditions show more; app logs alone shows the last ones.");
            }
            return Ok(());
        }
        loop {
            pause().await;
            let list = client.get(&args.path(1_000, last.as_deref().or(Some("0~~0")))).await?;
            print(answer::list(&list, "items"), args.json)?;
            last = list["newest"].as_str().map(str::to_owned).or(last);
        }
    });
    match shown.await {
        // It was followed until somebody had seen enough.
        Err(error) if args.follow && error.extra().contains_key("interrupted") => Ok(Exit::Done),
        shown => shown.map(|()| Exit::Done),
    }
}

fn print(lines: &[Value], json: bool) -> Result<()> {
    let mut out = String::new();
    for one in lines {
        if json {
            out.push_str(&one.to_string());
        } else {
            let text = |name: &str| one.get(name).and_then(Value::as_str).unwrap_or_default();
            out.push_str(&line(one, text("level"), text("message")));
        }
        out.push('\n');
    }
    output::print(&out)
}

/// A line of the log.
fn line(entry: &Value, level: &str, message: &str) -> String {
    let text = |name: &str| entry.get(name).and_then(Value::as_str).unwrap_or_default();
    let module = text("module").rsplit("::").next().unwrap_or_default();
    let mut out = format!("{} {level:5} {module}: {message}", text("at"));
    for (name, value) in entry["fields"].as_object().into_iter().flatten() {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        out.push_str(&format!(" {name}={value}"));
    }
    for name in ["request", "job"] {
        if !text(name).is_empty() {
            out.push_str(&format!(" {name}={}", text(name)));
        }
    }
    out
}

#[expect(clippy::disallowed_methods, reason = "new lines are looked for from time to time")]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}
