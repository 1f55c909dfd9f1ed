//! `app worker` and `app scheduler`: one role each, beside other processes on one PostgreSQL.

use super::Exit;
use super::serve::started;
use super::settings::Settings;
use crate::app::{Plan, Roles};
use crate::kernel::control::Asked;
use crate::kernel::error::Result;

#[derive(clap::Args)]
#[command(after_help = "Example:\n  APP__DATABASE__URL=postgres://… app worker --queues exchange,default")]
pub struct WorkerArgs {
    /// Serve only these queues [default: all]
    #[arg(long, value_name = "A,B")]
    queues: Option<String>,
    /// Jobs to run at the same time
    #[arg(long, value_name = "N")]
    concurrency: Option<u32>,
}

#[derive(clap::Args)]
#[command(after_help = "Example:\n  APP__DATABASE__URL=postgres://… app scheduler")]
pub struct SchedulerArgs {}

pub async fn worker(args: WorkerArgs, mut settings: Settings) -> Result<Exit> {
    if let Some(queues) = args.queues {
        settings.flag("jobs.queues", queues, "--queues");
    }
    if let Some(concurrency) = args.concurrency {
        settings.flag("jobs.concurrency", concurrency.to_string(), "--concurrency");
    }
    serve(
        &settings,
        Roles {
            worker: true,
            ..Roles::default()
        },
    )
    .await
}

pub async fn scheduler(_args: SchedulerArgs, settings: Settings) -> Result<Exit> {
    serve(
        &settings,
        Roles {
            scheduler: true,
            ..Roles::default()
        },
    )
    .await
}

async fn serve(settings: &Settings, roles: Roles) -> Result<Exit> {
    let plan = Plan {
        roles,
        ..Plan::default()
    };
    let mut asked = Asked::listen()?;
    if let Some(running) = started(settings.for_service()?, plan, &mut asked).await? {
        running.until(asked).await;
    }
    Ok(Exit::Done)
}
