//! R14: a PostgreSQL server of our own is restarted in the middle of its work, again and again, while clients write: no
//! answered write is lost, and the house goes on by itself.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use vitrine::kernel::testing::Dice;

use super::load::{self, Load, pause};
use super::server::Place;
use super::{figure, verdict};

/// It has to answer again within this time.
const PATIENCE: Duration = Duration::from_secs(60);

/// The folder of the newest installed server programs.
fn programs() -> Option<PathBuf> {
    let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
    let mut found: Vec<PathBuf> = versions.flatten().map(|entry| entry.path().join("bin")).collect();
    found.retain(|bin| bin.join("pg_ctl").exists());
    found.sort();
    found.pop()
}

struct Server {
    bin: PathBuf,
    data: PathBuf,
    port: u16,
}

impl Server {
    fn run(&self, program: &str, args: &[&str]) -> Result<()> {
        let program = self.bin.join(program);
        // The server refuses to run as root.
        let mut command = if rustix::process::geteuid().is_root() {
            let mut command = Command::new("runuser");
            command.args(["-u", "postgres", "--"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        let folder = self.data.parent().context("a folder")?;
        let status = command.arg("-D").arg(&self.data).args(args).current_dir(folder);
        let status = status
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        ensure!(status.success(), "{args:?} ended with {status}");
        Ok(())
    }

    fn start(folder: &Path, bin: PathBuf) -> Result<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        if rustix::process::geteuid().is_root() {
            let chown = Command::new("chown").arg("postgres").arg(folder).status()?;
            ensure!(chown.success(), "the folder cannot be given to the server");
        }
        let server = Self {
            bin,
            data: folder.join("data"),
            port,
        };
        server.run(
            "initdb",
            &["-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        )?;
        let log = folder.join("log");
        let options = format!("-c listen_addresses=127.0.0.1 -p {port} -c unix_socket_directories= -c fsync=off");
        server.run(
            "pg_ctl",
            &["-w", "-s", "-l", &log.to_string_lossy(), "-o", &options, "start"],
        )?;
        Ok(server)
    }

    fn restart(&self, how: &str) -> Result<()> {
        self.run("pg_ctl", &["-w", "-s", "-m", how, "-l", "/dev/null", "restart"])
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its folder goes with it; there is nobody to tell.
        let _ = self.run("pg_ctl", &["-s", "-m", "immediate", "stop"]);
    }
}

/// See the module's text.
pub async fn torture(restarts: u64) -> Result<()> {
    let Some(bin) = programs() else {
        figure(
            "R14",
            "postgres",
            "skipped: the programs of a PostgreSQL server are not installed",
        );
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let server = Server::start(folder.path(), bin)?;
    let url = format!("postgres://postgres@127.0.0.1:{}/postgres", server.port);
    let home = tempfile::tempdir()?;
    let mut place = Place::new(&home.path().join("house"), Some(&url));
    place.settings.push("http.timeout_seconds=10".to_owned());
    place.fine(&["migrate", "latest"]);
    let load = Load::new(&place.token());
    let house = place.serve();
    load.is_at(Some(&house.url));
    let workers = load::begin(&load);
    let mut dice = Dice::new(restarts + 14);
    let mut longest = Duration::ZERO;
    for turn in 0..restarts {
        pause(Duration::from_millis(500 + dice.below(1_500))).await;
        server.restart(if turn % 2 == 0 { "immediate" } else { "fast" })?;
        let (back, before) = (Instant::now(), load.acknowledged.load(Ordering::Relaxed));
        while load.acknowledged.load(Ordering::Relaxed) == before {
            ensure!(
                back.elapsed() < PATIENCE,
                "nothing is written {PATIENCE:?} after the server is back"
            );
            pause(Duration::from_millis(5)).await;
        }
        longest = longest.max(back.elapsed());
    }
    load.ends.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await??;
    }
    let seen = verdict::index(&load, &house.url).await?;
    ensure!(house.stop() == Some(0), "it does not end in order");
    let sum = verdict::database(&load, &url, seen.ids).await?;
    let text = format!(
        "{restarts} restarts under load: {} writes answered, 0 lost, 0 doubled ({} records); writing again {} ms after the \
         server at the longest",
        load.acknowledged.load(Ordering::Relaxed),
        sum.notes + sum.parts,
        longest.as_millis()
    );
    figure("R14", "postgres", text);
    Ok(())
}
