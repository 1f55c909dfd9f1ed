//! The flags that every command has, and the settings they lead to.

use std::path::PathBuf;

use clap::Args;

use crate::kernel::config::{Config, Loaded, Sources, load};
use crate::kernel::error::{Error, Result};
use crate::kernel::telemetry;

#[derive(Args, Clone, Debug, Default)]
pub struct Settings {
    /// A file with settings (TOML); the environment and flags go before it
    #[arg(long, global = true, value_name = "FILE", help_heading = "Settings")]
    pub config: Option<PathBuf>,
    /// The folder of all local state [default: ./vitrine-data]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Settings")]
    pub data: Option<PathBuf>,
    /// Set any setting: `--set http.body_limit=1000000`
    #[arg(long, global = true, value_name = "KEY=VALUE", help_heading = "Settings")]
    pub set: Vec<String>,
    /// Flags of a subcommand that stand for settings: key, value, flag.
    #[arg(skip)]
    pub flags: Vec<(String, String, String)>,
}

impl Settings {
    /// Sets a key as a subcommand's flag does.
    pub fn flag(&mut self, key: &str, value: impl Into<String>, flag: &str) {
        self.flags.push((key.to_owned(), value.into(), flag.to_owned()));
    }

    /// Every layer, with origins; not yet judged.
    ///
    /// # Errors
    /// Unknown keys, wrong kinds, unreadable files.
    pub fn load(&self) -> Result<Loaded> {
        let mut sources = Sources {
            file: self.config.clone(),
            ..Sources::from_process()
        };
        for pair in &self.set {
            let (key, value) = pair.split_once('=').ok_or_else(|| {
                Error::invalid(
                    "--set",
                    format!("\"{pair}\" has no \"=\"; write it like --set http.body_limit=1000000"),
                )
            })?;
            sources = sources.flag(key.trim(), value, "--set");
        }
        if let Some(dir) = &self.data {
            let dir = dir
                .to_str()
                .ok_or_else(|| Error::invalid("--data", "the folder's name is not UTF-8"))?;
            sources = sources.flag("data.dir", dir, "--data");
        }
        sources.flags.extend(self.flags.iter().cloned());
        load(&sources)
    }

    /// The settings for a process that serves: checked, with logging started as configured.
    ///
    /// # Errors
    /// See [`Settings::load`]; unsafe values.
    pub fn for_service(&self) -> Result<Config> {
        let loaded = self.load()?;
        loaded.config.check()?;
        telemetry::start_logging(&loaded.config.log)?;
        Ok(loaded.config)
    }

    /// The settings for a command: as for a service, but it logs only warnings unless a level was asked for; and not how
    /// long a write took, nor a failed job, which the command tells itself.
    ///
    /// # Errors
    /// See [`Settings::for_service`].
    pub fn for_command(&self) -> Result<Config> {
        let mut loaded = self.load()?;
        if loaded
            .entries
            .iter()
            .any(|entry| entry.key == "log.level" && entry.source == "default")
        {
            "warn,vitrine::kernel::db::write=error,vitrine::kernel::jobs::settle=off"
                .clone_into(&mut loaded.config.log.level);
        }
        loaded.config.check()?;
        telemetry::start_logging(&loaded.config.log)?;
        Ok(loaded.config)
    }
}
