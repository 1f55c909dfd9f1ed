//! The running app: starts what the roles ask for and ends it in order.

use std::net::SocketAddr;
use std::time::Duration;

use tokio_util::task::TaskTracker;
use tracing::{info, warn};

use super::{App, Roles};
use crate::kernel::control::{self, ControlSocket};
use crate::kernel::error::Result;
use crate::kernel::{Kernel, program, telemetry};

/// What runs in the background of a started app.
pub struct Running {
    pub kernel: Kernel,
    pub roles: Roles,
    /// Where the web listens, if it does.
    pub address: Option<SocketAddr>,
    tasks: TaskTracker,
}

impl App {
    /// Starts the roles and the control socket.
    ///
    /// # Errors
    /// A control socket that cannot be opened.
    pub async fn start(self) -> Result<Running> {
        let Self {
            kernel,
            roles,
            listener,
            ..
        } = self;
        let tasks = TaskTracker::new();
        let address = listener.as_ref().map(tokio::net::TcpListener::local_addr).transpose()?;
        tasks.spawn(telemetry::upkeep(kernel.stop.clone()));
        let socket = ControlSocket::bind(&kernel.data.run()?, &kernel.process).await?;
        let stop = kernel.stop.clone();
        tasks.spawn(async move {
            stop.cancelled().await;
            drop((socket, listener));
        });
        info!(
            version = program::VERSION,
            commit = program::COMMIT,
            roles = roles.names(),
            "started"
        );
        Ok(Running {
            kernel,
            roles,
            address,
            tasks,
        })
    }
}

impl Running {
    /// Runs until somebody asks the process to end, then ends in order.
    ///
    /// # Errors
    /// A system that does not let us listen for signals.
    pub async fn until_asked(self) -> Result<()> {
        control::notify("READY=1");
        let signal = control::asked_to_stop().await?;
        info!(signal, "stopping");
        control::notify("STOPPING=1");
        self.stop().await;
        Ok(())
    }

    /// Stops accepting and claiming, waits for what runs up to the limit, closes the database.
    pub async fn stop(self) {
        self.kernel.stop.cancel();
        self.tasks.close();
        // The workers keep their own limit and hand jobs back at its end; this one is for whoever does not.
        let limit = Duration::from_secs(self.kernel.config.jobs.stop_seconds + 5);
        if tokio::time::timeout(limit, self.tasks.wait()).await.is_err() {
            warn!(
                tasks = self.tasks.len(),
                "some work did not end in time and is left behind"
            );
        }
        self.kernel.db.close().await;
        info!("stopped");
    }
}
