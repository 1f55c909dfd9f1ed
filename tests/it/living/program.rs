//! The binary as people run it: exit codes, what it prints, what it refuses.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

const APP: &str = env!("CARGO_BIN_EXE_app");

fn app(data: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(APP);
    command
        .env_clear()
        .args(args)
        .arg("--data")
        .arg(data)
        .stdin(Stdio::null());
    command
}

fn run(data: &Path, args: &[&str]) -> Output {
    app(data, args).output().expect("the program starts")
}

#[track_caller]
fn fine(data: &Path, args: &[&str]) -> String {
    let output = run(data, args);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{args:?}: {said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}

#[track_caller]
fn refused(data: &Path, args: &[&str], code: i32, words: &[&str]) {
    let output = run(data, args);
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
    for word in words {
        assert!(said.contains(word), "{args:?} does not say {word:?}: {said}");
    }
}

/// `app serve` on a free port, ended with the test.
struct Served(Child, String);

impl Served {
    fn start(data: &Path) -> Self {
        let mut child = app(data, &["serve", "--bind", "127.0.0.1:0", "--set", "log.level=warn"])
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let lines = BufReader::new(child.stderr.take().expect("its standard error")).lines();
        let greeting = lines
            .map_while(Result::ok)
            .find(|line| line.starts_with("Vitrine is at "));
        let url = greeting.expect("it says where it is").replace("Vitrine is at ", "");
        Self(child, url)
    }
    fn port(&self) -> &str {
        self.1.rsplit(':').next().unwrap_or_default()
    }
    fn stop(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_child(&self.0);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it can be told");
        self.0.wait().expect("it ends").code()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        // Ended already by `stop`, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_schema_moves_step_by_step() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let count = |what: &str| {
        fine(data, &["migrate", "status"])
            .lines()
            .filter(|l| l.ends_with(what))
            .count()
    };
    fine(data, &["migrate", "latest"]);
    let all = count("applied");
    assert!(all > 0 && count("pending") == 0);
    assert!(fine(data, &["migrate", "undo"]).contains("taken back"));
    assert_eq!((count("applied"), count("pending")), (all - 1, 1));
    assert!(fine(data, &["migrate", "one"]).contains("applied: "));
    assert_eq!((count("applied"), count("pending")), (all, 0));
    assert!(fine(data, &["migrate", "latest"]).contains("nothing to do"));
    let status: serde_json::Value = serde_json::from_str(&fine(data, &["migrate", "status", "--json"])).expect("JSON");
    assert_eq!(status.as_array().map(Vec::len), Some(all));
}

#[test]
fn one_process_serves_and_commands_reach_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    let served = Served::start(data);
    let pid = served.0.id().to_string();
    refused(data, &["serve", "--bind", "127.0.0.1:0"], 4, &["in use", &pid]);
    refused(data, &["migrate", "status"], 4, &["in use", &pid]);
    let made: serde_json::Value = serde_json::from_str(&fine(data, &["token", "create", "--json"])).expect("JSON");
    assert!(made["secret"].is_string());
    assert!(fine(data, &["token", "list"]).contains("command line"));
    assert!(fine(data, &["ps"]).contains(&pid));
    assert!(fine(data, &["setup-link"]).contains("/setup/"));
    fine(data, &["search", "rebuild"]);
    let other = tempfile::tempdir().expect("a folder");
    let taken = format!("127.0.0.1:{}", served.port());
    refused(
        other.path(),
        &["serve", "--bind", &taken],
        4,
        &[&taken, "APP__HTTP__BIND", "taken"],
    );
    assert_eq!(served.stop(), Some(0));
    let left = std::fs::read_dir(data.join("run")).expect("the folder").count();
    assert_eq!(left, 0, "the control socket is removed");
}

#[test]
fn commands_work_while_nothing_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path();
    assert!(!fine(data, &["token", "create", "--name", "nightly"]).trim().is_empty());
    assert!(fine(data, &["token", "list"]).contains("nightly"));
    fine(data, &["search", "rebuild"]);
    let output = run(data, &["doctor"]);
    assert!(
        matches!(output.status.code(), Some(0 | 3)),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );
}

#[test]
fn wrong_settings_and_folders_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    refused(&data, &["serve", "--set", "http.bnid=1"], 2, &["http.bind"]);
    refused(&data, &["serve", "--bind", "0.0.0.0:8080"], 2, &["http.public_url"]);
    refused(
        Path::new("/proc/none"),
        &["migrate", "status"],
        4,
        &["/proc/none", "cannot be written"],
    );
    refused(
        &data,
        &["serve", "--set", "database.url=postgres://nobody@127.0.0.1:1/none"],
        4,
        &["database"],
    );
    assert_eq!(run(&data, &["no-such-command"]).status.code(), Some(2));
    assert!(fine(&data, &["config", "show"]).contains("flag --data"));
    assert!(fine(&data, &["config", "default"]).contains("[http]"));
    assert!(fine(&data, &["completion", "bash"]).contains("app"));
}
