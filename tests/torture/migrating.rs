//! R8: `kill -9` while the schema moves, up or down: the next start completes it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use vitrine::kernel::testing::Dice;

use super::figure;
use super::load::pause;
use super::server::Place;

/// Steps taken back before each kill.
const STEPS: usize = 4;
/// A kill comes so many milliseconds before the program has begun to migrate, or after it has ended, at most.
const AROUND: u64 = 10;

fn pending(place: &Place) -> Result<usize> {
    let states: Value = serde_json::from_str(&place.fine(&["migrate", "status", "--json"]))?;
    let all = states.as_array().context("a list")?;
    ensure!(all.len() > STEPS, "there are migrations");
    Ok(all.iter().filter(|one| one["applied"] != true).count())
}

/// Milliseconds that a command takes which has to succeed.
fn timed(place: &Place, args: &[&str]) -> u64 {
    let began = Instant::now();
    place.fine(args);
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

fn take_back(place: &Place) {
    for _ in 0..STEPS {
        place.fine(&["migrate", "undo"]);
    }
}

/// See the module's text.
pub async fn torture(engine: &str, kills: u64) -> Result<()> {
    let db = super::database(engine).await;
    let url = db.url().to_owned();
    db.close().await;
    let place = Place::new(&db.folder().join("house"), Some(&url));
    let mut dice = Dice::new(kills + 8);
    place.fine(&["migrate", "latest"]);
    let mut within = 0;
    for _ in 0..kills {
        // How long it takes to start and to migrate on this machine, now: the kill is to fall between the two.
        let idle = timed(&place, &["migrate", "latest"]);
        take_back(&place);
        let whole = timed(&place, &["migrate", "latest"]).max(idle);
        take_back(&place);
        let verb = if dice.below(3) == 0 { "undo" } else { "latest" };
        let before = pending(&place)?;
        let mut child = place
            .command(&["migrate", verb])
            .stdout(std::process::Stdio::null())
            .spawn()?;
        let from = idle.saturating_sub(AROUND);
        pause(Duration::from_millis(from + dice.below(whole - from + AROUND))).await;
        // It may have been faster.
        let _ = child.kill();
        child.wait()?;
        let after = pending(&place)?;
        within += u64::from(after > 0 && after < before);
        place.fine(&["migrate", "latest"]);
        ensure!(pending(&place)? == 0, "the next start does not complete it");
    }
    let server = place.serve();
    let ended = server.stop();
    ensure!(ended == Some(0), "it does not end in order: {ended:?}");
    figure(
        "R8",
        engine,
        format!("{kills} kills of a moving schema, {within} of them between two steps: each next start completed it"),
    );
    Ok(())
}
