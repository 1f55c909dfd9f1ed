//! R8: `kill -9` while the schema moves, up or down: the next start completes it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use vitrine::kernel::testing::Dice;

use super::figure;
use super::load::pause;
use super::server::Place;

/// Steps taken back before each kill.
const STEPS: usize = 4;
/// The longest life of a migrating process, in milliseconds.
const LONGEST: u64 = 90;

fn pending(place: &Place) -> Result<usize> {
    let states: Value = serde_json::from_str(&place.fine(&["migrate", "status", "--json"]))?;
    let all = states.as_array().context("a list")?;
    ensure!(all.len() > STEPS, "there are migrations");
    Ok(all.iter().filter(|one| one["applied"] != true).count())
}

/// See the module's text.
pub async fn torture(engine: &str, kills: u64) -> Result<()> {
    let db = super::database(engine).await;
    let url = db.url().to_owned();
    db.close().await;
    let place = Place::new(&db.folder().join("house"), Some(&url));
    let mut dice = Dice::new(kills + 8);
    let mut within = 0;
    for _ in 0..kills {
        for _ in 0..STEPS {
            place.fine(&["migrate", "undo"]);
        }
        let verb = if dice.below(3) == 0 { "undo" } else { "latest" };
        let before = pending(&place)?;
        let mut child = place
            .command(&["migrate", verb])
            .stdout(std::process::Stdio::null())
            .spawn()?;
        pause(Duration::from_millis(5 + dice.below(LONGEST))).await;
        // It may have been faster.
        let _ = child.kill();
        child.wait()?;
        let after = pending(&place)?;
        within += u64::from(after > 0 && after != before);
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
