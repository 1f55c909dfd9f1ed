//! `app health`: is what runs in this data folder ready? One line and an exit code, for watchdogs and containers. Asks over
//! the control socket, starts nothing and never waits long; `app doctor` explains.

use std::time::Duration;

use super::client::Client;
use super::settings::Settings;
use super::{Exit, output};
use crate::kernel::control;
use crate::kernel::error::{Code, Error, Result};

#[derive(clap::Args)]
#[command(after_help = "\
Example:
  app health

Exit code 0: every process of this data folder is ready; 1: one is not, or none runs. `app doctor` says more.")]
pub struct Args {}

/// A process that takes longer to answer is not ready.
const PATIENCE: Duration = Duration::from_secs(4);

pub async fn run(_: Args, settings: Settings) -> Result<Exit> {
    let config = settings.for_command()?;
    let mut ready = 0;
    for socket in control::sockets(&config.data.dir) {
        let client = Client::new(&socket);
        if !client.is_alive().await {
            continue;
        }
        let asked = tokio::time::timeout(PATIENCE, what_is_missing(&client));
        let missing = asked.await.unwrap_or_else(|_| {
            let text = format!("it did not answer within {} s", PATIENCE.as_secs());
            Err(Error::new(Code::Timeout, text))
        });
        let missing = missing.unwrap_or_else(|error| Some(error.detail().to_owned()));
        if let Some(reason) = missing {
            output::line(&format!("not ready: {reason}"))?;
            return Ok(Exit::Failed);
        }
        ready += 1;
    }
    match ready {
        0 => output::line("not ready: no process runs in this data folder")?,
        1 => output::line("ready")?,
        many => output::line(&format!("ready: {many} processes"))?,
    }
    Ok(if ready == 0 { Exit::Failed } else { Exit::Done })
}

/// The first component that is not ready, with its reason.
async fn what_is_missing(client: &Client) -> Result<Option<String>> {
    let components = client.components().await?;
    let missing = components
        .into_iter()
        .find(|c| matches!(c.state.as_str(), "failed" | "starting"));
    Ok(missing.map(|c| match c.reason {
        Some(reason) => format!("{}: {reason}", c.name),
        None => format!("{} is {}", c.name, c.state),
    }))
}
