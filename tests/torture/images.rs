//! R4: images of the SQLite files as a crash leaves them. While clients write and import, the process is held still for a
//! moment and its files are copied; of what was not yet promised to be on the disk a part is cut off, zeroed or garbled, and
//! pages of the database that the log still holds are torn. Each image has to open, be whole, and hold every write that was
//! answered before.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use vitrine::kernel::clock::Clock;
use vitrine::kernel::db::{Db, Options, sql};
use vitrine::kernel::testing::Dice;

use super::figure;
use super::load::{self, Load, pause};
use super::server::Place;

/// Images that are also started with the whole program: one of so many.
const STARTED: u64 = 50;
/// Images taken of one house.
const ROUND: u64 = 25;
/// A sector: what a disk writes as a whole.
const SECTOR: usize = 512;

/// How far a log goes: its length as far as its frames belong together, and what tells one log from the next.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Log {
    salt: [u8; 8],
    page: usize,
    end: usize,
}

fn number(bytes: &[u8], at: usize) -> usize {
    let four = bytes.get(at..at + 4).and_then(|four| <[u8; 4]>::try_from(four).ok());
    four.map_or(0, |four| u32::from_be_bytes(four) as usize)
}

impl Log {
    const HEADER: usize = 32;
    const FRAME: usize = 24;

    /// Reads where the last commit of a log ends; none where there is no log.
    fn read(bytes: &[u8]) -> Option<Self> {
        let salt: [u8; 8] = bytes.get(16..24)?.try_into().ok()?;
        let page = number(bytes, 8);
        if page < SECTOR {
            return None;
        }
        let (mut at, mut end) = (Self::HEADER, Self::HEADER);
        while bytes.get(at + 8..at + 16) == Some(&salt[..]) && bytes.len() >= at + Self::FRAME + page {
            let is_commit = number(bytes, at + 4) > 0;
            at += Self::FRAME + page;
            if is_commit {
                end = at;
            }
        }
        Some(Self { salt, page, end })
    }

    /// The pages whose newest text stands in the log.
    fn pages(&self, bytes: &[u8]) -> Vec<usize> {
        let frames = (Self::HEADER..self.end).step_by(Self::FRAME + self.page);
        let mut pages: Vec<usize> = frames.map(|at| number(bytes, at)).filter(|page| *page > 0).collect();
        pages.sort_unstable();
        pages.dedup();
        pages
    }
}

/// What was answered up to a moment: each record with how many states it has.
type Answered = BTreeMap<String, (String, i64)>;

/// The files of one moment.
struct Image {
    database: Vec<u8>,
    log: Vec<u8>,
    /// How far the log was known to be on the disk.
    safe: Option<Log>,
    answered: Answered,
    rows: u64,
}

fn files(place: &Place) -> (PathBuf, PathBuf) {
    (place.data.join("vitrine.db"), place.data.join("vitrine.db-wal"))
}

/// Holds the process still and copies its files. What was answered before stands in what was safe then. The process stays
/// still until it is let go on.
async fn take(place: &Place, pid: Pid, load: &Load, later: Duration) -> Result<Image> {
    let (database, log) = files(place);
    let (answered, rows) = (load.notes.lock().unwrap().clone(), load.rows());
    let safe = Log::read(&fs::read(&log).unwrap_or_default());
    // Something more is written meanwhile, of which nothing is promised.
    pause(later).await;
    kill_process(pid, Signal::STOP)?;
    Ok(Image {
        database: fs::read(&database)?,
        log: fs::read(&log).unwrap_or_default(),
        safe,
        answered,
        rows,
    })
}

/// What a power cut may do.
#[derive(Clone, Copy, Debug)]
enum Harm {
    /// The process died; the system wrote all of it.
    None,
    /// The log ends anywhere after what is safe.
    Cut,
    /// From somewhere on there are zeros.
    Zeroed,
    /// Sectors of it never arrived, those after them did.
    Holes,
    /// As before, and pages that were just being carried over into the database are torn.
    Torn,
}

const HARMS: [Harm; 5] = [Harm::None, Harm::Cut, Harm::Zeroed, Harm::Holes, Harm::Torn];

fn zero(bytes: &mut [u8], from: usize, length: usize) {
    let to = (from + length).min(bytes.len());
    if let Some(part) = bytes.get_mut(from..to) {
        part.fill(0);
    }
}

