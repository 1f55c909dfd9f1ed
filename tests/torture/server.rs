//! The program as a process of its own: started, killed, told to end.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

const APP: &str = env!("CARGO_BIN_EXE_app");

/// A data folder and a database for one installation.
#[derive(Clone, Debug)]
pub struct Place {
    pub data: PathBuf,
    /// The program itself.
    pub program: PathBuf,
    /// Its own SQLite file where it is none.
    pub database: Option<String>,
    /// More settings: `name=value`.
    pub settings: Vec<String>,
    /// What the program is started through, such as `setpriv …`.
    pub through: Vec<String>,
}

impl Place {
    pub fn new(data: &Path, database: Option<&str>) -> Self {
        Self {
            data: data.to_owned(),
            program: PathBuf::from(APP),
            database: database.map(str::to_owned),
            settings: vec!["log.level=error".to_owned()],
            through: Vec::new(),
        }
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = match self.through.split_first() {
            Some((first, others)) => {
                let mut command = Command::new(first);
                command.args(others).arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        command.args(args).env_clear().stdin(Stdio::null());
        command.arg("--data").arg(&self.data);
        if let Some(url) = &self.database {
            command.env("APP__DATABASE__URL", url);
        }
        for setting in &self.settings {
            command.arg("--set").arg(setting);
        }
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().expect("the program starts")
    }

    /// Runs a command that has to succeed; its standard output.
    #[track_caller]
    pub fn fine(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let (said, wrong) = (
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
        );
        assert!(output.status.success(), "{args:?}: {said}{wrong}");
        said.into_owned()
    }

    /// The secret of a token that may do everything.
    pub fn token(&self) -> String {
        let made: serde_json::Value = serde_json::from_str(&self.fine(&["token", "create", "--json"])).expect("JSON");
        made["secret"].as_str().expect("a secret").to_owned()
    }

    /// `app serve` on a free port, without waiting for anything.
    pub fn spawn(&self) -> Child {
        let mut args = vec!["serve", "--bind", "127.0.0.1:0"];
        if self.database.is_some() {
            args.push("--migrate");
        }
        self.command(&args)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts")
    }

    /// `app serve`, once it says where it is.
    #[track_caller]
    pub fn serve(&self) -> Server {
        let mut child = self.spawn();
        let mut lines = BufReader::new(child.stderr.take().expect("its standard error")).lines();
        let mut said = Vec::new();
        let url = loop {
            match lines.next() {
                Some(Ok(line)) => match line.strip_prefix("Vitrine is at ") {
                    Some(url) => break url.to_owned(),
                    None => said.push(line),
                },
                _ => panic!("it ended before it said where it is: {}", said.join("\n")),
            }
        };
        // Read on, so that it never waits for somebody to read what it says.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        Server { child, url }
    }
}

/// A running `app serve`; dropping it is `kill -9`, and waits for its end.
pub struct Server {
    pub child: Child,
    pub url: String,
}

impl Server {
    /// SIGTERM, and its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it can be told");
        self.child.wait().expect("it ends").code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Ended already by `stop`, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
