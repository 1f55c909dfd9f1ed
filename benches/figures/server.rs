//! Starts the program, or this one as a raw limit, on a free port and waits until it is ready.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use vitrine::app::{App, Plan, Roles};
use vitrine::kernel::config::{Sources, load};

/// The program under measurement.
pub const APP: &str = env!("CARGO_BIN_EXE_app");

/// A running server; ended when dropped.
pub struct Server {
    child: Child,
    pub address: String,
    /// From the start of the process to its first ready answer.
    pub ready_after: Duration,
}

/// The command line of the program with its data in `folder`, on `database` or on its own file.
pub fn app(folder: &Path, database: Option<&str>) -> Command {
    let mut command = Command::new(APP);
    command
        .env("APP__DATA__DIR", folder)
        .env("APP__LOG__LEVEL", "warn")
        .stdin(Stdio::null());
    if let Some(url) = database {
        command.env("APP__DATABASE__URL", url);
    }
    command
}

/// Runs it to its end; its standard output.
pub fn finish(command: &mut Command) -> Result<String> {
    let output = command.stderr(Stdio::piped()).output().context("the program starts")?;
    if !output.status.success() {
        bail!(
            "{command:?} ended with {}: {}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

impl Server {
    /// `app serve` on a database that stands already or is made at the start.
    pub async fn app(folder: &Path, database: Option<&str>) -> Result<Self> {
        let port = free_port()?;
        let mut command = app(folder, database);
        command.arg("serve").env("APP__HTTP__BIND", format!("127.0.0.1:{port}"));
        if database.is_some() {
            command.arg("--migrate");
        }
        Self::start(command, port, "/health/ready").await
    }

    /// This program as a raw limit: `bare-record` or `bare-search`.
    pub async fn bare(arguments: &[&str]) -> Result<Self> {
        let port = free_port()?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(arguments[0]).arg(port.to_string()).args(&arguments[1..]);
        Self::start(command, port, "/ready").await
    }

    async fn start(mut command: Command, port: u16, ready: &str) -> Result<Self> {
        let address = format!("http://localhost:{port}");
        let started = Instant::now();
        let child = command.stdout(Stdio::null()).spawn().context("the server starts")?;
        let mut server = Self {
            child,
            address,
            ready_after: Duration::ZERO,
        };
        let http = reqwest::Client::new();
        let url = format!("{}{ready}", server.address);
        loop {
            if let Some(status) = server.child.try_wait()? {
                bail!("the server ended with {status} before it was ready");
            }
            let answer = http.get(&url).timeout(Duration::from_secs(2)).send().await;
            if answer.is_ok_and(|a| a.status().is_success()) {
                server.ready_after = started.elapsed();
                return Ok(server);
            }
            if started.elapsed() > Duration::from_secs(300) {
                bail!("{url} was not ready within five minutes");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; there is nothing else to do about it here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A museum file of `count` objects in `folder`.
pub fn museum(folder: &Path, count: usize) -> Result<PathBuf> {
    let path = folder.join(format!("objects-{count}.jsonl"));
    super::data::write(count, std::fs::File::create(&path)?)?;
    Ok(path)
}

/// Imports `file` as the type `object` into the house in `folder`.
pub fn import(folder: &Path, database: Option<&str>, file: &Path) -> Result<()> {
    let mut command = app(folder, database);
    finish(
        command
            .arg("import")
            .arg(file)
            .args(["--type", "object", "--infer", "--key", "id"]),
    )
    .map(drop)
}

/// The house in this process, none of its roles running: to ask its parts without a network between.
pub async fn inside(folder: &Path, database: Option<&str>) -> Result<App> {
    let mut sources = Sources::default().flag("data.dir", folder.display().to_string(), "--data");
    if let Some(url) = database {
        sources = sources.flag("database.url", url, "--database");
    }
    let plan = Plan {
        roles: Roles::default(),
        migrate: true,
        ..Plan::default()
    };
    Ok(App::build(load(&sources)?.config, plan).await?)
}
