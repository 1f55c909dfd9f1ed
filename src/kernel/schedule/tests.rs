//! Schedules on both engines under a clock that only the test moves.

use serde_json::{Value, json};

use super::*;
use crate::both;
use crate::kernel::clock::Clock;
use crate::kernel::db::Options;
use crate::kernel::jobs::{JobFilter, JobHandler, State, Worker, WorkerOptions};
use crate::kernel::testing::TestDb;

/// 2025-06-15T15:06:40Z, a Sunday.
const NOW: i64 = 1_750_000_000_000;
const HOUR: i64 = 3_600_000;

fn hourly(name: &'static str, missed: Missed) -> Schedule {
    Schedule {
        missed,
        ..Schedule::new(name, "0 * * * *", || NewJob::new("test.hourly", json!({})))
    }
}

async fn jobs_of(db: &Db) -> usize {
    jobs::list(db, &JobFilter::default(), 100).await.unwrap().len()
}

async fn many_schedulers_make_one_job(db: TestDb) {
    let clock = Clock::fixed(NOW);
    let db = Db::open(db.url(), db.folder(), clock.clone(), Options::default())
        .await
        .unwrap();
    let schedules = vec![hourly("test.hourly", Missed::RunOnce)];
    register(&db, &schedules).await.unwrap();
    let next = tick(&db, &schedules).await.unwrap().unwrap();
    assert_eq!(
        jobs_of(&db).await,
        0,
        "a new schedule makes nothing for the time before it"
    );
    assert_eq!(next - NOW, HOUR - 400_000);
    clock.advance(next - NOW);
    let mut tasks = Vec::new();
    for _ in 0..4 {
        let (db, schedules) = (db.clone(), schedules.clone());
        tasks.push(tokio::spawn(async move { tick(&db, &schedules).await.unwrap() }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(jobs_of(&db).await, 1);
    // It has not run when the next is due: it stands for that one too.
    clock.advance(HOUR);
    tick(&db, &schedules).await.unwrap();
    assert_eq!(jobs_of(&db).await, 1);
    let handler = JobHandler::new("test.hourly", |_| async { Ok(Value::Null) });
    let worker = Worker::new(&db, "w", vec![handler], WorkerOptions::default()).unwrap();
    assert_eq!(worker.drain().await.unwrap(), 1);
    // Days without a scheduler are made up for by one run.
    clock.advance(50 * HOUR + 30 * 60_000);
    tick(&db, &schedules).await.unwrap();
    tick(&db, &schedules).await.unwrap();
    assert_eq!(worker.drain().await.unwrap(), 1);
}

async fn missed_runs_may_be_left_out(db: TestDb) {
    let clock = Clock::fixed(NOW);
    let db = Db::open(db.url(), db.folder(), clock.clone(), Options::default())
        .await
        .unwrap();
    let schedules = vec![hourly("test.skip", Missed::Skip)];
    register(&db, &schedules).await.unwrap();
    clock.advance(5 * HOUR);
    let next = tick(&db, &schedules).await.unwrap().unwrap();
    assert_eq!(jobs_of(&db).await, 0);
    clock.advance(next - clock.now());
    tick(&db, &schedules).await.unwrap();
    assert_eq!(jobs_of(&db).await, 1);
}

async fn by_hand_and_paused(db: TestDb) {
    let clock = Clock::fixed(NOW);
    let db = Db::open(db.url(), db.folder(), clock.clone(), Options::default())
        .await
        .unwrap();
    let schedules = vec![hourly("test.hand", Missed::RunOnce)];
    register(&db, &schedules).await.unwrap();
    let id = run_now(&db, &Caller::operator(), "test.hand").await.unwrap();
    assert_eq!(run_now(&db, &Caller::operator(), "test.hand").await.unwrap(), id);
    let job = jobs::get(&db, &id).await.unwrap();
    assert_eq!(
        (job.kind.as_str(), job.state, job.caller),
        ("test.hourly", State::Waiting, Caller::operator())
    );
    assert_eq!(
        run_now(&db, &Caller::operator(), "test.none")
            .await
            .unwrap_err()
            .detail(),
        "There is no schedule \"test.none\"."
    );
    jobs::cancel(&db, &id).await.unwrap();
    pause(&db, "test.hand", true).await.unwrap();
    assert_eq!(list(&db).await.unwrap()[0].next_due, None);
    clock.advance(2 * HOUR);
    tick(&db, &schedules).await.unwrap();
    assert_eq!(jobs_of(&db).await, 1);
    clock.advance(HOUR);
    pause(&db, "test.hand", false).await.unwrap();
    register(&db, &schedules).await.unwrap();
    tick(&db, &schedules).await.unwrap();
    assert_eq!(jobs_of(&db).await, 1);
    let stored = list(&db).await.unwrap().remove(0);
    assert_eq!((stored.kind.as_str(), stored.paused), ("test.hourly", false));
    clock.advance(HOUR);
    tick(&db, &schedules).await.unwrap();
    assert_eq!(jobs_of(&db).await, 2);
}

/// The due times of a nightly schedule by another way of counting: the wall clock of each day, its first instant where it is
/// there twice, the first instant after where a night leaves it out.
fn nights(zone: &str, hour: i8, minute: i8, from: i64, to: i64) -> Vec<i64> {
    let zone = jiff::tz::TimeZone::get(zone).unwrap();
    let ms = |ms: i64| jiff::Timestamp::from_millisecond(ms).unwrap();
    let mut date = ms(from).to_zoned(zone.clone()).date().yesterday().unwrap();
    let mut due = Vec::new();
    while date <= ms(to).to_zoned(zone.clone()).date() {
        let ambiguous = zone.to_ambiguous_timestamp(date.at(hour, minute, 0, 0));
        let at = if matches!(ambiguous.offset(), jiff::tz::AmbiguousOffset::Gap { .. }) {
            let within = ambiguous.later().unwrap().max(ambiguous.earlier().unwrap());
            zone.preceding(within).next().unwrap().timestamp()
        } else {
            ambiguous.earlier().unwrap()
        };
        due.push(at.as_millisecond());
        date = date.tomorrow().unwrap();
    }
    due.retain(|at| *at > from && *at <= to);
    due
}

/// R9: a thousand due times over the changes of daylight saving in three zones, under a clock that only the test moves, with
/// two schedulers, gaps and a clock set back: each is there once, with its job or the rule by which it has none.
async fn a_thousand_due_times(db: TestDb) {
    const START: i64 = 1_740_009_600_000; // 2025-02-20
    let clock = Clock::fixed(START);
    let db = Db::open(db.url(), db.folder(), clock.clone(), Options::default())
        .await
        .unwrap();
    let nightly = |name, cron, zone, missed, job| Schedule {
        name,
        cron,
        zone,
        missed,
        job,
    };
    let schedules = vec![
        nightly("test.paris", "30 2 * * *", "Europe/Paris", Missed::RunOnce, || {
            NewJob::new("test.paris", json!({}))
        }),
        nightly("test.york", "30 1 * * *", "America/New_York", Missed::Skip, || {
            NewJob::new("test.york", json!({}))
        }),
        nightly(
            "test.howe",
            "15 2 * * *",
            "Australia/Lord_Howe",
            Missed::RunOnce,
            || NewJob::new("test.howe", json!({})),
        ),
    ];
    register(&db, &schedules).await.unwrap();
    let end = START + 340 * 24 * HOUR;
    let mut ticks = 0;
    while clock.now() < end {
        let next = tick(&db, &schedules).await.unwrap().unwrap();
        ticks += 1;
        // Now and then nobody is there for four days, or the clock goes back by an hour.
        let gap = if ticks % 50 == 49 { 96 * HOUR } else { 0 };
        clock.advance(next - clock.now() + gap);
        let (first, second) = tokio::join!(tick(&db, &schedules), tick(&db, &schedules));
        assert!(first.is_ok() && second.is_ok());
        if ticks % 30 == 29 {
            clock.advance(-HOUR);
            tick(&db, &schedules).await.unwrap();
            clock.advance(HOUR);
        }
        // Somebody has run what was made.
        let done =
            "UPDATE job SET state = 'done', started_at = created_at, ended_at = created_at WHERE state = 'waiting'";
        let run = db.write(Write::interactive("test"), |tx| {
            Box::pin(async move { sql(done).exec(tx).await })
        });
        run.await.unwrap();
    }
    let mut all = 0;
    let mut left_out = 0;
    for (schedule, hour, minute) in [(&schedules[0], 2, 30), (&schedules[1], 1, 30), (&schedules[2], 2, 15)] {
        let mut listed = runs(&db, schedule.name, 2_000).await.unwrap();
        listed.reverse();
        let due: Vec<i64> = listed.iter().map(|run| run.due_at).collect();
        let wanted = nights(schedule.zone, hour, minute, START, clock.now());
        assert_eq!(due, wanted, "{}: each due time once", schedule.name);
        let rule = if schedule.missed == Missed::Skip {
            Outcome::Skipped
        } else {
            Outcome::Missed
        };
        let made: Vec<_> = listed.iter().filter(|run| run.outcome == Outcome::Made).collect();
        let without = listed.iter().filter(|run| run.outcome == rule).count();
        assert!(without > 0 && made.len() + without == listed.len());
        assert!(made.iter().all(|run| run.state.as_deref() == Some("done")));
        let (jobs,): (i64,) = sql("SELECT COUNT(*) FROM job WHERE kind = $1")
            .bind(schedule.name)
            .one(&db)
            .await
            .unwrap();
        assert_eq!(jobs, made.len() as i64, "a job for each, and none besides");
        all += listed.len();
        left_out += without;
    }
    assert!(all >= 1_000, "{all}");
    println!("R9 {all} due times over daylight saving in 3 zones: each once, {left_out} of them listed by their rule");
}

async fn a_wrong_clock_does_not_stop_a_schedule(db: TestDb) {
    let clock = Clock::fixed(NOW);
    let db = Db::open(db.url(), db.folder(), clock.clone(), Options::default())
        .await
        .unwrap();
    let schedules = vec![hourly("test.hourly", Missed::RunOnce)];
    register(&db, &schedules).await.unwrap();
    // A year ahead, and back.
    clock.advance(8_760 * HOUR);
    tick(&db, &schedules).await.unwrap();
    assert_eq!(jobs_of(&db).await, 1);
    let worker = worker(&db);
    assert_eq!(worker.drain().await.unwrap(), 1);
    clock.advance(-8_760 * HOUR);
    let next = tick(&db, &schedules).await.unwrap().unwrap();
    clock.advance(next - clock.now());
    tick(&db, &schedules).await.unwrap();
    assert_eq!(worker.drain().await.unwrap(), 1);
    // By an hour: nothing runs twice.
    clock.advance(-HOUR);
    tick(&db, &schedules).await.unwrap();
    assert_eq!(worker.drain().await.unwrap(), 0);
}

fn worker(db: &Db) -> Worker {
    let handler = JobHandler::new("test.hourly", |_| async { Ok(Value::Null) });
    Worker::new(db, "w", vec![handler], WorkerOptions::default()).unwrap()
}

async fn a_pause_is_listed(db: TestDb) {
    let clock = Clock::fixed(NOW);
    let db = Db::open(db.url(), db.folder(), clock.clone(), Options::default())
        .await
        .unwrap();
    let schedules = vec![hourly("test.hourly", Missed::RunOnce)];
    register(&db, &schedules).await.unwrap();
    pause(&db, "test.hourly", true).await.unwrap();
    clock.advance(HOUR);
    tick(&db, &schedules).await.unwrap();
    // For three more hours nobody looks.
    clock.advance(3 * HOUR);
    pause(&db, "test.hourly", false).await.unwrap();
    tick(&db, &schedules).await.unwrap();
    let listed = runs(&db, "test.hourly", 10).await.unwrap();
    assert_eq!(listed.len(), 4);
    assert!(
        listed
            .iter()
            .all(|run| run.outcome == Outcome::Paused && run.job_id.is_none())
    );
    assert_eq!(jobs_of(&db).await, 0);
    assert_eq!(
        pause(&db, "none", true).await.unwrap_err().detail(),
        "There is no schedule \"none\"."
    );
}

/// Nonsense is refused with the text and the reason. Where another version has stored something that this one does not
/// understand, its schedule is listed without a next time and can still be run, paused and resumed; the others go on.
async fn nonsense_stops_nothing(db: TestDb) {
    let clock = Clock::fixed(NOW);
    let db = Db::open(db.url(), db.folder(), clock.clone(), Options::default())
        .await
        .unwrap();
    for (cron, zone) in [
        ("", "UTC"),
        ("* * * *", "UTC"),
        ("0 0 32 * *", "UTC"),
        ("0 0 * 13 *", "UTC"),
        ("*/0 * * * *", "UTC"),
        ("9-3 * * * *", "UTC"),
        ("every day at noon", "UTC"),
        ("\0 * * * *", "UTC"),
        ("0 * * * *", "Moon/Crater"),
        ("0 * * * *", "../../etc/passwd"),
    ] {
        let refused = Times::parse(cron, zone).err();
        let refused = refused.unwrap_or_else(|| panic!("{cron:?} in {zone:?} was taken"));
        let told = refused.to_string();
        assert!(
            told.contains("is no cron text") || told.contains("is no time zone"),
            "{told}"
        );
    }
    let schedules = vec![
        hourly("test.hourly", Missed::RunOnce),
        hourly("test.other", Missed::RunOnce),
    ];
    register(&db, &schedules).await.unwrap();
    let write = db.write(Write::interactive("test"), |tx| {
        Box::pin(async move {
            sql("UPDATE schedule SET cron = 'when it rains', zone = 'Moon/Crater' WHERE name = 'test.other'")
                .exec(tx)
                .await
        })
    });
    write.await.unwrap();
    let listed = list(&db).await.unwrap();
    let next: Vec<bool> = listed.iter().map(|one| one.next_due.is_some()).collect();
    assert_eq!((listed[1].cron.as_str(), next), ("when it rains", vec![true, false]));
    pause(&db, "test.other", true).await.unwrap();
    pause(&db, "test.other", false).await.unwrap();
    run_now(&db, &Caller::operator(), "test.other").await.unwrap();
    assert_eq!(jobs_of(&db).await, 1);
    clock.advance(HOUR);
    tick(&db, &schedules[..1]).await.unwrap();
    assert_eq!(jobs_of(&db).await, 2);
    // A schedule that could never be understood is refused before it is stored, by its name.
    let wrong = Schedule {
        cron: "when it rains",
        ..hourly("test.wrong", Missed::Skip)
    };
    let refused = register(&db, &[wrong]).await.unwrap_err();
    assert!(
        format!("{:#}", refused.source().unwrap()).contains("test.wrong"),
        "{refused}"
    );
    assert!(list(&db).await.unwrap().iter().all(|one| one.name != "test.wrong"));
}

both!(
    nonsense_stops_nothing,
    a_pause_is_listed,
    a_thousand_due_times,
    a_wrong_clock_does_not_stop_a_schedule,
    many_schedulers_make_one_job,
    missed_runs_may_be_left_out,
    by_hand_and_paused
);

#[test]
fn times_are_read_in_their_zone() {
    let ms = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    let paris = Times::parse("30 2 * * *", "Europe/Paris").unwrap();
    assert_eq!(paris.next(ms("2025-06-15T00:00:00Z")), Some(ms("2025-06-15T00:30:00Z")));
    assert_eq!(paris.next(ms("2025-12-15T00:31:00Z")), Some(ms("2025-12-15T01:30:00Z")));
    assert_eq!(paris.last(ms("2025-12-15T01:30:00Z")), Some(ms("2025-12-15T01:30:00Z")));
    // The night without 02:30 and the night with two of them have one run each.
    let spring = paris.next(ms("2026-03-28T12:00:00Z")).unwrap();
    assert!(spring < ms("2026-03-29T12:00:00Z"));
    assert_eq!(paris.next(spring), Some(ms("2026-03-30T00:30:00Z")));
    assert!(Times::parse("61 * * * *", "UTC").is_err() && Times::parse("* * * * * *", "UTC").is_err());
    assert!(Times::parse("* * * * *", "Moon/Crater").is_err());
}

/// The nights on which clocks change: one run each, never none and never two.
#[test]
fn nights_without_an_hour_and_with_two() {
    let ms = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_millisecond();
    for zone in [
        "Europe/Paris",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Apia",
    ] {
        for cron in ["30 2 * * *", "30 1 * * *", "0 0 * * *"] {
            let times = Times::parse(cron, zone).unwrap();
            let mut due = ms("2023-01-01T12:00:00Z");
            let end = ms("2026-01-01T12:00:00Z");
            let mut days = std::collections::BTreeMap::new();
            while let Some(next) = times.next(due).filter(|next| *next < end) {
                assert!(next > due, "{zone} {cron}: time goes on");
                assert_eq!(
                    times.last(next),
                    Some(next),
                    "{zone} {cron}: what is next is then the last"
                );
                *days.entry(times.at(next).unwrap().date()).or_insert(0) += 1;
                due = next;
            }
            assert!(days.values().all(|count| *count == 1), "{zone} {cron}: {days:?}");
            assert!(days.len() >= 1_095, "{zone} {cron}: {} days", days.len());
        }
    }
}
