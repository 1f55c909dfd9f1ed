//! What accounts cost: finding out whose a session is, warm and cold, on both databases; and what forty people who sign in at
//! the same moment do to everybody else's requests.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use serde_json::{Value, json};
use vitrine::kernel::access::Credential;
use vitrine::kernel::crypto;
use vitrine::kernel::db::{Write, sql};

use super::report::{Report, ms, percentile, us};
use super::server::Server;
use super::server::inside;
use super::{api, postgres_search};

const SESSIONS: usize = 500;
const WARM: usize = 200_000;
const PEOPLE: usize = 40;
const QUIET: usize = 2_000;
const PASSWORD: &str = "zebra-kettle-47-river";

pub async fn measure() -> Result<()> {
    let report = Report::new("Accounts");
    let folder = tempfile::tempdir()?;
    sessions(&report, "SQLite", &folder.path().join("sqlite"), None).await?;
    if let Some(url) = postgres_search::database("accounts").await? {
        sessions(&report, "PostgreSQL", &folder.path().join("postgres"), Some(&url)).await?;
        postgres_search::remove(&url).await?;
    }
    sign_ins(&report, &folder.path().join("house")).await
}

/// Whose a session is: asked of the house as each request asks.
async fn sessions(report: &Report, name: &str, house: &Path, database: Option<&str>) -> Result<()> {
    let app = inside(house, database).await?;
    let (db, access) = (app.kernel.db.clone(), app.kernel.access.clone());
    db.write(Write::interactive("bench"), |tx| {
        Box::pin(async move {
            let now = tx.now();
            sql("INSERT INTO account (id, version, kind, state, login, login_key, name, name_key, created_at) \
                 VALUES ('anna', 1, 'person', 'active', 'anna', 'anna', 'Anna', 'anna', $1)")
                .bind(now)
                .exec(&mut *tx)
                .await?;
            for n in 0..SESSIONS {
                sql("INSERT INTO session (id, digest, account_id, whole, created_at, used_at, expires_at, address, agent) \
                     VALUES ($1, $2, 'anna', TRUE, $3, $3, $4, '', '')")
                    .bind(format!("session {n}"))
                    .bind(crypto::digest(&format!("secret {n}")))
                    .bind(now)
                    .bind(now + 3_600_000)
                    .exec(&mut *tx)
                    .await?;
            }
            Ok(())
        })
    })
    .await
    .map_err(|e| anyhow!("{e}"))?;
    let ask = async |n: usize| {
        let secret = format!("secret {n}");
        let found = access.identify(Credential::Cookie(&secret), None).await;
        found.map_err(|e| anyhow!("{e}"))
    };
    let mut cold = Vec::with_capacity(SESSIONS);
    for n in 0..SESSIONS {
        let started = Instant::now();
        ensure!(ask(n).await?.is_some(), "the session is known");
        cold.push(started.elapsed());
    }
    cold.sort_unstable();
    let started = Instant::now();
    for _ in 0..WARM {
        ask(7).await?;
    }
    let warm = started.elapsed() / u32::try_from(WARM)?;
    report.line(&format!("{name}, whose a session is, warm"), &us(warm), "30 us");
    report.line(
        &format!("{name}, the same for the first time in a second, p50"),
        &us(percentile(&cold, 0.5)),
        "",
    );
    app.close().await;
    Ok(())
}

fn form(fields: &[(&str, &str)]) -> Result<String> {
    Ok(serde_html_form::to_string(fields)?)
}

async fn post_form(http: &reqwest::Client, url: &str, body: String) -> Result<reqwest::StatusCode> {
    let request = http
        .post(url)
        .header("content-type", "application/x-www-form-urlencoded");
    Ok(request.body(body).send().await?.status())
}

/// Makes the people with their passwords.
async fn invite(http: &reqwest::Client, address: &str, token: &str) -> Result<()> {
    for n in 0..PEOPLE {
        // Names that look alike are one: letters, no digits.
        let login = format!("guest-{}", "x".repeat(n + 2));
        let wanted = json!({ "login": login, "name": login });
        let made: Value = http
            .post(format!("{address}/api/people"))
            .bearer_auth(token)
            .json(&wanted)
            .send()
            .await?
            .json()
            .await?;
        let link = made["link"]["url"].as_str().ok_or_else(|| anyhow!("no link: {made}"))?;
        let status = post_form(http, link, form(&[("password", PASSWORD)])?).await?;
        ensure!(status.as_u16() == 303, "{link} answered {status}");
    }
    Ok(())
}

/// How long a page takes, asked again and again until told to stop or so many times.
async fn pages(address: &str, most: usize, stop: &AtomicBool) -> Result<Vec<Duration>> {
    let http = reqwest::Client::new();
    let mut times = Vec::new();
    while times.len() < most && !stop.load(Ordering::Relaxed) {
        let started = Instant::now();
        http.get(address).send().await?.bytes().await?;
        times.push(started.elapsed());
    }
    times.sort_unstable();
    Ok(times)
}

async fn sign_ins(report: &Report, folder: &Path) -> Result<()> {
    let token = api::token(folder, None)?;
    let server = Server::app(folder, None).await?;
    let http = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()?;
    invite(&http, &server.address, &token).await?;
    let page = format!("{}/", server.address);
    let never = AtomicBool::new(false);
    let quiet = pages(&page, QUIET, &never).await?;
    let over = Arc::new(AtomicBool::new(false));
    let asking = tokio::spawn({
        let (page, over) = (page.clone(), over.clone());
        async move { pages(&page, usize::MAX, &over).await }
    });
    let started = Instant::now();
    let mut people = Vec::new();
    for n in 0..PEOPLE {
        let (http, url) = (http.clone(), format!("{}/sign-in", server.address));
        let name = format!("guest-{}", "x".repeat(n + 2));
        let body = form(&[("name", &name), ("password", PASSWORD)])?;
        people.push(tokio::spawn(async move { post_form(&http, &url, body).await }));
    }
    for person in people {
        let status = person.await??;
        ensure!(status.as_u16() == 303, "a sign-in answered {status}");
    }
    let took = started.elapsed();
    over.store(true, Ordering::Relaxed);
    let busy = asking.await??;
    report.line(&format!("{PEOPLE} sign-ins at once"), &ms(took), "");
    let (before, during) = (percentile(&quiet, 0.95), percentile(&busy, 0.95));
    report.line("a page meanwhile, p95", &ms(during), "");
    report.line("a page without them, p95", &ms(before), "");
    report.line(
        "ratio",
        &format!("{:.2}", during.as_secs_f64() / before.as_secs_f64()),
        "under 2",
    );
    Ok(())
}
