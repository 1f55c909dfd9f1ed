//! Which values are safe to start with. Every complaint names its key and what would be right.

use std::net::{IpAddr, SocketAddr};

use tracing_subscriber::EnvFilter;

use super::{Config, providers};
use crate::kernel::error::{Error, FieldIssue, Result};
use crate::kernel::i18n::Language;

/// What tantivy needs at least for each thread.
const INDEX_MEMORY_PER_THREAD: u64 = 15_000_000;

/// What the module `access` calls its roles.
pub(super) const ROLES: [&str; 6] = [
    "viewer",
    "contributor",
    "editor",
    "curator",
    "administrator",
    "operator",
];

#[derive(Default)]
pub(super) struct Issues(Vec<FieldIssue>);

impl Issues {
    pub(super) fn add(&mut self, key: &str, message: impl Into<String>) {
        self.0.push(FieldIssue {
            path: key.to_owned(),
            message: message.into(),
        });
    }
    pub(super) fn between(&mut self, key: &str, value: u64, least: u64, most: u64) {
        if value < least || value > most {
            self.add(key, format!("is {value}, but must be between {least} and {most}"));
        }
    }
}

impl Config {
    /// Refuses values that cannot work or are unsafe, all of them at once.
    ///
    /// # Errors
    /// `Invalid` with one entry for each key.
    pub fn check(&self) -> Result<()> {
        let mut issues = Issues::default();
        self.check_places(&mut issues);
        self.check_limits(&mut issues);
        self.check_messages(&mut issues);
        self.check_sign_up(&mut issues);
        providers::check(self, &mut issues);
        if issues.0.is_empty() {
            Ok(())
        } else {
            Err(Error::invalid_fields(issues.0))
        }
    }

