//! R9: due times under a clock that is not the machine's: processes of their own run schedules in three zones over the changes
//! of daylight saving, under `faketime`; they are killed, nobody is there for days, the clock goes back by an hour. Each due time
//! is there once, with its job or with the rule by which it has none.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use vitrine::kernel::clock::Clock;
use vitrine::kernel::db::{Db, Options, sql};
use vitrine::kernel::jobs::{JobHandler, NewJob, Worker, WorkerOptions};
use vitrine::kernel::schedule::{Missed, Outcome, Schedule, register, runs, tick};
use vitrine::kernel::testing::Dice;

use super::figure;

/// 2025-03-20, ten days before clocks change in Europe.
const START: i64 = 1_742_428_800_000;
const HOUR: i64 = 3_600_000;
/// Due times of one day.
const DAILY: u64 = 3;

/// Schedules whose hour is missing, or there twice, in some nights.
fn schedules() -> Vec<Schedule> {
    vec![
        Schedule {
            name: "torture.paris",
            cron: "30 2 * * *",
            zone: "Europe/Paris",
            missed: Missed::RunOnce,
            job: || NewJob::new("torture.paris", json!({})),
        },
        Schedule {
            name: "torture.york",
            cron: "30 1 * * *",
            zone: "America/New_York",
            missed: Missed::Skip,
            job: || NewJob::new("torture.york", json!({})),
        },
        Schedule {
            name: "torture.howe",
            cron: "15 2 * * *",
            zone: "Australia/Lord_Howe",
            missed: Missed::RunOnce,
            job: || NewJob::new("torture.howe", json!({})),
        },
    ]
}

async fn open(url: &str) -> Result<Db> {
    Ok(Db::open(url, Path::new("."), Clock::system(), Options::default()).await?)
}

/// The process: for each line it is sent it makes what is due by its clock, runs it, and tells when to look again.
pub async fn house(arguments: &[String]) -> Result<()> {
    let [url] = arguments else { anyhow::bail!("an address") };
    let db = open(url).await?;
    let schedules = schedules();
    register(&db, &schedules).await?;
    let handler = |schedule: &Schedule| JobHandler::new(schedule.name, |_| async { Ok(Value::Null) });
    let handlers = schedules.iter().map(handler).collect();
    let name = format!("clocks-{}", std::process::id());
    let worker = Worker::new(&db, &name, handlers, WorkerOptions::default())?;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        line?;
        let next = tick(&db, &schedules).await?.context("schedules are due some time")?;
        worker.drain().await?;
        writeln!(out, "{next}")?;
        out.flush()?;
    }
    db.close().await;
    Ok(())
}

/// The library that shows programs another clock.
fn faketime() -> Option<PathBuf> {
    let folders = [
        "/usr/lib/x86_64-linux-gnu/faketime",
        "/usr/lib/aarch64-linux-gnu/faketime",
        "/usr/lib64/faketime",
        "/usr/lib/faketime",
    ];
    let libraries = folders.map(|folder| Path::new(folder).join("libfaketimeMT.so.1"));
    libraries.into_iter().find(|library| library.exists())
}

/// A clock that stands still until it is moved.
struct Hands {
    library: PathBuf,
    file: PathBuf,
    now: i64,
}

impl Hands {
    fn set(&mut self, now: i64) -> Result<()> {
        let text = jiff::Timestamp::from_millisecond(now)?
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string();
        let new = self.file.with_extension("new");
        std::fs::write(&new, format!("{text}\n"))?;
        std::fs::rename(&new, &self.file)?;
        self.now = now / 1_000 * 1_000;
        Ok(())
    }
}

struct House {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl House {
    fn start(url: &str, hands: &Hands) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["clocks-house", url])
            .env("LD_PRELOAD", &hands.library)
            .env("FAKETIME_TIMESTAMP_FILE", &hands.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("NO_FAKE_STAT", "1")
            .env("TZ", "UTC");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().context("its standard output")?);
        Ok(Self { child, lines })
    }

    fn tell(&mut self) -> Result<()> {
        let input = self.child.stdin.as_mut().context("its standard input")?;
        input.write_all(b"\n")?;
        Ok(input.flush()?)
    }

    /// When to look again.
    fn hear(&mut self) -> Result<i64> {
        let mut line = String::new();
        self.lines.read_line(&mut line)?;
        line.trim().parse().context("it ended instead of answering")
    }
}

