//! R2, R3 and R6: clients write and import while the program is killed with `kill -9`, or asked to end, again and again;
//! now and then the folder of its index is thrown away too. At the end nothing that was answered is lost, nothing is
//! doubled, and the index tells the same as the database.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use vitrine::kernel::testing::Dice;

use super::load::{self, Load};
use super::server::{Place, Server};
use super::{figure, verdict};

/// A cycle that brings nothing to an end is cut off all the same.
const LONGEST: Duration = Duration::from_secs(5);
/// An orderly end takes at most so long.
const STOP: Duration = Duration::from_secs(10);

fn count(n: &AtomicU64) -> u64 {
    n.load(Ordering::Relaxed)
}

/// A house under load, which outlives its processes.
struct House {
    place: Place,
    load: Arc<Load>,
    dice: Dice,
    starts: Vec<Duration>,
}

impl House {
    fn new(db: &vitrine::kernel::testing::TestDb, seed: u64) -> Self {
        let mut place = Place::new(&db.folder().join("house"), Some(db.url()));
        place.settings.push("http.timeout_seconds=10".to_owned());
        Self {
            load: Load::new(&place.token()),
            place,
            dice: Dice::new(seed),
            starts: Vec::new(),
        }
    }

    fn serve(&mut self) -> Server {
        let started = Instant::now();
        let server = self.place.serve();
        self.starts.push(started.elapsed());
        self.load.is_at(Some(&server.url));
        server
    }

    /// Lets the clients come on by a while.
    async fn some_work(&mut self) {
        let enough = count(&self.load.acknowledged) + self.dice.below(120);
        let reached = async {
            while count(&self.load.acknowledged) < enough {
                load::pause(Duration::from_millis(2)).await;
            }
        };
        // Nothing may come to an end while a key waits for a lease; then the end finds it waiting.
        let _ = tokio::time::timeout(LONGEST, reached).await;
    }

    /// The longest start.
    fn longest(&self) -> u128 {
        self.starts.iter().max().map_or(0, Duration::as_millis)
    }
}

/// R2 and R3.
pub async fn kills(engine: &str, cycles: u64) -> Result<()> {
    let db = super::database(engine).await;
    // The program has the database for itself; a handle looks again at the end.
    let url = db.url().to_owned();
    db.close().await;
    let mut house = House::new(&db, cycles);
    let (mut early, mut thrown_away) = (0, 0);
    let workers = load::begin(&house.load);
    for cycle in 0..cycles {
        if house.dice.below(8) == 0 {
            early += 1;
            let mut child = house.place.spawn();
            load::pause(Duration::from_millis(house.dice.below(120))).await;
            let killed = child.kill();
            child.wait()?;
            killed?;
        }
        if cycle % 10 == 2 {
            thrown_away += 1;
            let index = house.place.data.join("index");
            if index.exists() {
                std::fs::remove_dir_all(index)?;
            }
        }
        let server = house.serve();
        house.some_work().await;
        drop(server);
        house.load.is_at(None);
    }
    let server = house.serve();
    house.load.ends.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await??;
    }
    let seen = verdict::index(&house.load, &server.url).await?;
    ensure!(server.stop() == Some(0), "it does not end in order");
    let records = seen.ids.len();
    let sum = verdict::database(&house.load, &url, seen.ids).await?;
    let load = &house.load;
    let text = format!(
        "{cycles} kills, {early} more while it started: {} writes and {} imports of {} rows answered, 0 lost, 0 doubled, {} states \
         without a gap; {} requests sent again ({} kept answers, {} told what stands); longest start {} ms",
        count(&load.acknowledged),
        count(&load.imports),
        sum.parts,
        sum.versions,
        count(&load.repeated),
        count(&load.replayed),
        count(&load.told),
        house.longest()
    );
    figure("R2", engine, text);
    let text = format!(
        "{cycles} kills while the index commits, its folder thrown away {thrown_away} times: even with the database after {} ms by \
         itself, the same {records} records ({} written, {} imported)",
        seen.after.as_millis(),
        sum.notes,
        sum.parts
    );
    figure("R3", engine, text);
    Ok(())
}

/// R6.
pub async fn stops(engine: &str, cycles: u64) -> Result<()> {
    let db = super::database(engine).await;
    let url = db.url().to_owned();
    db.close().await;
    let mut house = House::new(&db, cycles + 6);
    let workers = load::begin(&house.load);
    let mut longest = Duration::ZERO;
    for _ in 0..cycles {
        let server = house.serve();
        house.some_work().await;
        let told = Instant::now();
        ensure!(server.stop() == Some(0), "it does not end in order");
        longest = longest.max(told.elapsed());
        ensure!(longest < STOP, "it took {longest:?} to end");
        house.load.is_at(None);
    }
    let server = house.serve();
    house.load.ends.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await??;
    }
    // A request that took effect and was not answered would have been told so when it came again.
    let broken = count(&house.load.replayed) + count(&house.load.told);
    ensure!(broken == 0, "{broken} requests took effect and were not answered");
    let seen = verdict::index(&house.load, &server.url).await?;
    ensure!(server.stop() == Some(0), "it does not end in order");
    verdict::database(&house.load, &url, seen.ids).await?;
    let text = format!(
        "{cycles} stops under load: {} writes answered, 0 broken, longest end {} ms, longest start {} ms",
        count(&house.load.acknowledged),
        longest.as_millis(),
        house.longest()
    );
    figure("R6", engine, text);
    Ok(())
}
