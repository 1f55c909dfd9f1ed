//! The binary as people run it: exit codes, what it prints, what it refuses.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Output;

use super::server::Place;

/// What the doctor has a line for, whatever runs.
const SUBJECTS: [&str; 8] = [
    "database",
    "index",
    "disk",
    "clock",
    "permissions",
    "mail-server",
    "address",
    "isolation",
];

fn run(data: &Path, args: &[&str]) -> Output {
    Place::new(data, None).run(args)
}

#[track_caller]
fn fine(data: &Path, args: &[&str]) -> String {
    Place::new(data, None).fine(args)
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
    assert_eq!(run(data, &["health"]).status.code(), Some(1), "nothing runs yet");
    let served = Place::new(data, None).serve();
    let pid = served.child.id().to_string();
    // At first it may still say what it waits for.
    while run(data, &["health"]).status.code() != Some(0) {}
    assert_eq!(fine(data, &["health"]), "ready\n");
    refused(data, &["serve", "--bind", "127.0.0.1:0"], 4, &["in use", &pid]);
    refused(data, &["migrate", "status"], 4, &["in use", &pid]);
    let made: serde_json::Value = serde_json::from_str(&fine(data, &["token", "create", "--json"])).expect("JSON");
    assert!(made["secret"].is_string());
    assert!(fine(data, &["token", "list"]).contains("command line"));
    assert!(fine(data, &["ps"]).contains(&pid));
    assert!(fine(data, &["setup-link"]).contains("/setup/"));
    fine(data, &["search", "rebuild"]);
    // The doctor knows the same subjects by the same names beside a running house as without one.
    let seen = run(data, &["doctor"]);
    let told = String::from_utf8_lossy(&seen.stdout).into_owned();
    let names: Vec<&str> = told.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    for name in SUBJECTS {
        assert!(names.contains(&name), "{name} in {told}");
    }
    let other = tempfile::tempdir().expect("a folder");
    let port = served.url.rsplit(':').next().unwrap_or_default();
    let taken = format!("127.0.0.1:{port}");
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
    // Each part of the house has a line of its own.
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    let names: Vec<&str> = told.lines().filter_map(|line| line.split_whitespace().nth(1)).collect();
    for name in ["settings", "process", "port", "data-folder", "migrations"]
        .iter()
        .chain(&SUBJECTS)
    {
        assert!(names.contains(name), "{name} in {told}");
    }
    let silent = [
        "messages.host=127.0.0.1",
        "messages.port=1",
        "messages.from=desk@museum.example",
    ];
    let mut args = vec!["doctor"];
    args.extend(silent.iter().flat_map(|setting| ["--set", setting]));
    let output = run(data, &args);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("nobody answers at 127.0.0.1, port 1"), "{told}");
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

#[test]
fn many_records_are_changed_from_the_command_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let file = folder.path().join("cups.csv");
    std::fs::write(
        &file,
        "number,title,maker\n1,Cup,J. Smith\n2,Jug,J. Smith\n3,Pot,A. Ray\n",
    )
    .expect("a file");
    let file = file.to_str().expect("a path");
    fine(&data, &["import", file, "--type", "cup", "--infer", "--key", "number"]);
    let query = ["change", "--type", "cup", "--query", "maker:\"J. Smith\""];
    let with = |more: &[&str]| fine(&data, &[&query[..], more].concat());
    let shown = with(&["--give", "maker=Jane Smith"]);
    assert!(shown.contains("J. Smith") && shown.contains("Jane Smith"), "{shown}");
    let done: serde_json::Value =
        serde_json::from_str(&with(&["--give", "maker=Jane Smith", "--apply", "--json"])).expect("JSON");
    assert_eq!(done["changed"], 2, "{done}");
    refused(&data, &[&query[..], &["--give", "maker"]].concat(), 2, &["--give", "="]);
    let out = fine(&data, &["export", "--type", "cup", "--format", "csv"]);
    assert!(
        out.matches("Jane Smith").count() == 2 && out.contains("A. Ray"),
        "{out}"
    );
}

/// A folder that may be read and not written, for somebody who is not root: one sentence, one code, nothing half made.
#[test]
fn a_folder_that_may_only_be_read_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let mut place = Place::new(&data, None);
    fine(&data, &["token", "create"]);
    let allow = |path: &Path, mode: u32| {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("our own folder");
    };
    if rustix::process::geteuid().is_root() {
        // Root may write everything: somebody else tries, who may at least come so far, also where the program was built
        // in a folder of root's own.
        allow(folder.path(), 0o755);
        place.program = folder.path().join("app");
        std::fs::copy(env!("CARGO_BIN_EXE_app"), &place.program).expect("a copy");
        place.through = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
            .map(str::to_owned)
            .to_vec();
    }
    allow(&data, 0o555);
    for args in [&["serve", "--bind", "127.0.0.1:0"][..], &["migrate", "status"]] {
        let output = place.run(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(4), "{args:?}: {said}");
        for word in [data.to_str().expect("a path"), "cannot be written"] {
            assert!(said.contains(word), "{args:?} does not say {word:?}: {said}");
        }
    }
    allow(&data, 0o700);
    fine(&data, &["migrate", "status"]);
}