impl Drop for House {
    fn drop(&mut self) {
        // Ended already by itself, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// See the module's text.
pub async fn torture(engine: &str, wanted: u64) -> Result<()> {
    let Some(library) = faketime() else {
        figure(
            "R9",
            engine,
            "left out: libfaketime is not installed (on Debian: apt-get install faketime)",
        );
        return Ok(());
    };
    let db = super::database(engine).await;
    let url = db.url().to_owned();
    db.close().await;
    let folder = tempfile::tempdir()?;
    let mut hands = Hands {
        library,
        file: folder.path().join("clock"),
        now: START,
    };
    hands.set(START)?;
    // SQLite has one process by definition.
    let several = if engine == "sqlite" { 1 } else { 2 };
    let start = |hands: &Hands| -> Result<Vec<House>> { (0..several).map(|_| House::start(&url, hands)).collect() };
    let mut houses = start(&hands)?;
    let mut next = look(&mut houses)?;
    let mut dice = Dice::new(wanted + 9);
    let end = START + i64::try_from(wanted / DAILY + 1)? * 24 * HOUR;
    let (mut ticks, mut kills, mut back, mut away) = (0u64, 0u64, 0u64, 0u64);
    while hands.now < end {
        ticks += 1;
        // Now and then nobody is there for four days.
        let gap = if ticks % 50 == 9 { 96 * HOUR } else { 0 };
        away += u64::from(gap > 0);
        let late = i64::try_from(dice.below(30))? * 1_000;
        hands.set(next + gap + late)?;
        if dice.below(6) == 0 {
            // In the middle of making what is due.
            houses.iter_mut().try_for_each(House::tell)?;
            super::load::pause(std::time::Duration::from_micros(dice.below(4_000))).await;
            houses.clear();
            houses = start(&hands)?;
            kills += several;
        }
        next = look(&mut houses)?;
        if ticks % 30 == 19 {
            back += 1;
            let now = hands.now;
            hands.set(now - HOUR)?;
            look(&mut houses)?;
            hands.set(now)?;
            next = look(&mut houses)?;
        }
    }
    // What the last kill left is taken over once its lease has ended.
    hands.set(hands.now + 60_000)?;
    look(&mut houses)?;
    drop(houses);
    let (all, by_rule) = verdict(&url, hands.now).await?;
    let text = format!(
        "{all} due times under faketime, over daylight saving in 3 zones: each once, {by_rule} of them listed by their rule; {kills} kills, \
         {back} times back an hour, {away} times nobody there for days"
    );
    figure("R9", engine, text);
    Ok(())
}

/// Lets all of them look at the clock, at the same time.
fn look(houses: &mut [House]) -> Result<i64> {
    houses.iter_mut().try_for_each(House::tell)?;
    let mut next = i64::MAX;
    for house in houses {
        next = next.min(house.hear()?);
    }
    Ok(next)
}

/// The due times of a nightly schedule by another way of counting: the wall clock of each day, its first instant where it is
/// there twice, the first instant after where a night leaves it out.
fn nights(schedule: &Schedule, to: i64) -> Result<Vec<i64>> {
    let zone = jiff::tz::TimeZone::get(schedule.zone)?;
    let words: Vec<i8> = schedule
        .cron
        .split(' ')
        .take(2)
        .map(str::parse)
        .collect::<Result<_, _>>()?;
    let (minute, hour) = (words[0], words[1]);
    let day = |ms: i64| Ok::<_, jiff::Error>(jiff::Timestamp::from_millisecond(ms)?.to_zoned(zone.clone()).date());
    let (mut date, last) = (day(START)?.yesterday()?, day(to)?);
    let mut due = Vec::new();
    while date <= last {
        let ambiguous = zone.to_ambiguous_timestamp(date.at(hour, minute, 0, 0));
        let at = if matches!(ambiguous.offset(), jiff::tz::AmbiguousOffset::Gap { .. }) {
            let within = ambiguous.later()?.max(ambiguous.earlier()?);
            zone.preceding(within).next().context("a change of clocks")?.timestamp()
        } else {
            ambiguous.earlier()?
        };
        due.push(at.as_millisecond());
        date = date.tomorrow()?;
    }
    due.retain(|at| *at > START && *at <= to);
    Ok(due)
}

async fn verdict(url: &str, to: i64) -> Result<(usize, usize)> {
    let db = open(url).await?;
    let counted: Vec<(String, String, i64)> =
        sql("SELECT kind, state, COUNT(*) FROM job GROUP BY kind, state ORDER BY kind, state")
            .all(&db)
            .await?;
    ensure!(
        counted.iter().all(|(_, state, _)| state == "done"),
        "jobs did not end: {counted:?}"
    );
    let jobs: BTreeMap<String, i64> = counted.into_iter().map(|(kind, _, count)| (kind, count)).collect();
    let (mut all, mut by_rule) = (0, 0);
    for schedule in schedules() {
        let name = schedule.name;
        let mut listed = runs(&db, name, 10_000).await?;
        listed.reverse();
        let due: Vec<i64> = listed.iter().map(|run| run.due_at).collect();
        let wanted = nights(&schedule, to)?;
        ensure!(
            due == wanted,
            "{name}: {} due times are listed, {} there were",
            due.len(),
            wanted.len()
        );
        let made = listed.iter().filter(|run| run.outcome == Outcome::Made).count();
        // A job that a killed process had made stands for the next due time, too.
        let joined = listed.iter().filter(|run| run.outcome == Outcome::Joined).count();
        let rule = match schedule.missed {
            Missed::Skip => Outcome::Skipped,
            Missed::RunOnce => Outcome::Missed,
        };
        let left_out = listed.iter().filter(|run| run.outcome == rule).count();
        ensure!(
            made + joined + left_out == listed.len(),
            "{name}: a due time has neither job nor rule"
        );
        let there = jobs.get(name).copied().unwrap_or_default();
        ensure!(there == made as i64, "{name}: {there} jobs for {made} due times");
        all += listed.len();
        by_rule += left_out;
    }
    db.close().await;
    Ok((all, by_rule))
}
