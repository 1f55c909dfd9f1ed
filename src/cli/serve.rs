//! `app serve`: the house, or some of its roles, until it is asked to stop.

use clap::ValueEnum;

use super::settings::Settings;
use super::{Exit, output};
use crate::app::{App, Plan, Roles, Running};
use crate::contract::accounts::Doors;
use crate::contract::exchange::Exchange;
use crate::kernel::config::Config;
use crate::kernel::control::Asked;
use crate::kernel::error::Result;

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app serve                               everything, on http://localhost:8080
  app serve --sample                      with a small collection to look at
  app serve --bind 127.0.0.1:0            on a free port
  app serve --roles web --migrate         one of several processes on PostgreSQL")]
pub struct Args {
    /// What this process does
    #[arg(long, value_delimiter = ',', default_value = "web,worker,scheduler")]
    roles: Vec<Role>,
    /// Apply pending migrations on PostgreSQL too (SQLite does by itself)
    #[arg(long)]
    migrate: bool,
    /// Load a small collection to look at, unless it is there already
    #[arg(long)]
    sample: bool,
    /// Address and port to listen on [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS:PORT")]
    bind: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Role {
    Web,
    Worker,
    Scheduler,
}

pub async fn run(args: Args, mut settings: Settings) -> Result<Exit> {
    if let Some(bind) = args.bind {
        settings.flag("http.bind", bind, "--bind");
    }
    let config = settings.for_service()?;
    let has = |role| args.roles.contains(&role);
    let roles = Roles {
        web: has(Role::Web),
        worker: has(Role::Worker),
        scheduler: has(Role::Scheduler),
    };
    let plan = Plan {
        roles,
        migrate: args.migrate,
        ..Plan::default()
    };
    let mut asked = Asked::listen()?;
    let Some(running) = started(config, plan, &mut asked).await? else {
        return Ok(Exit::Done);
    };
    if args.sample {
        running.bus.port::<dyn Exchange>()?.load_samples().await?;
    }
    welcome(&running).await?;
    running.until(asked).await;
    Ok(Exit::Done)
}

/// The house, once it is open; `None` where somebody asked it to end before it was.
pub(super) async fn started(config: Config, plan: Plan, asked: &mut Asked) -> Result<Option<Running>> {
    let start = Box::pin(async { App::build(config, plan).await?.start().await });
    tokio::select! {
        running = start => running.map(Some),
        signal = asked.wait() => {
            tracing::info!(signal, "stopped while it was starting");
            Ok(None)
        }
    }
}

/// Says where it is, and on the first start how to come in. To standard error: the log goes there too, and the link is
/// for the person who starts it.
async fn welcome(running: &Running) -> Result<()> {
    if running.address.is_none() {
        return Ok(());
    }
    let mut text = format!("Vitrine is at {}", running.kernel.config.http.public_url);
    if let Some(doors) = running.bus.find::<dyn Doors>()
        && let Some(link) = doors.issue_setup_link().await?
    {
        text.push_str(&format!("\nTo look after it, open this once: {link}"));
    }
    text.push_str("\nThe manual is under /docs. Ctrl+C stops it; nothing is lost.");
    output::note(&text);
    Ok(())
}
