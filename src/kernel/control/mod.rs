//! The process as the machine sees it: signals that end it, word to the service manager, the local control socket.

mod socket;

use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

use tokio::signal::unix::{SignalKind, signal};

use super::config::notify_socket;
use super::error::Result;

pub use socket::{ControlSocket, connect, sockets};

/// Answers when somebody asks the process to end (SIGTERM, or Ctrl-C), with the name of the signal.
///
/// # Errors
/// A system that does not let us listen for signals.
pub async fn asked_to_stop() -> Result<&'static str> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
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
