//! How a command reaches the house: through the control socket of a running process, or, with none running, by starting
//! the house without its network side under the data folder's lock. Commands speak to both in the same way.

use std::time::Duration;

use super::client::Client;
use crate::app::{App, Plan, Roles, Running};
use crate::kernel::config::Config;
use crate::kernel::control::{self, Asked};
use crate::kernel::error::{Code, Error, Result};

/// A process that has the lock but no socket yet is starting (or just ending): it is given this long.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(100);

/// What a command needs of a house that it has to start itself.
#[derive(Clone, Copy, Debug, Default)]
pub struct Need {
    /// Runs jobs to their end.
    pub worker: bool,
    /// Keeps the search index up to date.
    pub index: bool,
}

/// See the module's text.
pub enum Session {
    /// Another process runs.
    Live(Client),
    /// This process is the house while the command runs.
    Offline(Client, Box<Running>),
}

impl Session {
    /// Finds a running process or starts the house.
    ///
    /// # Errors
    /// Unsafe settings; a data folder in use by a process that does not answer; no database.
    pub async fn connect(config: Config, need: Need) -> Result<Self> {
        let started = std::time::Instant::now();
        loop {
            for socket in control::sockets(&config.data.dir) {
                let client = Client::new(&socket);
                if client.is_alive().await {
                    return Ok(Self::Live(client));
                }
            }
            match Box::pin(offline(config.clone(), need)).await {
                Err(error) if error.extra().contains_key("in_use") && started.elapsed() < PATIENCE => pause().await,
                outcome => return outcome,
            }
        }
    }

    pub fn client(&self) -> &Client {
        match self {
            Self::Live(client) | Self::Offline(client, _) => client,
        }
    }

    /// Ends what was started.
    pub async fn close(self) {
        if let Self::Offline(_, running) = self {
            running.stop().await;
        }
    }
}

async fn offline(config: Config, need: Need) -> Result<Session> {
    let roles = Roles {
        worker: need.worker,
        ..Roles::default()
    };
    let plan = Plan {
        roles,
        index: need.index,
        ..Plan::default()
    };
    let running = Box::pin(Box::pin(App::build(config, plan)).await?.start()).await?;
    let client = Client::new(&running.socket);
    Ok(Session::Offline(client, Box::new(running)))
}

/// Runs `command` in a session and ends the session, also when somebody presses Ctrl-C.
///
/// # Errors
/// See [`Session::connect`]; what the command answers.
pub async fn with<T>(config: Config, need: Need, command: impl AsyncFnOnce(&Session) -> Result<T>) -> Result<T> {
    let session = Session::connect(config, need).await?;
    let mut asked = Asked::listen()?;
    let outcome = tokio::select! {
        outcome = command(&session) => outcome,
        signal = asked.wait() => Err(interrupted(signal)),
    };
    session.close().await;
    outcome
}

fn interrupted(signal: &str) -> Error {
    let text =
        format!("Stopped by {signal}. What was done stands; a job that was begun goes on when the house runs again.");
    Error::new(Code::Unavailable, text).with("interrupted", true)
}

#[expect(
    clippy::disallowed_methods,
    reason = "another process is starting; it has no way to tell this one"
)]
async fn pause() {
    tokio::time::sleep(PAUSE).await;
}
