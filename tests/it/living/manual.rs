//! The manual tells the truth: the commands of its blocks marked `console` are run, chapter by chapter, each in a folder of
//! its own with the files the manual speaks of. `app serve` runs on beside the commands after it.

use std::path::Path;
use std::process::{Child, Command, Stdio};

const APP: &str = env!("CARGO_BIN_EXE_app");

const OBJECTS: &str = "accession_number,title,maker,material,made\n1901.12,Teapot with lid,Wedgwood,Stoneware,1790\n1954.3,Salad plate,Spode,Porcelain,1954\n0088,Incense burner,,Bronze,1810\n";
const MORE: &str = "accession_number,title,maker,material,made,weight\n1960.1,Cup,Spode,Porcelain,1960,120\n";

/// The commands of a chapter in order, with their lines.
fn commands(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut inside = false;
    for (at, line) in text.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let Some(command) = line.strip_prefix("$ ").filter(|_| inside) {
            found.push((at + 1, command.to_owned()));
        }
    }
    found
}

fn shell(folder: &Path, command: &str) -> Command {
    let programs = Path::new(APP).parent().expect("a folder of programs");
    let mut shell = Command::new("sh");
    shell
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", programs.display()))
        .env("APP__HTTP__BIND", "127.0.0.1:0")
        .env("APP__LOG__LEVEL", "warn")
        .current_dir(folder)
        .args(["-c", &format!("exec {command}")])
        .stdin(Stdio::null());
    shell
}

/// A program that goes on until the chapter ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn serve(folder: &Path, command: &str) -> Running {
    use std::io::{BufRead, BufReader};
    let mut child = shell(folder, command)
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let lines = BufReader::new(child.stderr.take().expect("its standard error")).lines();
    let mut lines = lines.map_while(Result::ok);
    let greeted = lines.any(|line| line.starts_with("Vitrine is at "));
    // What it says later is thrown away, so that a full pipe never holds it up.
    std::thread::spawn(move || lines.for_each(drop));
    assert!(greeted, "{command} does not say where it is");
    Running(child)
}

#[test]
fn the_commands_of_the_manual_work() {
    // Another language has the same commands, as a guard sees to: those of the English chapters are run.
    let mut chapters = crate::guards::sources::files("assets/docs", &[".md"]);
    chapters.retain(|(path, _)| path.matches('/').count() == 2);
    assert!(chapters.len() >= 12);
    let mut run = 0;
    for (path, text) in chapters {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("objects.csv"), OBJECTS).expect("a file");
        std::fs::write(folder.path().join("more-objects.csv"), MORE).expect("a file");
        let mut served = None;
        for (line, command) in commands(&text) {
            run += 1;
            if command.starts_with("app serve") {
                served = Some(serve(folder.path(), &command));
                continue;
            }
            let output = shell(folder.path(), &command).output().expect("a shell");
            assert!(
                output.status.success(),
                "{path}:{line}: {command}\n{}{}",
                String::from_utf8_lossy(&output.stdout),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        drop(served);
    }
    assert!(run > 15, "only {run} commands were run");
}
