//! What `app doctor` sees around the house: whether people can reach its address, how much the disk has left, and whether
//! programs of others could be shut in on this machine. Looks, and changes nothing.

use std::path::Path;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};

use super::doctor::State;
use crate::kernel::config::{Config, listen_address};
use crate::kernel::data::DataDir;
use crate::kernel::health;

/// An address that does not answer within this time does not.
const LIMIT: Duration = Duration::from_secs(3);
/// Less deserves a look.
const LOW_DISK: u64 = 1 << 30;

/// Host and port of an address such as `https://objects.museum.org`.
fn host_and_port(url: &str) -> Option<(String, u16)> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let ordinary = if scheme == "https" { 443 } else { 80 };
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (authority, ordinary),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']');
    (!host.is_empty()).then(|| (host.to_owned(), port))
}

/// Can people reach it where its pages say it is?
pub async fn address(config: &Config) -> (State, String) {
    let url = &config.http.public_url;
    if url.is_empty() {
        let port = listen_address(&config.http.bind).map_or(8080, |address| address.port());
        let text =
            format!("http://localhost:{port}, for people on this machine; http.public_url makes it one for others");
        return (State::Ok, text);
    }
    let Some((host, port)) = host_and_port(url) else {
        return (State::Warning, format!("{url} names no host; set http.public_url"));
    };
    match reach(&host, port).await {
        Reached::Answers => (State::Ok, format!("{url}: somebody answers at {host}, port {port}")),
        Reached::Silent => {
            let text =
                format!("{url}: nobody answers at {host}, port {port}. Is the proxy running, and the port open?");
            (State::Warning, text)
        }
        Reached::Unknown(error) => {
            let text = format!("the name {host} of http.public_url is not known here: {error}");
            (State::Warning, text)
        }
    }
}

/// Whether somebody answers at a place.
enum Reached {
    Answers,
    Silent,
    /// The name is not known.
    Unknown(String),
}

async fn reach(host: &str, port: u16) -> Reached {
    let found = tokio::time::timeout(LIMIT, lookup_host((host, port))).await;
    let places: Vec<_> = match found {
        Ok(Ok(places)) => places.collect(),
        Ok(Err(error)) => return Reached::Unknown(error.to_string()),
        Err(_) => return Reached::Unknown("nobody says within 3 s where it is".to_owned()),
    };
    for place in &places {
        if let Ok(Ok(_)) = tokio::time::timeout(LIMIT, TcpStream::connect(place)).await {
            return Reached::Answers;
        }
    }
    Reached::Silent
}

/// Does the mail server answer? Says nothing to it: `app messages test` sends a message.
pub async fn mail(config: &Config) -> (State, String) {
    let (host, settings) = (&config.messages.host, &config.messages);
    if host.is_empty() {
        let text = "none is set: links are shown to whoever makes them; messages.host names one";
        return (State::Ok, text.to_owned());
    }
    let port = match (settings.port, settings.security.as_str()) {
        (0, "tls") => 465,
        (0, "plain") => 25,
        (0, _) => 587,
        (port, _) => port,
    };
    match reach(host, port).await {
        Reached::Answers => (
            State::Ok,
            format!("{host}, port {port}, answers; app messages test ADDRESS sends a message"),
        ),
        Reached::Silent => {
            let text =
                format!("nobody answers at {host}, port {port}, of messages.host: mail waits until somebody does");
            (State::Warning, text)
        }
        Reached::Unknown(error) => (
            State::Warning,
            format!("the name {host} of messages.host is not known here: {error}"),
        ),
    }
}

/// How much the disk of the data folder has left.
pub fn disk(data: &DataDir) -> (State, String) {
    match health::free_bytes(data) {
        Ok(free) if free < LOW_DISK => (State::Warning, format!("only {} MB are free", free >> 20)),
        Ok(free) => (State::Ok, format!("{} MB are free", free >> 20)),
        Err(error) => (State::Warning, format!("the free space cannot be read: {error}")),
    }
}

/// Could programs of others be shut in? Nothing in this build runs any.
pub fn isolation() -> &'static str {
    if may_make_namespaces(Path::new("/proc/sys")) {
        "nothing here runs programs of others; this machine could shut them in (user namespaces are allowed)"
    } else {
        "nothing here runs programs of others; this machine could not shut them in (user namespaces are not allowed)"
    }
}

fn may_make_namespaces(settings: &Path) -> bool {
    let number = |name: &str| -> Option<i64> {
        let text = std::fs::read_to_string(settings.join(name)).ok()?;
        text.trim().parse().ok()
    };
    number("user/max_user_namespaces").is_some_and(|most| most > 0)
        && number("kernel/unprivileged_userns_clone") != Some(0)
        && number("kernel/apparmor_restrict_unprivileged_userns").unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        let of = |url| host_and_port(url);
        let pair = |host: &str, port| Some((host.to_owned(), port));
        assert_eq!(of("https://objects.museum.org"), pair("objects.museum.org", 443));
        assert_eq!(of("http://museum.test:8080/x"), pair("museum.test", 8080));
        assert_eq!(of("https://[::1]"), pair("::1", 443));
        assert_eq!(of("https://[::1]:8443"), pair("::1", 8443));
        assert_eq!(of("museum"), None);
    }

    #[test]
    fn a_machine_says_whether_it_can_shut_in() {
        let folder = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        assert!(!may_make_namespaces(folder.path()));
        put("user/max_user_namespaces", "1000\n");
        assert!(may_make_namespaces(folder.path()));
        put("kernel/unprivileged_userns_clone", "0\n");
        assert!(!may_make_namespaces(folder.path()));
    }
}
