//! `app man`: pages for `man`, made from the definition of the command line, so that they never say anything else than
//! `--help` does.

use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory};

use super::{Cli, Exit, output};
use crate::kernel::error::{Code, Error, Result};

#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  app man | man -l -                      read it
  app man --to ~/.local/share/man/man1    one page for each command: man app-import")]
pub struct Args {
    /// Write one page for each command into this folder instead
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
}

pub fn run(args: &Args) -> Result<Exit> {
    let mut whole = Cli::command().bin_name("app");
    whole.build();
    match &args.to {
        None => output::print(&page(&whole, "app")?)?,
        Some(folder) => {
            std::fs::create_dir_all(folder).map_err(|e| unwritable(folder, &e))?;
            let count = write(&whole, "app", folder)?;
            output::line(&format!("{count} pages are in {}", folder.display()))?;
        }
    }
    Ok(Exit::Done)
}

/// Writes the page of a command and those of its subcommands.
fn write(command: &Command, name: &str, folder: &Path) -> Result<usize> {
    let path = folder.join(format!("{name}.1"));
    std::fs::write(&path, page(command, name)?).map_err(|e| unwritable(&path, &e))?;
    let mut count = 1;
    for inner in command.get_subcommands().filter(|inner| !inner.is_hide_set()) {
        count += write(inner, &format!("{name}-{}", inner.get_name()), folder)?;
    }
    Ok(count)
}

fn page(command: &Command, name: &str) -> Result<String> {
    let versioned = command.clone().version(super::program::VERSION);
    let mut page = Vec::new();
    clap_mangen::Man::new(versioned)
        .title(name)
        .manual("Vitrine")
        .source(format!("Vitrine {}", super::program::VERSION))
        .render(&mut page)?;
    Ok(String::from_utf8_lossy(&page).into_owned())
}

fn unwritable(path: &Path, cause: &std::io::Error) -> Error {
    Error::new(Code::Invalid, format!("{} cannot be written: {cause}.", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_a_page_with_its_flags_and_examples() {
        let mut whole = Cli::command().bin_name("app");
        whole.build();
        let folder = tempfile::tempdir().expect("a folder");
        let count = write(&whole, "app", folder.path()).expect("pages");
        assert!(count > whole.get_subcommands().count(), "{count}");
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("a page");
        for word in [".TH app 1", "import", "APP__HTTP__BIND"] {
            assert!(read("app.1").contains(word), "{word}");
        }
        let import = read("app-import.1");
        for word in [
            ".TH app-import 1",
            "decimal",
            "app import objects.csv",
            r"\fBapp import\fR",
            "Exit codes",
        ] {
            assert!(import.contains(word), "{word} is missing in:\n{import}");
        }
        assert!(read("app-migrate-status.1").contains(".TH app-migrate-status 1"));
    }
}