    fn check_places(&self, issues: &mut Issues) {
        let dir = &self.data.dir;
        if dir.as_os_str().is_empty() || dir.parent().is_none() {
            issues.add("data.dir", "must name a folder of its own, such as ./vitrine-data");
        }
        let bind = listen_address(&self.http.bind);
        if bind.is_none() {
            let message = format!(
                "is \"{}\", but must be an address with a port, such as 127.0.0.1:8080 or [::]:8080",
                self.http.bind
            );
            issues.add("http.bind", message);
        }
        self.check_public_url(bind, issues);
        if Language::find(&self.http.language).is_none() {
            let tags: Vec<&str> = Language::all().map(Language::tag).collect();
            let message = format!("is \"{}\", but must be {}", self.http.language, tags.join(" or "));
            issues.add("http.language", message);
        }
        for (key, hosts) in [
            ("http.hosts", &self.http.hosts),
            ("http.image_hosts", &self.http.image_hosts),
        ] {
            for host in hosts.iter().filter(|host| !is_host(host)) {
                let message = format!("\"{host}\" is not a host name; write it without scheme, port and path");
                issues.add(key, message);
            }
        }
        for given in self
            .http
            .trusted_proxies
            .iter()
            .filter(|given| network(given).is_none())
        {
            let message = format!("\"{given}\" is neither an address nor a network such as 10.0.0.0/8");
            issues.add("http.trusted_proxies", message);
        }
        for origin in self
            .http
            .cors_origins
            .iter()
            .filter(|origin| split_url(origin).is_none())
        {
            let message = format!("\"{origin}\" is not an origin such as https://research.example.org");
            issues.add("http.cors_origins", message);
        }
        let url = &self.database.url;
        if !["sqlite:", "postgres://", "postgresql://"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
        {
            let kind = url.split(':').next().unwrap_or_default();
            issues.add(
                "database.url",
                format!("starts with \"{kind}\", but only sqlite: and postgres:// are understood"),
            );
        }
        if !matches!(self.log.format.as_str(), "text" | "json") {
            issues.add(
                "log.format",
                format!("is \"{}\", but must be text or json", self.log.format),
            );
        }
        if EnvFilter::try_new(&self.log.level).is_err() {
            issues.add(
                "log.level",
                format!(
                    "is \"{}\", but must be a level such as info or info,vitrine=debug",
                    self.log.level
                ),
            );
        }
        self.check_traces(issues);
    }

    fn check_traces(&self, issues: &mut Issues) {
        let address = &self.log.traces;
        if !address.is_empty() && crate::kernel::fetch::Place::read(address).is_err() {
            issues.add(
                "log.traces",
                format!("is \"{address}\", but must be an address such as http://localhost:4318/v1/traces"),
            );
        }
        issues.between("log.traces_percent", self.log.traces_percent, 0, 100);
        let header = self.log.traces_header.reveal();
        if !header.is_empty() && !is_header(header) {
            // Its text may be a secret.
            issues.add("log.traces_header", "must be a header as it is sent, name: value");
        }
    }

    fn check_public_url(&self, bind: Option<SocketAddr>, issues: &mut Issues) {
        const KEY: &str = "http.public_url";
        let url = &self.http.public_url;
        if url.is_empty() {
            if bind.is_some_and(|address| !address.ip().is_loopback()) {
                let message = format!(
                    "is not set, but http.bind {} can be reached from other machines. Say where people reach it: \
                     https://collection.example.org, or http://localhost:PORT where only this machine does",
                    self.http.bind
                );
                issues.add(KEY, message);
            }
            return;
        }
        let Some((secure, host)) = split_url(url) else {
            let message = format!(
                "is \"{url}\", but must be http:// or https:// with a host and nothing after it: https://collection.example.org"
            );
            issues.add(KEY, message);
            return;
        };
        if !secure && !is_local(host) && !self.http.allow_plain {
            let message = format!(
                "is {url}: the cookies of whoever signs in would travel unprotected. Use https:// (a proxy in front can \
                 end it), or set http.allow_plain = true for a network you trust"
            );
            issues.add(KEY, message);
        }
    }

    fn check_sign_up(&self, issues: &mut Issues) {
        if self.accounts.sign_up && self.messages.host.is_empty() {
            let message = "is true, but no mail server is set that could send the links: set messages.host";
            issues.add("accounts.sign_up", message);
        }
        for domain in self.accounts.sign_up_domains.iter().filter(|domain| !is_host(domain)) {
            let message = format!("\"{domain}\" is not a domain such as museum.example");
            issues.add("accounts.sign_up_domains", message);
        }
    }

    fn check_messages(&self, issues: &mut Issues) {
        let mail = &self.messages;
        issues.between("messages.timeout_seconds", mail.timeout_seconds.into(), 1, 120);
        issues.between("messages.most_per_hour", mail.most_per_hour.into(), 1, 10_000);
        issues.between("messages.keep_days", mail.keep_days.into(), 1, 3_650);
        if !matches!(mail.security.as_str(), "starttls" | "tls" | "plain") {
            let message = format!("is \"{}\", but must be starttls, tls or plain", mail.security);
            issues.add("messages.security", message);
        }
        if mail.host.is_empty() {
            return;
        }
        if !is_host(&mail.host) && mail.host.parse::<IpAddr>().is_err() {
            let message = format!(
                "is \"{}\", which is not a host name; write it without scheme, port and path",
                mail.host
            );
            issues.add("messages.host", message);
        }
        if !mail.from.contains('@') || mail.from.chars().any(char::is_control) {
            let message = "must be an address, or a name and an address: Our Museum <collection@example.org>";
            issues.add("messages.from", message);
        }
        if mail.security == "plain" && !mail.user.is_empty() && !is_local(&mail.host) {
            let message = "is plain, so the password would travel readably to another machine. Use starttls or tls";
            issues.add("messages.security", message);
        }
        if mail.user.is_empty() != mail.password.is_empty() {
            issues.add(
                "messages.user",
                "stands without a password, or a password without a user",
            );
        }
    }

    fn check_limits(&self, issues: &mut Issues) {
        const ANY: u64 = i64::MAX as u64;
        issues.between("http.body_limit", self.http.body_limit, 1024, 1 << 30);
        issues.between("http.upload_limit", self.http.upload_limit, 1024, ANY);
        issues.between("http.timeout_seconds", self.http.timeout_seconds, 1, 3_600);
        let accounts = &self.accounts;
        issues.between(
            "accounts.session_idle_minutes",
            accounts.session_idle_minutes.into(),
            5,
            525_600,
        );
        issues.between("accounts.session_hours", accounts.session_hours.into(), 1, 8_760);
        issues.between("accounts.link_hours", accounts.link_hours.into(), 1, 720);
        for role in accounts
            .second_factor
            .iter()
            .filter(|role| !ROLES.contains(&role.as_str()))
        {
            let message = format!("\"{role}\" is no role; roles are {}", ROLES.join(", "));
            issues.add("accounts.second_factor", message);
        }
        issues.between("database.connections", self.database.connections.into(), 2, 1_000);
        issues.between("jobs.concurrency", self.jobs.concurrency.into(), 1, 256);
        issues.between("jobs.lease_seconds", self.jobs.lease_seconds, 5, 3_600);
        issues.between("jobs.stop_seconds", self.jobs.stop_seconds, 0, 3_600);
        issues.between("jobs.keep_days", self.jobs.keep_days.into(), 1, 36_500);
        issues.between("jobs.keep_failed_days", self.jobs.keep_failed_days.into(), 1, 36_500);
        for text in self.jobs.limits.iter().filter(|text| limit(text).is_none()) {
            let message = format!("\"{text}\" is not a queue and a number from 1 to 256, such as exchange:1");
            issues.add("jobs.limits", message);
        }
        let language = self.search.language.as_str();
        if !language.is_empty() && !["en", "fr", "de", "sv", "es", "it", "nl"].contains(&language) {
            let message = format!("is \"{language}\", but must be en, fr, de, sv, es, it, nl or empty");
            issues.add("search.language", message);
        }
        issues.between("search.threads", self.search.threads.into(), 1, 8);
        issues.between("search.log_days", self.search.log_days.into(), 0, 3_650);
        issues.between("search.log_rows", self.search.log_rows.into(), 100, 1_000_000);
        issues.between(
            "search.memory",
            self.search.memory,
            INDEX_MEMORY_PER_THREAD * u64::from(self.search.threads.clamp(1, 8)),
            16 << 30,
        );
        issues.between("import.max_bytes", self.import.max_bytes, 1, ANY);
        issues.between("import.max_rows", self.import.max_rows, 1, ANY);
        issues.between("import.max_columns", self.import.max_columns, 1, 100_000);
        issues.between("import.max_cell_bytes", self.import.max_cell_bytes, 1, 1 << 30);
        issues.between("import.max_depth", self.import.max_depth.into(), 1, 128);
        issues.between("import.max_ratio", self.import.max_ratio, 2, ANY);
        issues.between("export.keep_hours", self.export.keep_hours.into(), 1, 24 * 365);
        issues.between("export.most", self.export.most.into(), 1, 10_000);
        for queue in &self.jobs.queues {
            if !is_queue(queue) {
                issues.add(
                    "jobs.queues",
                    format!("\"{queue}\" is not the name of a queue: lower-case letters, digits and -"),
                );
            }
        }
    }
}

fn is_queue(name: &str) -> bool {
    let is_fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !name.is_empty() && name.bytes().all(is_fine)
}

/// `exchange:1`: a queue and how many of its jobs run at the same time.
pub(super) fn limit(text: &str) -> Option<(&str, usize)> {
    let (queue, jobs) = text.split_once(':')?;
    let jobs = jobs.trim().parse().ok().filter(|n| (1..=256).contains(n))?;
    is_queue(queue.trim()).then_some((queue.trim(), jobs))
}

/// The address to listen on; `localhost` is understood as the loopback address.
pub fn listen_address(text: &str) -> Option<SocketAddr> {
    let text = text
        .strip_prefix("localhost:")
        .map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
    text.parse().ok()
}

/// An address, or a network as its first address and the number of bits that count.
pub fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse::<u8>().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some((address, bits))
}

