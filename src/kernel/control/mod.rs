//! The process as the machine sees it: signals that end it, word to the service manager, the local control socket.

mod socket;

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::config::notify_socket;
use super::error::Result;

pub use socket::{ControlSocket, connect, sockets};

/// Listens for somebody who asks the process to end (SIGTERM, or Ctrl-C). Made before a house starts, so that one who asks
/// while it starts is heard, too.
#[derive(Debug)]
pub struct Asked {
    terminate: Signal,
    interrupt: Signal,
}

impl Asked {
    /// From now on nobody ends the process by a signal without its knowledge.
    ///
    /// # Errors
    /// A system that does not let us listen for signals.
    pub fn listen() -> Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }

    /// Answers when somebody asks, with the name of the signal.
    pub async fn wait(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// Tells the service manager how the process is (`READY=1`, `STOPPING=1`), where one listens. Its absence is no error,
/// and a manager that does not listen must not stop the house.
pub fn notify(state: &str) {
    let Some(name) = notify_socket() else { return };
    let sent = UnixDatagram::unbound().and_then(|socket| {
        let address = match name.as_bytes() {
            [b'@', rest @ ..] => SocketAddr::from_abstract_name(rest)?,
            _ => SocketAddr::from_pathname(&name)?,
        };
        socket.send_to_addr(state.as_bytes(), &address)
    });
    if let Err(error) = sent {
        tracing::warn!(%error, "the service manager could not be told {state}");
    }
}