/// Does harm that a disk may do; answers whether there was anything that was not safe.
fn harm(image: &mut Image, how: Harm, dice: &mut Dice) -> bool {
    // A log that began anew is safe nowhere we know of; the image then is that of a process that died.
    let Some(safe) = image.safe else { return false };
    let same = Log::read(&image.log).is_some_and(|now| now.salt == safe.salt && now.page == safe.page);
    if !same || matches!(how, Harm::None) {
        return false;
    }
    let open = image.log.len().saturating_sub(safe.end);
    let somewhere = |dice: &mut Dice| safe.end + dice.below(open.max(1) as u64) as usize;
    match how {
        Harm::None => {}
        Harm::Cut => image.log.truncate(somewhere(dice)),
        Harm::Zeroed => {
            let from = somewhere(dice);
            zero(&mut image.log, from, usize::MAX - from);
        }
        Harm::Holes | Harm::Torn => {
            for _ in 0..=dice.below(4) {
                let from = somewhere(dice).next_multiple_of(SECTOR).max(safe.end);
                zero(&mut image.log, from, SECTOR);
            }
        }
    }
    if matches!(how, Harm::Torn) {
        // Whatever the log holds is written over the database again: it may look like anything.
        let pages = safe.pages(&image.log);
        for _ in 0..=dice.below(6) {
            let Some(page) = pages.get(dice.below(pages.len().max(1) as u64) as usize) else {
                break;
            };
            let at = (page - 1) * safe.page + dice.below((safe.page / SECTOR) as u64) as usize * SECTOR;
            // The first page says what kind of file it is, and is written as one sector.
            if *page > 1 {
                zero(&mut image.database, at, SECTOR);
            }
        }
    }
    open > 0
}

/// Lays an image down and looks at it as the next start would.
async fn look(image: &Image, folder: &Path, starts: bool) -> Result<()> {
    let place = Place::new(&folder.join("house"), None);
    fs::create_dir_all(&place.data)?;
    let (database, log) = files(&place);
    fs::write(&database, &image.database)?;
    fs::write(&log, &image.log)?;
    if starts {
        let server = place.serve();
        ensure!(server.stop() == Some(0), "it does not end in order");
    }
    let url = format!("sqlite:{}", database.display());
    let db = Db::open(&url, folder, Clock::system(), Options::default()).await?;
    let (answer,): (String,) = sql("PRAGMA integrity_check").one(&db).await?;
    ensure!(answer == "ok", "integrity_check: {answer}");
    let rows: Vec<(String, i64, Option<String>)> = sql(
        "SELECT r.id, r.version, v.document FROM record r LEFT JOIN version v ON v.entity = r.id AND v.version = r.version \
         WHERE r.state = 'live'",
    )
    .all(&db)
    .await?;
    let mut standing = BTreeMap::new();
    for (id, version, text) in rows {
        let state: Value = serde_json::from_str(text.as_deref().context("a head without its state")?)?;
        standing.insert(id, (version, state));
    }
    for (tag, (id, version)) in &image.answered {
        let (stands, state) = standing
            .get(id)
            .with_context(|| format!("{tag} was answered and is lost"))?;
        ensure!(stands >= version, "{tag} stands at {stands}, {version} was answered");
        ensure!(
            state["document"]["state"] == *stands,
            "{tag} says another state than its own"
        );
    }
    let parts = standing
        .values()
        .filter(|(_, state)| state["document"]["number"].is_string());
    let parts = parts.count() as u64;
    ensure!(parts >= image.rows, "{parts} of {} imported rows", image.rows);
    let gaps: Vec<(String,)> =
        sql("SELECT entity FROM version GROUP BY entity HAVING MAX(version) <> COUNT(*) OR MIN(version) <> 1")
            .all(&db)
            .await?;
    ensure!(gaps.is_empty(), "the ledger has gaps: {gaps:?}");
    db.close().await;
    Ok(())
}

/// See the module's text.
pub async fn torture(wanted: u64) -> Result<()> {
    let mut sum = Sum::default();
    let mut dice = Dice::new(wanted + 4);
    while sum.images < wanted {
        // A house of its own for some of them, so that images stay small.
        let some = (wanted - sum.images).min(ROUND);
        round(some, &mut dice, &mut sum).await?;
    }
    let text = format!(
        "{} crash images, {} of them with a harmed end of the log, {} started by the program: each whole, 0 of {} answered writes and \
         {} imported rows lost",
        sum.images, sum.harmed, sum.started, sum.writes, sum.rows
    );
    figure("R4", "sqlite", text);
    Ok(())
}

#[derive(Default)]
struct Sum {
    images: u64,
    harmed: u64,
    started: u64,
    writes: u64,
    rows: u64,
}

async fn round(images: u64, dice: &mut Dice, sum: &mut Sum) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let place = Place::new(&folder.path().join("house"), None);
    let load = Load::new(&place.token());
    let server = place.serve();
    let pid = Pid::from_child(&server.child);
    load.is_at(Some(&server.url));
    let workers = load::begin(&load);
    for _ in 0..images {
        pause(Duration::from_millis(20 + dice.below(60))).await;
        let later = Duration::from_millis(dice.below(8));
        let mut image = take(&place, pid, &load, later).await?;
        let how = HARMS[(sum.images % HARMS.len() as u64) as usize];
        sum.harmed += u64::from(harm(&mut image, how, dice));
        let starts = sum.images % STARTED == 1;
        sum.started += u64::from(starts);
        let laid = tempfile::tempdir()?;
        look(&image, laid.path(), starts)
            .await
            .with_context(|| format!("image {} ({how:?})", sum.images))?;
        sum.images += 1;
        kill_process(pid, Signal::CONT)?;
    }
    load.ends.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await??;
    }
    ensure!(server.stop() == Some(0), "it does not end in order");
    sum.writes += load.acknowledged.load(Ordering::Relaxed);
    sum.rows += load.rows();
    Ok(())
}