/// Scheme (true: https) and host of an address without path, query and user.
fn split_url(url: &str) -> Option<(bool, &str)> {
    let (secure, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return None,
    };
    let (host, port) = match rest.strip_prefix('[').and_then(|r| r.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':')?)),
        None => rest
            .split_once(':')
            .map_or((rest, None), |(host, port)| (host, Some(port))),
    };
    if port.is_some_and(|port| port.parse::<u16>().is_err()) {
        return None;
    }
    (is_host(host) || host.parse::<IpAddr>().is_ok()).then_some((secure, host))
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 253
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
}

fn is_local(host: &str) -> bool {
    host == "localhost" || host.ends_with(".localhost") || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A database address without its password.
pub fn redacted_url(url: &str) -> String {
    let (main, query) = url
        .split_once('?')
        .map_or((url, None), |(main, query)| (main, Some(query)));
    let mut out = match main.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((user, host)) => {
                let name = user.split(':').next().unwrap_or_default();
                let mask = if user.contains(':') { ":***" } else { "" };
                format!("{scheme}://{name}{mask}@{host}")
            }
            None => main.to_owned(),
        },
        None => main.to_owned(),
    };
    if let Some(query) = query {
        let parts = query.split('&').map(|part| match part.split_once('=') {
            Some((name, _)) if name.to_lowercase().contains("pass") => format!("{name}=***"),
            _ => part.to_owned(),
        });
        out.push('?');
        out.push_str(&parts.collect::<Vec<_>>().join("&"));
    }
    out
}

fn is_header(text: &str) -> bool {
    let Some((name, value)) = crate::kernel::telemetry::traces::header(text) else {
        return false;
    };
    hyper::header::HeaderName::from_bytes(name.as_bytes()).is_ok()
        && !value.is_empty()
        && hyper::header::HeaderValue::from_str(&value).is_ok()
}
