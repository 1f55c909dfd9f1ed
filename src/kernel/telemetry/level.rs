//! How much is logged: as the settings say, or as it was told while it runs. A level is one word (`debug`) or several
//! for parts of the program (`info,vitrine::kernel::jobs=trace`).

use std::sync::{Mutex, OnceLock, PoisonError};

use tracing::info;
use tracing_subscriber::{EnvFilter, Registry, reload};

use crate::kernel::error::{Error, Result};

/// What says too much at the level of everything else.
const QUIET: &[&str] = &["sqlx::postgres::notice=warn"];
/// Characters of a level.
const LONGEST: usize = 200;

/// The one filter of the process, what the settings say, and what holds now.
struct Kept {
    handle: reload::Handle<EnvFilter, Registry>,
    configured: String,
    now: Mutex<String>,
}

static KEPT: OnceLock<Kept> = OnceLock::new();

/// What a level lets pass.
pub(super) fn filter(level: &str) -> Result<EnvFilter> {
    let filter = EnvFilter::try_new(level).map_err(|e| Error::invalid("level", e.to_string()))?;
    if level.contains("sqlx") {
        return Ok(filter);
    }
    // PostgreSQL notes every table that exists already; whoever wants that names sqlx.
    let quiet = QUIET.iter().filter_map(|part| part.parse().ok());
    Ok(quiet.fold(filter, EnvFilter::add_directive))
}

pub(super) fn keep(handle: reload::Handle<EnvFilter, Registry>, configured: &str) {
    // Only the first start logs.
    let _ = KEPT.set(Kept {
        handle,
        configured: configured.to_owned(),
        now: Mutex::new(configured.to_owned()),
    });
}

/// Refuses what is no level. An empty one is what the settings say. A first word that is no level would be taken for a
/// part of the program and turn everything else off.
///
/// # Errors
/// `Invalid`.
pub fn check(level: &str) -> Result<()> {
    let wrong = || {
        let text = "must be a level such as debug, or levels of parts such as info,vitrine::kernel::jobs=trace; empty \
                    for what the settings say";
        Error::invalid("level", text)
    };
    let is_known = |word: &str| matches!(word, "off" | "error" | "warn" | "info" | "debug" | "trace");
    let part = |part: &str| match part.trim().rsplit_once('=') {
        None => is_known(part.trim()),
        Some((name, level)) => !name.is_empty() && is_known(level),
    };
    if level.is_empty() || (level.chars().count() <= LONGEST && level.split(',').all(part) && filter(level).is_ok()) {
        Ok(())
    } else {
        Err(wrong())
    }
}

/// Logs at a level from now on; at that of the settings for an empty one.
///
/// # Errors
/// A level that is none.
pub fn set(level: &str) -> Result<()> {
    let Some(kept) = KEPT.get() else { return Ok(()) };
    let level = if level.is_empty() {
        kept.configured.as_str()
    } else {
        level
    };
    let mut now = kept.now.lock().unwrap_or_else(PoisonError::into_inner);
    if *now == level {
        return Ok(());
    }
    kept.handle.reload(filter(level)?).map_err(Error::internal)?;
    level.clone_into(&mut now);
    drop(now);
    info!(level, "the level of the log is another now");
    Ok(())
}

/// The level that holds now, where this process logs.
pub fn level() -> Option<String> {
    let kept = KEPT.get()?;
    Some(kept.now.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn levels_are_told_from_other_words() {
        for level in ["", "debug", "off", "info,vitrine=debug"] {
            assert!(check(level).is_ok(), "{level}");
        }
        for level in [
            "loud",
            "info,vitrine",
            "info,=debug",
            "info,vitrine=loud",
            "warn, vitrine=debug",
            ",",
            "info,,",
            "[",
            &"x=info,".repeat(90),
        ] {
            assert!(check(level).is_err(), "{level}");
        }
    }
}
